// Package flows is the order of work: accept an event, dispatch its shipment,
// fetch the file, open it, deliver its exports, settle, tell a person.
//
// The order is the guarantee. An event is on disk before its sender hears 2xx.
// The raw file is durable before anything is decided about it. An output's
// file is durable before its manifest, both before the ledger says delivered.
// A crash between two steps repeats work and gives the same bytes; it never
// loses an export.
//
// One file holds one step:
//
//	arrival.go      what a door hands over, and the identity it has
//	accept.go       events into the ledger
//	dispatch.go     two pools, woken by commits and due times
//	fetch.go        a link becomes a durable raw file; messagesource.go, a queue's message does
//	proof.go        whether that is the export, whole
//	open.go         a raw file becomes exports, each with its flow
//	queue.go        FinOps' queue, drained one message at a time; messagerun.go, of which run one is
//	execution.go    a data project is run, its package taken
//	reconcile.go    FinOps' history against the ledger; its parts in reconcile_*.go
//	renew.go        FinOps makes a fresh link to what expired; its rungs in renew_*.go
//	silence.go      nothing comes of a flow, or (silence_entity.go) of one entity
//	ack.go          FinOps may forget a message
//	deliver.go      an export becomes durable JSON in an output
//	pass.go         one pass over its data file, or two
//	shape.go        its rows get the flow's types and names on the way
//	verdict.go      an error becomes wait, renew, park or stop
//	rerun.go        a person's verbs; retry.go, what waits is tried at once
//	waits.go        what one output or environment holds up, as one thing
//	whereabouts.go  where the rows are, and what to do next
//	retention.go    what is removed, and when
//	reload.go       another configuration in force
//
// The packages below do the work and do not know each other; this package
// starts all goroutines and alone talks to the ledger. It reads neither the
// command line nor the environment.
package flows

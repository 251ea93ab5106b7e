// Package bench holds no code: its folders are the commands that measure
// finrelay, and what those commands share.
//
//	gen        writes test data to a file (customers makes it)
//	convert    package to JSON Lines, against the obvious Go program (obvious)
//	           and what else people run (peers)
//	intake     events a second, durable before the answer, against express and
//	           better-sqlite3 (peers/express)
//	landing    from the answer to the landed file, against curl; peak memory
//	queue      a backlog of messages, against the queue's own latencies
//	ledger     a ledger of a million settled exports against an empty one
//	canon      whether two files of JSON Lines hold the same rows
//	tree       what a tree of processes costs: time, CPU, memory
//	peers      the peers' scripts, and how npm installs them
//	figures    medians, tables, a picture of bars, the machine's description
//	load       posts events and remembers which ones were promised
//	blobs      a blob store that costs next to nothing
//	target     a finrelay, or a peer, as a process that is started and stopped
//
// Each command prints a section of Markdown and, with -o FILE, puts it into
// that file in place of its last one (docs/benchmarks.md is made so). They
// alternate the contestants round by round and report medians: on a machine
// that others share, the ratio is worth more than either number.
//
// They are commands and not Go benchmarks because what is measured are whole
// processes; and not tests because a timed test fails on a busy machine.
package bench

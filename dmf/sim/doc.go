// Package sim is a faithful FinOps and blob store on net/http. It runs as
// `finrelay sim`, inside the demo and in tests: it fakes the other side of the
// wire, so that everything on our side of it is real.
//
// What it stands in for:
//
//	blob store   links (SAS) that are really signed and really expire, ranges,
//	             conditions and errors as Azure Blob answers them
//	exports      real-looking entities in the formats FinOps writes, bare or in
//	             data packages with their UTF-16LE manifest
//	events       business events as FinOps sends them: alphabetical keys, three
//	             tries one second apart, then an error list with a resend
//	sign-in      Entra's token endpoints v1 and v2, or AD FS; FinOps' own checks
//	             of the token, its list of applications, 401, 403 and 302
//	queue        recurring jobs: dequeue, download, ack, with receipts that go
//	             stale and messages that come again after 30 minutes
//	package API  data projects whose tables grow, executions that follow a
//	             script of statuses, links, errors, history
//
// All of it shares one host: the blob store has every path that is nobody
// else's (routes.go).
//
// # One clock, one seed
//
// Everything that depends on time asks the one [Clock]: links, retention, the
// times in events and answers. Only delays on the wire ([Fault].Delay, dripping,
// the wait between tries) take real time. Everything random comes from
// Options.Seed, one stream a purpose, so that the same seed and the same calls
// give the same names, ids and bytes, however calls of different kinds
// interleave. Calls of one kind from several goroutines share a stream: which
// goroutine gets which id is then up to the scheduler.
//
// # Faults
//
// A test scripts what goes wrong with [Sim.Fault], by the name of the route and
// the time on the clock; what an execution does is an [ExecutionScript].
// [Sim.Requests] tells what the client then did. A [Scenario] is all of this in
// a file: what there is, a timeline, and faults by route and time;
// docs/simulator.md describes it, [Sim.Play] plays it. Without faults the
// simulator is only as unkind as Azure.
//
// All methods of Sim, Blob, Message and Clock may be called concurrently.
package sim

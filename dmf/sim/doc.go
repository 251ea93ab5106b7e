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
//
// The recurring-integration queue, the package API and the token endpoint have
// their place in the route table (routes.go) and are not built.
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
// A test scripts what goes wrong with [Sim.Fault]; [Sim.Requests] tells what
// the client then did. Without faults the simulator is only as unkind as Azure.
//
// All methods of Sim, Blob and Clock may be called concurrently.
package sim

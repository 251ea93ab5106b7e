// Command ledger measures what a million settled exports in the ledger cost:
// intake rate, latency of lists, start-up time, each beside the same of a
// ledger that has only a page of them.
//
//	go run ./bench/ledger -finrelay bin/finrelay -o docs/benchmarks.md
//
// The ledgers are filled in two steps. One export is taken from event to
// settled by package state's own transitions, so its rows are what a real one
// leaves behind whatever the schema is by now. Then SQL copies those rows under
// other ids, spread over 300 days and a hundred entities. A copied id is as
// random as a real one, because random ids are what makes an index slow.
//
// The small ledger is not quite empty: a list of nothing is no list.
package main

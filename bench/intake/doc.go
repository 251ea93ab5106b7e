// Command intake measures how many events a second finrelay takes in, each
// durable before it is answered, against express with better-sqlite3 storing
// the same rows (bench/peers/express).
//
//	go run ./bench/intake -finrelay bin/finrelay -o docs/benchmarks.md
//
// The two servers take turns, round by round, each round on an empty database
// of its own. The links of the events lead to a blob server that accepts
// connections and never answers: finrelay's workers hold on to a handful of
// them and the rest wait their turn, so that what is compared is acceptance,
// which is all that the peer does.
//
// What the numbers rest on is checked in each round: every event that was
// answered with a 2xx is a row, and both databases hold the same number of rows
// an event in the same tables. At the end both servers are killed under load,
// and again every 2xx must be a row.
//
// How many commits an event cost comes from finrelay's closing log line, which
// counts SQLite's commit hook. How many syncs it cost is counted by strace in a
// round of its own that takes no part in the rates: on a disk whose fsync is
// cheap the rate alone would flatter a server that syncs too often, or never.
package main

//go:build linux

// Command convert measures `finrelay convert` against what people would run
// instead: zip in, durable JSON Lines out, whole commands.
//
//	go run ./bench/convert -quick                        20 MB, the obvious Go program alone, as CI runs it
//	go run ./bench/convert -size 200MB -format xml-element
//	go run ./bench/convert -full -o docs/benchmarks.md   every case; writes docs/convert.svg too
//
// Rules:
//
//   - Each contestant (contestants.go) writes the same file name. That is removed
//     and the disk synced before each run, and its fsync belongs to the time.
//   - Right before fast: before the first round each one's rows are compared with
//     the obvious program's (package canon). One with other rows is named WRONG
//     and is not measured; if it is finrelay, nothing is.
//   - The order rotates round by round, and ratios are taken within a round.
//   - Each round measures the machine too: unzip to nowhere, which is inflating on
//     one core, and writing and syncing as many bytes as came out. A round in
//     which unzip strayed by more than 15 % from its median is run again, twice
//     at most, and the report says so.
//   - Who is not installed is named as absent. Peers from npm are installed into a
//     cache folder; Debian has the others (miller, unzip, libxml2-utils).
//
// With -bound R the command fails when the median ratio to the obvious program
// is above R in any case. The bound that CI uses is loose: it is there to notice
// a fall off a cliff and not a busy machine. Goals that are missed are shown as
// missed and fail nothing.
package main

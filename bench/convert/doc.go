// Command convert measures `finrelay convert` against the obvious Go program
// (bench/obvious) on a file that package customers makes up.
//
//	go run ./bench/convert -quick                       20 MB of CSV, as CI runs it
//	go run ./bench/convert -size 1GB -format xml-element
//	go run ./bench/convert -o docs/benchmarks.md
//
// Rules: both write the same file name, which is removed and the disk synced
// before each run; both are made durable inside the measured time; the order
// changes round by round; the ratio is taken in each round. Speed counts only
// when the output is right, so the first round compares every value.
//
// With -bound R the command fails when the median ratio of wall times is above
// R. The bound that CI uses is loose: it is there to notice a fall off a cliff
// and not a busy machine.
package main

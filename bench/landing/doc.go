//go:build linux

// Command landing measures the way of a file: how long from the answer to the
// event until its rows have landed, and how much memory that takes.
//
//	go run ./bench/landing -finrelay bin/finrelay -o docs/benchmarks.md
//
// Time: events for a CSV of 1 MB come one by one. The clock runs from the 2xx to
// the moment the manifest, which is the mark of a complete file, gets its name;
// the kernel tells when (inotify). In the same round curl fetches the same file
// and an fsync of 4 KB is timed, because a goal in milliseconds would judge the
// disk and not the program. The goal: at most what curl takes, plus 8 fsyncs,
// plus 10 ms.
//
// Memory: data packages of 100 MB and 1 GB of CSV land one at a time, each in a
// server just started, whose anonymous memory is sampled every 10 ms. Resident
// memory would also count the files that it reads through the page cache.
package main

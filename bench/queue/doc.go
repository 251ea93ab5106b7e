//go:build linux

// Command queue measures how fast finrelay drains a queue, and in how much
// memory.
//
//	go run ./bench/queue -finrelay bin/finrelay                # 100 messages
//	go run ./bench/queue -finrelay bin/finrelay -messages 2000 # as the scenario has it, six minutes
//
// The backlog is that of testdata/scenarios/backlog-2000.yaml: messages of 200
// KB, and 50 ms for each of the three calls that a message takes. finrelay takes
// one message at a time: dequeue, download, raw file durable, rows landed, ack.
// So the calls cannot overlap, and what it adds to them is what is measured.
//
// The goal is the sum of the latencies that the simulator saw, from a request's
// arrival to the end of its answer, plus the fsyncs, times 1.2. The fsyncs are
// counted by strace in a smaller round of its own, without delays, because
// tracing slows them down; each counts as what an fsync of 4 KB takes on the
// same disk, which is less than one of a whole file takes.
//
// Anonymous memory is sampled every 10 ms while the queue is drained.
package main

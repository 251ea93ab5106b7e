package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// killAt, set in the environment of a process that is the program, names the
// step it dies before: "commit:2" is the second commit.
const killAt = "FINRELAY_TEST_KILL_AT"

// killAtStep makes this process send itself SIGKILL just before a step. No
// deferred call runs then and no buffer is flushed, as when the machine's
// memory killer comes by.
func killAtStep() {
	step, nth, ok := strings.Cut(os.Getenv(killAt), ":")
	if !ok {
		return
	}
	n, err := strconv.ParseInt(nth, 10, 64)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", killAt, err)
		os.Exit(exitUsage)
	}
	var seen atomic.Int64
	trace = func(now string) {
		if now != step || seen.Add(1) != n {
			return
		}
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {} // the signal arrives in a moment; no step may be taken in it
	}
}

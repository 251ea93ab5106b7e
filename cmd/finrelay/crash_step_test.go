package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// Variables of a process that is the program (asFinrelay).
const (
	killAt  = "FINRELAY_TEST_KILL_AT" // the step it dies before: "commit:2" is the second commit
	stepsTo = "FINRELAY_TEST_STEPS"   // a file that gets a line for each step taken
)

// obeyTests sets trace, and the user, as the environment says.
func obeyTests() error {
	if id := os.Getenv(asUser); id != "" {
		return becomeUser(id)
	}
	if file := os.Getenv(stepsTo); file != "" {
		return recordSteps(file)
	}
	if at := os.Getenv(killAt); at != "" {
		return killBefore(at)
	}
	return nil
}

func recordSteps(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	trace = func(step string) { fmt.Fprintln(f, step) }
	return nil
}

// killBefore makes this process send itself SIGKILL just before a step. No
// deferred call runs then and no buffer is flushed, as when the system runs
// out of memory and chooses us.
func killBefore(at string) error {
	step, nth, _ := strings.Cut(at, ":")
	n, err := strconv.ParseInt(nth, 10, 64)
	if err != nil {
		return fmt.Errorf("%s: %w", killAt, err)
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
	return nil
}

package main

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// TestRestartUnderLoad posts events without a pause, with FinOps' own policy
// of three tries one second apart, while the server is stopped and started
// twice and killed once. No event may need a person in FinOps, and each lands
// exactly once.
func TestRestartUnderLoad(t *testing.T) {
	t.Parallel()
	const least, most, senders = 300, 1500, 10 // events
	w := startCrashSim(t)
	for range most {
		w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 2})
	}
	l := &lineage{folder: w.folder(t, "10s")}
	if err := l.start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.now.Kill() }()
	// A download that takes longer than FinOps' three tries must not keep the
	// door shut while the server stops.
	slow := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 400})
	w.finops.Fault(sim.Fault{Blob: "*", Times: 1, DripBytesPerSec: 7000})
	if d := w.finops.Send(t.Context(), l.now.Door+"/in/finops/prod?code="+crashKey, slow); !d.Delivered {
		t.Fatal(d)
	}

	door := l.now.Door
	var next, tries atomic.Int64
	var restarted atomic.Bool
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for !t.Failed() {
				i := next.Load()
				if i >= most || i >= least && restarted.Load() {
					return
				}
				i = next.Add(1) - 1
				d := w.finops.Send(t.Context(), door+"/in/finops/prod?code="+crashKey, w.bodies[min(i, most-1)])
				tries.Add(int64(len(d.Tries)))
				if !d.Delivered {
					t.Errorf("event %d given up: %s", i, d)
				}
				time.Sleep(150 * time.Millisecond) // the load lasts longer than the restarts
			}
		})
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL} {
		for enough := next.Load() + 40; next.Load() < enough; {
			time.Sleep(5 * time.Millisecond)
		}
		if err := l.now.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		<-l.now.done
		if err := l.start(); err != nil {
			t.Fatal(err)
		}
	}
	restarted.Store(true)
	all.Wait()
	events := int(next.Load())
	got, err := l.rest(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events in %d tries", events, tries.Load())
	if _, err := l.now.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := got.addFiles(l.folder); err != nil {
		t.Fatal(err)
	}
	checkLandedOnce(t, got, events+1)
}

// checkLandedOnce: n events with one export each are all in the output, once.
func checkLandedOnce(t *testing.T, got aftermath, n int) {
	t.Helper()
	landed, ends, files := 0, 0, 0
	for k, v := range got {
		switch {
		case strings.HasPrefix(k, "export ") && strings.HasPrefix(v, "landed "):
			landed++
		case strings.HasPrefix(k, "journal delivery ") && strings.HasSuffix(k, " becomes delivered") && v == "1 times":
			ends++
		case strings.HasPrefix(k, "file out/"):
			files++
		}
	}
	if landed != n || ends != n || files != 2*n {
		t.Errorf("%d exports landed, %d delivered exactly once, %d files; want %d, %d, %d", landed, ends, files, n, n, 2*n)
	}
}

// TestStop: the first signal ends the server in order, whatever is in flight,
// and the second ends it at once. Either way the next server has all.
func TestStop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		drip    int // bytes a second of a file of about 30 kB
		grace   string
		signals int
		left    []string // what the shipment may be when the server has gone
	}{
		{"a download that fits into the grace time is finished", 60_000, "20s", 1, []string{"fetched", "settled"}},
		{"a download that does not is given back", 2_000, "300ms", 1, []string{"pending"}},
		{"the second signal ends it at once", 2_000, "20s", 2, []string{"fetching"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := startCrashSim(t)
			body := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 400})
			w.finops.Fault(sim.Fault{DripBytesPerSec: c.drip})
			l := &lineage{folder: w.folder(t, c.grace)}
			if err := l.start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.now.Kill() }()
			if err := l.send(t.Context(), [][]byte{body}); err != nil {
				t.Fatal(err)
			}
			for len(w.finops.Requests()) == 0 || w.finops.Requests()[0].Bytes == 0 {
				time.Sleep(2 * time.Millisecond)
			}
			began := time.Now()
			signalled(t, l.now, c.signals > 1)
			took := time.Since(began)
			status := l.now.cmd.ProcessState.Sys().(syscall.WaitStatus)
			if c.signals == 1 && (!status.Exited() || status.ExitStatus() != exitDone) {
				t.Errorf("ended with %s, want exit status 0\n%s", l.now.cmd.ProcessState, l.now.Log())
			}
			if c.signals == 2 && (!status.Signaled() || took > 5*time.Second) {
				t.Errorf("ended with %s after %s, want an end by the signal, at once", l.now.cmd.ProcessState, took)
			}
			if state := shipmentState(t, l.folder); !slices.Contains(c.left, state) {
				t.Errorf("the shipment was left %q, want %q\n%s", state, c.left, l.now.Log())
			}
			w.finops.ClearFaults()
			if err := l.start(); err != nil {
				t.Fatal(err)
			}
			got, err := l.rest(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.now.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := got.addFiles(l.folder); err != nil {
				t.Fatal(err)
			}
			checkLandedOnce(t, got, 1)
		})
	}
}

// signalled sends SIGTERM once, or again and again, and waits for the end.
func signalled(t *testing.T, p *serveProcess, again bool) {
	t.Helper()
	for until := time.Now().Add(longest); time.Now().Before(until); {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		wait := longest
		if again {
			wait = 100 * time.Millisecond
		}
		select {
		case <-p.done:
			return
		case <-time.After(wait):
		}
	}
	t.Fatalf("serve does not end:\n%s", p.Log())
}

// shipmentState is what the ledger says of its only shipment while no server
// has it open.
func shipmentState(t *testing.T, folder string) (now string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(folder, crashState, state.File)+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT state FROM shipments`).Scan(&now); err != nil {
		t.Fatal(err)
	}
	return now
}

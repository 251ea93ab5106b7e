package outputstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"finrelay/exporter/outputs"
)

// Run tests an output. open gives an output whose visible results are files
// below folder, with any name that does not start with a dot; the same folder
// given twice is the same place seen by a program started again. The output's
// paths hold the export's id.
func Run(t *testing.T, open func(folder string) outputs.Output) {
	t.Helper()
	placed := func(folder string) outputs.Output {
		out := open(folder)
		place(t, out)
		return out
	}
	for name, test := range map[string]func(*testing.T, func(string) outputs.Output){
		"nothing visible before commit": testHidden,
		"abort leaves nothing":          testAbort,
		"repeat gives the same bytes":   testRepeat,
		"a younger attempt takes over":  testSupersede,
		"sweep after a kill":            testSweep,
		"wrong counts are refused":      testCounts,
		"concurrent exports":            testConcurrent,
		"a cancelled commit":            testCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, placed) })
	}
	for name, test := range map[string]func(*testing.T, func(string) outputs.Output){
		"a place is marked once":           testMarkedOnce,
		"nothing without its marker":       testWithoutMarker,
		"a place that goes before Commit":  testGoneBeforeCommit,
		"a place that comes before Commit": testHiddenBeforeCommit,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func testHidden(t *testing.T, open func(string) outputs.Output) {
	folder := t.TempDir()
	w := begin(t, open(folder), export("hidden"))
	write(t, w, 3, 1)
	if got := Visible(t, folder); len(got) != 0 {
		t.Fatalf("visible before Commit: %v", keys(got))
	}
	r := commit(t, w, 3, 1)
	if r.Rows != 3 || r.Bytes == 0 || len(r.SHA256) != 64 || r.BadRowsPath == "" {
		t.Errorf("receipt %+v", r)
	}
	if got := Visible(t, folder); len(got) == 0 {
		t.Fatal("nothing visible after Commit")
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort after Commit: %v", err)
	}
	if _, err := w.Commit(t.Context(), outputs.Facts{Rows: 3, BadRows: 1}); err == nil {
		t.Error("a second Commit on one Writer succeeded")
	}
}

func testAbort(t *testing.T, open func(string) outputs.Output) {
	folder := t.TempDir()
	out := open(folder)
	empty := everything(t, folder)
	w := begin(t, out, export("aborted"))
	write(t, w, 3, 1)
	for range 2 {
		if err := w.Abort(); err != nil {
			t.Fatalf("Abort: %v", err)
		}
	}
	same(t, "after Abort", everything(t, folder), empty)
	if err := w.Block(rows(1), 1); err == nil {
		t.Error("Block after Abort succeeded")
	}

	w = begin(t, out, export("aborted"))
	write(t, w, 2, 0)
	commit(t, w, 2, 0)
	before := everything(t, folder)
	w = begin(t, out, export("aborted"))
	write(t, w, 5, 0)
	if err := w.Abort(); err != nil {
		t.Fatalf("Abort of a repeat: %v", err)
	}
	same(t, "after an aborted repeat", everything(t, folder), before)
}

func testRepeat(t *testing.T, open func(string) outputs.Output) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	var first map[string]string
	for i, at := range []string{folder, folder, elsewhere} {
		w := begin(t, open(at), export("repeated"))
		write(t, w, 4, 2)
		commit(t, w, 4, 2)
		got := everything(t, at)
		if i == 0 {
			first = got
			continue
		}
		same(t, fmt.Sprint("attempt ", i+1), got, first)
	}
}

func testSupersede(t *testing.T, open func(string) outputs.Output) {
	folder := t.TempDir()
	out := open(folder)
	older := begin(t, out, export("twice"))
	write(t, older, 7, 1)
	younger := begin(t, out, export("twice"))
	write(t, younger, 2, 0)
	if _, err := older.Commit(t.Context(), outputs.Facts{Rows: 7, BadRows: 1}); err == nil {
		t.Fatal("Commit of a discarded attempt succeeded")
	}
	if err := older.Abort(); err != nil {
		t.Errorf("Abort of a discarded attempt: %v", err)
	}
	if r := commit(t, younger, 2, 0); r.Rows != 2 {
		t.Errorf("the younger attempt committed %d rows, want 2", r.Rows)
	}
}

func testSweep(t *testing.T, open func(string) outputs.Output) {
	folder := t.TempDir()
	out := open(folder)
	w := begin(t, out, export("committed"))
	write(t, w, 2, 1)
	commit(t, w, 2, 1)
	committed := everything(t, folder)

	killed := begin(t, out, export("killed"))
	write(t, killed, 100_000, 1)
	t.Cleanup(func() { killed.Abort() }) // lets go of open files, nothing more

	restarted := open(folder)
	if n, err := restarted.Sweep(t.Context(), here); err != nil || n == 0 {
		t.Errorf("Sweep removed %d, %v; want what the killed attempt left", n, err)
	}
	same(t, "after Sweep", everything(t, folder), committed)
	if n, err := restarted.Sweep(t.Context(), here); err != nil || n != 0 {
		t.Errorf("second Sweep removed %d, %v; want 0", n, err)
	}
	w = begin(t, restarted, export("killed"))
	write(t, w, 2, 0)
	commit(t, w, 2, 0)
}

func testCounts(t *testing.T, open func(string) outputs.Output) {
	folder := t.TempDir()
	out := open(folder)
	empty := everything(t, folder)
	for _, f := range []outputs.Facts{{Rows: 2}, {Rows: 3, BadRows: 1}, {}} {
		w := begin(t, out, export("miscounted"))
		write(t, w, 3, 0)
		if _, err := w.Commit(t.Context(), f); err == nil {
			t.Errorf("Commit said %d rows and %d set aside, 3 and 0 were written: no error", f.Rows, f.BadRows)
		}
		if err := w.Abort(); err != nil {
			t.Errorf("Abort: %v", err)
		}
	}
	w := begin(t, out, export("half line"))
	if err := w.Block([]byte(`{"a":1}`), 1); err == nil {
		t.Error("Block took half a line")
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort: %v", err)
	}
	same(t, "after refused attempts", everything(t, folder), empty)
}

func testConcurrent(t *testing.T, open func(string) outputs.Output) {
	together, alone := t.TempDir(), t.TempDir()
	out := open(together)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := land(t.Context(), out, i); err != nil {
				t.Errorf("export %d among others: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i := range 16 {
		if err := land(t.Context(), open(alone), i); err != nil {
			t.Fatalf("export %d alone: %v", i, err)
		}
	}
	same(t, "landed together", everything(t, together), everything(t, alone))
}

// land is one whole attempt with 50 blocks of i rows; for use off the test's
// goroutine.
func land(ctx context.Context, out outputs.Output, i int) error {
	w, err := out.Begin(ctx, here, export(fmt.Sprint("concurrent-", i)))
	if err != nil {
		return err
	}
	for range 50 {
		if err := w.Block(rows(i), i); err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	if _, err := w.Commit(ctx, outputs.Facts{Rows: int64(50 * i)}); err != nil {
		return errors.Join(err, w.Abort())
	}
	return nil
}

func testCancelled(t *testing.T, open func(string) outputs.Output) {
	folder := t.TempDir()
	out := open(folder)
	empty := everything(t, folder)
	w := begin(t, out, export("cancelled"))
	write(t, w, 1, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Commit(ctx, outputs.Facts{Rows: 1}); err == nil {
		t.Error("Commit with a cancelled context succeeded")
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort: %v", err)
	}
	same(t, "after a cancelled Commit", everything(t, folder), empty)
}

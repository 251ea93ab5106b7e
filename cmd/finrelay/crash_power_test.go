package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"finrelay/exporter/outputs"
)

// crashPoints, set in the environment, asks for more moments of a power cut:
// FINRELAY_CRASH_POINTS=1000 go test -timeout 1h -run TestLostUnsyncedWrites ./cmd/finrelay
const crashPoints = "FINRELAY_CRASH_POINTS"

// usualPoints are few enough for every run of the tests. The moments after
// renames come on top, and each is tried with every model of what a power cut
// leaves.
const usualPoints = 17

// restartsAtOnce is more than there are cores: a restart mostly waits for the
// disk.
const restartsAtOnce = 4

// recording is what a real server did to its folder while it landed the
// workload, and what came of it.
type recording struct {
	work    *crashWorkload
	root    string // the folder, as strace saw it
	config  []byte
	moments []moment
	bodies  map[string][]byte // by our id of the event, each once
	want    aftermath
}

// TestLostUnsyncedWrites shows that what was promised survives a power cut.
// Killing a process proves no fsync, because the system still holds what the
// process wrote. So the system calls of a real server are recorded, and for
// many moments of the recording a folder is built that holds only what the
// calls so far had made durable. A server started on it must come to the same
// end as one that nobody disturbed.
func TestLostUnsyncedWrites(t *testing.T) {
	needStrace(t)
	t.Parallel()
	rec := record(t)
	points := usualPoints
	if n, _ := strconv.Atoi(os.Getenv(crashPoints)); n > 0 {
		points = n
	}
	t.Run("all synced writes are there", func(t *testing.T) {
		t.Parallel()
		restarts := make(chan func())
		var all sync.WaitGroup
		defer all.Wait()
		defer close(restarts)
		for range restartsAtOnce {
			all.Go(func() {
				for restart := range restarts {
					restart()
				}
			})
		}
		n := 0
		rec.replay(t, rec.pick(points), nil, func(p powerCut) bool {
			n++
			folder := rec.work.folder(t, "10s")
			restarts <- func() {
				if err := rec.restart(t.Context(), folder, p); err != nil {
					t.Errorf("power cut at moment %d of %d, model %s: %v", p.at, len(rec.moments), p.model, err)
				}
			}
			return true
		})
		t.Logf("%d different folders of %d moments restarted", n, len(rec.moments))
	})
	// The proof that the test can fail: each kind of fsync, made to do
	// nothing, is missed.
	for kind, ignore := range map[string]func(name string) bool{
		"ledger's log":     func(name string) bool { return strings.HasSuffix(name, "-wal") },
		"raw file":         func(name string) bool { return strings.HasSuffix(name, ".part") },
		"raw folder":       func(name string) bool { return name == "raw" },
		"state folder":     func(name string) bool { return name == filepath.Base(crashState) },
		"folders above it": func(name string) bool { return name == "var" || name == "lib" },
		"data file": func(name string) bool {
			return strings.Contains(name, ".jsonl.") && !strings.Contains(name, "manifest")
		},
		"manifest":           func(name string) bool { return strings.Contains(name, "manifest") },
		"folders of outputs": func(name string) bool { return len(name) == 2 || name == "usmf" || name == "out" }, // two digits: month, day
	} {
		t.Run("without fsync of "+kind, func(t *testing.T) {
			t.Parallel()
			var missed error
			rec.replay(t, rec.pick(3), ignore, func(p powerCut) bool {
				missed = checkVisible(p.left) // cheap, so of all folders first
				return missed == nil
			})
			if missed == nil {
				rec.replay(t, rec.pick(3), ignore, func(p powerCut) bool {
					missed = rec.restart(t.Context(), rec.work.folder(t, "10s"), p)
					return missed == nil
				})
			}
			t.Logf("missed, as it should be: %.200v", missed)
			if missed == nil {
				t.Error("nothing was missed: either that fsync is not needed or this test does not see its want")
			}
		})
	}
}

func needStrace(t *testing.T) {
	t.Helper()
	out, err := exec.Command("strace", "-o", os.DevNull, "true").CombinedOutput()
	if err == nil {
		return
	}
	why := fmt.Sprintf("strace cannot record a process here (%v: %s); install strace (Debian: apt-get install strace) where ptrace is permitted",
		err, strings.TrimSpace(string(out)))
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// record lands the workload with a server under strace, and stops it.
func record(t *testing.T) *recording {
	t.Helper()
	w := newCrashWorkload(t)
	rec := &recording{work: w, root: w.folder(t, "10s"), bodies: map[string][]byte{}}
	var err error
	if rec.config, err = os.ReadFile(filepath.Join(rec.root, defaultFile)); err != nil {
		t.Fatal(err)
	}
	calls := filepath.Join(t.TempDir(), "calls")
	l := &lineage{folder: rec.root, under: append([]string{"strace"}, straceArgs(calls)...)}
	if rec.want, err = runLineage(t.Context(), w, l, 0); err != nil {
		t.Fatalf("run under strace: %v", err)
	}
	if rec.moments, err = readStrace(calls); err != nil {
		t.Fatal(err)
	}
	for i, id := range l.ids {
		rec.bodies[id] = w.bodies[i]
	}
	d := rec.disk()
	for i, m := range rec.moments {
		if err := d.play(m); err != nil {
			t.Fatalf("moment %d: %v", i, err)
		}
	}
	if err := d.check(d.top, rec.root); err != nil {
		t.Fatalf("the replay is not what happened: %v", err)
	}
	if len(d.answered) != len(rec.bodies) {
		t.Fatalf("%d answers in the recording, %d different events were sent", len(d.answered), len(rec.bodies))
	}
	return rec
}

func (rec *recording) disk() *disk {
	d := newDisk(rec.root)
	d.hold(defaultFile, rec.config)
	return d
}

// pick gives the moments right after each rename, and n more, sorted, out of
// those right before and after the end of each fsync and at the beginning of
// each answer: between two of these nothing changes but what is lost anyway.
func (rec *recording) pick(n int) []int {
	var some, others []int
	for i, m := range rec.moments {
		switch m.call.name {
		case "rename", "renameat":
			if m.end {
				some = append(some, i+1)
			}
		case "fsync", "fdatasync":
			if m.end {
				others = append(others, i, i+1)
			}
		case "write":
			if !m.end && doorAnswer.MatchString(m.call.args[1]) {
				others = append(others, i+1)
			}
		}
	}
	n = min(n, len(others))
	for i := range n {
		some = append(some, others[(i+1)*len(others)/n-1])
	}
	slices.Sort(some)
	return slices.Compact(some)
}

// powerCut is a moment of a recording and what a power cut then leaves.
type powerCut struct {
	left     fstest.MapFS
	at       int
	model    cut
	answered map[string]bool
}

// replay goes through the given moments and calls try for each power cut that
// leaves something else, or after other promises, than those before it. It ends
// when try returns false.
func (rec *recording) replay(t *testing.T, points []int, ignore func(string) bool, try func(powerCut) bool) {
	t.Helper()
	d := rec.disk()
	d.ignore = ignore
	tried := map[string]bool{}
	for i, m := range rec.moments {
		if len(points) > 0 && points[0] == i {
			points = points[1:]
			for _, model := range cuts {
				p := powerCut{left: d.left(model, uint64(i)), at: i, model: model, answered: maps.Clone(d.answered)}
				key := p.fingerprint()
				if tried[key] {
					continue
				}
				tried[key] = true
				if !try(p) {
					return
				}
			}
		}
		if err := d.play(m); err != nil {
			t.Fatalf("moment %d: %v", i, err)
		}
	}
}

func (p powerCut) fingerprint() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.left)) {
		fmt.Fprintf(h, "%s %d\n", name, len(p.left[name].Data))
		h.Write(p.left[name].Data)
	}
	return fmt.Sprintf("%x %d", h.Sum(nil), len(p.answered))
}

// restart builds the folder as a power cut left it and checks it: what is
// visible is true; a server started on it brings to its end what was answered
// before the cut, without hearing of it again; and after FinOps has sent again
// what was not answered, all is as if nothing had happened.
func (rec *recording) restart(ctx context.Context, folder string, p powerCut) (err error) {
	if err := checkVisible(p.left); err != nil {
		return err
	}
	if err := writeLeft(folder, p.left); err != nil {
		return err
	}
	s, door, err := serveHere(folder)
	if err != nil {
		return err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, s.Stop())
		}
	}()
	got, err := s.Rest(ctx)
	if err != nil {
		return err
	}
	var again [][]byte
	for id, body := range rec.bodies {
		if !p.answered[id] {
			again = append(again, body)
		} else if lost := rec.missing(got, id); lost != "" {
			return fmt.Errorf("event %s was answered 2xx, and after the restart:\n%s%s", id, lost, s.log)
		}
	}
	if err := s.Send(ctx, door, again); err != nil {
		return err
	}
	if got, err = s.Rest(ctx); err != nil {
		return err
	}
	stopped = true
	if err := errors.Join(s.Stop(), got.addFiles(folder), checkLedgerFile(folder, rec.work.signatures())); err != nil {
		return err
	}
	if d := rec.want.difference(got); d != "" {
		return fmt.Errorf("differs from the undisturbed run:\n%s%s", d, s.log)
	}
	return os.RemoveAll(folder)
}

// missing compares what the ledgers say of one event and all that came of it.
func (rec *recording) missing(got aftermath, id string) string {
	of := func(all aftermath) aftermath {
		o := aftermath{}
		fields := strings.Fields(all["event "+id])
		shipment := ""
		if len(fields) > 0 && strings.HasPrefix(fields[len(fields)-1], "sh_") {
			shipment = fields[len(fields)-1]
		}
		for k, v := range all {
			if k == "event "+id || shipment != "" && (k == "shipment "+shipment || strings.HasPrefix(k, "export ") && strings.Contains(v, shipment)) {
				o[k] = v
			}
		}
		return o
	}
	return of(rec.want).difference(of(got))
}

// checkVisible: whoever sees a manifest may rely on it, at every moment.
func checkVisible(left fs.FS) error {
	return fs.WalkDir(left, "out", func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !strings.HasSuffix(name, ".manifest.json") || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		text, err := fs.ReadFile(left, name)
		if err != nil {
			return err
		}
		var m outputs.Manifest
		if err := json.Unmarshal(text, &m); err != nil {
			return fmt.Errorf("manifest %s is visible and cannot be read: %w", e.Name(), err)
		}
		data, err := fs.ReadFile(left, path.Join(path.Dir(name), m.DataFile))
		if err != nil {
			return fmt.Errorf("manifest %s is visible without its data file: %w", e.Name(), err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(data)); sum != m.SHA256 {
			return fmt.Errorf("manifest %s is visible, and its data file of %d bytes is not the one of %d bytes it speaks of", e.Name(), len(data), m.Bytes)
		}
		if m.BadRowsFile != "" {
			if _, err := fs.Stat(left, path.Join(path.Dir(name), m.BadRowsFile)); err != nil {
				return fmt.Errorf("manifest %s is visible without its rows set aside: %w", e.Name(), err)
			}
		}
		return nil
	})
}

package state

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// traces is a folder as a person would compare it: names, modes, times, bytes.
func traces(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %v %v %x\n", e.Name(), info.Mode(), info.ModTime(), sha256.Sum256(data))
	}
	return b.String()
}

func look(t *testing.T, folder string) *DB {
	t.Helper()
	db, err := OpenToLook(bg, folder, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// events counts what a reader sees.
func eventsSeen(t *testing.T, db *DB) int {
	t.Helper()
	list, err := db.Events(bg, Filter{Limit: -1})
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// Whether the ledger was closed, is at work or was left by a crash: who looks
// sees all that was answered, and leaves no trace.
func TestLookLeavesNoTrace(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, folder string){
		"closed": func(t *testing.T, folder string) {
			l := openLedger(t, folder)
			l.accept(arrival("held"))
			l.must(l.Close())
		},
		"at work": func(t *testing.T, folder string) { holdInAnotherProcess(t, folder) },
		"killed": func(t *testing.T, folder string) {
			holder := holdInAnotherProcess(t, folder)
			_ = holder.Process.Kill()
			_ = holder.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			leave(t, folder)
			before := traces(t, folder)
			db := look(t, folder)
			if n := eventsSeen(t, db); n != 1 || !db.Steady() {
				t.Errorf("%d events, steady %v; want the one that was accepted", n, db.Steady())
			}
			if _, err := db.Accept(bg, []Arrival{arrival("new")}); !errors.Is(err, ErrLooking) {
				t.Errorf("accept: %v, want ErrLooking", err)
			}
			if err := errors.Join(db.Check(bg), db.Close(), db.Close()); err != nil {
				t.Error(err)
			}
			if after := traces(t, folder); after != before {
				t.Errorf("the folder was\n%sand is\n%s", before, after)
			}
		})
	}
}

// Beside a server at work each look sees what is committed by then.
func TestLookBesideAServer(t *testing.T) {
	folder := t.TempDir()
	l := openLedger(t, folder)
	l.accept(arrival("one"))
	db := look(t, folder)
	for n := 1; n < 4; n++ {
		if got := eventsSeen(t, db); got != n || !db.Steady() {
			t.Fatalf("%d events, steady %v; want %d", got, db.Steady(), n)
		}
		l.accept(arrival(fmt.Sprint("more ", n)))
	}
	l.must(l.Close())
	if got := eventsSeen(t, db); got != 4 {
		t.Errorf("%d events after the server's end, want 4", got)
	}
}

// A process that begins to work on a ledger that is read as a file makes what
// was read untrue, and that is known; also when it has ended by then.
func TestLookIsNotSteadyWhenWorkBegins(t *testing.T) {
	folder := t.TempDir()
	l := openLedger(t, folder)
	l.accept(arrival("one"))
	l.must(l.Close())
	during, after := look(t, folder), look(t, folder)
	eventsSeen(t, during)
	l = openLedger(t, folder)
	l.accept(arrival("two"))
	if during.Steady() {
		t.Error("steady while another process works")
	}
	l.must(l.Close())
	if after.Steady() {
		t.Error("steady although another process has worked")
	}
	if db := look(t, folder); eventsSeen(t, db) != 2 || !db.Steady() {
		t.Error("opened again, it does not see both")
	}
}

func TestLookRefuses(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	if _, err := OpenToLook(bg, none, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no ledger: %v", err)
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
	for version, want := range map[int]error{1: ErrOlderLedger, 9999: ErrNewerLedger} {
		folder := t.TempDir()
		l := openLedger(t, folder)
		l.must(l.Close())
		other, err := sql.Open("sqlite3", filepath.Join(folder, File))
		l.must(err)
		_, err = other.Exec(`DELETE FROM goose_db_version; INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)`, version)
		l.must(errors.Join(err, other.Close()))
		if _, err := OpenToLook(bg, folder, Options{}); !errors.Is(err, want) || !strings.Contains(err.Error(), fmt.Sprint("version ", version)) {
			t.Errorf("version %d: %v, want %v", version, err, want)
		}
	}
	// A copy of a ledger at work, without the index of its log: what the log
	// holds must not be passed over.
	folder, copied := t.TempDir(), t.TempDir()
	l := openLedger(t, folder)
	l.accept(arrival("one"))
	for _, name := range []string{File, File + "-wal"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		l.must(errors.Join(err, os.WriteFile(filepath.Join(copied, name), data, 0o600)))
	}
	if _, err := OpenToLook(bg, copied, Options{}); err == nil || !strings.Contains(err.Error(), "-shm") {
		t.Errorf("a log without its index: %v", err)
	}
}

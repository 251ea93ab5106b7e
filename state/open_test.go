package state

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOneProcessHoldsTheFolder(t *testing.T) {
	folder := t.TempDir()
	l := openLedger(t, folder)
	if db, err := OpenLedger(bg, folder, Options{AnyFilesystem: true}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), folder) {
		if db != nil {
			db.Close()
		}
		t.Fatalf("a second holder: %v; want ErrLocked and the folder", err)
	}
	l.must(l.Close())
	l.must(l.Close()) // twice is fine
	openLedger(t, folder)
}

// A killed process leaves no lock, loses nothing that it answered, and its
// claims are given back.
func TestAKilledHolderLeavesALedger(t *testing.T) {
	folder := t.TempDir()
	cmd := holdInAnotherProcess(t, folder)
	if _, err := OpenLedger(bg, folder, Options{AnyFilesystem: true}); !errors.Is(err, ErrLocked) {
		t.Fatalf("while it lives: %v; want ErrLocked", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says "killed"
	l := openLedger(t, folder)
	if !l.accept(arrival("held"))[0].Duplicate {
		t.Error("the event that was answered is gone")
	}
	if returned, _ := l.recover(); returned != 1 {
		t.Errorf("%d claims given back; want 1", returned)
	}
	checkInvariants(t, l.DB, "a kill")
}

// holdInAnotherProcess has a process at work in the folder, with one event
// accepted. It ends with the test at the latest.
func holdInAnotherProcess(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), holdFolder+"="+folder)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // by a test that has killed it, before
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "holding\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return cmd
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	folder := filepath.Join(t.TempDir(), "new", "state")
	l := openLedger(t, folder)
	l.pending("a")
	for _, name := range []string{".", "..", File, File + "-wal", File + "-shm", LockFile} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
			continue
		}
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o; want %o", name, info.Mode().Perm(), want)
		}
	}
	// A file that somebody else made, before the first start, is closed up.
	l.must(l.Close())
	l.must(os.Chmod(filepath.Join(folder, File), 0o666))
	l = openLedger(t, folder)
	l.pending("b")
	for _, name := range []string{File, File + "-wal"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 600", name, info.Mode(), err)
		}
	}
}

func TestFolderWithOddName(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "what? #1 100% & ü")
	l := openLedger(t, folder)
	id := l.pending("a")
	l.must(l.Close())
	if _, err := os.Stat(filepath.Join(folder, File)); err != nil {
		t.Error(err)
	}
	openLedger(t, folder).shipment(id)
}

func TestDurabilitySettings(t *testing.T) {
	l := openLedger(t, t.TempDir())
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		l.must(l.conn.QueryRowContext(bg, "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("the writer has %s = %s; want %s", pragma, got, want)
		}
	}
	if _, err := l.read.Exec(`DELETE FROM events`); err == nil {
		t.Error("a reader's connection writes")
	}
	l.must(l.Check(bg))
}

func TestANewerLedgerIsRefused(t *testing.T) {
	l := newLedger(t)
	folder := l.Folder()
	l.pending("a")
	before := l.dump()
	l.must(l.Close())
	other := outside(t, folder, "rw")
	newer := func(version int) {
		_, err := other.Exec(fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1)`, version))
		l.must(err)
	}
	newer(999)
	db, err := OpenLedger(bg, folder, Options{AnyFilesystem: true})
	if !errors.Is(err, ErrNewerLedger) || !strings.Contains(err.Error(), "999") {
		t.Fatalf("a newer ledger: %v; want ErrNewerLedger and the version", err)
	}
	if db != nil {
		t.Error("a ledger beside the error")
	}
	_, err = other.Exec(`DELETE FROM goose_db_version WHERE version_id = 999`)
	l.must(err)
	if l = openLedger(t, folder); l.dump() != before { // the refusal let go of the lock and changed nothing
		t.Error("the refusal changed rows")
	}
}

func TestADamagedFileIsNotOpened(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, File), []byte(strings.Repeat("not a ledger ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLedger(bg, folder, Options{AnyFilesystem: true}); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("got %v; want an error that names the folder", err)
	}
}

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"finrelay/state"
	"finrelay/web"
)

// asUser, set in the environment, makes the test binary the program as run by
// another user, by number.
const asUser = "FINRELAY_TEST_AS_USER"

func becomeUser(id string) error {
	uid, err := strconv.Atoi(id)
	if err != nil {
		return err
	}
	return syscall.Setuid(uid)
}

// nobody is a user who owns nothing.
const nobody = 65534

// asSomebodyElse runs finrelay without the rights of this process. Root gives
// them up; others have taken theirs from the folder.
func asSomebodyElse(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Dir = "/"
	c.Env = append(os.Environ(), asFinrelay+"=1", "GORACE="+quickRaceExit)
	if os.Getuid() == 0 {
		c.Env = append(c.Env, asUser+"="+strconv.Itoa(nobody))
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	_ = c.Run() // the code is what counts
	return c.ProcessState.ExitCode(), out.String()
}

// A ledger that belongs to another user is not found missing: it is said whose
// it is and what to do, whether the folder is shut or only what is in it, with a
// server at work or without.
func TestLookAtAnothersLedger(t *testing.T) {
	parent, err := os.MkdirTemp("", "fr") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	folder := filepath.Join(parent, "state")
	db, err := state.OpenLedger(t.Context(), folder, state.Options{AnyFilesystem: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	shut := func(mode os.FileMode, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		shut func()
		open func()
	}{
		{"the folder", func() { shut(shutMode(0o700), folder) }, func() { shut(0o755, folder) }},
		{"the file", func() { shut(shutMode(0o600), filepath.Join(folder, state.File)) }, func() { shut(0o600, filepath.Join(folder, state.File)) }},
		{"the socket", func() {
			l, err := web.Listen(folder)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			shut(shutMode(0o600), filepath.Join(folder, web.SocketFile))
		}, func() {}},
	} {
		tt.shut()
		code, out := asSomebodyElse(t, "status", "--state-folder", folder)
		tt.open()
		for _, want := range []string{"state folder " + folder + " belongs to ", "--state-folder", "sudo -u "} {
			if code != exitFailed || !strings.Contains(out, want) {
				t.Errorf("%s is shut: exit code %d, want %d and %q: %s", tt.name, code, exitFailed, want, out)
			}
		}
	}
}

// shutMode is the mode of what belongs to another user: for root's own tests the
// one it has by itself, for others none at all.
func shutMode(usual os.FileMode) os.FileMode {
	if os.Getuid() == 0 {
		return usual
	}
	return 0
}

package web

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func shortFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "fr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

func TestSocketIsPrivate(t *testing.T) {
	folder := shortFolder(t)
	l, err := Listen(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(filepath.Join(folder, SocketFile))
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// The umask is as it was: other files of the process keep their modes.
	path := filepath.Join(folder, "other")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("a file beside it has %v, %v", info.Mode(), err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	folder := shortFolder(t)
	old, err := net.Listen("unix", filepath.Join(folder, SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	old.(*net.UnixListener).SetUnlinkOnClose(false) // as a killed process leaves it
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", filepath.Join(folder, SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestLongFolder(t *testing.T) {
	long := filepath.Join(shortFolder(t), strings.Repeat("x", 120))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(long); err == nil || !strings.Contains(err.Error(), long) || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("%v, want an error that names the folder and the way out", err)
	}
	// From inside the folder there is a shorter name of the same place.
	t.Chdir(long)
	l, err := Listen(long)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := os.Stat(filepath.Join(long, SocketFile)); err != nil {
		t.Error(err)
	}
}

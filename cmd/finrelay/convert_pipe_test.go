//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestConvertPipes: pipes with a path are read and written as pipes. A file in
// the place of one would leave its reader waiting for ever; /dev/null is such a
// path too.
func TestConvertPipes(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	in, out := filepath.Join(folder, "in.csv"), filepath.Join(folder, "out.jsonl")
	for _, path := range []string{in, out} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	go func() { _ = os.WriteFile(in, []byte("A,B\n1,2\n"), 0) }()
	rows := make(chan string, 1)
	go func() {
		got, err := os.ReadFile(out)
		rows <- fmt.Sprint(string(got), err)
	}()
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"convert", in, "-o", out}, nil, io.Discard, &errs); code != 0 {
		t.Fatalf("exit code %d; it said %q", code, &errs)
	}
	if got, want := <-rows, `{"A":"1","B":"2"}`+"\n<nil>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	info, err := os.Stat(out)
	if left, dirErr := os.ReadDir(folder); err != nil || dirErr != nil || len(left) != 2 || info.Mode().IsRegular() {
		t.Errorf("the pipe is %v now, beside %v; %v %v", info, left, err, dirErr)
	}
}

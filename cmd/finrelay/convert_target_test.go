package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestConvertIntoFolder: a file of rows goes into a folder, and nothing is left
// where it cannot take its place.
func TestConvertIntoFolder(t *testing.T) {
	folder := t.TempDir()
	source, out := filepath.Join(folder, "rows.csv"), filepath.Join(folder, "out")
	if err := errors.Join(os.WriteFile(source, []byte("A\n1\n"), 0o600), os.Mkdir(out, 0o700)); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"convert", source, "-o", out}, nil, io.Discard, &errs); code != 0 {
		t.Fatalf("exit code %d; it said %q", code, &errs)
	}
	target := filepath.Join(out, "rows.jsonl")
	if got, err := os.ReadFile(target); err != nil || string(got) != `{"A":"1"}`+"\n" {
		t.Errorf("got %q and %v", got, err)
	}
	// The same again, with a folder of the file's name in the way.
	if err := errors.Join(os.Remove(target), os.Mkdir(target, 0o700)); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"convert", source, "-o", out}, nil, io.Discard, &errs); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if left, err := os.ReadDir(out); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Only a manifest that gets its final name ends the wait: not a data file, not
// a temporary one.
func TestWatchSeesManifests(t *testing.T) {
	folder := t.TempDir()
	w, err := newWatch(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	land := func(name string) {
		temporary := filepath.Join(folder, "."+name+".tmp")
		if err := os.WriteFile(temporary, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temporary, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	land("x.jsonl")
	if err := w.next(50 * time.Millisecond); err == nil {
		t.Error("a data file was taken for a manifest")
	}
	land("x.jsonl.manifest.json")
	if err := w.next(10 * time.Second); err != nil {
		t.Errorf("the manifest was not seen: %v", err)
	}
}

func TestCheckLanded(t *testing.T) {
	folder := t.TempDir()
	manifest := filepath.Join(folder, "x.jsonl.manifest.json")
	for name, content := range map[string]string{manifest: `{"rows":2}`, filepath.Join(folder, "x.jsonl"): "{}\n{}\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if size, err := checkLanded(manifest, 2); err != nil || size != 6 {
		t.Errorf("checkLanded = %d, %v; want 6 bytes", size, err)
	}
	if _, err := checkLanded(manifest, 3); err == nil {
		t.Error("a file with a row missing passed")
	}
}

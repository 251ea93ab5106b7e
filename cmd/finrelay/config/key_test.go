package config

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestEnsureKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	const callers = 8
	keys, created := make([]string, callers), make([]bool, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			key, made, err := EnsureKey(path)
			if err != nil {
				t.Error(err)
			}
			keys[i], created[i] = key.Reveal(), made
		})
	}
	wg.Wait()
	makers := 0
	for i := range callers {
		if keys[i] != keys[0] || len(keys[i]) != 43 {
			t.Errorf("caller %d got a key of its own, or one of %d characters, want 43", i, len(keys[i]))
		}
		if created[i] {
			makers++
		}
	}
	if makers != 1 {
		t.Errorf("%d callers made the key, want 1", makers)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode().Perm(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder, want the key alone: %v", len(entries), err)
	}
	other, _, err := EnsureKey(filepath.Join(t.TempDir(), "key"))
	if err != nil || other.Reveal() == keys[0] {
		t.Errorf("a second key is the first again, or: %v", err)
	}
}

func TestEnsureKeyKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	key, created, err := EnsureKey(writeFile(t, dir, "mine", "my-own-key\n"))
	if err != nil || created || key.Reveal() != "my-own-key" {
		t.Errorf("created %t, %v", created, err)
	}
	if _, _, err := EnsureKey(writeFile(t, dir, "empty", "")); err == nil {
		t.Error("an empty key file was accepted: everybody would have the key")
	}
	if _, _, err := EnsureKey(filepath.Join(dir, "missing", "key")); err == nil {
		t.Error("a missing folder was made or ignored")
	}
}

package outputs

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestFolderOutOfReach(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, folder string){
		"a file stands in the way": func(t *testing.T, folder string) {
			if err := os.WriteFile(filepath.Join(folder, "prod"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"read-only": func(t *testing.T, folder string) {
			if os.Geteuid() == 0 || runtime.GOOS == "windows" {
				t.Skip("permissions do not bind this user")
			}
			if err := os.Chmod(folder, 0o500); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(folder, 0o700) })
		},
		"a link leads out of it": func(t *testing.T, folder string) {
			if err := os.Symlink(t.TempDir(), filepath.Join(folder, "prod")); err != nil {
				t.Skip(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			f := newTestFiles(t, folder, "{environment}/{entity}/{export_id}.jsonl")
			prepare(t, folder)
			_, err := f.Begin(t.Context(), here, testExport("x"))
			if err == nil {
				t.Fatal("Begin succeeded")
			}
			if want := filepath.Join(folder, "prod"); !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not name %s", err, want)
			}
			if len(f.open) != 0 {
				t.Errorf("%d attempts still on the books", len(f.open))
			}
		})
	}
}

func TestDurableFoldersAreBounded(t *testing.T) {
	var k durableFolders
	for i := range 3 * maxDurable {
		k.add([]string{strings.Repeat("x", i%7) + string(rune('a'+i))})
		if len(k.known) > maxDurable {
			t.Fatalf("%d folders remembered", len(k.known))
		}
	}
}

// What belongs to others stays, however much it looks like ours.
func TestSweepIsNarrow(t *testing.T) {
	folder := t.TempDir()
	stay := []string{"x.jsonl", "x.jsonl.manifest.json", "x.jsonl.bad-rows", ".x.jsonl.tmp", ".x.jsonl.Qk3dfA", "x.0123456789abcdef.tmp",
		".x.jsonl.0123456789ABCDEF.tmp", ".0123456789abcdef.tmp", ".gitkeep", markerName("other")}
	leave := []string{tempName("x.jsonl", "0123456789abcdef"), "a/b/" + tempName("y.jsonl.manifest.json", shortHash("y"))}
	for _, name := range append(stay, leave...) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, tempName("folder", shortHash(""))), 0o700); err != nil {
		t.Fatal(err)
	}
	n, err := newTestFiles(t, folder, "").Sweep(t.Context(), here)
	if n != len(leave) || err != nil {
		t.Errorf("Sweep removed %d, %v; want %d", n, err, len(leave))
	}
	left := tree(t, folder)
	for _, name := range stay {
		if _, ok := left[name]; !ok {
			t.Errorf("Sweep took %s", name)
		}
	}
}

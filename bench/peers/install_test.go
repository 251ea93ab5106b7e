package peers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The lock files must pin what the package files ask for, and name no registry:
// npm takes the one that is configured.
func TestLocks(t *testing.T) {
	locks, err := filepath.Glob("*/package-lock.json")
	if err != nil || len(locks) < 5 {
		t.Fatalf("found %v, %v", locks, err)
	}
	for _, name := range locks {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), `"resolved"`) {
			t.Errorf("%s names a registry; lock with omit-lockfile-registry-resolved", name)
		}
		var lock struct {
			Packages map[string]struct {
				Version      string
				Dependencies map[string]string
			}
		}
		if err := json.Unmarshal(content, &lock); err != nil {
			t.Fatal(err)
		}
		for dependency, version := range wanted(t, filepath.Dir(name)) {
			if got := lock.Packages["node_modules/"+dependency].Version; got != version || lock.Packages[""].Dependencies[dependency] != version {
				t.Errorf("%s has %s %s, package.json asks for %s", name, dependency, got, version)
			}
		}
	}
}

func wanted(t *testing.T, folder string) map[string]string {
	content, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var about struct{ Dependencies map[string]string }
	if err := json.Unmarshal(content, &about); err != nil {
		t.Fatal(err)
	}
	if len(about.Dependencies) == 0 {
		t.Errorf("%s depends on nothing", folder)
	}
	return about.Dependencies
}

func TestVersion(t *testing.T) {
	home := t.TempDir()
	folder := filepath.Join(home, "node_modules", "@a", "b")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"version":"1.2.3-r.4"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := Version(home, "@a/b"); got != "1.2.3-r.4" {
		t.Errorf("got %q", got)
	}
	if got := Version(home, "c"); got != "" {
		t.Errorf("got %q for what is not there", got)
	}
}

func TestComplaint(t *testing.T) {
	const out = "npm warn old\nnpm error code EUSAGE\nnpm error\nnpm error Not in sync.\nnpm error Usage:\nnpm error npm ci\nnpm error Options:\n"
	if got, want := complaint(out), "Not in sync. Usage: npm ci"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := complaint("not found\n"); got != "not found" {
		t.Errorf("got %q", got)
	}
}

package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the want files of testdata")

// eachCase runs fn in a folder with the files of each archive, and compares
// what it gives with the archive's want file.
func eachCase(t *testing.T, pattern string, fn func(t *testing.T, env func(string) (string, bool)) string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", pattern, err)
	}
	for _, path := range paths {
		full, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(full)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			env, want := map[string]string{}, ""
			files := archive.Files[:0]
			for _, f := range archive.Files {
				switch f.Name {
				case "want":
					want = string(f.Data)
					continue
				case "env":
					for line := range strings.Lines(string(f.Data)) {
						name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
						env[name] = strings.ReplaceAll(value, `\n`, "\n")
					}
				default:
					if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				files = append(files, f)
			}
			got := fn(t, envMap(env))
			if !strings.HasSuffix(got, "\n") {
				got += "\n"
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("the secret is shown:\n%s", got)
			}
			if *update {
				archive.Files = append(files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(full, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func envMap(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := m[name]
		return value, ok
	}
}

// TestErrors holds the exact words for each mistake: they are what a person
// works with.
func TestErrors(t *testing.T) {
	eachCase(t, "testdata/errors/*.txtar", func(t *testing.T, env func(string) (string, bool)) string {
		_, err := Load("finrelay.yaml", env)
		if err == nil {
			t.Fatal("the file was accepted")
		}
		return err.Error()
	})
}

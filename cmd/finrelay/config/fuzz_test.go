package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse: whatever the text, the answer is a valid Config or an *Error with
// a place inside the file, and the variable's content is not in it.
func FuzzParse(f *testing.F) {
	f.Add(Sample())
	f.Add(everything)
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
	f.Chdir(f.TempDir()) // no file that the text may name
	const content = "hunter2: [hunter2"
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("finrelay.yaml", []byte(text), func(name string) (string, bool) {
			return content, !strings.HasSuffix(name, "_FILE")
		})
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Fatalf("accepted, and then invalid: %v", err)
			}
			Lint(c, Facts{})
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatalf("got %T: %v", err, err)
		}
		if lines := strings.Count(text, "\n") + 1; e.Line < 0 || e.Line > lines+1 || e.Column < 0 {
			t.Fatalf("place %d:%d in a file of %d lines", e.Line, e.Column, lines)
		}
		if !strings.Contains(text, "hunter2") && strings.Contains(err.Error(), "hunter2") && !os.IsNotExist(err) {
			t.Fatalf("the variable's content is shown: %v", err)
		}
	})
}

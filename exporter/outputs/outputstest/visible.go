package outputstest

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/exporter/outputs"
)

// Visible reads the files below folder whose names do not start with a dot:
// contents by slash-separated path.
func Visible(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := everything(t, folder)
	maps.DeleteFunc(files, func(name, _ string) bool {
		return strings.HasPrefix(path.Base(name), ".")
	})
	return files
}

func everything(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	root := os.DirFS(folder)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		files[name] = string(body)
		return err
	})
	if err != nil {
		t.Fatalf("walk %s: %v", folder, err)
	}
	return files
}

func keys(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// same compares files by name and content.
func same(t *testing.T, when string, got, want map[string]string) {
	t.Helper()
	for name, body := range want {
		if other, ok := got[name]; !ok {
			t.Errorf("%s: %s is missing", when, name)
		} else if other != body {
			t.Errorf("%s: %s holds\n%s\nwant\n%s", when, name, other, body)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s should not be there", when, name)
		}
	}
}

func export(id string) outputs.Export {
	return outputs.Export{
		ID:          id,
		ShipmentID:  "s-" + id,
		Environment: "prod",
		Flow:        "all",
		Entity:      "Customer groups",
		LegalEntity: "USMF",
		Source:      "event",
		EventTime:   time.Date(2024, 2, 29, 23, 30, 0, 0, time.UTC),
		OrderKey:    "1709249400000",
	}
}

func rows(n int) []byte { return []byte(strings.Repeat("{\"CUSTOMERGROUPID\":\"10\"}\n", n)) }

func begin(t *testing.T, out outputs.Output, e outputs.Export) outputs.Writer {
	t.Helper()
	w, err := out.Begin(t.Context(), here, e)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return w
}

// write puts good rows and bad ones.
func write(t *testing.T, w outputs.Writer, good, bad int) {
	t.Helper()
	if err := w.Block(rows(good), good); err != nil {
		t.Fatalf("Block: %v", err)
	}
	for range bad {
		if err := w.BadRow([]byte(`{"line":7,"error":"3 fields, want 4"}`)); err != nil {
			t.Fatalf("BadRow: %v", err)
		}
	}
}

func commit(t *testing.T, w outputs.Writer, good, bad int) outputs.Receipt {
	t.Helper()
	r, err := w.Commit(t.Context(), outputs.Facts{Rows: int64(good), BadRows: int64(bad), Columns: []string{"CUSTOMERGROUPID"}})
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return r
}

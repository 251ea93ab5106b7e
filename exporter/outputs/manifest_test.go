package outputs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite golden files")

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func number(n int64) *int64 { return &n }

func TestManifestGolden(t *testing.T) {
	for golden, c := range map[string]struct {
		export Export
		facts  Facts
		bad    int
	}{
		"manifest_full.txtar": {
			export: Export{
				ID: "x7q2", ShipmentID: "s41", Environment: "prod", Flow: "nightly",
				Entity: "Customer groups", TargetEntity: "CustCustomerGroupEntity", LegalEntity: "USMF",
				ExecutionID: "Export <customers> & more", Project: "daily", RefreshType: "IncrementalPush",
				Source: "package", Member: "Customer groups.csv",
				EventTime: time.Date(2024, 3, 1, 13, 4, 5, 678_000_000, time.FixedZone("CET", 3600)), OrderKey: "1709294645678/5637144576",
				EventID: "{A1B2}", BusinessEventID: "BYODExport", ControlNumber: number(9007199254740993), RecID: number(5637144576),
				BlobPath: "https://store.example/c/f.csv?sig=SECRET",
			},
			facts: Facts{
				Rows: 2, Columns: []string{"CUSTOMERGROUPID", "DESCRIPTION"}, SourceBytes: 123, SourceSHA256: sha256Hex("source"),
				Format: "csv", Encoding: "utf-16le", NoOfRecords: number(3), Warnings: []string{"3 rows announced, 2 found"},
			},
			bad: 1,
		},
		"manifest_unknown.txtar": {export: Export{ID: "x"}, facts: Facts{Rows: 2}},
	} {
		c.facts.BadRows = int64(c.bad)
		f := newTestFiles(t, t.TempDir(), "{export_id}.jsonl")
		w, err := f.Begin(t.Context(), here, c.export)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Block([]byte("{\"a\":\"1\"}\n{\"a\":\"2\"}\n"), 2); err != nil {
			t.Fatal(err)
		}
		for range c.bad {
			if err := w.BadRow([]byte("{\"line\":3}\n")); err != nil {
				t.Fatal(err)
			}
		}
		r, err := w.Commit(t.Context(), c.facts)
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, golden, r.ManifestPath)
	}
}

// checkGolden compares the manifest at path with "want.json" of a golden file,
// and that it reads back as what it says.
func checkGolden(t *testing.T, golden, path string) {
	t.Helper()
	golden = filepath.Join("testdata", golden)
	archive, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		archive.Files = []txtar.File{{Name: "want.json", Data: got}}
		if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(archive.Files[0].Data); string(got) != want {
		t.Errorf("%s: got\n%s\nwant\n%s", golden, got, want)
	}
	m, err := ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.encode()
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("%s: read and written again\n%s (%v)", golden, again, err)
	}
}

// JSON has no times beyond the year 9999. One that came in by mistake must not
// keep the rows from landing.
func TestEventTimeOutOfRange(t *testing.T) {
	f := newTestFiles(t, t.TempDir(), "")
	for _, year := range []int{-1, 0, 10000, 292277} {
		e := testExport("x")
		e.EventTime = time.Date(year, 5, 5, 0, 0, 0, 0, time.UTC)
		r := mustLand(t, f, e, 1, 0)
		m, err := ReadManifest(r.ManifestPath)
		if err != nil || m.EventTime != nil || !strings.HasSuffix(filepath.ToSlash(r.Path), "/usmf/_/_/_/x.jsonl") {
			t.Errorf("year %d: event time %v at %s, %v", year, m.EventTime, r.Path, err)
		}
	}
}

func TestReadManifestRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.json")
	for body, want := range map[string]string{
		"{":                         "unexpected end",
		`{"export_id":"x"}`:         "version 0",
		`{"finrelay_manifest": 2}`:  "version 2",
		`{"finrelay_manifest": ""}`: "finrelay_manifest",
	} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadManifest(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("ReadManifest of %s: %v, want %q and the path", body, err, want)
		}
	}
	if _, err := ReadManifest(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadManifest of nothing: %v", err)
	}
}

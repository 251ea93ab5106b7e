package figures

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestSVG(t *testing.T) {
	got := Chart{Title: "Zip to JSON Lines, wall time", Groups: []Group{
		{"CSV 1GB", []Bar{
			{"finrelay", 0.25, "0.25", Ours},
			{"DuckDB, pipe <schema & all>", 1, "1.00", Theirs},
			{"unzip", 0.4, "0.40 limit", Limit},
			{"nothing at all", 0, "0.00", Theirs},
		}},
		{"no contestants", nil},
	}}.SVG()
	const golden = "testdata/bars.svg"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; look at it and run go test ./bench/figures -update\n%s", golden, got)
	}
	for d := xml.NewDecoder(strings.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("no XML: %v", err)
		}
	}
}

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"finrelay/dmf/sim"
)

// TestRealExport takes a file that a FinOps wrote through the door to a landed
// file and compares every value with what encoding/csv reads of it.
func TestRealExport(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("..", "..", "testdata", "real", "Customers V3.csv"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header, records := records[0], records[1:]

	finops := sim.New(sim.Options{Seed: 1})
	if _, err := finops.Start(""); err != nil {
		t.Fatal(err)
	}
	defer finops.Close()
	event, _ := finops.Export(sim.ExportSpec{Entity: "Customers V3", Format: sim.CSVUTF8, Data: content})
	s := serveIn(t, t.TempDir(), loopbackConfig)
	e, landed := s.landed(s.post("real", "Customers V3", event.DownloadURL).Shipment)

	lines := bytes.Split(bytes.TrimSuffix(landed, []byte("\n")), []byte("\n"))
	if len(lines) != len(records) || len(records) == 0 {
		t.Fatalf("landed %d rows, the file has %d", len(lines), len(records))
	}
	company := slices.Index(header, "DataAreaId")
	companies := map[string]bool{}
	for n, line := range lines {
		keys, values := fieldsOf(t, line)
		if !slices.Equal(keys, header) {
			t.Fatalf("row %d has keys %q, the header is %q", n+1, keys, header)
		}
		if !slices.Equal(values, records[n]) {
			t.Errorf("row %d has values %q, want %q", n+1, values, records[n])
		}
		companies[values[company]] = true
	}
	if !companies["USMF"] || !companies["GBSI"] || len(companies) != 2 {
		t.Errorf("rows of companies %v, want USMF and GBSI", companies)
	}
	checkRealManifest(t, e.Deliveries[0].ManifestPath, header, content, landed)
}

// fieldsOf gives a row's keys and values in their order; all must be strings.
func fieldsOf(t *testing.T, line []byte) (keys, values []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		t.Fatalf("row begins with %v, %v: %s", start, err, line)
	}
	for d.More() {
		key, _ := d.Token()
		value, err := d.Token()
		text, ok := value.(string)
		if err != nil || !ok {
			t.Fatalf("%v is %v, want a string: %v", key, value, err)
		}
		keys, values = append(keys, key.(string)), append(values, text)
	}
	return keys, values
}

func checkRealManifest(t *testing.T, path string, header []string, source, landed []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Entity       string
		LegalEntity  string `json:"legal_entity"`
		Rows         int64
		Bytes        int64
		SHA256       string
		SourceSHA256 string `json:"source_sha256"`
		SourceBytes  int64  `json:"source_bytes"`
		Columns      []string
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	in, out := sha256.Sum256(source), sha256.Sum256(landed)
	if m.Entity != "Customers V3" || m.LegalEntity != "usmf" || m.Rows != int64(bytes.Count(landed, []byte("\n"))) ||
		m.Bytes != int64(len(landed)) || m.SourceBytes != int64(len(source)) ||
		m.SHA256 != hex.EncodeToString(out[:]) || m.SourceSHA256 != hex.EncodeToString(in[:]) || !slices.Equal(m.Columns, header) {
		t.Errorf("manifest does not describe the landed file:\n%s", text)
	}
}

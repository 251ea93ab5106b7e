package convert

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// TestCSVSpectrum runs the cases of csv-spectrum, which CSV readers of several
// languages are compared with (testdata/csv-spectrum), whole, byte by byte, and
// with a block that ends at every byte.
func TestCSVSpectrum(t *testing.T) {
	files, err := filepath.Glob("testdata/csv-spectrum/*.csv")
	if err != nil || len(files) != 11 {
		t.Fatalf("%d cases, %v; want 11", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			input, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			wanted, err := os.ReadFile(strings.TrimSuffix(file, ".csv") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var want []map[string]string
			if err := json.Unmarshal(wanted, &want); err != nil {
				t.Fatal(err)
			}
			for size := range len(input) {
				setBlockSize(t, size+1)
				var got record
				if _, err := Convert(t.Context(), iotest.OneByteReader(bytes.NewReader(input)), "in", Options{}, &got); err != nil {
					t.Fatal(err)
				}
				if rows := objects(t, got.lines.Bytes()); !reflect.DeepEqual(rows, want) || got.nbad > 0 {
					t.Fatalf("blocks of %d: %q, %d bad; want %q", size+1, rows, got.nbad, want)
				}
			}
		})
	}
}

func objects(t *testing.T, lines []byte) (rows []map[string]string) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		row := map[string]string{}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

package outputs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// encodeAll gives the data file for blocks of rows.
func encodeAll(t interface{ Fatalf(string, ...any) }, format string, envelope bool, blocks []string) string {
	enc, err := newRowEncoder(format, envelope, Export{ID: "x1", Entity: `A "&" B`, LegalEntity: "USMF", OrderKey: "17"})
	if err != nil {
		t.Fatalf("newRowEncoder: %v", err)
	}
	var out bytes.Buffer
	w := bufio.NewWriterSize(&out, 16)
	for _, b := range blocks {
		if err := enc.block(w, []byte(b), strings.Count(b, "\n")); err != nil {
			t.Fatalf("block %q: %v", b, err)
		}
	}
	if err := errors.Join(enc.end(w), w.Flush()); err != nil {
		t.Fatalf("end: %v", err)
	}
	return out.String()
}

func TestEncode(t *testing.T) {
	const env = `{"entity":"A \"&\" B","legal_entity":"USMF","order_key":"17","export_id":"x1","row":`
	for _, c := range []struct {
		name     string
		format   string
		envelope bool
		blocks   []string
		want     string
	}{
		{"lines, none", FormatJSONL, false, nil, ""},
		{"lines", FormatJSONL, false, []string{"{\"a\":1}\n", "", "{}\n{}\n"}, "{\"a\":1}\n{}\n{}\n"},
		{"lines, enveloped", FormatJSONL, true, []string{"{\"a\":1}\n{}\n"}, env + "{\"a\":1}}\n" + env + "{}}\n"},
		{"lines, enveloped, none", FormatJSONL, true, nil, ""},
		{"array, none", FormatJSON, false, nil, "[]\n"},
		{"array, empty blocks", FormatJSON, false, []string{"", ""}, "[]\n"},
		{"array, one", FormatJSON, false, []string{"{\"a\":1}\n"}, "[\n{\"a\":1}\n]\n"},
		{"array, three in three ways", FormatJSON, false, []string{"", "{}\n", "", "[1]\n2\n"}, "[\n{},\n[1],\n2\n]\n"},
		{"array, enveloped", FormatJSON, true, []string{"{}\n", "{}\n"}, "[\n" + env + "{}},\n" + env + "{}}\n]\n"},
	} {
		if got := encodeAll(t, c.format, c.envelope, c.blocks); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Where blocks end must not show in the file.
func TestBlockBorders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]string{FormatJSONL, FormatJSON}).Draw(t, "format")
		envelope := rapid.Bool().Draw(t, "envelope")
		values := rapid.SliceOf(rapid.String()).Draw(t, "values")
		var blocks []string
		current := ""
		for _, v := range values {
			row, err := json.Marshal(map[string]string{"v": v})
			if err != nil {
				t.Fatal(err)
			}
			current += string(row) + "\n"
			if rapid.Bool().Draw(t, "cut") {
				blocks = append(blocks, current)
				current = ""
			}
		}
		blocks = append(blocks, current)

		got := encodeAll(t, format, envelope, blocks)
		if whole := encodeAll(t, format, envelope, []string{strings.Join(blocks, "")}); got != whole {
			t.Fatalf("in %d blocks %q, in one %q", len(blocks), got, whole)
		}
		if format == FormatJSONL {
			got = "[" + strings.TrimSuffix(strings.ReplaceAll(got, "\n", ","), ",") + "]"
		}
		type row struct {
			V   *string `json:"v"`
			Row *row    `json:"row"`
		}
		var rows []row
		if err := json.Unmarshal([]byte(got), &rows); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if len(rows) != len(values) {
			t.Fatalf("%d rows, want %d", len(rows), len(values))
		}
		for i, r := range rows {
			if envelope {
				r = *r.Row
			}
			if want := strings.ToValidUTF8(values[i], "\uFFFD"); *r.V != want {
				t.Fatalf("row %d: %q, want %q", i, *r.V, want)
			}
		}
	})
}

func TestBlockRefuses(t *testing.T) {
	for _, c := range []struct {
		lines string
		rows  int
	}{{"{}", 1}, {"{}\n", 2}, {"{}\n{}\n", 1}, {"{}\n{}", 1}, {"", 1}, {"{}\n", -1}} {
		enc := &rowEncoder{}
		if err := enc.block(bufio.NewWriter(&bytes.Buffer{}), []byte(c.lines), c.rows); !errors.Is(err, ErrRowCount) {
			t.Errorf("block(%q, %d): %v, want ErrRowCount", c.lines, c.rows, err)
		}
	}
}

package convert

import (
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rogpeppe/go-internal/txtar"
)

// inUTF16 gives the text of a part in UTF-16, with its mark and a declaration
// that fits.
func inUTF16(bigEndian bool, body string) string {
	body = strings.Replace(body, `encoding="UTF-8"`, `encoding="UTF-16"`, 1)
	return string(utf16Codec{bigEndian}.encode(nil, []byte("\ufeff"+body)))
}

// TestWorkbookInUTF16 reads every golden workbook with all its parts in UTF-16:
// what comes out is the same.
func TestWorkbookInUTF16(t *testing.T) {
	paths, err := filepath.Glob("testdata/xlsx_*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		g := readGolden(t, path)
		arch, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		parts := zipParts(arch)
		if len(parts) == 0 {
			continue // a zip that is written down as it is
		}
		for _, usual := range usualParts {
			if !slices.ContainsFunc(parts, func(p zipPart) bool { return p.name == usual.name }) {
				parts = append(parts, usual)
			}
		}
		for _, bigEndian := range []bool{false, true} {
			other := slices.Clone(parts)
			for i := range other {
				other[i].body = inUTF16(bigEndian, parts[i].body)
			}
			got, _ := run(t, bytes.NewReader(makeWorkbook(t, other)), g.opt)
			compare(t, path+" in UTF-16", got, g.want)
		}
	}
}

// TestUTF16PartsWithFaults: half characters and contradictions are refused.
func TestUTF16PartsWithFaults(t *testing.T) {
	sheet := `<?xml version="1.0" encoding="UTF-8"?><worksheet><sheetData><row><c t="inlineStr"><is><t>Aé😀</t></is></c></row></sheetData></worksheet>`
	good := inUTF16(false, sheet)
	low := strings.Index(good, "\x3d\xd8\x00\xde") + 2
	for name, tt := range map[string]struct{ body, want string }{
		"good":        {good, ""},
		"half a unit": {good[:low+1], "invalid UTF-8"},
		"half a pair": {good[:low] + good[low+2:], "invalid UTF-8"},
		"another in the declaration": {inUTF16(false, strings.Replace(sheet, "UTF-8", "latin1", 1)),
			"declaration says latin1, but the part is UTF-16"},
		"no mark": {good[2:], "xl/worksheets/sheet1.xml"},
	} {
		got, _ := run(t, bytes.NewReader(makeWorkbook(t, []zipPart{{"xl/worksheets/sheet1.xml", tt.body}})), Options{})
		_, fault, failed := strings.Cut(got.result, "\nerror ")
		if failed != (tt.want != "") || !strings.Contains(fault, tt.want) {
			t.Errorf("%s: got %s, want %q", name, got.result, tt.want)
		}
	}
}

// TestUTF16PartInPieces: neither the size of reads nor that of what the zip
// gives matters.
func TestUTF16PartInPieces(t *testing.T) {
	text := strings.Repeat("aé語😀", 5000)
	for _, bigEndian := range []bool{false, true} {
		file := inUTF16(bigEndian, text)
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(file), "bytes": iotest.OneByteReader(strings.NewReader(file)),
			"with its end": iotest.DataErrReader(strings.NewReader(file)),
		} {
			part, isUTF16 := decoded(io.NopCloser(r))
			got, err := io.ReadAll(iotest.OneByteReader(part))
			if !isUTF16 || err != nil || string(got) != text {
				t.Errorf("%s: %v, %d bytes, want %d", name, err, len(got), len(text))
			}
		}
	}
	for _, short := range []string{"", "\xff", "ab", "\xef\xbb\xbf<a/>"} {
		part, isUTF16 := decoded(io.NopCloser(iotest.OneByteReader(strings.NewReader(short))))
		if got, err := io.ReadAll(part); isUTF16 || err != nil || string(got) != short {
			t.Errorf("%q: got %q, %v", short, got, err)
		}
	}
}

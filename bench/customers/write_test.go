package customers

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"finrelay/dmf"
)

const size = 600_000 // bytes: with this seed enough rows for a line break to turn up

func TestSameSeedSameBytes(t *testing.T) {
	sum := func(seed uint64) [sha256.Size]byte {
		var b bytes.Buffer
		if _, err := WritePackage(&b, CSV, size, seed); err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(b.Bytes())
	}
	if first, again := sum(1), sum(1); first != again {
		t.Error("the same seed gave other bytes")
	}
	if sum(1) == sum(2) {
		t.Error("another seed gave the same bytes")
	}
}

// Each format must hold as many rows as Write says, each with all columns, as
// the standard library reads them.
func TestRowsAreRead(t *testing.T) {
	for format, read := range map[Format]func(*testing.T, io.Reader) (rows, fields, broken int){
		CSV:          readCSV,
		XMLElement:   readXML,
		XMLAttribute: readXML,
	} {
		t.Run(string(format), func(t *testing.T) {
			var b bytes.Buffer
			want, err := Write(&b, format, size, 1)
			if err != nil {
				t.Fatal(err)
			}
			if b.Len() < size || b.Len() > size+10_000 {
				t.Errorf("wrote %d bytes, want %d and no more than a row beyond", b.Len(), size)
			}
			rows, fields, broken := read(t, &b)
			if rows != want || fields != want*len(columns) {
				t.Errorf("read %d rows with %d values, want %d with %d", rows, fields, want, want*len(columns))
			}
			if broken == 0 {
				t.Errorf("no value in %d rows holds a line break", rows)
			}
		})
	}
}

func readCSV(t *testing.T, r io.Reader) (rows, fields, broken int) {
	all, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range all[1:] {
		rows++
		fields += len(record)
		broken += strings.Count(strings.Join(record, ""), "\n")
	}
	return rows, fields, broken
}

func readXML(t *testing.T, r io.Reader) (rows, fields, broken int) {
	d := xml.NewDecoder(r)
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return rows, fields, broken
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			switch depth {
			case 2:
				rows++
				fields += len(token.Attr)
				for _, a := range token.Attr {
					broken += strings.Count(a.Value, "\n")
				}
			case 3:
				fields++
			}
		case xml.CharData:
			if depth == 3 {
				broken += bytes.Count(token, []byte("\n"))
			}
		case xml.EndElement:
			depth--
		}
	}
}

func TestPackageIsAPackage(t *testing.T) {
	var b bytes.Buffer
	if _, err := WritePackage(&b, XMLElement, size, 1); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	f, err := archive.Open(dmf.ManifestName)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := dmf.DecodeManifest(content)
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Entities) != 1 || manifest.Entities[0].InputFilePath != archive.File[2].Name {
		t.Errorf("manifest names %+v, the archive holds %s", manifest.Entities, archive.File[2].Name)
	}
}

func TestSeveralFiles(t *testing.T) {
	var b bytes.Buffer
	want, err := WriteSeveral(&b, CSV, 3, size, 1)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got, sums := 0, map[uint32]bool{}
	for _, member := range archive.File[2:] {
		r, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		rows, _, _ := readCSV(t, r)
		got, sums[member.CRC32] = got+rows, true
	}
	if got != want || len(sums) != 3 {
		t.Errorf("%d different files with %d rows, want 3 with %d", len(sums), got, want)
	}
}

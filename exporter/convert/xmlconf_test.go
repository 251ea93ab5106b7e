package convert

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"finrelay/exporter"
)

// conformance is one case of the W3C's XML test suite; see
// testdata/xmlconf/README.md.
type conformance struct {
	name   string // its place in the suite, and the sections of XML 1.0 it is about
	doc    []byte
	wellFo bool // as it stands; with a DTD it is refused nevertheless
	dtd    bool
}

var doctype = regexp.MustCompile(`(?s)<!DOCTYPE[^\[>]*(\[.*?\][ \t\r\n]*)?>`)

// conformanceCases reads each archive of testdata/xmlconf. A case whose
// document type declaration can be cut out stands there twice, the second time
// without it: the first would be refused whatever follows.
func conformanceCases(t testing.TB) []conformance {
	t.Helper()
	archives, err := filepath.Glob("testdata/xmlconf/*.tar.gz")
	if err != nil || len(archives) == 0 {
		t.Fatalf("testdata/xmlconf: %v, %d archives", err, len(archives))
	}
	var all []conformance
	for _, archive := range archives {
		files := readArchive(t, archive)
		for line := range strings.Lines(string(files["cases.tsv"])) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			doc := files["xmlconf/"+f[2]]
			if len(f) != 4 || doc == nil {
				t.Fatalf("%s: %q names no case", archive, line)
			}
			name := f[2] + " (" + f[3] + ")"
			all = append(all, conformance{name, doc, f[0] == "wf", f[1] != "-"})
			if f[1] == "wf" || f[1] == "not-wf" {
				cut := bytes.Replace(doc, doctype.Find(doc), nil, 1)
				all = append(all, conformance{name + " without its DTD", cut, f[1] == "wf", false})
			}
		}
	}
	return all
}

func readArchive(t testing.TB, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestXMLConformance: what is not well-formed is refused, with its place; what
// is well-formed and has no DTD is taken, and says what encoding/xml reads.
func TestXMLConformance(t *testing.T) {
	var refused, byPolicy, taken, compared int
	for _, c := range conformanceCases(t) {
		err := judge(c.doc)
		at, ok := errors.AsType[*exporter.RecordError](err)
		switch {
		case c.dtd && errors.Is(err, errDoctype):
			byPolicy++
		case c.dtd && c.wellFo:
			t.Errorf("%s: has a DTD and is not refused for it: %v", c.name, err)
		case c.wellFo && err != nil:
			t.Errorf("%s: refused: %v\n%s", c.name, err, c.doc)
		case c.wellFo:
			taken++
			compared += compareRows(t, c)
		case err == nil:
			t.Errorf("%s: taken, but it is not well-formed\n%q", c.name, c.doc)
		case errors.Is(err, exporter.ErrEmpty): // no document at all
			refused++
		case !ok || at.Line < 1 || at.Column < 1:
			t.Errorf("%s: refused without a place: %v", c.name, err)
		default:
			refused++
		}
	}
	t.Logf("%d refused as not well-formed, %d more for their DTD; %d taken, %d of them compared with encoding/xml", refused, byPolicy, taken, compared)
}

// judge says what is wrong with a document. Text right below the root is
// well-formed, though it belongs to no row. So such a document is judged with a
// row around all that its root holds, which is well-formed when it is itself.
func judge(doc []byte) error {
	_, err := Convert(context.Background(), bytes.NewReader(doc), "", Options{Format: FormatXML}, &discard{})
	if root := rootTag.FindIndex(doc); errors.Is(err, errBetweenRows) && root != nil {
		end := bytes.LastIndex(doc, []byte("</"))
		begin := root[1]
		if end < begin {
			end = len(doc)
		}
		doc = bytes.Join([][]byte{doc[:begin], []byte("<R>"), doc[begin:end], []byte("</R>"), doc[end:]}, nil)
		_, err = Convert(context.Background(), bytes.NewReader(doc), "", Options{Format: FormatXML}, &discard{})
	}
	return err
}

var (
	rootTag = regexp.MustCompile(`(?s)^(?:\s|\x{FEFF}|<\?.*?\?>|<!--.*?-->)*<(?:[^>"']|"[^"]*"|'[^']*')*>`)
	anyDecl = regexp.MustCompile(`^\x{FEFF}?(<\?xml\s[^>]*\?>)?`)
	// spaceRef stands for white space that encoding/xml tells no more from the
	// written one, which attributes turn into blanks.
	spaceRef = regexp.MustCompile(`&#(x0*(9|[aA]|[dD])|0*(9|10|13));`)
)

func inRow(doc []byte) []byte {
	n := len(anyDecl.Find(doc))
	return bytes.Join([][]byte{doc[:n], []byte("<D><R>"), doc[n:], []byte("</R></D>")}, nil)
}

// compareRows compares the row that a document makes with what encoding/xml
// makes of it, if it reads it.
func compareRows(t *testing.T, c conformance) int {
	t.Helper()
	if bytes.IndexByte(c.doc, 0) >= 0 || spaceRef.Match(c.doc) || bytes.Contains(c.doc, []byte("encoding")) && !bytes.Contains(bytes.ToLower(c.doc), []byte("utf-8")) {
		return 0
	}
	doc := inRow(c.doc)
	rows, err := readNodes(doc)
	if err != nil {
		return 0
	}
	var want any
	if err := json.Unmarshal([]byte(newSlowXML(rows, nil).lines(rows)), &want); err != nil {
		t.Fatal(err)
	}
	var out record
	if _, err := Convert(t.Context(), bytes.NewReader(doc), "", Options{Format: FormatXML}, &out); err != nil {
		t.Errorf("%s: in a row: %v", c.name, err)
	}
	var got any
	if err := json.Unmarshal(out.lines.Bytes(), &got); err != nil {
		t.Errorf("%s: %v: %q", c.name, err, &out.lines)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%v\nencoding/xml has\n%v\nof %q", c.name, got, want, doc)
	}
	return 1
}

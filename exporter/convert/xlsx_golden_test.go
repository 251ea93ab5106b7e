package convert

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zip"
	"github.com/rogpeppe/go-internal/txtar"
)

// zipFolder begins the names of a golden case's files that are zipped to be its
// input.
const zipFolder = "zip/"

type zipPart struct{ name, body string }

func zipParts(arch *txtar.Archive) []zipPart {
	var parts []zipPart
	for _, f := range arch.Files {
		if name, ok := strings.CutPrefix(f.Name, zipFolder); ok {
			parts = append(parts, zipPart{name, string(f.Data)})
		}
	}
	return parts
}

// usualParts stand in a workbook that has none of its own of the name.
var usualParts = []zipPart{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<sheets><sheet name="Customer_groups$" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>
<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`},
	{"xl/sharedStrings.xml", `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`},
	{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`},
}

// makeWorkbook zips the parts, with the usual ones where none is given.
func makeWorkbook(t testing.TB, parts []zipPart) []byte {
	t.Helper()
	for _, usual := range usualParts {
		if !slices.ContainsFunc(parts, func(p zipPart) bool { return p.name == usual.name }) {
			parts = append(parts, usual)
		}
	}
	// Content types first, as all who write workbooks have it.
	slices.SortStableFunc(parts, func(a, b zipPart) int {
		return cmp.Compare(min(1, strings.Index(a.name, "]")*-1), min(1, strings.Index(b.name, "]")*-1))
	})
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		w, err := z.Create(p.name)
		if err == nil {
			_, err = w.Write([]byte(p.body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

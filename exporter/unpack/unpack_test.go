package unpack

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zip"
	"go.uber.org/goleak"

	"finrelay/dmf"
	"finrelay/exporter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const rows = "CUSTOMERGROUPID,DESCRIPTION\r\n10,Wholesale\r\n"

func TestOpenBare(t *testing.T) {
	c := mustOpen(t, []byte(rows))
	want := []Member{{Entity: "Customer g", Size: int64(len(rows))}}
	if c.Kind != KindBare || !reflect.DeepEqual(c.Members, want) {
		t.Fatalf("got %s %+v, want bare %+v", c.Kind, c.Members, want)
	}
	for range 2 { // again and again
		if got, err := content(c, c.Members[0]); got != rows || err != nil {
			t.Errorf("got %q, %v; want the file", got, err)
		}
	}
}

func TestOpenKinds(t *testing.T) {
	cases := map[string]struct {
		data []byte
		want Kind
	}{
		"text":                   {[]byte("a,b\n"), KindBare},
		"PK as text":             {[]byte("PK,NAME\n1,a\n"), KindBare},
		"plain zip":              {build(t, part{name: "a.csv", body: rows}), KindZip},
		"empty zip":              {build(t), KindZip},
		"package":                {dataPackage(t, nil), KindPackage},
		"header only":            {build(t, part{name: "PackageHeader.xml", body: "x"}), KindPackage},
		"manifest in lower case": {build(t, part{name: "manifest.xml", body: "x"}), KindPackage},
		"package repacked in a folder": {build(t, part{name: "Export/Manifest.xml", body: "x"},
			part{name: "Export/a.csv", body: rows}), KindPackage},
		"workbook": {workbook(t), KindWorkbook},
		"package with a content types part": {build(t, part{name: "[Content_Types].xml", body: "<Types/>"},
			part{name: "Manifest.xml", body: "x"}), KindPackage},
		"zip with a content types part": {build(t, part{name: "[Content_Types].xml", body: "<Types/>"},
			part{name: "a.csv", body: rows}), KindZip},
	}
	for name, c := range cases {
		if got := mustOpen(t, c.data); got.Kind != c.want {
			t.Errorf("%s: got %s, want %s", name, got.Kind, c.want)
		}
	}
}

func workbook(t testing.TB) []byte {
	return build(t, part{name: "[Content_Types].xml", body: "<Types/>"}, part{name: "xl/workbook.xml", body: "<workbook/>"})
}

func TestOpenRefusesTheWholeFile(t *testing.T) {
	whole := build(t, part{name: "a.csv", body: rows}, part{name: "b.csv", body: rows}, part{name: "c.csv", body: rows})
	cases := map[string]struct {
		data   []byte
		limits Limits
		want   error
	}{
		"0 bytes":                   {nil, Limits{}, exporter.ErrEmpty},
		"cut before the directory":  {whole[:len(whole)/2], Limits{}, exporter.ErrDamaged},
		"cut in the directory":      {whole[:len(whole)-30], Limits{}, exporter.ErrDamaged},
		"only the first four bytes": {whole[:4], Limits{}, exporter.ErrDamaged},
		"one member too many":       {whole, Limits{Members: 2}, exporter.ErrTooLarge},
		"directory of 20 MB":        {largeDirectory(t), Limits{}, exporter.ErrTooLarge},
	}
	for name, c := range cases {
		_, err := openBytes(t, c.data, c.limits)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := openBytes(t, whole, Limits{Members: 3}); err != nil {
		t.Errorf("as many members as allowed: %v", err)
	}
}

func largeDirectory(t testing.TB) []byte {
	var parts []part
	for range 320 {
		parts = append(parts, part{name: strings.Repeat("n", 60_000), body: "x"})
	}
	return build(t, parts...)
}

func TestOpenNoFile(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "gone"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want not exist", err)
	}
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("a folder was opened")
	}
}

func TestOpenPackage(t *testing.T) {
	c := mustOpen(t, dataPackage(t,
		[]dmf.ManifestEntity{
			declared("Customer groups", "Customer groups.csv"),
			declared("Vendors", `C:\staging\VENDORS.CSV`), // path stripped, case folded
			declared("Country/regions", "Country/regions.csv"),
			declared("Gone", "Gone.csv"),
			declared("Gone too", "Gone.csv"),
			{EntityName: "No/path"},
			{EntityName: "Switched off", InputFilePath: "Switched off.csv", Disabled: true},
		},
		part{name: "Customer groups.csv", body: rows},
		part{name: "empty folder/"},
		part{name: "vendors.csv", body: rows},
		part{name: "Countryregions.csv", body: rows},
		part{name: "Extra.csv", body: rows},
		part{name: "__MACOSX/._Extra.csv", body: "junk"},
	))
	if c.Kind != KindPackage || c.Project != "Nightly" {
		t.Errorf("got %s of project %q", c.Kind, c.Project)
	}
	type line struct {
		name, entity, target, refresh, format string
		declared                              bool
	}
	var got []line
	for _, m := range c.Members {
		got = append(got, line{m.Name, m.Entity, m.TargetEntity, m.RefreshType, m.SourceFormat, m.Declared})
		if text, err := content(c, m); text != rows || err != nil || m.Size != int64(len(rows)) {
			t.Errorf("%s: got %q, %v, size %d", m.Name, text, err, m.Size)
		}
	}
	want := []line{
		{"Customer groups.csv", "Customer groups", "Customer groupsEntity", "FullPush", "CSV", true},
		{"vendors.csv", "Vendors", "VendorsEntity", "FullPush", "CSV", true},
		{"Countryregions.csv", "Country/regions", "Country/regionsEntity", "FullPush", "CSV", true},
		{"Extra.csv", "Extra", "", "", "", false},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("members\ngot  %+v\nwant %+v", got, want)
	}
	if missing := []Missing{{"Gone", "Gone.csv"}, {"No/path", "Nopath"}}; !reflect.DeepEqual(c.Missing, missing) {
		t.Errorf("missing: got %+v, want %+v", c.Missing, missing)
	}
	wantWarnings(t, c,
		`"__MACOSX/._Extra.csv" is left out: packing programs add it, it is no data`,
		`the manifest names "Gone.csv", which is absent, for "Gone too" beside "Gone"; only one is listed`,
		`"Extra.csv" is not in the manifest; its entity is taken from the file name`)
	if m, ok := c.Member("Extra.csv"); !ok || m.Entity != "Extra" {
		t.Errorf("Member: got %+v, %v", m, ok)
	}
	if _, ok := c.Member("Gone.csv"); ok {
		t.Error("Member found one that is not there")
	}
}

func wantWarnings(t *testing.T, c *Contents, want ...string) {
	t.Helper()
	if !reflect.DeepEqual(c.Warnings, want) {
		t.Errorf("warnings\ngot  %q\nwant %q", c.Warnings, want)
	}
}

func TestOpenPackageOddManifests(t *testing.T) {
	manifest := string(dmf.EncodeManifest(dmf.Manifest{DefinitionGroup: "Nightly",
		Entities: []dmf.ManifestEntity{declared("Customer groups", "a.csv")}}))
	header := part{name: "PackageHeader.xml", body: string(dmf.EncodePackageHeader(dmf.PackageHeader{Description: "From header"}))}
	data := part{name: "a.csv", body: rows}
	cases := map[string]struct {
		parts   []part
		entity  string
		project string
		warning string
	}{
		"none": {[]part{header, data}, "a", "From header",
			"the package has no Manifest.xml; entities are taken from the file names"},
		"two": {[]part{{name: "Manifest.xml", body: manifest}, {name: "MANIFEST.XML", body: manifest}, header, data}, "a", "From header",
			"the package has more than one Manifest.xml; entities are taken from the file names"},
		"cut": {[]part{{name: "Manifest.xml", body: manifest[:200]}, header, data}, "a", "From header",
			"read Manifest.xml: XML syntax error on line 1: unexpected EOF; entities are taken from the file names"},
		"encrypted": {[]part{{name: "Manifest.xml", body: manifest, change: func(h *zip.FileHeader) { h.Flags |= flagEncrypted }}, header, data}, "a", "From header",
			"Manifest.xml cannot be opened: encrypted; FinOps never encrypts: export again without a password; entities are taken from the file names"},
		"wrong checksum": {[]part{{name: "Manifest.xml", body: manifest, change: func(h *zip.FileHeader) { h.CRC32++ }}, header, data}, "a", "From header",
			"Manifest.xml cannot be opened: damaged: wrong checksum; entities are taken from the file names"},
		"two entities of one file": {[]part{{name: "Manifest.xml", body: string(dmf.EncodeManifest(dmf.Manifest{DefinitionGroup: "Nightly",
			Entities: []dmf.ManifestEntity{declared("First", "a.csv"), declared("Second", "A.csv")}}))}, data}, "First", "Nightly",
			`the manifest gives "a.csv" to the entities "First" and "Second"; it is taken for the first`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := mustOpen(t, build(t, c.parts...))
			if len(got.Members) != 1 || got.Members[0].Entity != c.entity || got.Project != c.project || len(got.Missing) > 0 {
				t.Errorf("got %+v", got)
			}
			wantWarnings(t, got, c.warning)
			if text, err := content(got, got.Members[0]); text != rows || err != nil {
				t.Errorf("got %q, %v", text, err)
			}
		})
	}
}

func TestOpenWithoutDataFiles(t *testing.T) {
	for name, data := range map[string][]byte{"zip": build(t), "package": dataPackage(t, nil)} {
		if c := mustOpen(t, data); len(c.Members) > 0 || len(c.Warnings) > 0 || len(c.Missing) > 0 {
			t.Errorf("%s: got %+v, want nothing", name, c)
		}
	}
}

// TestOpenWorkbook: a workbook is a data file, as it is and inside a package.
func TestOpenWorkbook(t *testing.T) {
	book := string(workbook(t))
	strange := string(build(t, part{name: "theme.xml", body: "x"}, part{name: "[Content_Types].xml", body: "<Types/>"}))
	for name, data := range map[string][]byte{
		"bare":                     []byte(book),
		"in a package":             dataPackage(t, nil, part{name: "Customer groups.xlsx", body: book}),
		"in a zip, any extension":  build(t, part{name: "groups.dat", body: book}),
		"parts in a strange order": build(t, part{name: "groups.XLSX", body: strange}),
	} {
		c := mustOpen(t, data)
		if len(c.Members) != 1 || c.Members[0].Err != nil {
			t.Errorf("%s: got %+v, want one member that may be opened", name, c.Members)
			continue
		}
		text, err := content(c, c.Members[0])
		if want := book; err != nil || text != want && text != strange {
			t.Errorf("%s: got %d bytes, %v, want the workbook's %d", name, len(text), err, len(want))
		}
	}
}

func TestOpenBareUnreadable(t *testing.T) {
	for _, s := range signatures {
		c := mustOpen(t, []byte(s.magic+" and so on"))
		if err := c.Members[0].Err; c.Kind != KindBare || !errors.Is(err, exporter.ErrUnsupported) || !strings.Contains(err.Error(), s.format) {
			t.Errorf("%s: got %s, %v", s.format, c.Kind, err)
		}
	}
}

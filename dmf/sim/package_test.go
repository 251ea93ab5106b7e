package sim_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"finrelay/dmf/sim"
)

// opened lists a package's entries in order, with their unpacked bytes.
func opened(t *testing.T, data []byte) (names []string, files map[string][]byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		r.Close()
	}
	return names, files
}

// fromUTF16LE decodes what must begin with FF FE.
func fromUTF16LE(t *testing.T, data []byte) string {
	t.Helper()
	if !bytes.HasPrefix(data, []byte{0xff, 0xfe}) || len(data)%2 != 0 {
		t.Fatalf("not UTF-16LE with byte order mark: % x", data[:min(8, len(data))])
	}
	units := make([]uint16, len(data)/2-1)
	if _, err := binary.Decode(data[2:], binary.LittleEndian, units); err != nil {
		t.Fatal(err)
	}
	return string(utf16.Decode(units))
}

type declared struct {
	Project  string `xml:"DefinitionGroupName"`
	Entities []struct {
		Name    string   `xml:"EntityName"`
		File    string   `xml:"InputFilePath"`
		Target  string   `xml:"TargetEntity"`
		Refresh string   `xml:"DefaultRefreshType"`
		Format  string   `xml:"SourceFormat"`
		Columns []string `xml:"EntityMapList>EntityMap>XMLField"`
	} `xml:"PackageEntityList>DataManagementPackageEntityData"`
}

func TestPackage(t *testing.T) {
	s := sim.New(sim.Options{Seed: 1})
	groups := s.SampleEntity("Customer groups", 3)
	vendors := s.Member(sim.XMLElement, s.SampleEntity("Vendors V2", 2))
	vendors.RefreshType = "Incremental"
	data := s.Package("Contoso nightly",
		s.Member(sim.CSVUTF16LE, groups),
		vendors,
		sim.Member{File: "readme.txt", Data: []byte("hello"), Undeclared: true},
		sim.Member{Entity: "Country/regions", Ext: "csv", Absent: true})

	names, files := opened(t, data)
	if want := []string{"Manifest.xml", "PackageHeader.xml", "Customer groups.csv", "Vendors V2.xml", "readme.txt"}; !slices.Equal(names, want) {
		t.Errorf("entries %q, want %q", names, want)
	}
	if !bytes.Equal(files["Customer groups.csv"], s.Render(sim.CSVUTF16LE, groups)) || string(files["readme.txt"]) != "hello" {
		t.Error("a data file is not what was put in")
	}

	manifest := fromUTF16LE(t, files["Manifest.xml"])
	if !strings.HasPrefix(manifest, "<DataManagementPackageManifest ") || strings.Contains(manifest, "\n") {
		t.Errorf("manifest begins %.60q; want one line without declaration", manifest)
	}
	var got declared
	if err := xml.Unmarshal([]byte(manifest), &got); err != nil {
		t.Fatal(err)
	}
	if got.Project != "Contoso nightly" || len(got.Entities) != 3 {
		t.Fatalf("manifest %+v", got)
	}
	first, second, third := got.Entities[0], got.Entities[1], got.Entities[2]
	if first.Name != "Customer groups" || first.File != "Customer groups.csv" || first.Target != "CustCustomerGroupEntity" ||
		first.Refresh != "FullPush" || first.Format != "CSV-Unicode" || !slices.Equal(first.Columns, groups.Columns) {
		t.Errorf("first entity %+v", first)
	}
	if second.File != "Vendors V2.xml" || second.Refresh != "Incremental" || second.Format != "XML-Element" {
		t.Errorf("second entity %+v", second)
	}
	if third.Name != "Country/regions" || third.File != "Countryregions.csv" {
		t.Errorf("absent entity %+v", third)
	}
	if header := fromUTF16LE(t, files["PackageHeader.xml"]); !strings.Contains(header, "<Description>Contoso nightly</Description>") {
		t.Errorf("header %s", header)
	}
}

func TestPackageMethods(t *testing.T) {
	s := sim.New(sim.Options{})
	m := s.Member(sim.CSVUTF8, s.SampleEntity("Vendors V2", 50))
	for _, c := range []struct {
		opt    sim.PackageOptions
		method uint16
		names  int
	}{
		{sim.PackageOptions{}, zip.Deflate, 3},
		{sim.PackageOptions{Stored: true}, zip.Store, 3},
		{sim.PackageOptions{NoManifest: true}, zip.Deflate, 1},
	} {
		data := s.PackageWith(c.opt, "p", m)
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if len(z.File) != c.names {
			t.Errorf("%+v: %d entries, want %d", c.opt, len(z.File), c.names)
		}
		for _, f := range z.File {
			if f.Method != c.method {
				t.Errorf("%+v: %s has method %d, want %d", c.opt, f.Name, f.Method, c.method)
			}
		}
	}
}

package unpack

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zip"

	"finrelay/dmf"
)

// part is one member of a zip built in a test.
type part struct {
	name string
	body string
	// change edits the header after body is packed and its sizes and checksum
	// are set: this is how the hostile ones are made.
	change func(h *zip.FileHeader)
	packed string // put in place of the deflated body when not ""
}

// build makes a zip of parts, deflated, with true headers unless changed.
func build(t testing.TB, parts ...part) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, p := range parts {
		h := &zip.FileHeader{Name: p.name, Method: zip.Deflate}
		packed := deflate(t, p.body)
		if p.packed != "" {
			packed = []byte(p.packed)
		}
		h.CRC32 = crc32.ChecksumIEEE([]byte(p.body))
		h.CompressedSize64 = uint64(len(packed))
		h.UncompressedSize64 = uint64(len(p.body))
		if p.change != nil {
			p.change(h)
		}
		if h.Method == zip.Store {
			packed = []byte(p.body)
		}
		m, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(p.name, "/") {
			continue // the writer refuses bytes in a folder
		}
		if _, err := m.Write(packed); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func deflate(t testing.TB, body string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// dataPackage makes a package as FinOps does, its manifest of the entities.
func dataPackage(t testing.TB, entities []dmf.ManifestEntity, parts ...part) []byte {
	t.Helper()
	manifest := dmf.EncodeManifest(dmf.Manifest{DefinitionGroup: "Nightly", Entities: entities})
	header := dmf.EncodePackageHeader(dmf.PackageHeader{Description: "Nightly"})
	return build(t, append([]part{
		{name: "Manifest.xml", body: string(manifest)},
		{name: "PackageHeader.xml", body: string(header)},
	}, parts...)...)
}

func declared(entity, file string) dmf.ManifestEntity {
	return dmf.ManifestEntity{
		EntityName: entity, InputFilePath: file, TargetEntity: entity + "Entity", RefreshType: "FullPush", SourceFormat: "CSV",
	}
}

// openBytes opens data as a raw file that is closed when the test ends.
func openBytes(t testing.TB, data []byte, limits Limits) (*Contents, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "raw")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Open(path, Options{Limits: limits, Name: "Customer g.csv"})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func mustOpen(t testing.TB, data []byte) *Contents {
	t.Helper()
	c, err := openBytes(t, data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// content reads a member to its end.
func content(c *Contents, m Member) (string, error) {
	r, err := c.Open(m)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// patch replaces the bytes of the directory's line of the member, from the
// given offset in the line. The local header stays as it is.
func patch(t testing.TB, data []byte, name string, offset int, with ...byte) []byte {
	t.Helper()
	const lineLength = 46
	data = bytes.Clone(data)
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte("PK\x01\x02"))
		if i < 0 {
			t.Fatalf("no directory line of %q", name)
		}
		at += i
		n := int(binary.LittleEndian.Uint16(data[at+28:]))
		if string(data[at+lineLength:at+lineLength+n]) == name {
			copy(data[at+offset:], with)
			return data
		}
	}
}

package unpack

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zip"

	"finrelay/dmf"
	"finrelay/exporter"
)

var reasons = []error{
	exporter.ErrUnsafePath, exporter.ErrDuplicateName, exporter.ErrTooLarge, exporter.ErrEncrypted,
	exporter.ErrUnsupported, exporter.ErrDamaged, exporter.ErrEmpty, // the last from Open only
}

func hasReason(err error) bool {
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// FuzzOpenPackage checks that no file makes the reader panic, that each error
// has a reason, and that a stream gives exactly the bytes that are stated or
// ends with a reason.
func FuzzOpenPackage(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	path := filepath.Join(f.TempDir(), "raw")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		limits := Limits{Members: 100, MemberBytes: 1 << 20, TotalBytes: 4 << 20}
		c, err := Open(path, Options{Limits: limits, Name: "raw"})
		if err != nil {
			if !hasReason(err) {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		defer c.Close()
		if len(c.Members) > limits.Members {
			t.Errorf("%d members, at most %d", len(c.Members), limits.Members)
		}
		names := map[string]bool{}
		for _, m := range c.Members {
			checkMember(t, c, m)
			if names[m.Name] {
				t.Errorf("two members are called %q", m.Name)
			}
			names[m.Name] = true
		}
		for _, m := range c.Missing {
			if names[m.File] {
				t.Errorf("two files are called %q", m.File)
			}
			names[m.File] = true
		}
	})
}

func checkMember(t *testing.T, c *Contents, m Member) {
	t.Helper()
	r, err := c.Open(m)
	if err != nil {
		if !hasReason(err) {
			t.Errorf("%q: an error without a reason: %v", m.Name, err)
		}
		return
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	switch {
	case err != nil && !hasReason(err):
		t.Errorf("%q: an error without a reason: %v", m.Name, err)
	case n > m.Size, err == nil && n != m.Size:
		t.Errorf("%q: gave %d bytes of %d, %v", m.Name, n, m.Size, err)
	}
}

func seeds(t testing.TB) [][]byte {
	good := part{name: "a.csv", body: rows}
	sized := func(size uint64) part {
		return part{name: "b.csv", body: rows, change: func(h *zip.FileHeader) { h.UncompressedSize64 = size }}
	}
	return [][]byte{
		nil,
		[]byte(rows),
		build(t),
		build(t, good, good),
		workbook(t),
		build(t, good, part{name: "../b.csv", body: rows}, part{name: "folder/"}),
		build(t, good, sized(1)),
		build(t, good, sized(1<<63)),
		build(t, part{name: "nested.zip", body: string(build(t, good))}),
		dataPackage(t, []dmf.ManifestEntity{declared("A", "a.csv"), declared("Gone", "gone.csv")}, good, part{name: "b.csv", body: rows}),
		build(t, part{name: "Manifest.xml", body: "<DataManagementPackageManifest>"}, good),
	}
}

// TestSeeds shows that the seeds reach what they are for: some are packages,
// some have members that open.
func TestSeeds(t *testing.T) {
	kinds := map[Kind]int{}
	for _, data := range seeds(t) {
		c, err := openBytes(t, data, Limits{})
		if err != nil {
			continue
		}
		kinds[c.Kind]++
		for _, m := range c.Members {
			checkMember(t, c, m)
		}
	}
	for _, kind := range []Kind{KindBare, KindPackage, KindZip, KindWorkbook} {
		if kinds[kind] == 0 {
			t.Errorf("no seed is a %s", kind)
		}
	}
}

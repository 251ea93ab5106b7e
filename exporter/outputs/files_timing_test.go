package outputs

import (
	"strings"
	"testing"
)

// A block as the converter makes them: about 256 KiB of rows.
func BenchmarkBlock(b *testing.B) {
	const rows = 1024
	lines := []byte(strings.Repeat(`{"CUSTOMERACCOUNT":"US-001","NAME":"`+strings.Repeat("x", 210)+"\"}\n", rows))
	for _, c := range []FilesOptions{{}, {Format: FormatJSON}, {Envelope: true}} {
		b.Run("format="+c.Format+"/envelope="+map[bool]string{true: "yes", false: "no"}[c.Envelope], func(b *testing.B) {
			c.Name, c.Folder = "files", b.TempDir()
			f, err := NewFiles(c)
			if err != nil {
				b.Fatal(err)
			}
			placeAt(b, f)
			w, err := f.Begin(b.Context(), here, testExport("x"))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(lines)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := w.Block(lines, rows); err != nil {
					b.Fatal(err)
				}
				n++
			}
			if _, err := w.Commit(b.Context(), Facts{Rows: int64(n * rows)}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// The whole cost of a small export: nearly all of it is waiting for the disk.
func BenchmarkSmallExport(b *testing.B) {
	f, err := NewFiles(FilesOptions{Name: "files", Folder: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	placeAt(b, f)
	b.ReportAllocs()
	for b.Loop() {
		w, err := f.Begin(b.Context(), here, testExport("x"))
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Block([]byte("{}\n"), 1); err != nil {
			b.Fatal(err)
		}
		if r, err := w.Commit(b.Context(), Facts{Rows: 1}); err != nil || r.Rows != 1 {
			b.Fatal(r, err)
		}
	}
}

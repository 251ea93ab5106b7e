package unpack

import (
	"context"
	"errors"
	"testing"

	"github.com/klauspost/compress/zip"

	"finrelay/dmf"
	"finrelay/exporter"
)

// TestVerify: a package is whole when each of its entries is, the ones that
// hold no rows too. What cannot be read is not called wrong, and not right.
func TestVerify(t *testing.T) {
	good := part{name: "Customer groups.csv", body: "ID,NAME\r\n1,a\r\n"}
	wrongSum := func(h *zip.FileHeader) { h.CRC32++ }
	entities := []dmf.ManifestEntity{declared("Customer groups", "Customer groups.csv")}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"package", dataPackage(t, entities, good), nil},
		{"zip without members", build(t), nil},
		{"folder", build(t, good, part{name: "Resources/"}, part{name: "Resources/a.png", body: "x"}), nil},
		{"workbook", build(t, part{name: "[Content_Types].xml", body: "<Types/>"}, part{name: "xl/workbook.xml", body: "<workbook/>"}), nil},
		{"a member's checksum", dataPackage(t, entities, part{name: good.name, body: good.body, change: wrongSum}), exporter.ErrDamaged},
		{"the manifest's checksum", build(t, part{name: "Manifest.xml", body: "<x/>", change: wrongSum}, good), exporter.ErrDamaged},
		{"a part of a workbook", build(t, part{name: "[Content_Types].xml", body: "<Types/>"}, part{name: "xl/workbook.xml", body: "<workbook/>", change: wrongSum}), exporter.ErrDamaged},
		{"bytes that do not unpack", build(t, part{name: good.name, body: good.body, packed: "\xff\xff\xff"}), exporter.ErrDamaged},
		{"a name that climbs, whole", build(t, part{name: "../x.csv", body: "A,B\n"}), nil},
		{"a name that climbs, wrong", build(t, part{name: "../x.csv", body: "A,B\n", change: wrongSum}), exporter.ErrDamaged},
		{"two of one name", build(t, good, good), nil},
		{"an archive within", build(t, part{name: "x.zip", body: string(build(t, good))}), nil},
		{"encrypted", build(t, good, part{name: "b.csv", body: "A,B\n", change: func(h *zip.FileHeader) { h.Flags |= flagEncrypted }}), exporter.ErrEncrypted},
		{"another method", build(t, good, part{name: "b.csv", body: "A,B\n", change: func(h *zip.FileHeader) { h.Method = 93 }}), exporter.ErrUnsupported},
		{"encrypted, and another is wrong", build(t, part{name: "b.csv", body: "A,B\n", change: func(h *zip.FileHeader) { h.Flags |= flagEncrypted }},
			part{name: good.name, body: good.body, change: wrongSum}), exporter.ErrDamaged},
	} {
		contents, err := openBytes(t, c.data, Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := contents.Verify(t.Context(), Limits{}); !errors.Is(err, c.want) || err == nil != (c.want == nil) {
			t.Errorf("%s: Verify = %v, want %v", c.name, err, c.want)
		}
	}
	contents, err := openBytes(t, build(t, good, part{name: "b.csv", body: "0123456789"}), Limits{TotalBytes: 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := contents.Verify(t.Context(), Limits{TotalBytes: 20}); !errors.Is(err, exporter.ErrTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopping")
	cancel(stop)
	if err := contents.Verify(ctx, Limits{}); !errors.Is(err, stop) {
		t.Errorf("stopped: %v", err)
	}
	bare, err := openBytes(t, []byte("A,B\n"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := bare.Verify(t.Context(), Limits{}); !errors.Is(err, exporter.ErrUnsupported) {
		t.Errorf("bare: %v", err)
	}
}

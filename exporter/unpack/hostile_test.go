package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zip"

	"finrelay/exporter"
)

// TestParkedMembers has one quirk a case. Each archive has a good member
// before and after the odd one, and both must be readable.
func TestParkedMembers(t *testing.T) {
	head := func(change func(h *zip.FileHeader)) part {
		return part{name: "odd.csv", body: rows, change: change}
	}
	cases := map[string]struct {
		odd  part
		want error
	}{
		"climbs":                     {part{name: "../odd.csv", body: rows}, exporter.ErrUnsafePath},
		"climbs inside":              {part{name: "a/../../odd.csv", body: rows}, exporter.ErrUnsafePath},
		"climbs with backslashes":    {part{name: `..\odd.csv`, body: rows}, exporter.ErrUnsafePath},
		"climbs with a space":        {part{name: ".. /odd.csv", body: rows}, exporter.ErrUnsafePath},
		"absolute":                   {part{name: "/etc/odd.csv", body: rows}, exporter.ErrUnsafePath},
		"absolute with a backslash":  {part{name: `\\server\odd.csv`, body: rows}, exporter.ErrUnsafePath},
		"drive":                      {part{name: `C:\odd.csv`, body: rows}, exporter.ErrUnsafePath},
		"drive without slash":        {part{name: "c:odd.csv", body: rows}, exporter.ErrUnsafePath},
		"NUL":                        {part{name: "odd.csv\x00.xml", body: rows}, exporter.ErrUnsafePath},
		"line break":                 {part{name: "odd\n.csv", body: rows}, exporter.ErrUnsafePath},
		"no name":                    {part{name: "", body: rows}, exporter.ErrUnsafePath},
		"same name":                  {part{name: "before.csv", body: rows}, exporter.ErrDuplicateName},
		"same name in another case":  {part{name: "BEFORE.csv", body: rows}, exporter.ErrDuplicateName},
		"same name, dot at the end":  {part{name: "before.csv.", body: rows}, exporter.ErrDuplicateName},
		"same name, another slash":   {part{name: "./before.csv", body: rows}, exporter.ErrDuplicateName},
		"long name":                  {part{name: strings.Repeat("n", 1025), body: rows}, exporter.ErrTooLarge},
		"encrypted":                  {head(func(h *zip.FileHeader) { h.Flags |= flagEncrypted }), exporter.ErrEncrypted},
		"encrypted with AES":         {head(func(h *zip.FileHeader) { h.Method = methodAES }), exporter.ErrEncrypted},
		"deflate64":                  {head(func(h *zip.FileHeader) { h.Method = 9 }), exporter.ErrUnsupported},
		"LZMA":                       {head(func(h *zip.FileHeader) { h.Method = 14 }), exporter.ErrUnsupported},
		"unheard-of method":          {head(func(h *zip.FileHeader) { h.Method = 4711 }), exporter.ErrUnsupported},
		"symbolic link":              {head(func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }), exporter.ErrUnsupported},
		"folder that holds bytes":    {part{name: `odd\`, body: rows}, exporter.ErrDamaged},
		"states 65 GiB":              {head(func(h *zip.FileHeader) { h.UncompressedSize64 = 65 << 30 }), exporter.ErrTooLarge},
		"states the largest size":    {head(func(h *zip.FileHeader) { h.UncompressedSize64 = 1<<64 - 1 }), exporter.ErrTooLarge},
		"states a bomb":              {head(func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 30 }), exporter.ErrTooLarge},
		"packed size beyond the end": {head(func(h *zip.FileHeader) { h.CompressedSize64 = 1 << 40 }), exporter.ErrDamaged},
		"no deflate stream":          {part{name: "odd.csv", body: rows, packed: "\xFF\xFF\xFF\xFF and so on"}, exporter.ErrDamaged},
		"short, wrong checksum":      {part{name: "odd.csv", body: "a", change: func(h *zip.FileHeader) { h.CRC32++ }}, exporter.ErrDamaged},
		"states 0 bytes, holds more": {head(func(h *zip.FileHeader) { h.UncompressedSize64 = 0 }), exporter.ErrDamaged},
		"nested archive":             {part{name: "odd.csv", body: string(build(t, part{name: "a.csv", body: rows}))}, exporter.ErrUnsupported},
		"nested package":             {part{name: "odd.zip", body: string(dataPackage(t, nil))}, exporter.ErrUnsupported},
		"gzip":                       {part{name: "odd.csv.gz", body: "\x1f\x8b\x08 and so on"}, exporter.ErrUnsupported},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := mustOpen(t, build(t, part{name: "before.csv", body: rows}, c.odd, part{name: "after.csv", body: rows}))
			if len(got.Members) != 3 {
				t.Fatalf("got %d members, want 3", len(got.Members))
			}
			if err := got.Members[1].Err; !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if r, err := got.Open(got.Members[1]); r != nil || err == nil {
				t.Errorf("it can be opened")
			}
			for _, i := range []int{0, 2} {
				if text, err := content(got, got.Members[i]); text != rows || err != nil {
					t.Errorf("%s: got %q, %v", got.Members[i].Name, text, err)
				}
			}
		})
	}
}

// TestDetailsOfWhatIsNotRead: the reason names what it is and what to do.
func TestDetailsOfWhatIsNotRead(t *testing.T) {
	inner := string(build(t, part{name: "a.csv", body: "A\n"}))
	for name, c := range map[string]struct {
		odd  part
		want string
	}{
		"deflate64": {part{name: "odd.csv", body: "A\n", change: func(h *zip.FileHeader) { h.Method = 9 }},
			`"odd.csv": not readable yet: compression method 9 (deflate64): pack it again with deflate`},
		"nested": {part{name: "odd.zip", body: inner},
			`"odd.zip": a nested archive (one level is unpacked: hand the inner one over by itself): not readable yet`},
	} {
		err := mustOpen(t, build(t, c.odd)).Members[0].Err
		if !errors.Is(err, exporter.ErrUnsupported) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// TestStreamFinds is about faults that only reading to the end can show: what
// was read until then must never be more than the directory states.
func TestStreamFinds(t *testing.T) {
	long := strings.Repeat("10,Wholesale customers\r\n", 10_000)
	whole := build(t, part{name: "a.csv", body: long})
	body := bytes.Index(whole, []byte("a.csv")) + len("a.csv")
	flipped := bytes.Clone(whole)
	flipped[body+200] ^= 0xFF
	cases := map[string]struct {
		data []byte
		most int
	}{
		"wrong checksum":       {build(t, part{name: "a.csv", body: long, change: func(h *zip.FileHeader) { h.CRC32++ }}), len(long)},
		"more than stated":     {build(t, part{name: "a.csv", body: long, change: func(h *zip.FileHeader) { h.UncompressedSize64 = 1000 }}), 1000},
		"fewer than stated":    {build(t, part{name: "a.csv", body: long, change: func(h *zip.FileHeader) { h.UncompressedSize64 += 1000 }}), len(long)},
		"packed bytes cut off": {build(t, part{name: "a.csv", body: long, change: func(h *zip.FileHeader) { h.CompressedSize64 -= 20 }}), len(long)},
		"a flipped byte":       {flipped, len(long)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := mustOpen(t, c.data)
			text, err := content(got, got.Members[0])
			if !errors.Is(err, exporter.ErrDamaged) || !strings.Contains(err.Error(), `"a.csv"`) {
				t.Errorf("got %v, want ErrDamaged with the member's name", err)
			}
			if len(text) > c.most {
				t.Errorf("gave %d bytes, at most %d are stated", len(text), c.most)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	three := build(t, part{name: "a.csv", body: strings.Repeat("a", 600)}, part{name: "b.csv", body: strings.Repeat("b", 600)},
		part{name: "c.csv", body: strings.Repeat("c", 300)})
	cases := map[string]struct {
		limits Limits
		want   [3]error
	}{
		"total, the small one still fits": {Limits{TotalBytes: 1000}, [3]error{nil, exporter.ErrTooLarge, nil}},
		"one member":                      {Limits{MemberBytes: 500}, [3]error{exporter.ErrTooLarge, exporter.ErrTooLarge, nil}},
		"exactly":                         {Limits{MemberBytes: 600, TotalBytes: 1500, NameBytes: 5, Members: 3}, [3]error{}},
	}
	for name, c := range cases {
		got, err := openBytes(t, three, c.limits)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range got.Members {
			if !errors.Is(m.Err, c.want[i]) {
				t.Errorf("%s: %s: got %v, want %v", name, m.Name, m.Err, c.want[i])
			}
		}
	}
	bare, err := openBytes(t, []byte(rows), Limits{MemberBytes: 10})
	if err != nil || !errors.Is(bare.Members[0].Err, exporter.ErrTooLarge) {
		t.Errorf("bare: got %+v, %v", bare, err)
	}
}

// TestRatio shows both sides of the limit: a real bomb is parked, the same
// ratio in a small file is not.
func TestRatio(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("0", n) }
	c, err := openBytes(t, build(t, part{name: "small.csv", body: zeros(1 << 20)}, part{name: "bomb.csv", body: zeros(65 << 20)}), Limits{Ratio: 100})
	if err != nil {
		t.Fatal(err)
	}
	if c.Members[0].Err != nil {
		t.Errorf("small: %v", c.Members[0].Err)
	}
	if !errors.Is(c.Members[1].Err, exporter.ErrTooLarge) {
		t.Errorf("bomb: got %v, want ErrTooLarge", c.Members[1].Err)
	}
}

// TestSharedBytes builds the archive in which every directory line points at
// the same packed bytes.
func TestSharedBytes(t *testing.T) {
	data := build(t, part{name: "a.csv", body: rows}, part{name: "b.csv", body: rows})
	const offsetOfHeader = 42 // in a directory line
	c := mustOpen(t, patch(t, data, "b.csv", offsetOfHeader, 0, 0, 0, 0))
	if c.Members[0].Err != nil || !errors.Is(c.Members[1].Err, exporter.ErrDamaged) {
		t.Errorf("got %v and %v, want only the second parked", c.Members[0].Err, c.Members[1].Err)
	}
	c = mustOpen(t, patch(t, data, "b.csv", offsetOfHeader, 9, 0, 0, 0))
	if c.Members[0].Err != nil || !errors.Is(c.Members[1].Err, exporter.ErrDamaged) {
		t.Errorf("no header there: got %v and %v, want only the second parked", c.Members[0].Err, c.Members[1].Err)
	}
}

func TestOddButGood(t *testing.T) {
	cases := map[string]struct {
		part part
		name string
	}{
		"stored":             {part{name: "a.csv", body: rows, change: func(h *zip.FileHeader) { h.Method, h.CompressedSize64 = zip.Store, h.UncompressedSize64 }}, "a.csv"},
		"in a folder":        {part{name: "Export/a.csv", body: rows}, "Export/a.csv"},
		"backslash folder":   {part{name: `Export\a.csv`, body: rows}, `Export\a.csv`},
		"dots in the name":   {part{name: "a..b.csv", body: rows}, "a..b.csv"},
		"UTF-8 name":         {part{name: "Ländergruppe.csv", body: rows}, "Ländergruppe.csv"},
		"code page 437 name": {part{name: "L\x84nder.csv", body: rows, change: func(h *zip.FileHeader) { h.NonUTF8 = true }}, "Länder.csv"},
		"no extension":       {part{name: "Kunden", body: rows}, "Kunden"},
		"manifest-like name": {part{name: "My Manifest.xml", body: rows}, "My Manifest.xml"},
	}
	for name, c := range cases {
		got := mustOpen(t, build(t, c.part))
		if len(got.Members) != 1 || got.Members[0].Name != c.name {
			t.Errorf("%s: got %+v, want %q", name, got.Members, c.name)
			continue
		}
		if text, err := content(got, got.Members[0]); text != rows || err != nil {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
}

// TestSameNames shows that names tell members apart whatever the archive holds.
func TestSameNames(t *testing.T) {
	var parts []part
	for _, name := range []string{"a.csv", "a.csv", "a.csv (2)", "a.csv", "a.csv (2)", "a.csv"} {
		parts = append(parts, part{name: name, body: rows})
	}
	var got []string
	var opened []int
	for i, m := range mustOpen(t, build(t, parts...)).Members {
		got = append(got, m.Name)
		if m.Err == nil {
			opened = append(opened, i)
		}
	}
	want := []string{"a.csv", "a.csv (3)", "a.csv (2)", "a.csv (4)", "a.csv (2) (2)", "a.csv (5)"}
	if !slices.Equal(got, want) || !slices.Equal(opened, []int{0, 2}) {
		t.Errorf("got %q, opened %v; want %q, opened [0 2]", got, opened, want)
	}
}

func TestMemberOf0Bytes(t *testing.T) {
	c := mustOpen(t, build(t, part{name: "a.csv"}))
	if text, err := content(c, c.Members[0]); text != "" || err != nil {
		t.Errorf("got %q, %v; want an empty stream", text, err)
	}
}

func TestStreamed(t *testing.T) {
	// Written with sizes behind the data, as programs that stream do.
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	m, err := w.Create("a.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(m, rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c := mustOpen(t, out.Bytes())
	if text, err := content(c, c.Members[0]); text != rows || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestWarningsAreBounded(t *testing.T) {
	var parts []part
	for i := range 500 {
		parts = append(parts, part{name: fmt.Sprintf("%d.csv", i), body: rows})
	}
	c := mustOpen(t, dataPackage(t, nil, parts...))
	if len(c.Members) != 500 || len(c.Warnings) != maxWarnings+1 {
		t.Errorf("got %d members and %d warnings, want 500 and %d", len(c.Members), len(c.Warnings), maxWarnings+1)
	}
}

func TestOpenAfterClose(t *testing.T) {
	c := mustOpen(t, build(t, part{name: "a.csv", body: rows}))
	c.Close()
	if _, err := content(c, c.Members[0]); !errors.Is(err, fs.ErrClosed) || errors.Is(err, exporter.ErrDamaged) {
		t.Errorf("got %v, want the disk's error and not that the archive is damaged", err)
	}
	if _, err := c.Open(Member{Name: "made up"}); err == nil {
		t.Error("opened a member that is not from here")
	}
}

package convert

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"testing/iotest"
)

// slowly is what xmlScan alone reads, in one piece.
func slowly(t testing.TB, doc []byte, opt Options) outcome {
	readFast = false
	defer func() { readFast = true }()
	got, _ := run(t, bytes.NewReader(doc), opt)
	return got
}

// alike are documents whose rows the fast reader takes.
var alike = []string{
	"<D><R><A>1</A><BB>some text</BB><C/></R>\n<R><A>2</A><BB></BB><C>x &amp; \"y\" \\</C></R>\r\n <R><BB>twelve bytes</BB></R><R><A>é]</A> <C>\t\r\n</C></R></D>",
	"<D><R A=\"1\" BB=\"some text\" C=\"\"/>\n<R A=\"2\" BB=\"x &lt; &#10;y\" C='z'/><R BB=\"twelve bytes\"></R><R A=\"é]]>\t\" C=\"\\\"/><R/></D>",
	"<D><R><A>1</A><L><X>1</X></L><L><X>2</X><C k=\"1\"/></L><B>e</B></R>\n<R><A>2</A> <L y=\"1\"><X/></L>\n<L><X>3</X><C k=\"2\"/><C k=\"\"/></L></R><R><B/></R></D>",
	"<D><R A=\"1\"><L X=\"1\"/><L X=\"2\"><C k=\"1\"/></L></R><R A=\"2\"><L Y=\"1\" X=\"0\"></L><T>t</T></R><R><L/><L X=\"&lt;\"/></R></D>",
	"<D><R A=\"1\"><BB>some text</BB></R><R A=\"2\"><BB>x</BB></R><R><BB/></R><R A=\"3\"/></D>",
}

// TestXMLFastAgrees puts many pieces at many places of such documents. What
// comes out, faults and their places included, must not depend on who read it.
func TestXMLFastAgrees(t *testing.T) {
	keepSizes(t)
	blockSize, sampleSize = 1024, 1024 // each conversion makes its own
	pieces := []string{"", "<", ">", "/", "&", "\"", "'", " ", "\n", "]]>", "\\", "\x01", "\xff", "é", "\uffff", "=", "A", "<!---->", "<A/>", "<Z>1</Z>", "<![CDATA[x]]>", "<A><A/></A>", "&#0;", "<?a?>"}
	opts := []Options{{Format: FormatXML}, {Format: FormatXML, Children: []string{"L/C", "T"}}, {Format: FormatXML, MaxRecord: 40}}
	for n, doc := range alike {
		for at := range len(doc) {
			for i, piece := range pieces {
				// Each piece goes to every third place, by turns before what is there and instead.
				if (at+i)%3 != 0 {
					continue
				}
				changed := doc[:at] + piece + doc[at+(at+i)/3%2:]
				opt := opts[(at+i)/3%len(opts)]
				got, _ := run(t, strings.NewReader(changed), opt)
				compare(t, fmt.Sprintf("document %d: %q", n, changed), got, slowly(t, []byte(changed), opt))
			}
		}
	}
}

// TestXMLFastAgreesOnOddRows: rows that only seem to be like those before.
func TestXMLFastAgreesOnOddRows(t *testing.T) {
	like := "<R B=\"1\"><A>1</A><L><X>1</X></L></R>"
	long := strings.Repeat("0123456789", fastRow/10+1)
	for _, row := range []string{
		`<R <A>x"/>`, `<R <A>x"></R>`, `<R>B="1"</R>`, `<R B="1"B="2"/>`, `<R><L X="1"/></R>`, `<R><L><X>1</X></L><A>1</A><L/></R>`,
		"<R><A>" + strings.Repeat(`"`, fastRow-20) + "</A></R>", // twice as long in JSON
		"<R B=\"" + strings.Repeat(`\`, fastRow-20) + "\"/>",
		"<R>" + strings.Repeat("<L><X/></L>", 1000) + "</R>" + "<R>" + strings.Repeat(`<L a=""/>`, 1000) + "</R>",
		"<R><A>" + long + "</A></R>" + strings.Repeat(like, 5000),
		"<R><L><X>" + long + "</X></L></R>" + strings.Repeat(like, 5000),
	} {
		doc := []byte("<D>" + like + like + row + like + "</D>")
		for _, opt := range []Options{{MaxRecord: 2 * fastRow}, {MaxRecord: fastRow}} {
			got, _ := run(t, bytes.NewReader(doc), opt)
			compare(t, fmt.Sprintf("%.80q", row), got, slowly(t, doc, opt))
		}
	}
}

// TestXMLFastAgreesOnAbsentChildren: what is absent is not bounded by what is
// there. 70 declared children are more than the fast reader keeps apart.
func TestXMLFastAgreesOnAbsentChildren(t *testing.T) {
	keepSizes(t)
	for _, n := range []int{1, 3, 40, 64, 65, 70} {
		var children []string
		for i := range n {
			name := fmt.Sprintf("N%s%d", strings.Repeat("N", i), i)
			children = append(children, name, "L/"+name)
		}
		last := strings.TrimPrefix(children[2*n-1], "L/")
		for records := range 12 {
			row := "<R><A>1</A>" + strings.Repeat("<L/>", records) + "<L A=\"1\"/><" + last + " A=\"1\"/></R>"
			doc := []byte("<D>" + strings.Repeat(row, 4) + "</D>")
			opt := Options{Children: children}
			blockSize = 1 << 17
			want := slowly(t, doc, opt)
			if strings.Count(want.lines, "\n") != 4 {
				t.Fatal(want)
			}
			for _, blockSize = range []int{1, 300, 1 << 17} {
				got, _ := run(t, bytes.NewReader(doc), opt)
				compare(t, fmt.Sprintf("%d children, %d records", n, records), got, want)
			}
		}
	}
}

// TestXMLFastAtEveryBoundary ends what is at hand at every byte.
func TestXMLFastAtEveryBoundary(t *testing.T) {
	keepSizes(t)
	for _, doc := range alike {
		for _, opt := range []Options{{Format: FormatXML}, {Format: FormatXML, MaxRecord: 50}, {Format: FormatXML, Children: []string{"L/C", "BB", "T"}}} {
			want := slowly(t, []byte(doc), opt)
			for sampleSize = 1; sampleSize < len(doc); sampleSize++ {
				for _, blockSize = range []int{1, 2, 7, 64} {
					got, _ := run(t, strings.NewReader(doc), opt)
					compare(t, fmt.Sprintf("%q, %d and then %d bytes at hand", doc, sampleSize, blockSize), got, want)
				}
			}
		}
	}
}

// TestSpecial: the lowest mark is the first byte that is special, whatever
// stands around it.
func TestSpecial(t *testing.T) {
	var in [8]byte
	for c := range 256 {
		want := c < 0x20 || strings.IndexByte("<&\"\\]", byte(c)) >= 0
		for at := range in {
			for _, around := range []byte{'a', '!', ' ', '#', ';', '^', 0x7f, 0x80, 0x81, 0xbc, 0xff} {
				for i := range in {
					in[i] = around
				}
				in[at] = byte(c)
				got := bits.TrailingZeros64(special(binary.LittleEndian.Uint64(in[:])))
				if got/8 != at && want || got != 64 && !want {
					t.Fatalf("% x: first mark at bit %d, want it at byte %d: %v", in, got, at, want)
				}
			}
		}
	}
}

// TestXMLFastTakesRows: rows are read fast where that is promised; else all
// of this would only test xmlScan twice.
func TestXMLFastTakesRows(t *testing.T) {
	for _, tt := range []struct {
		what, first, row string
		want             int // of 100 rows
	}{
		{"elements", "<R><A>x</A><B>y</B></R>", "<R><A>x &amp; y</A><B/></R>\n", 100},
		{"attributes", `<R A="x" B="y"/>`, `<R A="x &amp; y" B=""/>` + "\n", 100},
		{"absent fields", "<R><A>x</A><B>y</B><C>z</C></R>", "<R><C>x</C></R>", 100},
		{"laid out", "<R><A>x</A><B>y</B></R>", "\n  <R>\r\n    <A>é</A>\n    <B>\"</B>\n  </R>", 100},
		{"fields that come later", "<R><A>x</A></R>", "<R><B>w</B><A>x</A><C>y</C></R>", 99},
		{"declared children", "<R><A>x</A><LINE><A>1</A></LINE></R>", "<R><A>x</A></R>", 100},
		{"records", "<R><A>x</A></R>", "<R><A>x</A><LINE><A>1</A></LINE> <LINE B='y'/></R>", 0},
		{"records", "<R><A>x</A></R>", "<R><A>x</A><LINE><A>1</A></LINE>\n<LINE B=\"y\"/></R>", 99},
		{"records of records", "<R><A>x</A></R>", "<R><LINE/><A>x</A></R><R><LINE><C k=\"1\"/><C><D>e</D></C></LINE><LINE/><A>x</A></R>", 198},
		{"repeated text", "<R><A>x</A></R>", "<R><A>x</A><A>y</A></R>", 0},
		{"declared text", "<R><A>x</A></R>", "<R><TAG>x</TAG><A>y</A></R>", 0},
	} {
		doc := "<D>" + tt.first + strings.Repeat(tt.row, 100) + "</D>"
		var out record
		head := bufio.NewReader(strings.NewReader(doc))
		in, err := openText(head, head, []byte(doc), Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := newWindow(in, DefaultMaxRecord, "")
		x := &xmlReader{emitter: &emitter{ctx: t.Context(), sink: &out, window: w, res: &Result{}}}
		x.scan.children = knownChildren([]string{"LINE/C", "TAG"}, nil)
		if err := x.document(); err != nil {
			t.Fatal(err)
		}
		if x.fast.rows != tt.want {
			t.Errorf("%s: %d rows were read fast, want %d", tt.what, x.fast.rows, tt.want)
		}
	}
}

func FuzzXMLFast(f *testing.F) {
	for _, doc := range alike {
		f.Add([]byte(doc), uint8(0), uint16(0))
		f.Add([]byte(doc), uint8(1), uint16(0))
	}
	for _, g := range goldens(f) {
		if sniffFormat(g.input) == FormatXML {
			f.Add(g.input, uint8(3), uint16(0))
		}
	}
	for _, docs := range notWellFormed {
		for _, doc := range docs {
			f.Add([]byte("<D><a>x</a><a>y</a>"+doc+"<a>z</a></D>"), uint8(200), uint16(9))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, block uint8, longest uint16) {
		opt := Options{Format: FormatXML, Encoding: "utf-8", MaxRecord: int(longest)}
		if block%2 == 1 {
			opt.Children = []string{"L/C", "LINE/C/D", "T"}
		}
		want := slowly(t, doc, opt)
		got, _ := run(t, bytes.NewReader(doc), opt)
		compare(t, "at once", got, want)
		setBlockSize(t, int(block)+1)
		got, _ = run(t, iotest.OneByteReader(bytes.NewReader(doc)), opt)
		compare(t, "in small blocks", got, want)
	})
}

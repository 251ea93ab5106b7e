package convert

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawElement writes an element that may have attributes, text and, down to a
// depth, elements; out of few names, so that rows are alike and yet not.
func drawElement(t *rapid.T, b *strings.Builder, name string, depth int) {
	some := func(n int) int { return rapid.IntRange(0, n).Draw(t, "how many") }
	text := func() string {
		return rapid.SampledFrom([]string{"", "", "1", "text", "exactly8", "twelve bytes", "&lt;", `"q"`, `\`, "é", "]", "a b", "\n", "]]&gt;", "longer than a word, with ümlauts"}).Draw(t, "text")
	}
	b.WriteString("<" + name)
	for i, n := 0, some(3); i < n; i++ {
		fmt.Fprintf(b, ` %s="%s"`, []string{"A", "X", "L"}[i], strings.ReplaceAll(text(), `"`, "&quot;"))
	}
	if depth == 0 && some(1) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	if depth == 0 {
		b.WriteString(text())
	}
	names := []string{"A", "B", "L", "C"}
	for next, n := 0, some(5)*min(depth, 1); n > 0 && next < len(names); n-- {
		b.WriteString(rapid.SampledFrom([]string{"", "", "", "\n ", "<!-- -->", "x"}).Draw(t, "between"))
		if child := names[next]; next >= 2 {
			drawElement(t, b, child, rapid.SampledFrom([]int{depth - 1, depth - 1, 0}).Draw(t, "depth"))
		} else {
			fmt.Fprintf(b, "<%s>%s</%s>", child, text(), child)
		}
		next = max(next+rapid.SampledFrom([]int{0, 0, 1, 1, 1, 2, -1}).Draw(t, "step"), 0)
	}
	b.WriteString("</" + name + ">")
}

// TestXMLFastAgreesOnRecords draws documents of records within records,
// declared ones too, and breaks some of them.
func TestXMLFastAgreesOnRecords(t *testing.T) {
	keepSizes(t)
	defer func() { readFast = true }()
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString("<D>")
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			drawElement(t, &b, "R", 3)
		}
		doc := b.String() + "</D>"
		if at := rapid.IntRange(0, 2*len(doc)).Draw(t, "break"); at < len(doc) {
			doc = doc[:at] + rapid.SampledFrom([]string{"", "<", ">", "&", `"`, "/", " ", "<A>", "</L>", "\xff"}).Draw(t, "with") + doc[at+1:]
		}
		opt := Options{Format: FormatXML}
		opt.Children = rapid.SampledFrom([][]string{nil, {"L"}, {"L/C"}, {"L/C", "L/L", "C"}, {"B", "A"}, {"Z/Y", "L/C/B"}}).Draw(t, "children")
		convert := func() string {
			var out record
			res, err := Convert(t.Context(), strings.NewReader(doc), "f", opt, &out)
			return fmt.Sprintf("%s%s%s%+v %v", &out.lines, &out.bad, out.wrong, res, err)
		}
		blockSize, sampleSize = 1<<12, 1<<12
		readFast = false
		want := convert()
		readFast = true
		blockSize = rapid.SampledFrom([]int{1, 5, 64, 1 << 12}).Draw(t, "block size")
		if got := convert(); got != want {
			t.Fatalf("%q with children %v: got\n%s\nwant\n%s", doc, opt.Children, got, want)
		}
	})
}

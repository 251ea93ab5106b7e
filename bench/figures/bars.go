package figures

import (
	"fmt"
	"html"
	"strings"
)

// Chart is a picture of horizontal bars in groups, each group with a scale of
// its own: what is compared stands together.
type Chart struct {
	Title  string
	Groups []Group
}

// Group is what is compared with each other.
type Group struct {
	Title string
	Bars  []Bar
}

// Bar is one value.
type Bar struct {
	Label string
	Value float64 // its length, from 0
	Text  string  // written behind it
	Kind  Kind
}

// Kind is how a bar looks.
type Kind int

// Ours stands out; Theirs are the others; a Limit is drawn hollow, because it
// is no contestant.
const (
	Theirs Kind = iota
	Ours
	Limit
)

var kinds = [...]string{Theirs: "theirs", Ours: "ours", Limit: "limit"}

// Measures in pixels. Text is left to the viewer's fonts, so the room for
// labels and values is generous.
const (
	chartWidth = 760
	labelWidth = 270
	valueWidth = 100
	barHeight  = 16
	lineHeight = 22
	margin     = 16
)

// The picture brings its own background, so that it reads on any page, and
// follows the reader's choice of light or dark where the viewer tells it.
const chartStyle = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .group { font-weight: 600 }
  .page { fill: #ffffff; stroke: #d0d7de }
  .ours { fill: #1a7f37 }
  .theirs { fill: #8c959f }
  .limit { fill: none; stroke: #8c959f; stroke-dasharray: 3 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117; stroke: #30363d }
    .ours { fill: #3fb950 }
    .theirs { fill: #6e7681 }
    .limit { stroke: #8b949e }
  }
</style>
`

// SVG draws the chart. The same chart gives the same bytes.
func (c Chart) SVG() string {
	var b strings.Builder
	y := margin + lineHeight
	fmt.Fprintf(&b, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", margin, y-6, html.EscapeString(c.Title))
	for _, g := range c.Groups {
		y += lineHeight + lineHeight/2
		fmt.Fprintf(&b, "<text class=\"group\" x=\"%d\" y=\"%d\">%s</text>\n", margin, y-6, html.EscapeString(g.Title))
		longest := 0.0
		for _, bar := range g.Bars {
			longest = max(longest, bar.Value)
		}
		for _, bar := range g.Bars {
			drawBar(&b, bar, longest, y)
			y += lineHeight
		}
	}
	y += margin
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
		chartWidth, y, chartWidth, y, html.EscapeString(c.Title)) +
		chartStyle +
		fmt.Sprintf("<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", chartWidth-1, y-1) +
		b.String() + "</svg>\n"
}

func drawBar(b *strings.Builder, bar Bar, longest float64, y int) {
	const room = chartWidth - 2*margin - labelWidth - valueWidth
	width := 1.0 // a bar that is too short to see is still there
	if longest > 0 {
		width = max(width, bar.Value/longest*room)
	}
	x := margin + labelWidth
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", x-8, y+barHeight-3, html.EscapeString(bar.Label))
	fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", kinds[bar.Kind], x, y, width, barHeight)
	fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", float64(x)+width+6, y+barHeight-3, html.EscapeString(bar.Text))
}

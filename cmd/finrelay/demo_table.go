package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// table draws a line for each outcome, and below it where its rows are: both on
// one line would be too wide for most screens.
func (s *demoScreen) table(lines []demoLine) {
	head := []string{"", "ENTITY", "WHAT WAS SENT", "EXPECTED", "OUTCOME", "ROWS"}
	rows := make([][]string, len(lines))
	widths := make([]int, len(head))
	measure := func(cells []string) {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	measure(head)
	for i, l := range lines {
		mark, count := "ok", "-"
		if len(l.problems) > 0 {
			mark = "NO"
		}
		if l.landed {
			count = fmt.Sprint(l.rows)
		}
		rows[i] = []string{mark, l.entity, l.sent, l.expected, l.outcome, count}
		measure(rows[i])
	}
	s.println()
	s.row(head, widths, bold)
	s.println(strings.Repeat(" ", widths[0]+2), s.paint(bold, "rows are, and where"))
	for i, l := range lines {
		colour := green
		if len(l.problems) > 0 {
			colour = red
		}
		s.row(rows[i], widths, colour)
		s.below(l, strings.Repeat(" ", widths[0]+2))
	}
	s.println()
}

// row draws cells in columns, the last one to the right. Of a head all cells
// are in the colour, of other rows the first.
func (s *demoScreen) row(cells []string, widths []int, colour string) {
	painted := make([]string, len(cells))
	for i, c := range cells {
		c = pad(c, widths[i])
		if i == len(cells)-1 {
			c = fmt.Sprintf("%*s", widths[i], cells[i])
		}
		if i == 0 || colour == bold {
			c = s.paint(colour, c)
		}
		painted[i] = c
	}
	s.println(strings.Join(painted, "  "))
}

// below draws what belongs to an outcome: where its rows are, and for what
// needs a person why, and what to do.
func (s *demoScreen) below(l demoLine, indent string) {
	if l.whereabouts == "" {
		return
	}
	s.println(indent, s.paint(dim, strings.TrimSpace(l.whereabouts+"  "+l.file)))
	if l.where.Next == "" {
		return
	}
	s.paragraph(indent+"why:  ", strings.ReplaceAll(l.detail, "\n", " "))
	s.paragraph(indent+"next: ", l.where.Next)
}

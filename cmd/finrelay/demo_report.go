package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"finrelay/state"
)

// Width of the screen in characters: what is taken when there is no terminal,
// and what a line is never shorter or longer than.
const (
	screenWidth    = 100
	narrowestWidth = 60
	widestWidth    = 140
)

// demoScreen draws. Its methods may be called concurrently.
type demoScreen struct {
	mu     sync.Mutex
	w      io.Writer
	colour bool
	width  int
}

// newDemoScreen uses colours only on a terminal whose user has not asked for
// none.
func newDemoScreen(w io.Writer) *demoScreen {
	s := &demoScreen{w: w, width: screenWidth}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		s.width = min(max(width-1, narrowestWidth), widestWidth)
	}
	return s
}

// Colours, as the terminal's user has chosen them.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s *demoScreen) paint(colour, text string) string {
	if !s.colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (s *demoScreen) println(text ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.w, strings.TrimRight(strings.Join(text, ""), " "))
}

func (s *demoScreen) intro(dir, blobs, address string) {
	s.println(s.paint(bold, "A simulated FinOps exports, a real finrelay lands it, all on this machine."))
	s.println()
	s.println("  FinOps    ", blobs, "  files behind links that live for 60 minutes")
	s.println("  finrelay  ", address, "  events come in at /in/finops/", demoEnvironment)
	s.println("  folder    ", dir)
	s.println()
}

// stepColours are those of the words that begin a step.
var stepColours = map[string]string{
	"posted": dim, "fetched": dim, "known": dim, "ignored": dim,
	string(state.Landed): green, string(state.Parked): yellow, string(state.Expired): yellow,
}

// step is a line of progress.
func (s *demoScreen) step(after time.Duration, what, entity, text string) {
	s.println(s.paint(dim, fmt.Sprintf("%7.2f s  ", after.Seconds())), s.paint(stepColours[what], pad(what, 8)), "  ",
		pad(oneLine(entity), 25), "  ", oneLine(text))
}

// report draws the table and says how it ended.
func (d *demo) report(r demoResults) error {
	d.screen.table(r.lines)
	problems := slices.Clone(r.problems)
	landed, listed := 0, 0
	for _, l := range r.lines {
		for _, p := range l.problems {
			problems = append(problems, fmt.Sprintf("%s (%s): %s", l.entity, l.sent, p))
		}
		switch {
		case l.where.Next != "":
			listed++
		case l.landed:
			landed++
		}
	}
	s := d.screen
	if !r.ok() {
		s.println(s.paint(red, "Not as expected:"))
		for _, p := range problems {
			s.println("  ", oneLine(p))
		}
		s.println()
		return &codedError{exitFailed, fmt.Errorf("demo: %d things are not as expected; the server's log is %s", len(problems), d.path("finrelay.log"))}
	}
	s.println(s.paint(green, fmt.Sprintf("All %d outcomes are as expected, after %.1f s.", len(r.lines), d.since().Seconds())))
	s.paragraph("", fmt.Sprintf("%d exports landed and %d wait on the list for a person, with their rows' whereabouts. "+
		"Checked: each of the %d values that landed against what was sent, each file against its manifest, "+
		"the ledger's numbers, and that no link's signature is in a log or file.", landed, listed, r.values))
	s.println()
	d.next(r)
	return nil
}

// next says where the files are and what to try on them.
func (d *demo) next(r demoResults) {
	s := d.screen
	for _, place := range [][2]string{
		{"rows", d.path("out")}, {"ledger", d.path("state")}, {"settings", d.path("finrelay.yaml")}, {"log", d.path("finrelay.log")},
	} {
		s.println("  ", pad(place[0], 10), place[1])
	}
	s.println()
	s.println("Try next:")
	s.println()
	for _, c := range d.commands(r) {
		s.println("  ", c)
	}
}

// commands are lines for a shell, good as they are.
func (d *demo) commands(r demoResults) []string {
	at := "-c " + shellWord(d.path("finrelay.yaml"))
	program := shellWord(programName())
	lines := []string{program + " status " + at}
	for _, l := range r.lines {
		if l.exportID != "" && strings.HasSuffix(l.expected, string(state.ReasonBadRows)) {
			lines = append(lines, program+" exports show "+l.exportID+" "+at)
		}
	}
	return append(lines, program+" checkpoints "+at)
}

// programName is what the user typed to get here, so that it works again.
func programName() string {
	if len(os.Args) == 0 || os.Args[0] == "" {
		return "finrelay"
	}
	return os.Args[0]
}

// shellWord quotes a word that a shell would not take as it is.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

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

// paragraph breaks text between words and indents it under its first line.
func (s *demoScreen) paragraph(prefix, text string) {
	line := prefix
	room := utf8.RuneCountInString(prefix)
	for _, word := range strings.Fields(oneLine(text)) {
		switch n := utf8.RuneCountInString(line); {
		case n == room:
			line += word
		case n+1+utf8.RuneCountInString(word) <= s.width:
			line += " " + word
		default:
			s.println(line)
			line = strings.Repeat(" ", room) + word
		}
	}
	s.println(line)
}

// pad fills up with blanks to a number of characters.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

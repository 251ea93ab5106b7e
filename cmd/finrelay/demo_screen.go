package main

import (
	"fmt"
	"io"
	"os"
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

package main

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// narrowest is the least width that text is made to fit, in characters.
const narrowest = 40

// width is that of the terminal before which the person sits, or what COLUMNS
// says where the output is none; 0 when nobody says, and then nothing is made to
// fit: what reads a pipe wants whole lines.
func (a *app) width() int {
	if f, ok := a.screen().(*os.File); ok && isTerminal(f) {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return max(n, narrowest)
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, narrowest)
	}
	return 0
}

// screen is where standard output goes in the end.
func (a *app) screen() io.Writer {
	if w, ok := a.stdout.(*advising); ok {
		return w.w
	}
	return a.stdout
}

// fitted has text drawn that is wrapped at words for the terminal. Its commands
// are completed before, since that makes them longer.
func (a *app) fitted(draw func(*app) error) error {
	width := a.width()
	if width == 0 {
		return draw(a)
	}
	var text bytes.Buffer
	inner := *a
	inner.stdout = &text
	if err := draw(&inner); err != nil {
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(a.advice.complete(text.String())) {
		b.WriteString(wrapLine(strings.TrimSuffix(line, "\n"), width) + "\n")
	}
	if a.flush != nil {
		if err := a.flush(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(a.screen(), b.String())
	return err
}

var (
	// label is what stands before a line's text: "    next: ".
	label = regexp.MustCompile(`^ +[a-z][a-z ]{0,14}: +`)
	// typed is a command in a text, with what belongs to it as far as can be seen
	// from outside: flags with their values, ids, what is quoted, and the word
	// behind its name. To take a word too many costs a ragged line, one too few a
	// command that does not work when it is pasted.
	typed = regexp.MustCompile(`\bfinrelay(?: (?:-c|--config|--state-folder) (?:'[^']*'|\S+))* [a-z]+` +
		`(?: (?:"[^"]*"|[^\s"',;:()-][^\s"',;:()]*))?(?: (?:--?[a-z][a-z-]*(?:[ =](?:"[^"]*"|'[^']*'|[^\s"',;()-][^\s"',;()]*))?|"[^"]*"|'[^']*'|(?:ev|sh|ex|xc)_\w+|[A-Z][A-Z-]+\b))*`)
)

// wrapLine breaks a line at words so that it fits a width, in characters. What
// follows stands below the line's text. A command to be copied is never broken,
// nor is a word; either may be longer than the width.
func wrapLine(line string, width int) string {
	if utf8.RuneCountInString(line) <= width {
		return line
	}
	head := line[:len(line)-len(strings.TrimLeft(line, " "))]
	below := len(head) + 4
	if l := label.FindString(line); l != "" {
		head, below = l, len(l)
	}
	var b strings.Builder
	b.WriteString(head)
	text, at, begun := line[len(head):], len(head), false
	for text != "" {
		word := firstWord(text)
		text = text[len(word):]
		n := utf8.RuneCountInString(strings.TrimRight(word, " "))
		if begun && at+n > width {
			kept := strings.TrimRight(b.String(), " ")
			b.Reset()
			b.WriteString(kept + "\n" + strings.Repeat(" ", below))
			at = below
		}
		b.WriteString(word)
		at, begun = at+utf8.RuneCountInString(word), true
	}
	return strings.TrimRight(b.String(), " ")
}

// firstWord is the first word of a text, or the command that it begins with, up
// to the next word.
func firstWord(text string) string {
	end := 0
	if at := typed.FindStringIndex(text); at != nil && at[0] == 0 {
		end = at[1]
	}
	if i := strings.IndexByte(text[end:], ' '); i >= 0 {
		end += i
	} else {
		return text
	}
	return text[:len(text)-len(strings.TrimLeft(text[end:], " "))]
}

package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// span is a piece of a line that may be shown as it stands: a key, or a value
// of a setting that is no secret.
type span struct {
	column int // in characters, from 1
	text   string
}

// show remembers that text stands at a place and may be repeated: what may is
// for the caller to judge. What does not stand there as it is spelt is not
// remembered.
func (s *source) show(line, column int, text string) {
	lines := s.lines()
	if line < 1 || line > len(lines) || column < 1 || text == "" {
		return
	}
	runes := []rune(lines[line-1])
	if column > len(runes) {
		return
	}
	at := string(runes[column-1:])
	for _, spelt := range []string{text, `"` + text + `"`, "'" + text + "'"} {
		if strings.HasPrefix(at, spelt) {
			if s.spans == nil {
				s.spans = map[int][]span{}
			}
			s.spans[line] = append(s.spans[line], span{column, spelt})
			return
		}
	}
}

// longestLine bounds the characters of a line that is shown whole.
const longestLine = 160

// Between what may be shown, these cannot be part of a secret: they end a flow
// value, or stand before a value. A plain value in a list or section of one
// line holds none of the first; what ends a line may be a secret's last letter.
var (
	gapBegins = regexp.MustCompile(`^[\s,}\]]*(:(\s+|$))?([\s,{\[]|-\s+)*`)
	gapEnds   = regexp.MustCompile(`[\s,}\]]*[\s{\[]*$`)
)

// whole gives a line as it stands in the file, with what may be a secret
// masked, and a mark below the column; "" when nothing of the line is known.
func (s *source) whole(line, column int) string {
	spans := slices.Clone(s.spans[line])
	if len(spans) == 0 {
		return ""
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.column, b.column) })
	runes := []rune(s.lines()[line-1])
	w := &lineWriter{mark: column}
	at := 1
	for _, p := range spans {
		if p.column < at {
			continue // the same again, by way of an alias
		}
		w.gap(at, string(runes[at-1:p.column-1]), false)
		w.add(p.column, p.text)
		at = p.column + len([]rune(p.text))
	}
	w.gap(at, string(runes[at-1:]), true)
	text := strings.TrimRight(w.text.String(), " \t")
	if len([]rune(text)) > longestLine {
		return ""
	}
	return text + "\n" + blankLike(text, w.marked) + "^"
}

// blankLike is as wide as the first n characters of text, tabs kept.
func blankLike(text string, n int) string {
	var b strings.Builder
	for i, r := range []rune(text) {
		if i == n {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(" ", max(0, n-len([]rune(text)))))
	return b.String()
}

// lineWriter puts a line together and keeps where its mark has come to.
type lineWriter struct {
	text   strings.Builder
	length int // of text, in characters
	mark   int // column in the file
	marked int // characters before it in text
}

// add writes what stands at a column.
func (w *lineWriter) add(column int, text string) {
	n := len([]rune(text))
	if column <= w.mark {
		w.marked = w.length + min(w.mark-column, n)
	}
	w.text.WriteString(text)
	w.length += n
}

// gap writes what stands between two spans: only what separates them.
func (w *lineWriter) gap(column int, text string, last bool) {
	head := gapBegins.FindString(text)
	rest := text[len(head):]
	w.add(column, head)
	tail := ""
	if !last {
		tail = gapEnds.FindString(rest)
	}
	secret := len([]rune(rest)) - len([]rune(tail))
	column += len([]rune(head))
	if secret > 0 && strings.Trim(rest, "}] \t") != "" {
		before := w.length
		w.add(column, redacted)
		if w.mark > column && w.mark < column+secret {
			w.marked = before // within what is hidden
		}
	} else {
		w.add(column, rest[:len(rest)-len(tail)])
	}
	w.add(column+secret, tail)
}

// reshow gives problems the whole line in place of the piece of it that was
// known to be harmless when they were found.
func (s *source) reshow(problems []*Error) {
	for _, e := range problems {
		if e.Excerpt == "" {
			continue
		}
		if whole := s.whole(e.Line, e.Column); whole != "" {
			e.Excerpt = whole
		}
	}
}

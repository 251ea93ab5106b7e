package convert

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// ColumnFacts is what a Survey found in one column.
type ColumnFacts struct {
	Name string
	// Type is the narrowest that fits each value that is not empty; a column of
	// codes with leading zeros (007) is TypeString, one without any value too.
	// JSON's own objects and arrays are TypeNested.
	Type    ColumnType
	Values  int64 // rows where it is not empty
	Empty   int64 // rows where it is "" or null
	Absent  int64 // rows that do not have it
	Longest int   // characters of the longest value
	Example string
}

// TypeNested is what a Survey calls a column with objects or arrays in it. It
// cannot be asked for.
const TypeNested ColumnType = "nested"

// inferred are the types that a Survey tries, the narrowest first.
var inferred = []ColumnType{TypeInteger, TypeDecimal, TypeBoolean, TypeDate, TypeTime}

// Survey is a Sink that finds out what the columns of a file hold and keeps no
// row. It is not for concurrent use.
type Survey struct {
	rows   int64
	order  []*surveyed
	byRaw  map[string]*surveyed // by key as spelled
	byName map[string]*surveyed
	utc    *zone // of all columns: it is large
}

type surveyed struct {
	ColumnFacts
	tries   []*columnPlan // types that fit so far
	nested  bool
	scratch []byte
}

// NewSurvey makes an empty Survey.
func NewSurvey() *Survey {
	return &Survey{byRaw: make(map[string]*surveyed), byName: make(map[string]*surveyed), utc: &zone{Location: time.UTC}}
}

// Columns gives the columns of the rows so far, those that the reader named
// first: header, which may be nil.
func (s *Survey) Columns(header []string) []ColumnFacts {
	var all []ColumnFacts
	for _, name := range header {
		if s.byName[name] == nil {
			all = append(all, ColumnFacts{Name: name, Type: TypeString, Absent: s.rows})
		}
	}
	for _, c := range s.order {
		f := c.ColumnFacts
		f.Absent = s.rows - f.Values - f.Empty
		switch {
		case c.nested:
			f.Type = TypeNested
		case len(c.tries) > 0 && f.Values > 0:
			f.Type = c.tries[0].kind
		default:
			f.Type = TypeString
		}
		all = append(all, f)
	}
	return all
}

// Block looks at rows.
func (s *Survey) Block(lines []byte, rows int) error {
	s.rows += int64(rows)
	for line := range bytes.Lines(lines) {
		for i := 1; line[i] == '"'; {
			end := stringEnd(line, i)
			value := line[end+1 : valueEnd(line, end+1)]
			c := s.byRaw[string(line[i:end])]
			if c == nil {
				c = s.meet(line[i:end])
			}
			c.look(value)
			if i = end + 1 + len(value); line[i] == ',' {
				i++
			}
		}
	}
	return nil
}

// BadRow passes over what is no row; the Result counts it.
func (s *Survey) BadRow(BadRow) error { return nil }

func (s *Survey) meet(raw []byte) *surveyed {
	var name string
	_ = json.Unmarshal(raw, &name) // the row is known to be well-formed
	c := s.byName[name]            // under another spelling
	if c == nil {
		c = &surveyed{ColumnFacts: ColumnFacts{Name: name}}
		for _, kind := range inferred {
			c.tries = append(c.tries, &columnPlan{kind: kind, marks: marks{point: '.'}, layouts: isoLayouts, zone: s.utc})
		}
		s.order = append(s.order, c)
		s.byName[name] = c
	}
	s.byRaw[string(raw)] = c
	return c
}

// exampleLength is how many characters an example has at most.
const exampleLength = 40

func (c *surveyed) look(value []byte) {
	if isEmpty(value) {
		c.Empty++
		return
	}
	c.Values++
	text := string(value)
	switch value[0] {
	case '"':
		text = text[1 : len(text)-1]
		if strings.IndexByte(text, '\\') >= 0 {
			_ = json.Unmarshal(value, &text)
		}
	case '{', '[':
		c.nested = true
	}
	if n := utf8.RuneCountInString(text); n > c.Longest {
		c.Longest = n
	}
	if c.Example == "" {
		c.Example = text
		if r := []rune(text); len(r) > exampleLength {
			c.Example = string(r[:exampleLength]) + "…"
		}
	}
	kept := c.tries[:0]
	for _, p := range c.tries {
		if p.kind == TypeInteger || p.kind == TypeDecimal {
			if isCode(text) {
				continue
			}
		}
		// 0 and 1 are numbers; only words say Yes and No.
		if p.kind == TypeBoolean && (text == "0" || text == "1") {
			continue
		}
		var err error
		if c.scratch, err = p.appendValue(c.scratch[:0], value); err == nil {
			kept = append(kept, p)
		}
	}
	c.tries = kept
}

// isCode tells 007, +49 and texts with blanks around them from numbers: typed,
// they would lose something.
func isCode(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' ||
		strings.HasPrefix(text, "+") || strings.TrimSpace(text) != text
}

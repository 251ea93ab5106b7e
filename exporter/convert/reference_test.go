package convert

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowCSV reads CSV in the most obvious way: all of it in memory, a byte at a
// time, strings for fields. It shares no code with the readers.
type slowCSV struct {
	in               string
	at               int
	delimiter, quote string
	strict           bool

	wrong   string // why the record is no row
	wrongAt int
	odd     []string // places in the record
}

func (s *slowCSV) place(at int) string {
	before := s.in[:at]
	return fmt.Sprintf("%d:%d", strings.Count(before, "\n")+1, at-strings.LastIndex(before, "\n"))
}

func (s *slowCSV) fault(at int, why string) {
	if s.wrong == "" {
		s.wrong, s.wrongAt = why, at
	}
}

// more says whether the text goes on with p.
func (s *slowCSV) more(p string) bool { return strings.HasPrefix(s.in[s.at:], p) }

func (s *slowCSV) fieldEnds() bool {
	return s.at == len(s.in) || s.more(s.delimiter) || s.more("\n") || s.more("\r\n")
}

func (s *slowCSV) field() string {
	var value []byte
	isOdd := false
	odd := func(why string) {
		if s.strict {
			s.fault(s.at, why)
		}
		if !isOdd {
			s.odd = append(s.odd, s.place(s.at)+" "+why)
		}
		isOdd = true
	}
	take := func() {
		if s.in[s.at] == 0 {
			s.fault(s.at, "NUL byte")
		}
		value = append(value, s.in[s.at])
		s.at++
	}
	if s.more(s.quote) {
		open := s.at
		s.at += len(s.quote)
		for s.at < len(s.in) && (!s.more(s.quote) || s.more(s.quote+s.quote)) {
			if s.more(s.quote) {
				s.at += len(s.quote)
				value = append(value, s.quote...)
				s.at += len(s.quote)
				continue
			}
			take()
		}
		if s.at == len(s.in) {
			s.fault(open, "quote is never closed")
			return string(value)
		}
		s.at += len(s.quote)
		if !s.fieldEnds() {
			odd("text after a closing quote")
		}
	}
	for !s.fieldEnds() {
		if s.more(s.quote) {
			odd("quote inside an unquoted field")
		}
		take()
	}
	return string(value)
}

func (s *slowCSV) record() []string {
	s.wrong, s.odd = "", nil
	fields := []string{s.field()}
	for s.more(s.delimiter) {
		s.at += len(s.delimiter)
		fields = append(fields, s.field())
	}
	if s.more("\r\n") {
		s.at++
	}
	if s.more("\n") {
		s.at++
	}
	return fields
}

// read gives what run reports, without the line on format and columns.
func (s *slowCSV) read(columns int) (lines, bad string, odd []string) {
	tb := table{}
	for i := range columns {
		tb.names = append(tb.names, fmt.Sprintf("C%d", i))
	}
	var badRows strings.Builder
	for n := 1; s.at < len(s.in); n++ {
		begin := s.at
		fields := s.record()
		raw := s.in[begin:s.at]
		empty := raw == "\n" || raw == "\r\n"
		switch {
		case s.wrong != "":
		case !utf8.ValidString(raw):
			s.fault(begin+firstInvalid(raw), "bytes that the encoding does not know")
		case empty && columns > 1 && s.at == len(s.in):
			continue
		case empty && columns > 1:
			s.fault(begin, "empty line")
		case len(fields) != columns:
			s.fault(begin, fmt.Sprintf("%d fields, want %d", len(fields), columns))
		}
		if s.wrong != "" {
			fmt.Fprintf(&badRows, "%s record %d: %s: %q\n", s.place(s.wrongAt), n, s.wrong, raw)
			continue
		}
		tb.rows = append(tb.rows, fields)
		odd = append(odd, s.odd...)
	}
	return tb.lines(), badRows.String(), odd
}

func firstInvalid(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return i
		}
	}
	return len(s)
}

// FuzzCSVEqualsReference compares the readers, in blocks and one record after
// the other, with slowCSV.
func FuzzCSVEqualsReference(f *testing.F) {
	for _, in := range hardCSV {
		_, body, _ := strings.Cut(in, "\n")
		f.Add([]byte(body), uint8(2), uint8(3), false, ',', '"')
		f.Add([]byte(body), uint8(1), uint8(40), true, ',', '"')
		for i, c := range otherCharacters {
			f.Add([]byte(c.rewrite(body)), uint8(2), uint8(3*i), false, c.delimiter, c.quote)
			f.Add([]byte(c.rewrite(body)), uint8(1), uint8(3*i), true, c.delimiter, c.quote)
		}
	}
	f.Add([]byte("\"a\"b\"c\",\"d\" \n\"a\"\r\n\"e\"\rf,\"\"\n"), uint8(2), uint8(5), false, ',', '"')
	f.Add([]byte("ÿaÿbÿcÿ¦ÿdÿ \nÿaÿ\r\nÿeÿ\rf¦ÿÿ\xc3\nÿÿ\xc3¦\xc2\nÿ¦\xc3ÿÿ\xc2"), uint8(2), uint8(5), false, '¦', 'ÿ')
	f.Fuzz(func(t *testing.T, body []byte, columns, block uint8, strict bool, delimiter, quote rune) {
		opt := Options{Format: FormatCSV, Delimiter: delimiter, Quote: quote, Encoding: "utf-8", Strict: strict}
		if delimiter == 0 || quote == 0 || strings.ContainsRune("C0123", delimiter) || strings.ContainsRune("C0123", quote) || opt.Validate() != nil {
			return
		}
		columns = columns%4 + 1
		inBlocksOf(t, int(block%64)+1)
		head := "C0"
		for i := range columns - 1 {
			head += fmt.Sprintf("%cC%d", delimiter, i+1)
		}
		slow := slowCSV{in: head + "\n" + string(body), at: len(head) + 1, delimiter: string(delimiter), quote: string(quote), strict: strict}
		lines, bad, odd := slow.read(int(columns))
		for _, sequential := range []bool{true, false} {
			opt.sequential = sequential
			got, res := run(t, bytes.NewReader([]byte(slow.in)), opt)
			want := outcome{lines, bad, got.result}
			compare(t, fmt.Sprintf("%q, sequential %v", slow.in, sequential), got, want)
			if int(res.Oddities.Count) != len(odd) {
				t.Fatalf("%q: %d odd fields, want %q", slow.in, res.Oddities.Count, odd)
			}
			for i, o := range res.Oddities.First {
				if got := fmt.Sprintf("%d:%d %s", o.Line, o.Column, o.What); got != odd[i] {
					t.Errorf("%q: odd field %d: got %s, want %s", slow.in, i, got, odd[i])
				}
			}
		}
	})
}

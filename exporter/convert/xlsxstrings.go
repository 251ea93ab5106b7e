package convert

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"

	"finrelay/exporter"
)

// maxSharedStrings bounds the list of offsets: 8 bytes each.
const maxSharedStrings = 32 << 20

// sharedStrings are the texts that cells name by number. They lie in a spool,
// so a workbook of long texts does not lie in memory; the list of where each
// ends does.
type sharedStrings struct {
	texts spool
	count int
	ends  [][]int64 // endsTogether each: one list would be copied as it grows
}

const endsTogether = 64 << 10

// add notes where the next text ends.
func (s *sharedStrings) add(end int64) {
	if s.count%endsTogether == 0 {
		s.ends = append(s.ends, nil)
	}
	last := &s.ends[len(s.ends)-1]
	*last = append(*last, end)
	s.count++
}

// end is where text n ends, 0 for the one before the first.
func (s *sharedStrings) end(n int) int64 {
	if n < 0 {
		return 0
	}
	return s.ends[n/endsTogether][n%endsTogether]
}

// readStrings reads the part. Each text may have maxText bytes.
//
// Source: ECMA-376 part 1, 18.4.9, sst.
func (b *workbook) readStrings(maxText int, folder string) (_ *sharedStrings, err error) {
	s := &sharedStrings{texts: spool{folder: folder}}
	if b.strings == "" {
		return s, nil
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.texts.Close())
		}
	}()
	p, err := b.open(b.strings)
	if err != nil {
		return s, err
	}
	defer p.Close()
	p.allow(maxText)
	d := p.decoder()
	if _, err := rootElement(d); err != nil && !errors.Is(err, io.EOF) { // none at all are no texts
		return s, p.explain(err)
	}
	var text, block []byte
	for {
		p.allow(maxText)
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, p.explain(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "si" {
			continue
		}
		if text, err = richText(d, text[:0]); err != nil {
			return s, p.explain(err)
		}
		if s.count == maxSharedStrings {
			return s, fmt.Errorf("%w: more than %d different texts in one workbook", exporter.ErrTooLarge, maxSharedStrings)
		}
		block = append(block, text...)
		s.add(s.texts.size + int64(len(block)))
		if len(block) >= blockSize {
			if _, err := s.texts.Write(block); err != nil {
				return s, err
			}
			block = block[:0]
		}
	}
	_, err = s.texts.Write(block)
	return s, errors.Join(err, p.finish())
}

// errNoString: the cell is wrong, not the part it stands in.
var errNoString = errors.New("not among the workbook's shared strings")

// append appends the text of a number.
func (s *sharedStrings) append(out []byte, number string) ([]byte, error) {
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 || n >= s.count {
		return out, fmt.Errorf("text number %.20q: %w, which are %d", number, errNoString, s.count)
	}
	from := s.end(n - 1)
	at := len(out)
	out = append(out, make([]byte, s.end(n)-from)...)
	if at == len(out) {
		return out, nil
	}
	_, err = s.texts.ReadAt(out[at:], from)
	return out, err
}

// richText reads an si or is element to its end: the texts of its runs,
// without phonetic hints.
func richText(d *xml.Decoder, out []byte) ([]byte, error) {
	from := len(out)
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			return out, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "t":
				if out, err = charData(d, out); err != nil {
					return out, err
				}
			case "rPh", "phoneticPr", "rPr", "extLst":
				if err := d.Skip(); err != nil {
					return out, err
				}
			default:
				depth++
			}
		case xml.EndElement:
			depth--
		}
	}
	return unescapeX(out, from), nil
}

// charData reads an element of text to its end.
func charData(d *xml.Decoder, out []byte) ([]byte, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return out, err
		}
		switch t := token.(type) {
		case xml.CharData:
			out = append(out, t...)
		case xml.StartElement:
			if err := d.Skip(); err != nil {
				return out, err
			}
		case xml.EndElement:
			return out, nil
		}
	}
}

// unescapeX replaces _xHHHH_ in out[from:], which stands for a UTF-16 unit that
// XML cannot hold. Half a pair stays as it is written.
//
// Source: ECMA-376 part 1, 22.9.2.19, ST_Xstring.
func unescapeX(out []byte, from int) []byte {
	to := from
	for i := from; i < len(out); {
		unit, ok := escapedUnit(out[i:])
		if !ok {
			out[to] = out[i]
			to++
			i++
			continue
		}
		r, used := rune(unit), 7
		if utf16.IsSurrogate(r) {
			low, pair := escapedUnit(out[i+7:])
			if r = utf16.DecodeRune(r, rune(low)); !pair || r == '\uFFFD' {
				to += copy(out[to:], out[i:i+7])
				i += 7
				continue
			}
			used = 14
		}
		to += copy(out[to:], string(r))
		i += used
	}
	return out[:to]
}

func escapedUnit(b []byte) (uint16, bool) {
	if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return uint16(n), err == nil
}

package canon

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a JSON string at the beginning of b and gives its text.
func (p *parser) str(b []byte) (text, rest []byte, err error) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, errors.New("no string where one must be")
	}
	b = b[1:]
	end := bytes.IndexByte(b, '"')
	if end < 0 {
		return nil, nil, errors.New("a string has no end")
	}
	if bytes.IndexByte(b[:end], '\\') < 0 {
		return b[:end], b[end+1:], nil
	}
	return p.unescape(b)
}

// unescape reads up to the closing quote into the scratch space. A surrogate
// without its half becomes U+FFFD, as in encoding/json.
func (p *parser) unescape(b []byte) (text, rest []byte, err error) {
	begin := len(p.scratch)
	for {
		i := bytes.IndexAny(b, `"\`)
		if i < 0 {
			return nil, nil, errors.New("a string has no end")
		}
		p.scratch = append(p.scratch, b[:i]...)
		if b[i] == '"' {
			return p.scratch[begin:], b[i+1:], nil
		}
		if b = b[i+1:]; len(b) == 0 {
			return nil, nil, errors.New("a string ends in its escape")
		}
		if b[0] != 'u' {
			c, ok := shortEscapes[b[0]]
			if !ok {
				return nil, nil, fmt.Errorf(`unknown escape \%c`, b[0])
			}
			p.scratch, b = append(p.scratch, c), b[1:]
			continue
		}
		r, err := hex4(b[1:])
		if err != nil {
			return nil, nil, err
		}
		b = b[5:]
		if utf16.IsSurrogate(r) {
			r, b = secondHalf(r, b)
		}
		p.scratch = utf8.AppendRune(p.scratch, r)
	}
}

var shortEscapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hex4(b []byte) (rune, error) {
	if len(b) < 4 {
		return 0, errors.New(`a string ends in its \u escape`)
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	if err != nil {
		return 0, fmt.Errorf(`\u%s is no escape`, b[:4])
	}
	return rune(n), nil
}

// secondHalf reads the other half of a surrogate pair, if it stands there.
func secondHalf(first rune, b []byte) (rune, []byte) {
	if !bytes.HasPrefix(b, []byte(`\u`)) {
		return utf8.RuneError, b
	}
	second, err := hex4(b[2:])
	if err != nil {
		return utf8.RuneError, b
	}
	if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
		return r, b[6:]
	}
	return utf8.RuneError, b
}

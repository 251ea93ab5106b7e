package canon

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

var errNoObject = errors.New("no JSON object")

// member is one key and value of a row. The bytes lie in the line or in the
// parser's scratch space.
type member struct {
	key, value []byte
	kind       byte // 's' text, unescaped; 'o' anything else, compact JSON
}

// parser turns lines into canonical text. It keeps what one line needs for the
// next, because a row of 60 keys is the rule and 2 million of them a file:
// encoding/json into a map would take longer than most contestants.
type parser struct {
	members []member
	keys    [][]byte // of the line before, in its order
	order   []int    // that sorts them
	scratch []byte   // unescaped text
	text    []byte
}

// canonical gives a row's text, valid until the next call: each key and value
// with its length before it, so that no two rows read alike.
func (p *parser) canonical(line []byte) ([]byte, error) {
	if err := p.parse(line); err != nil {
		return nil, err
	}
	p.sort()
	p.text = p.text[:0]
	for _, i := range p.order {
		m := p.members[i]
		p.text = append(binary.AppendUvarint(p.text, uint64(len(m.key))), m.key...)
		p.text = append(p.text, m.kind)
		p.text = append(binary.AppendUvarint(p.text, uint64(len(m.value))), m.value...)
	}
	return p.text, nil
}

// sort brings the members into the order of their keys. Rows of a file mostly
// have the same keys in the same order, so the last row's order is tried first.
func (p *parser) sort() {
	if len(p.keys) == len(p.members) {
		same := true
		for i := range p.members {
			if same = bytes.Equal(p.keys[i], p.members[i].key); !same {
				break
			}
		}
		if same {
			return
		}
	}
	p.keys, p.order = p.keys[:0], p.order[:0]
	for i, m := range p.members {
		p.keys, p.order = append(p.keys, bytes.Clone(m.key)), append(p.order, i)
	}
	slices.SortFunc(p.order, func(i, j int) int {
		return cmp.Or(bytes.Compare(p.keys[i], p.keys[j]), cmp.Compare(i, j))
	})
}

func (p *parser) parse(line []byte) error {
	p.members, p.scratch = p.members[:0], p.scratch[:0]
	rest := skipSpace(line)
	if len(rest) == 0 || rest[0] != '{' {
		return errNoObject
	}
	rest = skipSpace(rest[1:])
	if len(rest) > 0 && rest[0] == '}' {
		return onlySpace(rest[1:])
	}
	for {
		var m member
		var err error
		if m.key, rest, err = p.str(rest); err != nil {
			return err
		}
		if rest = skipSpace(rest); len(rest) == 0 || rest[0] != ':' {
			return fmt.Errorf("no colon after key %q", m.key)
		}
		if m.kind, m.value, rest, err = p.value(skipSpace(rest[1:])); err != nil {
			return fmt.Errorf("value of %q: %w", m.key, err)
		}
		p.members = append(p.members, m)
		if rest = skipSpace(rest); len(rest) == 0 {
			return errors.New("the object has no end")
		}
		switch rest[0] {
		case ',':
			rest = skipSpace(rest[1:])
		case '}':
			return onlySpace(rest[1:])
		default:
			return fmt.Errorf("%q after the value of %q", rest[0], m.key)
		}
	}
}

func (p *parser) value(b []byte) (kind byte, value, rest []byte, err error) {
	if len(b) > 0 && b[0] == '"' {
		value, rest, err = p.str(b)
		return 's', value, rest, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return 0, nil, nil, err
	}
	value, err = json.Marshal(v)
	return 'o', value, b[d.InputOffset():], err
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

func onlySpace(b []byte) error {
	if b = skipSpace(b); len(b) > 0 {
		return fmt.Errorf("%q after the object", b[0])
	}
	return nil
}

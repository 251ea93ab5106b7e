package convert

import (
	"bytes"
	"fmt"
)

// members appends the object that a line's members become, without a line end
// where a transform comes after it.
//
// The line is one of ours: compact JSON that was checked, so walking over it
// needs no errors of its own.
func (s *Shaper) members(out, line []byte) ([]byte, error) {
	from := len(out)
	out = append(out, '{')
	clear(s.slots)
	guess := 0
	for i := 1; line[i] == '"'; {
		end := stringEnd(line, i)
		raw := line[i:end]
		value := line[end+1 : valueEnd(line, end+1)] // behind the colon
		i = end + 1 + len(value)
		if line[i] == ',' {
			i++
		}
		p, err := s.find(raw, &guess)
		if err != nil {
			return out[:from], err
		}
		if p.drop || p.omitEmpty && isEmpty(value) {
			continue
		}
		if s.selected != nil {
			if p.member, err = s.member(p.member[:0], p, raw, value); err != nil {
				return out[:from], err
			}
			s.slots[p.place] = p
			continue
		}
		if len(out) > from+1 {
			out = append(out, ',')
		}
		if out, err = s.member(out, p, raw, value); err != nil {
			return out[:from], err
		}
		s.note(p)
	}
	for _, p := range s.slots {
		if p != nil {
			out = appendMember(out, from, p.member)
			s.note(p)
		}
	}
	for _, k := range s.constants {
		out = appendMember(out, from, k.member)
		s.note(k.plan)
	}
	out = append(out, '}')
	if s.transform == nil {
		out = append(out, '\n')
	}
	return out, nil
}

func appendMember(out []byte, from int, member []byte) []byte {
	if len(out) > from+1 {
		out = append(out, ',')
	}
	return append(out, member...)
}

// find gives the plan of a key. Rows mostly repeat the order of the first.
func (s *Shaper) find(raw []byte, guess *int) (*columnPlan, error) {
	if n := *guess; n < len(s.plans) && bytes.Equal(s.plans[n].raw, raw) {
		*guess = n + 1
		return s.plans[n], nil
	}
	p := s.byRaw[string(raw)]
	if p == nil {
		var err error
		if p, err = s.learn(raw); err != nil {
			return nil, err
		}
	}
	if p.raw == nil {
		p.raw, p.index = bytes.Clone(raw), len(s.plans)
		s.plans = append(s.plans, p)
	}
	*guess = p.index + 1
	return p, nil
}

// member appends one key and its value, or what the policy makes of a value
// that does not fit.
func (s *Shaper) member(out []byte, p *columnPlan, raw, value []byte) ([]byte, error) {
	if p.out == p.name {
		out = append(append(out, raw...), ':') // as the file spells it
	} else {
		out = append(out, p.prefix...)
	}
	at := len(out)
	out, err := p.appendValue(out, value)
	if err == nil {
		return out, nil
	}
	s.stats.TypeErrors[p.name]++
	switch s.onError {
	case TypeErrorKeep:
		return append(out[:at], value...), nil
	case TypeErrorNull:
		return append(out[:at], "null"...), nil
	}
	return out, &misfit{fmt.Errorf("column %s: %.60s: %w", p.name, value, err)}
}

func isEmpty(value []byte) bool { return string(value) == `""` || string(value) == "null" }

// stringEnd gives the offset behind the string that begins at i.
func stringEnd(line []byte, i int) int {
	for i++; line[i] != '"'; i++ {
		if line[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd gives the offset behind the value that begins at i.
func valueEnd(line []byte, i int) int {
	switch line[i] {
	case '"':
		return stringEnd(line, i)
	case '{', '[':
	default:
		return i + bytes.IndexAny(line[i:], ",}")
	}
	for depth := 0; ; i++ {
		switch line[i] {
		case '"':
			i = stringEnd(line, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// slowShaper shapes rows in the most obvious way: a member at a time, a string
// for each value, time.Parse for each date. It is what the Shaper is compared
// with. It takes no transform: what comes before one is compared.
type slowShaper struct {
	*compiled
	plans      []*slowPlan
	byRaw      map[string]*slowPlan
	byOut      map[string]*slowPlan
	slots      []*slowPlan
	names      []string
	typeErrors map[string]int64
}

// slowPlan takes the settings from columnPlan and nothing else.
type slowPlan struct {
	*columnPlan
	raw    []byte
	index  int
	place  int
	met    bool
	layout int
	member []byte
}

// shapedSlowly gives what rows become, with what is wrong with those that are none,
// and why the conversion would end, if it would.
func shapedSlowly(t testing.TB, shape Shape, lines []byte) (out string, s *slowShaper) {
	t.Helper()
	c, err := shape.compile()
	if err != nil {
		t.Fatal(err)
	}
	s = &slowShaper{compiled: c, byRaw: map[string]*slowPlan{}, byOut: map[string]*slowPlan{}, typeErrors: map[string]int64{}}
	s.slots = make([]*slowPlan, len(c.selected))
	var all []byte
	for line := range bytes.Lines(lines) {
		row, err := s.members(nil, line)
		if _, bad := errors.AsType[*misfit](err); bad {
			row = fmt.Appendf(nil, "%v in %q\n", err, line)
		} else if err != nil {
			return string(all) + err.Error(), s
		}
		all = append(all, row...)
	}
	return string(all), s
}

func (s *slowShaper) note(p *slowPlan) {
	if !p.met {
		p.met = true
		s.names = append(s.names, p.out)
	}
}

func (s *slowShaper) learn(raw []byte) (*slowPlan, error) {
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, err
	}
	p := &slowPlan{columnPlan: &columnPlan{name: name, out: name, kind: TypeString}}
	if known := s.columns[name]; known != nil {
		p = &slowPlan{columnPlan: known}
	}
	if s.selected != nil {
		place, kept := s.selected[name]
		p.place, p.drop = place, p.drop || !kept
	}
	if other := s.byOut[p.out]; other != nil && !p.drop {
		if other.name != name {
			return nil, fmt.Errorf("columns %q and %q would both be %q: rename one, or drop one", other.name, name, p.out)
		}
		p = other
	}
	for _, k := range s.constants {
		if k.plan.out == p.out && !p.drop {
			return nil, fmt.Errorf("the rows have a column %q, as the constant of that name would be: rename one, or drop the column", p.out)
		}
	}
	if !p.drop {
		s.byOut[p.out] = p
	}
	s.byRaw[string(raw)] = p
	return p, nil
}

func (s *slowShaper) members(out, line []byte) ([]byte, error) {
	from := len(out)
	out = append(out, '{')
	clear(s.slots)
	guess := 0
	for i := 1; line[i] == '"'; {
		end := slowStringEnd(line, i)
		raw := line[i:end]
		value := line[end+1 : slowValueEnd(line, end+1)] // behind the colon
		i = end + 1 + len(value)
		if line[i] == ',' {
			i++
		}
		p, err := s.find(raw, &guess)
		if err != nil {
			return out[:from], err
		}
		if p.drop || p.omitEmpty && slowIsEmpty(value) {
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
			out = slowAppendMember(out, from, p.member)
			s.note(p)
		}
	}
	for _, k := range s.constants {
		out = slowAppendMember(out, from, k.member)
		s.note(&slowPlan{columnPlan: k.plan, met: slices.Contains(s.names, k.plan.out)})
	}
	out = append(out, '}')
	if s.transform == nil {
		out = append(out, '\n')
	}
	return out, nil
}

func slowAppendMember(out []byte, from int, member []byte) []byte {
	if len(out) > from+1 {
		out = append(out, ',')
	}
	return append(out, member...)
}

// find gives the plan of a key. Rows mostly repeat the order of the first.
func (s *slowShaper) find(raw []byte, guess *int) (*slowPlan, error) {
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
func (s *slowShaper) member(out []byte, p *slowPlan, raw, value []byte) ([]byte, error) {
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
	s.typeErrors[p.name]++
	switch s.onError {
	case TypeErrorKeep:
		return append(out[:at], value...), nil
	case TypeErrorNull:
		return append(out[:at], "null"...), nil
	}
	return out, &misfit{fmt.Errorf("column %s: %.60s: %w", p.name, value, err), p.name}
}

func slowIsEmpty(value []byte) bool { return string(value) == `""` || string(value) == "null" }

// stringEnd gives the offset behind the string that begins at i.
func slowStringEnd(line []byte, i int) int {
	for i++; line[i] != '"'; i++ {
		if line[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd gives the offset behind the value that begins at i.
func slowValueEnd(line []byte, i int) int {
	switch line[i] {
	case '"':
		return slowStringEnd(line, i)
	case '{', '[':
	default:
		return i + bytes.IndexAny(line[i:], ",}")
	}
	for depth := 0; ; i++ {
		switch line[i] {
		case '"':
			i = slowStringEnd(line, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

package convert

import "fmt"

// members appends the object that the members of a line become, without a line
// end, and gives the length of the line's object. lines begins with the line.
//
// The line is one of ours: compact JSON that was checked, so walking over it
// needs no errors of its own. Most members stay what they are, so what lies
// between two that change is copied in one go.
func (s *Shaper) members(out, lines []byte) (_ []byte, size int, err error) {
	r := rowAtHand{lines: lines, out: append(out, '{'), from: len(out) + 1, copied: 1}
	clear(s.slots)
	next := 0 // of s.plans: rows mostly repeat the order of the first
	i := 1
	for lines[i] == '"' {
		begin := i
		var p *columnPlan
		if next < len(s.plans) && hasPrefix(lines[i:], s.plans[next].head) {
			p = s.plans[next]
			i += len(p.head)
			next++
		} else {
			i = stringEnd(lines, i) + 1
			if p, err = s.find(lines[begin:i], &next); err != nil {
				return out, 0, err
			}
		}
		value := i
		if lines[i] == '"' {
			i = stringEnd(lines, i)
		} else {
			i = valueEnd(lines, i)
		}
		switch p.fate {
		case changes:
			if err := s.change(&r, p, begin, value, i); err != nil {
				return out, 0, err
			}
		case stays:
			if !p.met {
				s.note(p)
			}
		}
		if lines[i] == ',' {
			i++
		}
	}
	if s.selected == nil {
		r.copyTo(i)
	}
	for _, slot := range s.slots {
		if slot.plan != nil {
			r.add(slot.member)
			s.note(slot.plan)
		}
	}
	for _, k := range s.constants {
		r.add(k.member)
		s.note(k.plan)
	}
	return append(r.out, '}'), i + 1, nil
}

// rowAtHand is a row on its way from lines to out.
type rowAtHand struct {
	lines  []byte // begins with it
	out    []byte
	from   int // where its members begin in out
	copied int // what of lines is in out, or left out
}

// copyTo appends what stays up to an offset in lines.
func (r *rowAtHand) copyTo(end int) {
	if end > r.copied {
		r.out = append(r.out, r.lines[r.copied:end]...)
		r.copied = end
	}
}

// leaveOut passes over the member of lines[begin:end].
func (r *rowAtHand) leaveOut(begin, end int) {
	r.copyTo(begin - 1) // without the comma before it
	r.copied = end
	if len(r.out) == r.from && r.lines[end] == ',' {
		r.copied++ // what follows is the first
	}
}

// add appends a whole member.
func (r *rowAtHand) add(member []byte) {
	if len(r.out) > r.from {
		r.out = append(r.out, ',')
	}
	r.out = append(r.out, member...)
}

// slot is the place of a selected column in a row. member is valid as long as
// the row and its plan are.
type slot struct {
	plan   *columnPlan
	member []byte
}

// change gives the member of r.lines[begin:end] its place, name and type.
func (s *Shaper) change(r *rowAtHand, p *columnPlan, begin, value, end int) (err error) {
	member := r.lines[begin:end]
	switch {
	case p.drop || p.omitEmpty && isEmpty(r.lines[value:end]):
		if s.selected == nil {
			r.leaveOut(begin, end)
		}
		return nil
	case s.selected == nil:
		r.copyTo(begin)
		r.out, err = s.appendMember(r.out, p, member, value-begin)
		r.copied = end
		if err == nil && !p.met {
			s.note(p)
		}
		return err
	case p.kind != TypeString || p.out != p.name:
		p.member, err = s.appendMember(p.member[:0], p, member, value-begin)
		member = p.member
	}
	s.slots[p.place] = slot{p, member}
	return err
}

// appendMember appends one key and its value, which begins at an offset of
// member, or what the policy makes of a value that does not fit.
func (s *Shaper) appendMember(out []byte, p *columnPlan, member []byte, at int) ([]byte, error) {
	value := member[at:]
	if p.out == p.name {
		out = append(out, member[:at]...) // as the file spells it
	} else {
		out = append(out, p.prefix...)
	}
	begin := len(out)
	out, err := p.appendValue(out, value)
	if err == nil {
		return out, nil
	}
	s.stats.TypeErrors[p.name]++
	switch s.onError {
	case TypeErrorKeep:
		return append(out[:begin], value...), nil
	case TypeErrorNull:
		return append(out[:begin], "null"...), nil
	}
	return out, &misfit{fmt.Errorf("column %s: %.60s: %w", p.name, value, err), p.name}
}

// find gives the plan of a key that is not where the first row had it. head is
// the key with its colon.
func (s *Shaper) find(head []byte, next *int) (*columnPlan, error) {
	raw := head[:len(head)-1]
	p := s.byRaw[string(raw)]
	if p == nil {
		var err error
		if p, err = s.learn(raw); err != nil {
			return nil, err
		}
	}
	if p.head == "" {
		p.head, p.index = string(head), len(s.plans)
		s.plans = append(s.plans, p)
	}
	*next = p.index + 1
	return p, nil
}

func isEmpty(value []byte) bool { return string(value) == `""` || string(value) == "null" }

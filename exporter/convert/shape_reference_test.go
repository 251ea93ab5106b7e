package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"
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

// transformedSlowly gives what a program makes of rows, with what is wrong with
// those that it refuses: decoder, interpreter and encoder, one after the other.
func transformedSlowly(t testing.TB, program string, lines []byte) string {
	t.Helper()
	q, err := gojq.Parse(program)
	if err != nil {
		t.Fatal(err)
	}
	order := &jqProgram{order: map[string]int{}}
	var all []byte
	for line := range bytes.Lines(lines) {
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var input map[string]any
		if err := d.Decode(&input); err != nil {
			t.Fatal(err)
		}
		for _, key := range keysAsWritten(t, line) {
			if _, met := order.order[key]; !met {
				order.order[key] = len(order.order)
			}
		}
		begin := len(all)
		for results := q.Run(input); ; {
			v, more := results.Next()
			if !more {
				break
			}
			if err, failed := v.(error); failed {
				all = fmt.Appendf(all[:begin], "transform: %v in %q\n", err, line)
				break
			}
			object, ok := v.(map[string]any)
			if !ok {
				all = fmt.Appendf(all[:begin], "transform: gives %s where a row must be an object in %q\n", gojq.TypeOf(v), line)
				break
			}
			for i, key := range slices.SortedFunc(maps.Keys(object), order.compare) {
				value, err := gojq.Marshal(object[key])
				if err != nil {
					t.Fatal(err)
				}
				all = append(append(appendString(append(all, "{,"[min(i, 1)]), key), ':'), value...)
			}
			if len(object) == 0 {
				all = append(all, '{')
			}
			all = append(all, "}\n"...)
		}
	}
	return string(all)
}

func keysAsWritten(t testing.TB, line []byte) (keys []string) {
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return keys
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

func (p *slowPlan) appendValue(out, raw []byte) ([]byte, error) {
	if p.kind == TypeString || string(raw) == "null" {
		return append(out, raw...), nil
	}
	switch raw[0] {
	case '"':
		text := p.text(raw)
		if text == "" {
			return append(out, "null"...), nil
		}
		return p.appendText(out, text)
	case '{', '[':
		return out, errNotTyped
	case 't', 'f':
		if p.kind == TypeBoolean {
			return append(out, raw...), nil
		}
		return out, p.misfit()
	}
	// A JSON number says what it is by itself, whatever the format of texts.
	plainNumber := slowPlan{columnPlan: &columnPlan{kind: p.kind, marks: marks{point: '.'}}}
	switch p.kind {
	case TypeInteger, TypeBoolean:
		return plainNumber.appendText(out, string(raw))
	case TypeDecimal:
		return append(out, raw...), nil
	}
	return p.appendText(out, string(raw))
}

func (p *slowPlan) text(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	s := string(inner)
	if strings.IndexByte(s, '\\') >= 0 {
		_ = json.Unmarshal(raw, &s) // the row is known to be well-formed
	}
	return strings.TrimSpace(s)
}

func (p *slowPlan) appendText(out []byte, text string) ([]byte, error) {
	switch p.kind {
	case TypeInteger, TypeDecimal:
		return p.appendNumber(out, text)
	case TypeBoolean:
		switch strings.ToLower(text) {
		case "yes", "true", "1":
			return append(out, "true"...), nil
		case "no", "false", "0":
			return append(out, "false"...), nil
		}
		return out, errNoBoolean
	case TypeDate:
		return p.appendDay(out, text)
	case TypeTime:
		return p.appendTime(out, text)
	}
	return appendString(out, text), nil
}

func (p *slowPlan) misfit() error {
	switch p.kind {
	case TypeInteger:
		return errNoInteger
	case TypeDecimal:
		return errNoDecimal
	case TypeBoolean:
		return errNoBoolean
	}
	return errNoDate
}

func (p *slowPlan) appendNumber(out []byte, text string) ([]byte, error) {
	from := len(out)
	if p.marks.group == ' ' {
		text = strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
	}
	if text[0] == '-' || text[0] == '+' {
		if text[0] == '-' {
			out = append(out, '-')
		}
		text = text[1:]
	}
	whole, text, ok := p.wholePart(text)
	fraction := 0
	if ok && p.kind == TypeDecimal && text != "" && text[0] == p.marks.point {
		fraction = slowLeadingDigits(text[1:])
	}
	if !ok || len(whole)+fraction == 0 {
		return out[:from], p.misfit()
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	out = append(out, whole...)
	if p.kind == TypeDecimal && text != "" && text[0] == p.marks.point {
		if fraction > 0 {
			out = append(append(out, '.'), text[1:1+fraction]...)
		}
		text = text[1+fraction:]
	}
	if p.kind == TypeDecimal && text != "" && text[0]|0x20 == 'e' {
		exponent := text[1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if n := slowLeadingDigits(exponent); n > 0 && n == len(exponent) {
			out, text = append(out, text...), ""
		}
	}
	if text != "" {
		return out[:from], p.misfit()
	}
	if p.kind == TypeInteger && string(out[from:]) == "-0" {
		out = append(out[:from], '0')
	}
	return out, nil
}

func (p *slowPlan) wholePart(text string) (digits, rest string, ok bool) {
	n := slowLeadingDigits(text)
	digits, rest = text[:n], text[n:]
	if p.marks.group == 0 || rest == "" || rest[0] != p.marks.group {
		return digits, rest, true
	}
	if n == 0 || n > 3 {
		return "", "", false
	}
	for rest != "" && rest[0] == p.marks.group {
		if slowLeadingDigits(rest[1:]) != 3 {
			return "", "", false
		}
		digits += rest[1:4]
		rest = rest[4:]
	}
	return digits, rest, true
}

func slowLeadingDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (p *slowPlan) moment(text string) (at time.Time, zoned bool, err error) {
	for n := range p.layouts {
		// A column has one format; a failed try costs more than one that fits.
		i := (p.layout + n) % len(p.layouts)
		layout, value := p.layouts[i], text
		if strings.Contains(layout, "PM") {
			value = strings.ToUpper(text)
		}
		if at, err = time.Parse(layout, value); err == nil {
			p.layout = i
			return at, strings.Contains(layout, "Z07"), nil
		}
	}
	return at, false, errNoDate
}

func (p *slowPlan) appendDay(out []byte, text string) ([]byte, error) {
	at, _, err := p.moment(text)
	if err != nil {
		return out, err
	}
	if at.Hour()|at.Minute()|at.Second()|at.Nanosecond() != 0 {
		return out, errHasClock
	}
	return append(at.AppendFormat(append(out, '"'), time.DateOnly), '"'), nil
}

func (p *slowPlan) appendTime(out []byte, text string) ([]byte, error) {
	at, zoned, err := p.moment(text)
	if err != nil {
		return out, err
	}
	if zoned {
		at = at.In(p.zone.Location)
	} else if at, err = slowInZone(at, p.zone.Location); err != nil {
		return out, err
	}
	return append(at.AppendFormat(append(out, '"'), time.RFC3339Nano), '"'), nil
}

func slowInZone(at time.Time, zone *time.Location) (time.Time, error) {
	shows := func(t time.Time) bool { return t.Format(time.DateTime) == at.Format(time.DateTime) }
	there := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
	if !shows(there) {
		return there, errNoMoment
	}
	for _, shift := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if earlier := there.Add(-shift); shows(earlier) {
			return earlier, nil
		}
	}
	return there, nil
}

package convert

import (
	"encoding/json"
	"strings"
	"time"
)

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

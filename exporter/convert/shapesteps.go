package convert

import "strings"

// clockStep is one part of a format, as readSteps takes it.
type clockStep struct {
	letter byte // of timeTokens; 0 is a mark
	fixed  bool // two digits, not one or two
	mark   byte // stands for itself
}

// clockSteps makes a format ready for readSteps. It gives nil for a format
// that is not of single tokens with marks between them: those that people
// write are, and time.Parse reads the others.
func clockSteps(format string) []clockStep {
	var steps []clockStep
	seen, token := "", false
next:
	for rest := format; rest != ""; {
		for _, t := range timeTokens {
			after, ok := strings.CutPrefix(rest, t.token)
			if !ok {
				continue
			}
			letter := t.token[0]
			if token || strings.IndexByte(seen, letter) >= 0 {
				return nil
			}
			// HH takes one digit too, as Go's 15 does.
			steps = append(steps, clockStep{letter: letter, fixed: len(t.token) > 1 && letter != 'H'})
			if token, rest = true, after; letter|0x20 == 'h' {
				seen += "Hh"
			}
			seen += string(letter)
			continue next
		}
		if strings.IndexByte(" ./-:,T", rest[0]) < 0 {
			return nil
		}
		steps = append(steps, clockStep{mark: rest[0]})
		token, rest = false, rest[1:]
	}
	return steps
}

// readSteps reads a text of a format. false says nothing: moment decides.
func readSteps(text []byte, steps []clockStep) (c clock, ok bool) {
	c.month, c.day = 1, 1
	half := byte(0) // of the day: a or p
	for _, step := range steps {
		if len(text) == 0 {
			return c, false
		}
		switch step.letter {
		case 0:
			if ok = text[0] == step.mark; ok {
				text = text[1:]
			}
		case 'y':
			high, low := number(text, 0), number(text, 2)
			if ok = high < 100 && low < 100; ok {
				c.year, text = high*100+low, text[4:]
			}
		case 't':
			half = text[0] | 0x20
			if ok = len(text) > 1 && (half == 'a' || half == 'p') && text[1]|0x20 == 'm'; ok {
				text = text[2:]
			}
		case 'z':
			text, ok = c.zone(text)
		case 's':
			if c.second, text, ok = digits(text, step.fixed); ok {
				text, ok = c.fraction(text)
			}
		case 'M':
			c.month, text, ok = digits(text, step.fixed)
		case 'd':
			c.day, text, ok = digits(text, step.fixed)
		case 'm':
			c.minute, text, ok = digits(text, step.fixed)
		case 'H':
			c.hour, text, ok = digits(text, step.fixed)
		case 'h':
			c.hour, text, ok = digits(text, step.fixed)
			ok = ok && c.hour <= 12
		}
		if !ok {
			return c, false
		}
	}
	switch {
	case half == 'p' && c.hour < 12:
		c.hour += 12
	case half == 'a' && c.hour == 12:
		c.hour = 0
	}
	return c, len(text) == 0 && c.valid()
}

// digits reads two digits, or one where that may be.
func digits(text []byte, fixed bool) (n int, rest []byte, ok bool) {
	if n = number(text, 0); n < 100 {
		return n, text[2:], true
	}
	if fixed || leadingDigits(text) != 1 {
		return 0, text, false
	}
	return int(text[0] - '0'), text[1:], true
}

package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// lookup finds a variable, as os.LookupEnv does. Its error is for variables
// that cannot be had, not for ones that are not set.
type lookup func(name string) (value string, ok bool, err error)

// expandError is a variable that cannot be expanded, with its place in the text.
type expandError struct {
	offset int // byte of the $
	err    error
	hint   string
	unset  bool // there is no such variable
	unread bool // there is, and what it leads to cannot be had
}

func (e *expandError) Error() string { return e.err.Error() }

var variable = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$`)

// expand replaces ${NAME} and ${NAME:-default} in text; the default stands in
// for a variable that is unset or empty, as in a shell, and is taken as it is.
// $${ gives ${. A $ in front of anything else is a $. It reports whether
// there was any variable, so that messages can avoid showing what it held.
func expand(text string, find lookup) (out string, used bool, failed *expandError) {
	var b strings.Builder
	for i := 0; i < len(text); {
		at := strings.IndexByte(text[i:], '$')
		if at < 0 {
			b.WriteString(text[i:])
			break
		}
		b.WriteString(text[i : i+at])
		i += at
		if strings.HasPrefix(text[i:], "$${") {
			b.WriteString("${")
			i += len("$${")
			continue
		}
		if !strings.HasPrefix(text[i:], "${") {
			b.WriteByte('$')
			i++
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			return "", used, &expandError{offset: i, err: errors.New("${ without a closing }"), hint: "write ${NAME}, or $${ for the two characters themselves"}
		}
		value, err := variableValue(text[i+2:i+end], find)
		if err != nil {
			err.offset = i
			return "", used, err
		}
		b.WriteString(value)
		used = true
		i += end + 1
	}
	return b.String(), used, nil
}

func variableValue(inner string, find lookup) (string, *expandError) {
	m := variable.FindStringSubmatch(inner)
	if m == nil {
		return "", &expandError{err: errors.New("not a variable"), hint: "write ${NAME} or ${NAME:-default} with letters, digits and _ in NAME, or $${ for the two characters themselves"}
	}
	name, hasDefault, fallback := m[1], m[2] != "", m[3]
	value, ok, err := find(name)
	switch {
	case err != nil:
		return "", &expandError{err: err, unread: true}
	case hasDefault && value == "":
		return fallback, nil
	case !ok:
		return "", &expandError{
			err:   fmt.Errorf("variable %s is not set", name),
			hint:  fmt.Sprintf("set %s in the environment of this process, or write ${%s:-default}", name, name),
			unset: true,
		}
	}
	return value, nil
}

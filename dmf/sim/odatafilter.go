package sim

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one comparison of a $filter.
type condition struct {
	field, op string
	text      string // the literal, without its quotes
	quoted    bool
}

// conditionRE is "Field op literal", the only form FinOps' clients use: joined
// with "and", no parentheses but those around the whole.
var conditionRE = regexp.MustCompile(`^(\w+)\s+(eq|ne|gt|ge|lt|le)\s+('(?:[^']|'')*'|[^\s']+)(?:\s+and\s+|$)`)

func parseFilter(text string) ([]condition, error) {
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
		rest = strings.TrimSpace(rest[1 : len(rest)-1])
	}
	var all []condition
	for rest != "" {
		m := conditionRE.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("the query specified in the URI is not valid: syntax error in %q", rest)
		}
		c := condition{field: m[1], op: m[2], text: m[3]}
		if inner, ok := strings.CutPrefix(c.text, "'"); ok {
			c.text, c.quoted = strings.ReplaceAll(strings.TrimSuffix(inner, "'"), "''", "'"), true
		}
		all = append(all, c)
		rest = rest[len(m[0]):]
	}
	return all, nil
}

// filterRows returns the rows that meet a $filter.
func filterRows(rows []map[string]any, filter string) ([]map[string]any, error) {
	conditions, err := parseFilter(filter)
	if err != nil {
		return nil, err
	}
	kept := []map[string]any{} // not nil, which is null on the wire
	for _, row := range rows {
		all := true
		for _, c := range conditions {
			ok, err := c.holds(row)
			if err != nil {
				return nil, err
			}
			all = all && ok
		}
		if all {
			kept = append(kept, row)
		}
	}
	return kept, nil
}

func (c condition) holds(row map[string]any) (bool, error) {
	v, ok := row[c.field]
	if !ok {
		return false, fmt.Errorf("could not find a property named '%s' on the entity", c.field)
	}
	order, err := c.compare(v)
	if err != nil {
		return false, err
	}
	switch c.op {
	case "eq":
		return order == 0, nil
	case "ne":
		return order != 0, nil
	case "gt":
		return order > 0, nil
	case "ge":
		return order >= 0, nil
	case "lt":
		return order < 0, nil
	}
	return order <= 0, nil
}

// compare orders a row's value against the literal. Texts compare without case,
// as FinOps' database does. Times are texts that end in Z and literals without
// quotes; an enum's literal has its type in front: Ns.Type'Name'.
func (c condition) compare(v any) (int, error) {
	if n, ok := v.(int); ok {
		want, err := strconv.Atoi(c.text)
		if err != nil {
			return 0, fmt.Errorf("a binary operator with incompatible types was detected for %s", c.field)
		}
		return cmp.Compare(n, want), nil
	}
	text := fmt.Sprint(v)
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		want, err := time.Parse(time.RFC3339Nano, c.text)
		if err != nil || c.quoted {
			return 0, fmt.Errorf("a binary operator with incompatible types was detected for %s", c.field)
		}
		return at.Compare(want), nil
	}
	return strings.Compare(strings.ToLower(text), strings.ToLower(c.text)), nil
}

// sortRows obeys "Field [asc|desc]"; a stable sort keeps the order of starts.
func sortRows(rows []map[string]any, by string) error {
	if by == "" || len(rows) == 0 {
		return nil
	}
	words := strings.Fields(strings.Split(by, ",")[0])
	if _, ok := rows[0][words[0]]; !ok {
		return fmt.Errorf("could not find a property named '%s' on the entity", words[0])
	}
	sign := 1
	if len(words) > 1 && words[1] == "desc" {
		sign = -1
	}
	slices.SortStableFunc(rows, func(a, b map[string]any) int {
		x, okX := a[words[0]].(int)
		y, okY := b[words[0]].(int)
		if okX && okY {
			return sign * cmp.Compare(x, y)
		}
		return sign * strings.Compare(fmt.Sprint(a[words[0]]), fmt.Sprint(b[words[0]]))
	})
	return nil
}

// selectFields leaves only the fields of a $select.
func selectFields(rows []map[string]any, fields string) {
	if fields == "" {
		return
	}
	wanted := strings.Split(fields, ",")
	for i := range wanted {
		wanted[i] = strings.TrimSpace(wanted[i])
	}
	for _, row := range rows {
		for k := range row {
			if !slices.Contains(wanted, k) {
				delete(row, k)
			}
		}
	}
}

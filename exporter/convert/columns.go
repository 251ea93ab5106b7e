package convert

import (
	"fmt"
	"strconv"
)

// maxColumns bounds what one file can make us remember. FinOps' staging tables
// are SQL Server tables, which end at 1,024 columns, sparse ones at 30,000.
const maxColumns = 32 << 10

// columnNames turns a header into distinct names: the first bearer of a name
// keeps it, whatever stands before it; others get the next free number.
func columnNames(header []string) []string {
	taken := make(map[string]bool, len(header))
	for _, name := range header {
		taken[name] = true
	}
	first := make(map[string]bool, len(header))
	next := make(map[string]int)
	names := make([]string, len(header))
	for i, name := range header {
		if name != "" && !first[name] {
			first[name] = true
			names[i] = name
			continue
		}
		if name == "" {
			name = "COLUMN" + strconv.Itoa(i+1)
			if !taken[name] {
				taken[name] = true
				names[i] = name
				continue
			}
		}
		n := max(next[name], 2)
		for taken[name+"_"+strconv.Itoa(n)] {
			n++
		}
		next[name] = n + 1
		names[i] = name + "_" + strconv.Itoa(n)
		taken[names[i]] = true
	}
	return names
}

// columnSet gathers names in order of first appearance.
type columnSet struct {
	names []string
	known map[string]struct{}
	guess int // index where the next name probably stands: rows repeat their order
}

// startRow says that the next name begins a row.
func (s *columnSet) startRow() { s.guess = 0 }

func (s *columnSet) add(name []byte) error {
	if s.guess < len(s.names) && s.names[s.guess] == string(name) {
		s.guess++
		return nil
	}
	if _, ok := s.known[string(name)]; ok {
		return nil
	}
	if len(s.names) == maxColumns {
		return fmt.Errorf("more than %d columns", maxColumns)
	}
	if s.known == nil {
		s.known = make(map[string]struct{})
	}
	s.known[string(name)] = struct{}{}
	s.names = append(s.names, string(name))
	s.guess = len(s.names)
	return nil
}

package convert

import (
	"encoding/json"
	"slices"
	"strings"
)

// Columns gives the names that rows have behind the shape, in order of first
// appearance. Of a file with a header and no rows they are what rows would
// have, but for those of a transform, which only rows can tell.
func (s *Shaper) Columns() []string {
	if s.stats.RowsIn == 0 && s.transform == nil {
		return s.headerOut()
	}
	return slices.Clone(s.names)
}

// headerOut names the columns of a file that has a header and no rows.
func (s *Shaper) headerOut() []string {
	type placed struct {
		name  string
		place int
	}
	var all []placed
	for i, name := range s.header {
		p := s.planOf(name)
		if p.drop {
			continue
		}
		if s.selected != nil {
			i = p.place
		}
		all = append(all, placed{p.out, i})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.place - b.place })
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	for _, k := range s.constants {
		names = append(names, k.plan.out)
	}
	return names
}

// Check compares the shape with the columns that were found, once the reader
// is done. The error names a selected column that no row has and those there
// are; missing lists the columns that have a type or a new name and are not
// there, which may be a slip.
func (s *Shaper) Check(found []string) (missing []string, err error) {
	if err := s.checkSelected(found); err != nil {
		return nil, err
	}
	for name := range s.compiled.columns {
		if !slices.Contains(found, name) {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing, nil
}

func (s *Shaper) checkSelected(found []string) error {
	for name := range s.selected {
		if !slices.Contains(found, name) {
			return s.reject("no column %q; there are %s", name, strings.Join(found, ", "))
		}
	}
	return nil
}

// tellHeader is called by readers of files that name their columns before the
// first row.
func tellHeader(sink Sink, names []string) error {
	if s, ok := sink.(*Shaper); ok {
		s.header = names
		return s.checkSelected(names)
	}
	return nil
}

// noteKeys remembers the names of a transform's row.
func (s *Shaper) noteKeys(object map[string]any) error {
	fresh := 0
	for key := range object {
		if !s.named[key] {
			s.named[key] = true
			s.names = append(s.names, key)
			fresh++
		}
	}
	if len(s.names) > maxColumns {
		return s.reject("transform: more than %d different keys", maxColumns)
	}
	slices.SortFunc(s.names[len(s.names)-fresh:], s.transform.compare)
	return nil
}

// note remembers that rows have a column.
func (s *Shaper) note(p *columnPlan) {
	if p.met {
		return
	}
	p.met = true
	if s.transform != nil {
		s.transform.meet(p.out)
		return
	}
	s.names = append(s.names, p.out)
}

// planOf gives what becomes of a column, by its name as read.
func (s *Shaper) planOf(name string) *columnPlan {
	p := s.compiled.columns[name]
	if p == nil {
		p = &columnPlan{name: name, out: name, kind: TypeString}
	}
	if s.selected != nil {
		place, kept := s.selected[name]
		p.place, p.drop = place, p.drop || !kept
	}
	switch {
	case s.selected != nil && p.drop:
		p.fate = skipped
	case s.selected != nil || p.drop || p.omitEmpty || p.kind != TypeString || p.out != p.name:
		p.fate = changes
	}
	return p
}

// learn makes the plan of a key that was not met before.
func (s *Shaper) learn(raw []byte) (*columnPlan, error) {
	if len(s.byRaw) == maxColumns {
		return nil, s.reject("more than %d columns", maxColumns)
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, err
	}
	p := s.planOf(name)
	if other := s.byOut[p.out]; other != nil && !p.drop {
		if other.name != name {
			return nil, s.reject("columns %q and %q would both be %q: rename one, or drop one", other.name, name, p.out)
		}
		p = other // another spelling of the same key
	}
	for _, k := range s.constants {
		if k.plan.out == p.out && !p.drop {
			return nil, s.reject("the rows have a column %q, as the constant of that name would be: rename one, or drop the column", p.out)
		}
	}
	if !p.drop {
		s.byOut[p.out] = p
	}
	s.byRaw[string(raw)] = p
	// The place in the file's rows counts, also where this row omits it.
	if s.transform != nil && s.selected == nil && !p.drop {
		s.note(p)
	}
	return p, nil
}

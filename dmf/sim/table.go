package sim

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// Table is the data of one entity, every value as text.
type Table struct {
	Label   string // entity label, "Customer groups"
	Target  string // AOT name, "CustCustomerGroupEntity"
	Columns []string
	// Rows are as long as Columns. The separated formats also write one that is
	// not: a ragged row, as data that holds a delimiter makes it.
	Rows [][]string
}

// rowElement is the XML element of a row: the entity's name in upper case.
func (t Table) rowElement() string {
	return strings.ToUpper(orElse(t.Target, targetOf(t.Label)))
}

// targetOf makes an AOT name for a label nobody has told us about.
func targetOf(label string) string {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, label)
	return "X" + letters + "Entity" // the X: an XML name begins with a letter
}

// SampleEntity returns rows of real-looking data for an entity label, the same
// for the same seed, label and, as far as they overlap, rows. Labels that
// SampleEntities does not list get an entity of a few columns. The first dozen
// rows of the larger entities already hold non-ASCII names, quotes, delimiters,
// embedded line breaks, leading zeros and FinOps' null date 1900-01-01.
func (s *Sim) SampleEntity(label string, rows int) Table {
	return s.grower(label, "entity "+label).first(rows)
}

// grower makes the rows of a table one after the other, and keeps them.
type grower struct {
	table  Table
	makers []maker
	gen    *rowGen
}

// grower begins a table of a label whose values come from the purpose's stream
// of random numbers.
func (s *Sim) grower(label, purpose string) *grower {
	e, ok := entities[label]
	if !ok {
		e = entity{target: targetOf(label), columns: genericColumns}
	}
	g := &grower{table: Table{Label: label, Target: e.target}, gen: &rowGen{r: stream(s.opt.Seed, purpose)}}
	for _, field := range strings.Fields(e.columns) {
		name, kind, _ := strings.Cut(field, "=")
		g.table.Columns = append(g.table.Columns, name)
		g.makers = append(g.makers, makerOf(kind))
	}
	return g
}

// first returns the table's first rows.
func (g *grower) first(rows int) Table {
	for i := len(g.table.Rows); i < rows; i++ {
		g.gen.row = i
		row := make([]string, len(g.makers))
		for c, m := range g.makers {
			row[c] = m(g.gen)
		}
		g.table.Rows = append(g.table.Rows, row)
	}
	t := g.table
	t.Rows = slices.Clip(t.Rows[:rows])
	if t.Rows == nil {
		t.Rows = [][]string{}
	}
	return t
}

// rowGen makes the values of one row after the other.
type rowGen struct {
	r   *rand.Rand
	row int // from 0
}

// cycle takes the list's items in turn, so that odd ones are sure to come.
func (g *rowGen) cycle(list []string) string { return list[g.row%len(list)] }

func (g *rowGen) pick(list []string) string { return list[g.r.IntN(len(list))] }

func (g *rowGen) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + g.r.IntN(10))
	}
	return string(b)
}

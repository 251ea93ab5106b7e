package sim

import (
	"math/rand/v2"
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
	return s.sample(label, "entity "+label, rows)
}

// sample makes the rows of a label from one stream of random numbers.
func (s *Sim) sample(label, purpose string, rows int) Table {
	e, ok := entities[label]
	if !ok {
		e = entity{target: targetOf(label), columns: genericColumns}
	}
	t := Table{Label: label, Target: e.target}
	var makers []maker
	for _, field := range strings.Fields(e.columns) {
		name, kind, _ := strings.Cut(field, "=")
		t.Columns = append(t.Columns, name)
		makers = append(makers, makerOf(kind))
	}
	g := &rowGen{r: stream(s.opt.Seed, purpose)}
	t.Rows = make([][]string, rows)
	for i := range t.Rows {
		g.row = i
		t.Rows[i] = make([]string, len(makers))
		for c, m := range makers {
			t.Rows[i][c] = m(g)
		}
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

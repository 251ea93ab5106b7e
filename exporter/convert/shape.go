package convert

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// ColumnType says what a column's texts stand for.
type ColumnType string

// Types of columns. A value that is JSON of the type already (from a JSON file)
// stays as it is, null is null, and an empty text is null in all but TypeString.
const (
	TypeString  ColumnType = "string"  // as it is; the default
	TypeInteger ColumnType = "integer" // a JSON number, all its digits
	TypeDecimal ColumnType = "decimal" // a JSON number, all its digits
	TypeBoolean ColumnType = "boolean" // Yes, true and 1, No, false and 0; letter case ignored
	TypeDate    ColumnType = "date"    // a text, 2026-03-02
	TypeTime    ColumnType = "time"    // a text by RFC 3339, 2026-03-02T09:15:42+01:00
)

// OnTypeError says what becomes of a value that does not fit its type.
type OnTypeError string

// What becomes of a value that does not fit. It is counted in any case.
const (
	TypeErrorPark OnTypeError = "park" // the row is a bad row; the default
	TypeErrorKeep OnTypeError = "keep" // the value stays the text it is
	TypeErrorNull OnTypeError = "null" // the value is null
)

// Column is what becomes of one column.
type Column struct {
	Name      string     // as the reader names it
	Type      ColumnType // "" is TypeString
	Rename    string     // its name in the row; "" keeps Name
	Drop      bool       // it is left out
	OmitEmpty bool       // it is left out of rows where it is "" or null
	// Format of values. Dates and times: yyyy, MM, M, dd, d, HH, H, hh, h, mm,
	// m, ss, s, tt and zzz, other letters in single quotes; "" takes ISO 8601
	// with T or a blank. Numbers: how 1234.56 is written, one of NumberFormats;
	// "" is 1234.56.
	Format string
	// Zone is the time zone (IANA name) of TypeTime: of values that name none,
	// and of all values as they are written. "" is UTC.
	Zone string
}

// Constant is a member that every row gets behind its own.
type Constant struct {
	Name  string
	Value string
	Type  ColumnType // string, integer, decimal or boolean; "" is TypeString
}

// Shape says what becomes of rows. The zero value leaves them as they are.
type Shape struct {
	Columns   []Column
	Constants []Constant
	// Select names the only columns that are kept, and their order. They are
	// names as the reader gives them.
	Select []string
	// Transform is a jq program that gets each row, typed, renamed and with its
	// constants; each object it gives is a row. A row for which it gives
	// nothing is dropped.
	Transform   string
	OnTypeError OnTypeError // "" is TypeErrorPark
}

// IsZero says that rows stay as they are.
func (s Shape) IsZero() bool {
	return len(s.Columns)+len(s.Constants)+len(s.Select) == 0 && s.Transform == ""
}

// ShapeError is what is wrong with a Shape, and where.
type ShapeError struct {
	Field string // as columns[0].zone, constants[1].value or transform
	Value string
	Err   error
}

func (e *ShapeError) Error() string { return fmt.Sprintf("%s: %v: %q", e.Field, e.Err, e.Value) }

func (e *ShapeError) Unwrap() error { return e.Err }

var (
	columnTypes   = []ColumnType{"", TypeString, TypeInteger, TypeDecimal, TypeBoolean, TypeDate, TypeTime}
	constantTypes = columnTypes[:5]
	typeErrors    = []OnTypeError{"", TypeErrorPark, TypeErrorKeep, TypeErrorNull}
)

// Validate gives the first problem as a *ShapeError, or nil.
func (s Shape) Validate() error {
	_, err := s.compile()
	return err
}

// compiled is a Shape made ready to run.
type compiled struct {
	columns   map[string]*columnPlan // by name as read
	constants []constantPlan
	selected  map[string]int // place by name as read; nil keeps all
	transform *jqProgram
	onError   OnTypeError
}

func (s Shape) compile() (*compiled, error) {
	c := &compiled{columns: make(map[string]*columnPlan), onError: cmp.Or(s.OnTypeError, TypeErrorPark)}
	if !slices.Contains(typeErrors, s.OnTypeError) {
		return nil, shapeErrorf("on_type_error", string(s.OnTypeError), "neither park, keep nor null")
	}
	out := make(map[string]string) // field by name in the row
	for i, col := range s.Columns {
		at := fmt.Sprintf("columns[%d]", i)
		if err := col.check(at, c.columns, out); err != nil {
			return nil, err
		}
		plan, err := col.plan(at)
		if err != nil {
			return nil, err
		}
		c.columns[col.Name] = plan
	}
	for i, k := range s.Constants {
		at := fmt.Sprintf("constants[%d]", i)
		if first := out[k.Name]; first != "" {
			return nil, shapeErrorf(at+".name", k.Name, "a name that %s gives already", first)
		}
		out[k.Name] = at
		plan, err := k.plan(at)
		if err != nil {
			return nil, err
		}
		c.constants = append(c.constants, plan)
	}
	for i, name := range s.Select {
		if _, twice := c.selected[name]; twice {
			return nil, shapeErrorf(fmt.Sprintf("select[%d]", i), name, "named twice")
		}
		if c.selected == nil {
			c.selected = make(map[string]int)
		}
		c.selected[name] = i
	}
	var err error
	c.transform, err = newTransform(s.Transform)
	return c, err
}

func shapeErrorf(field, value, format string, args ...any) error {
	return &ShapeError{field, value, fmt.Errorf(format, args...)}
}

// check looks at one column beside those before it.
func (c Column) check(at string, known map[string]*columnPlan, out map[string]string) error {
	switch {
	case c.Name == "":
		return shapeErrorf(at+".name", "", "no column named")
	case known[c.Name] != nil:
		return shapeErrorf(at+".name", c.Name, "named twice")
	case !slices.Contains(columnTypes, c.Type):
		return shapeErrorf(at+".type", string(c.Type), "not a type of column")
	case c.Drop && (c.Rename != "" || c.OmitEmpty || cmp.Or(c.Type, TypeString) != TypeString):
		return shapeErrorf(at+".drop", c.Name, "left out, and given a type or a name")
	case c.Zone != "" && c.Type != TypeTime:
		return shapeErrorf(at+".zone", c.Zone, "only columns of type time have a zone")
	case c.Format != "" && (c.Type == "" || c.Type == TypeString || c.Type == TypeBoolean):
		return shapeErrorf(at+".format", c.Format, "only numbers, dates and times have a format")
	}
	if c.Drop {
		return nil
	}
	name := cmp.Or(c.Rename, c.Name)
	if first := out[name]; first != "" {
		return shapeErrorf(at+".rename", name, "a name that %s gives already", first)
	}
	out[name] = at
	return nil
}

func (c Column) plan(at string) (*columnPlan, error) {
	p := &columnPlan{name: c.Name, out: cmp.Or(c.Rename, c.Name), drop: c.Drop, omitEmpty: c.OmitEmpty, kind: cmp.Or(c.Type, TypeString)}
	p.prefix = append(appendString(nil, p.out), ':') // used when it has a new name
	var err error
	switch p.kind {
	case TypeInteger, TypeDecimal:
		if p.marks, err = numberMarks(c.Format); err != nil {
			return nil, &ShapeError{at + ".format", c.Format, err}
		}
	case TypeDate, TypeTime:
		if p.layouts, err = timeLayouts(c.Format, p.kind); err != nil {
			return nil, &ShapeError{at + ".format", c.Format, err}
		}
		p.steps = clockSteps(c.Format)
	}
	// Local is another zone on another machine: the rows would differ.
	location, err := time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "Local" {
		return nil, shapeErrorf(at+".zone", c.Zone, "no time zone of this name")
	}
	p.zone = &zone{Location: location}
	return p, nil
}

type constantPlan struct {
	plan   *columnPlan
	member []byte // "NAME":VALUE
}

func (k Constant) plan(at string) (constantPlan, error) {
	if k.Name == "" {
		return constantPlan{}, shapeErrorf(at+".name", "", "no name")
	}
	if !slices.Contains(constantTypes, k.Type) {
		return constantPlan{}, shapeErrorf(at+".type", string(k.Type), "a constant is a string, integer, decimal or boolean")
	}
	p := &columnPlan{name: k.Name, out: k.Name, kind: cmp.Or(k.Type, TypeString), marks: marks{point: '.'}}
	value, err := p.appendValue(nil, appendString(nil, k.Value))
	if err == nil && string(value) == "null" {
		err = errTypeEmpty
	}
	if err != nil {
		return constantPlan{}, &ShapeError{at + ".value", k.Value, err}
	}
	return constantPlan{p, append(append(appendString(nil, k.Name), ':'), value...)}, nil
}

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"finrelay/cmd/finrelay/config"
	"finrelay/exporter/convert"
)

// linesSink keeps the rows it is given.
type linesSink struct{ bytes.Buffer }

func (s *linesSink) Block(lines []byte, _ int) error {
	_, err := s.Write(lines)
	return err
}

func (s *linesSink) BadRow(b convert.BadRow) error {
	fmt.Fprintf(s, "bad: %d:%d: %v\n", b.Line, b.Column, b.Err)
	return nil
}

// TestColumnsPage: the configuration that docs/columns.md shows is accepted,
// and does to rows what the page says.
func TestColumnsPage(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(read(t, "docs/columns.md"))
	if block == nil {
		t.Fatal("docs/columns.md shows no configuration")
	}
	cfg, err := config.Parse("columns.md", []byte(block[1]), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := flow(cfg.Flows[0])
	if err != nil {
		t.Fatal(err)
	}
	var rows linesSink
	shaper, err := convert.NewShaper(t.Context(), "f", f.Shape, &rows)
	if err != nil {
		t.Fatal(err)
	}
	file := "ID,SALESQTY,CREATEDDATETIME,SHIPDATE,ISCLOSED,NOTES,RECORDCOUNT\n" +
		"007,1.50,2026-03-02 09:15:42,3/2/2026,Yes,,9\n" +
		"008,0,2026-03-02 09:15:42,3/2/2026,Yes,left out by the transform,9\n" +
		"009,2,2026-03-02 09:15:42,13/2/2026,Yes,no such month,9\n" +
		"010,2,,,No,kept,9\n"
	res, err := convert.Convert(t.Context(), strings.NewReader(file), "f", f.Read, shaper)
	if err != nil {
		t.Fatal(err)
	}
	if missing, err := shaper.Check(res.Columns); err != nil || len(missing) > 0 {
		t.Errorf("missing %q, %v", missing, err)
	}
	want := `{"ID":"007","quantity":1.50,"CREATEDDATETIME":"2026-03-02T09:15:42+01:00","SHIPDATE":"2026-03-02","ISCLOSED":true,"source":"finops","version":3}
bad: 4:27: column SHIPDATE: "13/2/2026": no date of the format
{"ID":"010","quantity":2,"CREATEDDATETIME":null,"SHIPDATE":null,"ISCLOSED":false,"NOTES":"kept","source":"finops","version":3}
`
	if rows.String() != want {
		t.Errorf("got\n%swant\n%s", &rows, want)
	}
}

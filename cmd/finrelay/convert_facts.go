package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"finrelay/exporter/convert"
)

// fileFacts is what --stats and --schema say of one data file. Its JSON is a
// contract.
type fileFacts struct {
	File           string   `json:"file"`
	Entity         string   `json:"entity,omitempty"`
	Sheet          string   `json:"sheet,omitempty"`
	Format         string   `json:"format"`
	Encoding       string   `json:"encoding"`
	Delimiter      string   `json:"delimiter,omitempty"`
	Rows           int64    `json:"rows"`
	BadRows        int64    `json:"bad_rows"`
	Bytes          int64    `json:"bytes"`
	Seconds        float64  `json:"seconds"`
	BytesPerSecond int64    `json:"bytes_per_second"`
	RowsPerSecond  int64    `json:"rows_per_second"`
	Columns        []string `json:"columns"`

	schema []convert.ColumnFacts
	began  time.Time
}

func newFacts(from data) fileFacts {
	began := from.began
	if began.IsZero() {
		began = time.Now()
	}
	return fileFacts{File: from.name, Entity: from.entity, began: began}
}

// done completes the facts. schema is nil unless it was asked for.
func (f fileFacts) done(res convert.Result, schema []convert.ColumnFacts) fileFacts {
	f.Sheet, f.Format, f.Encoding = res.Sheet, string(res.Format), res.Encoding
	if res.Delimiter != 0 {
		f.Delimiter = string(res.Delimiter)
	}
	f.Rows, f.BadRows, f.Bytes = res.Rows, res.BadRows, res.Bytes
	f.Columns = append([]string{}, res.Columns...) // never null
	f.schema = schema
	took := time.Since(f.began).Seconds()
	f.Seconds = took
	f.BytesPerSecond = int64(float64(f.Bytes) / max(took, 1e-6))
	f.RowsPerSecond = int64(float64(f.Rows) / max(took, 1e-6))
	return f
}

func (cv *conversion) checkFlags() error {
	switch {
	case cv.target.format != "jsonl" && cv.target.format != "json":
		return fmt.Errorf("--format is jsonl or json, not %q", cv.target.format)
	case cv.output != "table" && cv.output != "json":
		return fmt.Errorf("--output is table or json, not %q", cv.output)
	case cv.schema && cv.target.out != "":
		return fmt.Errorf("--schema prints to standard output and writes no file: leave --out away")
	case cv.schema && len(cv.selected) > 0:
		return fmt.Errorf("--schema lists all columns: leave --select away")
	}
	return nil
}

// report prints what --schema and --stats ask for, of the files that were read.
func (cv *conversion) report() error {
	if cv.schema {
		if err := cv.printSchema(); err != nil {
			return err
		}
	}
	if !cv.stats {
		return nil
	}
	if cv.output == "json" {
		return printJSON(cv.app.stderr, append([]fileFacts{}, cv.files...))
	}
	var rows [][]string
	var all fileFacts
	for _, f := range cv.files {
		all.Rows, all.BadRows, all.Bytes = all.Rows+f.Rows, all.BadRows+f.BadRows, all.Bytes+f.Bytes
		rows = append(rows, []string{
			f.File, strconv.FormatInt(f.Rows, 10), strconv.FormatInt(f.BadRows, 10), size(f.Bytes), strconv.FormatFloat(f.Seconds, 'f', 2, 64) + " s",
			size(f.BytesPerSecond) + "/s", strconv.Itoa(len(f.Columns)), f.Format, f.Encoding, dash(delimiterName(f.Delimiter)), dash(f.Sheet),
		})
	}
	if len(rows) > 1 {
		took := time.Since(cv.began).Seconds() // less than the sum: some went on at once
		rows = append(rows, []string{
			"all", strconv.FormatInt(all.Rows, 10), strconv.FormatInt(all.BadRows, 10), size(all.Bytes), strconv.FormatFloat(took, 'f', 2, 64) + " s",
			size(int64(float64(all.Bytes)/max(took, 1e-6))) + "/s", "", "", "", "", "",
		})
	}
	return table(cv.app.stderr, []string{"FILE", "ROWS", "BAD", "BYTES", "TOOK", "RATE", "COLUMNS", "FORMAT", "ENCODING", "DELIMITER", "SHEET"}, rows)
}

// delimiterName is how --delimiter takes it; what cannot be seen has its code.
func delimiterName(d string) string {
	c, _ := utf8.DecodeRuneInString(d)
	switch {
	case d == "\t":
		return "tab"
	case d != "" && !unicode.IsPrint(c):
		return fmt.Sprintf("%U", c)
	}
	return d
}

// schemaView is one file's columns. Its JSON is a contract.
type schemaView struct {
	fileFacts
	Columns []columnView `json:"columns"`
}

type columnView struct {
	Name    string             `json:"name"`
	Type    convert.ColumnType `json:"type"`
	Values  int64              `json:"values"`
	Empty   int64              `json:"empty"`
	Absent  int64              `json:"absent"`
	Longest int                `json:"longest"`
	Example string             `json:"example"`
}

func (cv *conversion) printSchema() error {
	views := []schemaView{}
	for _, f := range cv.files {
		v := schemaView{fileFacts: f, Columns: []columnView{}}
		for _, c := range f.schema {
			v.Columns = append(v.Columns, columnView(c))
		}
		views = append(views, v)
	}
	if cv.output == "json" {
		return printJSON(cv.app.stdout, views)
	}
	for n, v := range views {
		if len(views) > 1 {
			fmt.Fprintf(cv.app.stdout, "%s%s\n", strings.Repeat("\n", min(n, 1)), oneLine(v.File))
		}
		var rows [][]string
		for _, c := range v.Columns {
			rows = append(rows, []string{c.Name, string(c.Type), strconv.FormatInt(c.Values, 10), strconv.FormatInt(c.Empty, 10), strconv.FormatInt(c.Absent, 10), strconv.Itoa(c.Longest), c.Example})
		}
		if err := table(cv.app.stdout, []string{"COLUMN", "TYPE", "VALUES", "EMPTY", "ABSENT", "LONGEST", "EXAMPLE"}, rows); err != nil {
			return err
		}
	}
	return nil
}

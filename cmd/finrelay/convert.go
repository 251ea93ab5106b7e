package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/exporter/convert"
	"finrelay/exporter/unpack"
	"finrelay/flows"
)

// conversion is one run of the convert command.
type conversion struct {
	app               *app
	target            target
	entity            string
	delimiter         string
	quote             string
	encoding          string
	read, sheet       string
	selected          []string
	output            string
	children          []string
	noHeader, strict  bool
	replace           bool
	stats, schema     bool
	flow              string
	badShown, badRows int64

	began    time.Time
	files    []fileFacts // of what was read without a fault
	progress *progress
	trying   *flows.Relay // of --flow; else nil
	inPart   bool         // this is one of several conversions
	later    *report      // what it then has to say, until its turn comes
}

// mostBadShown is how many bad rows are named on standard error.
const mostBadShown = 100

func (a *app) convert() *cobra.Command {
	cv := &conversion{app: a}
	c := &cobra.Command{
		Use:   "convert FILE...|-",
		Short: "Turn a CSV, XML, JSON or XLSX file, or a data package of them, into JSON Lines",
		Long: `convert reads a file, or standard input, as the flows do, and writes one JSON object
a row. Format, delimiter and encoding are found out unless they are said.

Of a package with one data file, or with --entity, the rows go to standard output
or to the file named by --out; of one with several, to a folder named by --out, a
file for each. One data file goes into a folder too, if there is one of that name or
the name ends with a slash. A file appears only when it is complete.

Several inputs go to the folder --out, some of them at once: each to a file of its
own name, a package of several data files to a folder of its own name. Without --out
their rows go to standard output, one input after the other.

In XML of a composite entity all rows have the same arrays of nested records, empty
ones too, when they go to a file. On standard output they do when the first of them
stands near the beginning of a file; else a note names the flags for it.

Quotes that stand where CSV has none are kept as text and named on standard error;
with --strict a record that has one cannot be read.
With --select only these columns are written, in this order. With --schema no rows
are written but a list of the columns, with the narrowest type that fits all their
values: integer, decimal, boolean, date, time, else string. --stats says on standard
error what was read. Both are tables, or JSON with --output json.

Records that cannot be read as rows are named on standard error with line and
column and left out (exit 3); with --strict a file with such a record is not
written (exit 1), though rows before it may be on standard output already. Inputs and
data files of a package that cannot be read, and those that its manifest names and it
does not hold, are named too: exit 3 when others were written, 1 when none was or with
--strict. Interrupted (exit 130), it leaves no part of a file.

With --flow a flow of the configuration is tried on the file: its reading, columns and
transform, and what it does with bad rows, wrong types and files without rows, as a
delivery would. What a delivery would park is said, with the places, and is not
written (exit 1). Data files of a package that the flow does not take by their entity
are left out and named.

Encodings:
` + encodingList(),
		Example: `  finrelay convert customers.csv | head
  finrelay convert customers.csv --schema
  finrelay convert customers.xlsx --select CUSTOMERACCOUNT,NAME --stats > names.jsonl
  finrelay convert package.zip -o rows/
  finrelay convert exports/*.zip -o rows/
  finrelay convert package.zip --entity "Customer groups" --format json -o groups.json
  finrelay convert orders.xml --child SALESORDERLINEV2ENTITY
  finrelay convert package.zip --flow customers -c finrelay.yaml -o rows/`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if cv.flow != "" {
				if err := cv.useFlow(c); err != nil {
					return err
				}
			}
			return cv.run(c.Context(), args)
		},
	}
	c.Flags().StringVarP(&cv.target.out, "out", "o", "", "file or, for several data files or inputs, folder to write; a file that exists is replaced, once its rows are whole; default standard output")
	c.Flags().StringVar(&cv.target.format, "format", "jsonl", "jsonl or json (one array)")
	c.Flags().StringVar(&cv.entity, "entity", "", "only this entity of a package, letter case ignored; of a workbook, the sheet named after it")
	c.Flags().StringVar(&cv.read, "read", "auto", "format of the data: auto, csv, xml, xml-element, xml-attribute, json or xlsx")
	c.Flags().StringVar(&cv.sheet, "sheet", "", "sheet of a workbook; default the only visible one, or the one named after the entity")
	c.Flags().StringVar(&cv.delimiter, "delimiter", "auto", "character between CSV fields; tab, or a code as U+001F, for one that cannot be typed")
	c.Flags().StringVar(&cv.quote, "quote", `"`, "character around CSV fields, or its code as U+00FE, or none")
	c.Flags().StringVar(&cv.encoding, "encoding", "auto", "text encoding, for example windows-1252")
	c.Flags().StringArrayVar(&cv.children, "child", nil, "XML element below a row that is always an array, also in a file that has none; LINE/CHARGE is one below LINE; repeatable")
	c.Flags().BoolVar(&cv.noHeader, "no-header", false, "the first CSV record, or the first row of a sheet, is data")
	c.Flags().BoolVar(&cv.replace, "replace-undecodable", false, "put U+FFFD in place of bytes that the encoding does not know, and say how many; else such a record is bad")
	c.Flags().BoolVar(&cv.strict, "strict", false, "make no file when a record cannot be read, or has quotes where CSV has none")
	c.Flags().StringSliceVar(&cv.selected, "select", nil, "only these columns, in this order; names as in the file, separated by commas")
	c.Flags().BoolVar(&cv.schema, "schema", false, "print the columns and their types instead of rows")
	c.Flags().StringVar(&cv.flow, "flow", "", "try this flow of the configuration (see -c): it says how the file is read and what becomes of its rows")
	c.Flags().BoolVar(&cv.stats, "stats", false, "say on standard error what was read, and how fast")
	c.Flags().StringVar(&cv.output, "output", "table", "form of --schema and --stats: table or json")
	complete(c, "output", "table", "json")
	complete(c, "format", "jsonl", "json")
	return c
}

func (cv *conversion) run(ctx context.Context, names []string) error {
	if err := cv.checkFlags(); err != nil {
		return usage(err)
	}
	opt, err := cv.options()
	if err != nil {
		return usage(err)
	}
	if strings.HasSuffix(cv.target.out, "/") || strings.HasSuffix(cv.target.out, string(os.PathSeparator)) {
		if err := os.MkdirAll(cv.target.out, 0o755); err != nil {
			return err
		}
	}
	cv.began = time.Now()
	cv.progress = newProgress(cv.app, cv.target.out == "" && !cv.schema)
	if len(names) == 1 {
		err = cv.convert(ctx, names[0], opt)
	} else {
		err = cv.inputs(ctx, names, opt)
	}
	if ctx.Err() == nil {
		err = errors.Join(err, cv.report())
	}
	if err == nil && cv.badRows > 0 {
		err = &codedError{exitParked, errors.New(leftOut(cv.badRows))}
	}
	return err
}

func (cv *conversion) options() (convert.Options, error) {
	read := config.Read{Format: cv.read, Delimiter: cv.delimiter, Quote: cv.quote, Encoding: cv.encoding, Header: !cv.noHeader, Strict: cv.strict, Sheet: cv.sheet, Children: cv.children}
	if _, ok := read.DelimiterChar(); !ok {
		return convert.Options{}, fmt.Errorf("--delimiter is one character, tab, a code as U+001F, or auto, and no line end; not %q", cv.delimiter)
	}
	if _, ok := read.QuoteChar(); !ok {
		return convert.Options{}, fmt.Errorf("--quote is one character, a code as U+00FE, or none, and no line end; not %q", cv.quote)
	}
	if cv.encoding != "auto" && !config.KnownEncoding(cv.encoding) {
		return convert.Options{}, fmt.Errorf("--encoding %q is not an encoding that is read here; %s", cv.encoding, config.EncodingHint(cv.encoding))
	}
	opt := readOptions(read)
	opt.Replace = cv.replace
	return opt, opt.Validate()
}

func leftOut(n int64) string {
	if n == 1 {
		return "1 record could not be read as a row and was left out"
	}
	return fmt.Sprintf("%d records could not be read as rows and were left out", n)
}

func (cv *conversion) convert(ctx context.Context, name string, opt convert.Options) error {
	switch {
	case name == "-":
		return cv.convertPipe(ctx, cv.app.stdin, "standard input", opt)
	case isPipe(name):
		return cv.convertPipe(ctx, &pipeFile{path: name}, filepath.Base(name), opt)
	}
	return cv.convertFile(ctx, name, filepath.Base(name), opt)
}

// convertPipe converts what can be read once only. A package needs its end
// first, so only then is a pipe kept on disk.
func (cv *conversion) convertPipe(ctx context.Context, r io.Reader, name string, opt convert.Options) error {
	in := bufio.NewReaderSize(endingWith(ctx, r), 64<<10)
	if head, _ := in.Peek(4); !bytes.Equal(head, []byte("PK\x03\x04")) && cv.trying == nil {
		cv.progress.begin(0)
		from, forget := cv.keepPipe(data{Reader: in, name: name}, head)
		return errors.Join(cv.one(ctx, from, cv.target.file(name), opt), forget())
	}
	f, remove, err := tempFile()
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	defer remove()
	if _, err = io.Copy(f, in); err != nil {
		return fmt.Errorf("keep %s: %w", name, errors.Join(err, f.Close()))
	}
	contents, err := unpack.OpenFile(f, unpack.Options{Name: name})
	if err != nil {
		return openError(name, err)
	}
	return cv.contents(ctx, contents, name, opt)
}

func (cv *conversion) convertFile(ctx context.Context, path, name string, opt convert.Options) error {
	file, err := os.Open(path)
	if err != nil {
		return openError(name, err)
	}
	contents, err := unpack.OpenFile(file, unpack.Options{Name: name})
	if err != nil {
		return openError(name, err)
	}
	return cv.contents(ctx, contents, name, opt)
}

func openError(name string, err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err // it names the file again, or the one that standard input is kept in
	}
	return fmt.Errorf("open %s: %w", name, err)
}

// contents converts what was opened, and closes it.
func (cv *conversion) contents(ctx context.Context, contents *unpack.Contents, name string, opt convert.Options) (err error) {
	defer func() { err = errors.Join(err, contents.Close()) }()
	lacking := cv.lacking(contents, name)
	members, err := cv.pick(contents, name)
	if err != nil {
		return cmp.Or(lacking, err)
	}
	return cv.beside(lacking, cv.picked(ctx, contents, members, name, opt))
}

func (cv *conversion) picked(ctx context.Context, contents *unpack.Contents, members []unpack.Member, name string, opt convert.Options) error {
	if len(members) == 1 && !cv.schema {
		cv.progress.begin(members[0].Size)
		return cv.member(ctx, contents, members[0], name, cv.target.file(cmp.Or(members[0].Name, name)), opt)
	}
	if cv.target.out == "" && !cv.schema {
		err := fmt.Errorf("%s holds %d data files (%s): choose one with --entity, or name a folder with --out",
			name, len(members), strings.Join(entities(members), ", "))
		if cv.inPart {
			return err // the rows of others may be out
		}
		return usage(err)
	}
	return cv.members(ctx, contents, members, name, opt)
}

// data is the stream of one data file.
type data struct {
	io.Reader
	name, entity string
	target       string // entity's other name, in a package
	size         int64  // bytes; 0 when unknown

	again func() (io.ReadCloser, error) // opens it anew; nil when it can be read once only
	began time.Time                     // of a first pass; zero when there was none
	named int64                         // bad rows that a first pass has named
}

// pour converts one stream to w, or only looks at it for --schema.
func (cv *conversion) pour(ctx context.Context, from data, w io.Writer, opt convert.Options) error {
	facts := newFacts(from)
	rejects := &badRows{cv: cv, entry: from.name, named: from.named}
	from.Reader = cv.progress.watch(from.Reader)
	defer cv.progress.clear()
	if cv.schema {
		survey := convert.NewSurvey()
		rejects.Sink = survey
		res, err := convert.Convert(ctx, from, from.name, opt, rejects)
		if again := rejects.again(res, err, opt.Repeat); again != nil {
			return again
		}
		cv.noteOddities(from, res)
		if err == nil {
			cv.noteRecords(from, res)
			cv.files = append(cv.files, facts.done(res, survey.Columns(res.Columns)))
		}
		return err
	}
	rows := newRowWriter(w, cv.target.format == "json")
	defer rows.release()
	rejects.Sink = rows
	res, err := cv.shaped(ctx, from, opt, rejects)
	if again := rejects.again(res, err, opt.Repeat); again != nil {
		return again
	}
	cv.noteOddities(from, res)
	if err != nil {
		// An array that breaks off must not look whole.
		return errors.Join(err, rows.w.Flush())
	}
	cv.noteRecords(from, res)
	cv.files = append(cv.files, facts.done(res, nil))
	return rows.end()
}

func (cv *conversion) noteOddities(from data, res convert.Result) {
	if odd := res.Oddities.String(); odd != "" {
		cv.note(fmt.Sprintf("%s: %s; kept as text", from.name, odd))
	}
	if guessed := res.GuessedText("--encoding"); guessed != "" {
		cv.note(from.name + ": " + guessed)
	}
	if replaced := res.ReplacedText(); replaced != "" {
		cv.note(from.name + ": " + replaced)
	}
}

// shaped converts, with the selection of columns if there is one.
func (cv *conversion) shaped(ctx context.Context, from data, opt convert.Options, sink convert.Sink) (convert.Result, error) {
	shape := convert.Shape{Select: cv.selected}
	if shape.IsZero() {
		return convert.Convert(ctx, from, from.name, opt, sink)
	}
	shaper, err := convert.NewShaper(ctx, from.name, shape, sink)
	if err != nil {
		return convert.Result{}, usage(err)
	}
	res, err := convert.Convert(ctx, from, from.name, opt, shaper)
	if err == nil {
		_, err = shaper.Check(res.Columns)
	}
	res.Columns = shaper.Columns()
	return res, err
}

// encodingList is what --encoding and read.encoding take, in lines for a screen.
func encodingList() string {
	var b strings.Builder
	width := 0
	for _, name := range config.Encodings() {
		if width+len(name) > 80 {
			b.WriteString("\n")
			width = 0
		}
		if width == 0 {
			b.WriteString(" ")
		}
		b.WriteString(" " + name)
		width += 1 + len(name)
	}
	return b.String()
}

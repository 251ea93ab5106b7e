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

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/exporter"
	"finrelay/exporter/convert"
	"finrelay/exporter/unpack"
)

// conversion is one run of the convert command.
type conversion struct {
	app               *app
	out, format       string
	entity            string
	delimiter         string
	quote             string
	encoding          string
	read              string
	children          []string
	noHeader, strict  bool
	badShown, badRows int64
}

// mostBadShown is how many bad rows are named on standard error.
const mostBadShown = 100

func (a *app) convert() *cobra.Command {
	cv := &conversion{app: a}
	c := &cobra.Command{
		Use:   "convert FILE|-",
		Short: "Turn a CSV, XML or JSON file, or a data package of them, into JSON Lines",
		Long: `convert reads a file, or standard input, as the flows do, and writes one JSON object
a row. Format, delimiter and encoding are found out unless they are said.

Of a package with one data file, or with --entity, the rows go to standard output
or to the file named by --out; of one with several, to a folder named by --out, a
file for each. A file appears only when it is complete.

Records that cannot be read as rows are named on standard error with line and
column and left out (exit 3); with --strict a file with such a record is not
written (exit 1). Data files of a package that cannot be read are named too: exit 3
when others were written, 1 when none was or with --strict.`,
		Example: `  finrelay convert customers.csv | head
  finrelay convert package.zip -o ./rows
  finrelay convert package.zip --entity "Customer groups" --format json -o groups.json
  finrelay convert orders.xml --child SALESORDERLINEV2ENTITY`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return cv.run(c.Context(), args[0]) },
	}
	c.Flags().StringVarP(&cv.out, "out", "o", "", "file or, for several data files, folder to write; default standard output")
	c.Flags().StringVar(&cv.format, "format", "jsonl", "jsonl or json (one array)")
	c.Flags().StringVar(&cv.entity, "entity", "", "only this entity of a package, letter case ignored")
	c.Flags().StringVar(&cv.read, "read", "auto", "format of the data: auto, csv, xml, xml-element, xml-attribute or json")
	c.Flags().StringVar(&cv.delimiter, "delimiter", "auto", "character between CSV fields, or tab")
	c.Flags().StringVar(&cv.quote, "quote", `"`, "character around CSV fields, or none")
	c.Flags().StringVar(&cv.encoding, "encoding", "auto", "text encoding, for example windows-1252")
	c.Flags().StringArrayVar(&cv.children, "child", nil, "XML element below a row that is always an array, also where the row has none; LINE/CHARGE is one below LINE; repeatable")
	c.Flags().BoolVar(&cv.noHeader, "no-header", false, "the first CSV record is data")
	c.Flags().BoolVar(&cv.strict, "strict", false, "write nothing when a record cannot be read")
	return c
}

func (cv *conversion) run(ctx context.Context, name string) error {
	if cv.format != "jsonl" && cv.format != "json" {
		return usage(fmt.Errorf("--format is jsonl or json, not %q", cv.format))
	}
	opt, err := cv.options()
	if err != nil {
		return usage(err)
	}
	err = cv.convert(ctx, name, opt)
	if err == nil && cv.badRows > 0 {
		err = &codedError{exitParked, errors.New(leftOut(cv.badRows))}
	}
	return err
}

func (cv *conversion) options() (convert.Options, error) {
	read := config.Read{Format: cv.read, Delimiter: cv.delimiter, Quote: cv.quote, Encoding: cv.encoding, Header: !cv.noHeader, Children: cv.children}
	if _, ok := read.DelimiterByte(); !ok {
		return convert.Options{}, fmt.Errorf("--delimiter is one ASCII character, tab or auto, not %q", cv.delimiter)
	}
	if _, ok := read.QuoteByte(); !ok {
		return convert.Options{}, fmt.Errorf("--quote is one ASCII character or none, not %q", cv.quote)
	}
	opt := readOptions(read)
	return opt, opt.Validate()
}

func leftOut(n int64) string {
	if n == 1 {
		return "1 record could not be read as a row and was left out"
	}
	return fmt.Sprintf("%d records could not be read as rows and were left out", n)
}

func (cv *conversion) convert(ctx context.Context, name string, opt convert.Options) error {
	if name != "-" {
		return cv.convertFile(ctx, name, filepath.Base(name), opt)
	}
	// A package needs its end first, so only then is a pipe kept on disk.
	in := bufio.NewReaderSize(cv.app.stdin, 64<<10)
	if head, _ := in.Peek(4); !bytes.Equal(head, []byte("PK\x03\x04")) {
		return cv.one(ctx, in, "standard input", cv.out, opt)
	}
	f, err := os.CreateTemp("", "finrelay-convert-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, in)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep standard input: %w", err)
	}
	return cv.convertFile(ctx, f.Name(), "standard input", opt)
}

func (cv *conversion) convertFile(ctx context.Context, path, name string, opt convert.Options) (err error) {
	contents, err := unpack.Open(path, unpack.Options{Name: name})
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err // it names the file again, or the one that standard input is kept in
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, contents.Close()) }()
	for _, m := range contents.Missing {
		fmt.Fprintf(cv.app.stderr, "finrelay: the manifest names %s for %s, but the package does not hold it\n", m.File, m.Entity)
	}
	members, err := cv.pick(contents, name)
	if err != nil {
		return err
	}
	if len(members) == 1 {
		return cv.member(ctx, contents, members[0], name, cv.out, opt)
	}
	if cv.out == "" {
		return usage(fmt.Errorf("%s holds %d data files (%s): choose one with --entity, or name a folder with --out",
			name, len(members), strings.Join(entities(members), ", ")))
	}
	return cv.members(ctx, contents, members, name, opt)
}

// members writes each member that can be written to the folder, whatever is
// wrong with its neighbours.
func (cv *conversion) members(ctx context.Context, contents *unpack.Contents, members []unpack.Member, name string, opt convert.Options) error {
	if err := os.MkdirAll(cv.out, 0o755); err != nil {
		return err
	}
	var refused []error
	taken := map[string]bool{}
	for _, m := range members {
		out := filepath.Join(cv.out, distinct(taken, m.Name)+"."+cv.format)
		err := cv.member(ctx, contents, m, name, out, opt)
		if err != nil && (ctx.Err() != nil || ofDisk(err)) {
			return errors.Join(append(refused, err)...)
		}
		if err != nil {
			refused = append(refused, err)
		}
	}
	err := errors.Join(refused...)
	// --strict is for those who want a failure, not a part.
	if err == nil || len(refused) == len(members) || cv.strict {
		return err
	}
	err = fmt.Errorf("%w\n%d of %d data files were refused, the others are in %s", err, len(refused), len(members), cv.out)
	if cv.badRows > 0 {
		err = fmt.Errorf("%w; %s", err, leftOut(cv.badRows))
	}
	return &codedError{exitParked, err}
}

// ofDisk says whether files failed us, not the data: then the next member
// would fare no better.
func ofDisk(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	return path || link
}

// distinct names the file of a member: its own name without folder and
// extension, with a number where another member has that already, whatever the
// letter case.
func distinct(taken map[string]bool, member string) string {
	base := filepath.Base(member)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	name := stem
	for n := 2; taken[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s (%d)", stem, n)
	}
	taken[strings.ToLower(name)] = true
	return name
}

func (cv *conversion) pick(contents *unpack.Contents, name string) ([]unpack.Member, error) {
	var picked []unpack.Member
	for _, m := range contents.Members {
		if cv.entity == "" || contents.Kind == unpack.KindBare || strings.EqualFold(m.Entity, cv.entity) {
			picked = append(picked, m)
		}
	}
	if len(picked) == 0 && len(contents.Members) > 0 {
		return nil, fmt.Errorf("%s holds no entity %q; it holds %s", name, cv.entity, strings.Join(entities(contents.Members), ", "))
	}
	if len(picked) == 0 {
		return nil, fmt.Errorf("%s holds no data file", name)
	}
	return picked, nil
}

func entities(members []unpack.Member) []string {
	var names []string
	for _, m := range members {
		names = append(names, m.Entity)
	}
	return names
}

func (cv *conversion) member(ctx context.Context, contents *unpack.Contents, m unpack.Member, name, out string, opt convert.Options) (err error) {
	if m.Err != nil {
		return m.Err
	}
	r, err := contents.Open(m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return cv.one(ctx, r, cmp.Or(m.Name, name), out, opt) // a bare file is no member and has no name of its own
}

// one converts one stream to a file, or to standard output when out is empty.
func (cv *conversion) one(ctx context.Context, r io.Reader, entry, out string, opt convert.Options) error {
	if out == "" {
		return cv.pour(ctx, r, entry, cv.app.stdout, opt)
	}
	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*.tmp")
	if err != nil {
		return err
	}
	err = cv.pour(ctx, r, entry, f, opt)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		return os.Rename(f.Name(), out)
	}
	return errors.Join(err, os.Remove(f.Name()))
}

func (cv *conversion) pour(ctx context.Context, r io.Reader, entry string, w io.Writer, opt convert.Options) error {
	sink := &rowWriter{w: bufio.NewWriterSize(w, 256<<10), array: cv.format == "json", cv: cv, entry: entry}
	_, err := convert.Convert(ctx, r, entry, opt, sink)
	return errors.Join(err, sink.end())
}

// rowWriter writes JSON Lines as they come, or as the elements of an array.
type rowWriter struct {
	w     *bufio.Writer
	array bool
	cv    *conversion
	entry string
	rows  int64
}

func (s *rowWriter) Block(lines []byte, rows int) error {
	if !s.array {
		_, err := s.w.Write(lines)
		return err
	}
	for line := range bytes.Lines(lines) {
		before := ",\n"
		if s.rows == 0 {
			before = "[\n"
		}
		s.rows++
		if _, err := s.w.WriteString(before); err != nil {
			return err
		}
		if _, err := s.w.Write(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
	return nil
}

func (s *rowWriter) BadRow(b convert.BadRow) error {
	e := &exporter.RecordError{Entry: s.entry, Line: b.Line, Column: b.Column, Err: b.Err}
	if s.cv.strict {
		return e
	}
	s.cv.badRows++
	if s.cv.badShown++; s.cv.badShown <= mostBadShown {
		fmt.Fprintln(s.cv.app.stderr, "finrelay:", e)
	}
	return nil
}

func (s *rowWriter) end() error {
	if s.array {
		last := "\n]\n"
		if s.rows == 0 {
			last = "[]\n"
		}
		if _, err := s.w.WriteString(last); err != nil {
			return err
		}
	}
	return s.w.Flush()
}

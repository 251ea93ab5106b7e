package convert

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the wanted parts of testdata/*.txtar")

// record is a Sink that writes down everything it gets.
type record struct {
	lines bytes.Buffer
	bad   bytes.Buffer
	rows  int64
	nbad  int64
	// wrong is the first broken promise of the Sink interface.
	wrong string
}

func (r *record) Block(lines []byte, rows int) error {
	if n := bytes.Count(lines, newline); n != rows || rows == 0 || lines[len(lines)-1] != '\n' {
		r.wrong = fmt.Sprintf("block of %d rows holds %d lines: %.80q", rows, n, lines)
	}
	r.rows += int64(rows)
	r.lines.Write(lines)
	return nil
}

func (r *record) BadRow(b BadRow) error {
	r.nbad++
	if want := r.rows + r.nbad; b.Record != want {
		r.wrong = fmt.Sprintf("bad row says record %d, %d came before it", b.Record, want-1)
	}
	fmt.Fprintf(&r.bad, "%d:%d record %d: %v: %q\n", b.Line, b.Column, b.Record, b.Err, b.Raw)
	return nil
}

// outcome is everything there is to see of a conversion.
type outcome struct {
	lines, bad, result string
}

// run converts and checks what holds for every input whatever it is.
func run(t testing.TB, r io.Reader, opt Options) (outcome, Result) {
	t.Helper()
	var rec record
	res, err := Convert(context.Background(), r, "in", opt, &rec)
	switch {
	case rec.wrong != "":
		t.Fatal(rec.wrong)
	case res.Rows != rec.rows || res.BadRows != rec.nbad:
		t.Fatalf("result says %d rows and %d bad ones, the sink got %d and %d", res.Rows, res.BadRows, rec.rows, rec.nbad)
	}
	for line := range bytes.Lines(rec.lines.Bytes()) {
		if !json.Valid(line) {
			t.Fatalf("line is no JSON: %q", line)
		}
	}
	var sum strings.Builder
	fmt.Fprintf(&sum, "%s %s", res.Format, res.Encoding)
	if res.Guessed {
		sum.WriteString(" guessed")
	}
	if res.Delimiter != 0 {
		fmt.Fprintf(&sum, " delimiter %q", res.Delimiter)
	}
	if res.Sheet != "" {
		fmt.Fprintf(&sum, " sheet %q", res.Sheet)
	}
	fmt.Fprintf(&sum, "\nrows %d bad %d columns %q\n", res.Rows, res.BadRows, res.Columns)
	if res.Oddities.Count > 0 {
		fmt.Fprintf(&sum, "odd fields %d\n", res.Oddities.Count)
		for _, o := range res.Oddities.First {
			fmt.Fprintf(&sum, "%d:%d %s\n", o.Line, o.Column, o.What)
		}
	}
	if err != nil {
		fmt.Fprintf(&sum, "error %v\n", err)
	}
	return outcome{rec.lines.String(), rec.bad.String(), sum.String()}, res
}

// golden is one case of testdata: a sentence on what it proves, options, the
// input (verbatim, or quoted: Go escapes, line ends only where written), and
// what must come out.
type golden struct {
	path  string
	arch  *txtar.Archive
	opt   Options
	input []byte
	want  outcome
}

func readGolden(t testing.TB, path string) *golden {
	t.Helper()
	arch, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g := &golden{path: path, arch: arch}
	for _, f := range arch.Files {
		switch f.Name {
		case "options":
			if err := json.Unmarshal(f.Data, &g.opt); err != nil {
				t.Fatalf("%s: options: %v", path, err)
			}
		case "input":
			g.input = f.Data
		case "quoted":
			for line := range strings.Lines(string(f.Data)) {
				line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), `"`, `\"`)
				s, err := strconv.Unquote(`"` + line + `"`)
				if err != nil {
					t.Fatalf("%s: %v: %s", path, err, line)
				}
				g.input = append(g.input, s...)
			}
		case "rows":
			g.want.lines = string(f.Data)
		case "bad":
			g.want.bad = string(f.Data)
		case "result":
			g.want.result = string(f.Data)
		}
	}
	if parts := zipParts(arch); len(parts) > 0 {
		g.input = makeWorkbook(t, parts)
	}
	return g
}

func (g *golden) rewrite(t *testing.T, got outcome) {
	t.Helper()
	var kept []txtar.File
	for _, f := range g.arch.Files {
		if f.Name == "options" || f.Name == "input" || f.Name == "quoted" || strings.HasPrefix(f.Name, zipFolder) {
			kept = append(kept, f)
		}
	}
	kept = append(kept, txtar.File{Name: "rows", Data: []byte(got.lines)})
	if got.bad != "" {
		kept = append(kept, txtar.File{Name: "bad", Data: []byte(got.bad)})
	}
	g.arch.Files = append(kept, txtar.File{Name: "result", Data: []byte(got.result)})
	if err := os.WriteFile(g.path, txtar.Format(g.arch), 0o644); err != nil {
		t.Fatal(err)
	}
}

func goldens(t testing.TB) []*golden {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata: %v, %d cases", err, len(paths))
	}
	var all []*golden
	for _, path := range paths {
		all = append(all, readGolden(t, path))
	}
	return all
}

func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(g.path), ".txtar"), func(t *testing.T) {
			got, _ := run(t, bytes.NewReader(g.input), g.opt)
			if *update {
				g.rewrite(t, got)
				return
			}
			compare(t, string(g.arch.Comment), got, g.want)
		})
	}
}

// TestGoldenAtEveryBoundary reads every case in small pieces. What comes out
// must not depend on where the pieces end.
func TestGoldenAtEveryBoundary(t *testing.T) {
	cases := goldens(t)
	for _, size := range []int{1, 2, 3, 5, 8, 13, 64} {
		setBlockSize(t, size)
		for _, g := range cases {
			what := fmt.Sprintf("%s in blocks of %d", g.path, size)
			got, res := run(t, iotest.OneByteReader(bytes.NewReader(g.input)), g.opt)
			compare(t, what, got, g.want)
			if res.Delimiter == 0 && res.Format != FormatXMLElement && res.Format != FormatXMLAttribute {
				continue // the beginning of JSON is looked at as a whole
			}
			// With nothing sampled the window is never larger than a record.
			old := sampleSize
			sampleSize = 1
			opt := g.opt
			opt.Delimiter = res.Delimiter
			if opt.Format == FormatAuto {
				opt.Format = res.Format
			}
			got, _ = run(t, bytes.NewReader(g.input), opt)
			sampleSize = old
			compare(t, what+" without a sample", got, g.want)
		}
	}
}

func setBlockSize(t testing.TB, size int) {
	old := blockSize
	blockSize = size
	t.Cleanup(func() { blockSize = old })
}

func compare(t testing.TB, what string, got, want outcome) {
	t.Helper()
	for _, part := range []struct{ name, got, want string }{
		{"rows", got.lines, want.lines}, {"bad rows", got.bad, want.bad}, {"result", got.result, want.result},
	} {
		if part.got != part.want {
			t.Errorf("%s\n%s: got\n%swant\n%s", what, part.name, part.got, part.want)
		}
	}
}

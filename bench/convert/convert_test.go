//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/bench/canon"
	"finrelay/bench/customers"
	"finrelay/bench/figures"
	"finrelay/bench/tree"
)

// raced gives a result in which each contestant took so many seconds in each
// round.
func raced(role role, size figures.Bytes, seconds map[string][]float64) *result {
	r := &result{
		task:     &task{title: "CSV " + size.String(), format: customers.CSV, size: size, role: role, sum: strings.Repeat("0", 64)},
		wrong:    map[string]string{},
		outBytes: 10e6,
	}
	for _, c := range contestants() {
		if seconds[c.name] != nil {
			r.entered = append(r.entered, c)
			r.rounds = len(seconds[c.name])
		}
	}
	for i := range r.rounds {
		lap := round{costs: map[string]tree.Cost{}, write: time.Second}
		for name, all := range seconds {
			took := time.Duration(all[i] * float64(time.Second))
			lap.costs[name] = tree.Cost{Wall: took, CPU: took, Anon: 4 << 20, Resident: 8 << 20, Mark: 7 << 20}
		}
		r.laps = append(r.laps, lap)
	}
	return r
}

const (
	duckFile = "DuckDB, from a temporary file"
	duckAuto = "DuckDB, piped, automatic schema"
)

// The fastest is of no interest when its rows are wrong: it is no best peer, has
// no place in table or picture, no ratio, and its reason stands in the report.
func TestWrongIsNeverRanked(t *testing.T) {
	r := raced(large, 1e9, map[string][]float64{
		ours: {1, 1, 1}, obvious: {10, 10, 10}, duckFile: {4, 4, 4}, duckAuto: {0.1, 0.1, 0.1}, unzip: {2, 2, 2},
	})
	if got := r.best(); got != duckAuto {
		t.Fatalf("the best is %q before anybody is wrong, want %q: the test tests nothing", got, duckAuto)
	}
	r.wrong[duckAuto] = "2 of 3 rows"
	if got := r.best(); got != duckFile {
		t.Errorf("the best peer is %q, want %q", got, duckFile)
	}
	if slices.ContainsFunc(r.ranked(), func(c contestant) bool { return c.name == duckAuto }) {
		t.Error("it is ranked")
	}
	if len(r.walls(duckAuto)) != 0 || len(r.ratios(duckAuto)) != 0 {
		t.Error("its times are used")
	}
	text := r.text()
	if !strings.Contains(text, "WRONG and not ranked: "+duckAuto+": 2 of 3 rows (the bytes") || strings.Contains(text, "| "+duckAuto) {
		t.Errorf("the report does not say so, or has it in the table:\n%s", text)
	}
	if svg := chart([]*result{r}).SVG(); strings.Contains(svg, duckAuto) || !strings.Contains(svg, duckFile) {
		t.Errorf("the picture has it, or not the others:\n%s", svg)
	}
}

func TestVerdict(t *testing.T) {
	print := func(text string) canon.Print {
		p, err := canon.Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := print("{\"A\":\"1\",\"B\":\"2\"}\n{\"A\":\"3\",\"B\":\"4\"}\n")
	for text, reason := range map[string]string{
		"{\"B\":\"2\",\"A\":\"1\"}\n{\"A\":\"3\",\"B\":\"4\"}\n": "",
		"{\"A\":\"1\",\"B\":\"2\"}\n":                            "1 of 2 rows; 1 missing or changed, 0 that should not be there",
	} {
		if got := verdict(contestant{}, want, print(text), nil); got != reason {
			t.Errorf("%s: %q, want %q", text, got, reason)
		}
	}
	if got := verdict(contestant{}, want, want, os.ErrPermission); got != "fails: permission denied" {
		t.Errorf("a contestant that fails: %q", got)
	}
	if got := verdict(contestant{floor: true}, want, canon.Print{}, nil); got != "" {
		t.Errorf("a floor writes nothing, and that is %q", got)
	}
}

func TestStrays(t *testing.T) {
	for _, tt := range []struct {
		probe []float64
		want  []int
	}{
		{nil, nil},
		{[]float64{1, 1.14, 0.86}, nil},
		{[]float64{1, 1.2, 0.8, 1.01, 0.99}, []int{1, 2}},
		{[]float64{2, 1, 1}, []int{0}},
	} {
		if got := strays(tt.probe); !slices.Equal(got, tt.want) {
			t.Errorf("strays(%v) = %v, want %v", tt.probe, got, tt.want)
		}
	}
}

// A round in which the machine was another one is run again, and what was
// measured then counts; but no round more than twice.
func TestRace(t *testing.T) {
	for name, tt := range map[string]struct {
		again int
		probe [][]float64 // by round: each time it is run
		want  []float64
		notes int
	}{
		"calm":            {2, [][]float64{{1}, {1.1}, {0.9}}, []float64{1, 1.1, 0.9}, 0},
		"one stray":       {2, [][]float64{{1}, {2, 1.05}, {1}}, []float64{1, 1.05, 1}, 1},
		"strays twice":    {2, [][]float64{{1}, {2, 3, 1}, {1}}, []float64{1, 1, 1}, 2},
		"strays for ever": {2, [][]float64{{1}, {2, 3, 4}, {1}}, []float64{1, 4, 1}, 3},
		"not again":       {0, [][]float64{{1}, {2}, {1}}, []float64{1, 2, 1}, 1},
	} {
		r := &result{task: &task{title: name, rounds: len(tt.probe), again: tt.again}}
		runs := make([]int, len(tt.probe))
		err := race(r, func(i int) (round, error) {
			if runs[i] == len(tt.probe[i]) {
				t.Fatalf("%s: round %d is run once too often", name, i+1)
			}
			took := time.Duration(tt.probe[i][runs[i]] * float64(time.Second))
			runs[i]++
			return round{costs: map[string]tree.Cost{unzip: {Wall: took}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.walls(unzip); !slices.Equal(got, tt.want) || len(r.notes) != tt.notes {
			t.Errorf("%s: got %v and %q, want %v and %d notes", name, got, r.notes, tt.want, tt.notes)
		}
	}
}

// Contestants that drop a row, fail, or write nothing are found before the race,
// whatever their exit status; ours and the reference must be right.
func TestCheck(t *testing.T) {
	folder := t.TempDir()
	rows := filepath.Join(folder, "rows.jsonl")
	if err := os.WriteFile(rows, []byte("{\"A\":\"1\"}\n{\"A\":\"2\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	shell := func(name, script string) contestant {
		return contestant{name: name, steps: func(_ tools, in input, out string) []tree.Pipeline {
			return command("sh", "-c", script, "sh", in.zip, out)
		}}
	}
	floor := shell(unzip, "cat $1")
	floor.floor = true
	run := func(all ...contestant) (*result, error) {
		r := &result{task: &task{inputs: []string{rows}, rows: 2}, entered: all, wrong: map[string]string{}}
		l := &lab{work: folder, out: filepath.Join(folder, "out")}
		return r, l.check(t.Context(), r)
	}
	right := shell(obvious, "cp $1 $2")
	r, err := run(shell(ours, "cp $1 $2"), right, floor, shell("lossy", "sed 1d $1 > $2"), shell("failing", "cp $1 $2; exit 3"), shell("silent", "true"))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.wrong) != 3 || !strings.HasPrefix(r.wrong["lossy"], "1 of 2 rows") ||
		!strings.Contains(r.wrong["failing"], "exit status 3") || !strings.HasPrefix(r.wrong["silent"], "fails: ") || strings.Contains(r.wrong["silent"], folder) {
		t.Errorf("wrong are %q, want lossy, failing and silent, without our folder", r.wrong)
	}
	if _, err := run(shell(ours, "sed 1d $1 > $2"), right); err == nil || !strings.Contains(err.Error(), ours) {
		t.Errorf("ours drops a row: %v", err)
	}
	if _, err := run(shell(ours, "cp $1 $2"), shell(obvious, "sed 1d $1 > $2")); err == nil || !strings.Contains(err.Error(), "1 rows of 2") {
		t.Errorf("the reference drops a row: %v", err)
	}
}

// The machine halves its speed in the second round: ratios within the rounds do
// not see it.
func TestRatiosAreOfRounds(t *testing.T) {
	r := raced(large, 1e9, map[string][]float64{ours: {1, 2, 1}, obvious: {10, 20, 10}})
	if got := figures.Spread(r.ratios(obvious)); got != "0.10 (0.10-0.10)" {
		t.Errorf("got %s", got)
	}
}

func TestGoals(t *testing.T) {
	verdicts := func(all ...*result) string {
		var text []string
		for _, j := range judge(all) {
			text = append(text, j.goal+" = "+j.figure+" "+figures.Met(j.met && j.known))
		}
		return strings.Join(text, "\n")
	}
	good := verdicts(
		raced(small, 100e6, map[string][]float64{ours: {0.1}, obvious: {4}, unzip: {0.5}}),
		raced(many, 100e6, map[string][]float64{ours: {9}, together: {0.15}, obvious: {9}}),
		raced(large, 1e9, map[string][]float64{ours: {1}, obvious: {40}, duckFile: {4}, unzip: {5}}))
	for _, want := range []string{
		"the best peer (DuckDB, from a temporary file): at most 0.40 = 0.25 (0.25-0.25) met",
		"unzip alone: at most 1.00 = 0.20 (0.20-0.20) met",
		"memory: at most × 1.05 = × 1.00 met",
		"time: at most × 10.5 = × 10.0 met",
		"a large one: at most 2.0 = 1.50 met",
		"at most 24.0 MiB = 4.0 MiB met",
	} {
		if !strings.Contains(good, want) {
			t.Errorf("no %q in\n%s", want, good)
		}
	}
	bad := verdicts(
		raced(small, 100e6, map[string][]float64{ours: {0.1}, obvious: {4}}),
		raced(large, 1e9, map[string][]float64{ours: {1.1}, obvious: {2}, unzip: {1}}))
	if got := strings.Count(bad, "missed"); got != 4 { // best peer, unzip, time, and the packages that nobody measured
		t.Errorf("%d goals missed, want 4:\n%s", got, bad)
	}
}

func TestBound(t *testing.T) {
	r := raced(plain, 20e6, map[string][]float64{ours: {3, 6, 6}, obvious: {10, 10, 10}})
	if err := withinBound([]*result{r}, 0.7); err != nil {
		t.Error(err)
	}
	if err := withinBound([]*result{r}, 0); err != nil {
		t.Errorf("without a bound: %v", err)
	}
	if err := withinBound([]*result{r}, 0.5); err == nil {
		t.Error("0.60 passes for 0.50")
	}
}

// What pprof -top prints, cut to its head.
func TestFocusShare(t *testing.T) {
	const head = "File: convert\nType: cpu\nDuration: 3.5s, Total samples = 4.02s (114.8%)\nActive filters:\n   focus=flate\n" +
		"Showing nodes accounting for 2.31s, 57.46% of 4.02s total\n      flat  flat%   sum%        cum   cum%\n"
	if got, err := focusShare(head); err != nil || got < 0.5745 || got > 0.5747 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := focusShare("Focus expression matched no samples\n"); err != nil || got != 0 {
		t.Errorf("without a match: %v, %v", got, err)
	}
	if _, err := focusShare("something else"); err == nil {
		t.Error("no error for a text without a share")
	}
}

// The whole way in miniature: data, conversion in process, fingerprint. A row
// that is taken out of the output must show.
func TestInProcess(t *testing.T) {
	for _, role := range []role{plain, several, many} {
		folder := t.TempDir()
		task := &task{format: customers.CSV, size: 600e3, role: role, count: 1}
		if role == many {
			task.count = 20
		}
		if err := task.make(folder); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(folder, "out")
		if role == many {
			if err := os.Mkdir(out, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		said, err := convertAll(task.inputs, out, "")
		if err != nil {
			t.Fatal(err)
		}
		p, size, err := fingerprint(out)
		if err != nil {
			t.Fatal(err)
		}
		if p.Rows != int64(task.rows) || said.Rows != p.Rows || size < 600e3 || said.Mallocs == 0 {
			t.Errorf("%d rows made, %d counted, %d written in %d bytes", task.rows, said.Rows, p.Rows, size)
		}
		names, err := outputs(out)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(names[0], content[strings.IndexByte(string(content), '\n')+1:], 0o644); err != nil {
			t.Fatal(err)
		}
		less, _, err := fingerprint(out)
		if err != nil {
			t.Fatal(err)
		}
		if d := canon.Diff(p, less); d.Missing != 1 || d.Strange != 0 {
			t.Errorf("with a row taken out: %v", d)
		}
	}
}

func TestPlan(t *testing.T) {
	titles := func(opt options) (all []string) {
		for _, t := range plan(opt) {
			all = append(all, t.title)
		}
		return all
	}
	full := titles(options{full: true, small: 100e6, large: 1e9})
	want := []string{"CSV 100MB", "XML-Element 100MB", "XML-Attribute 100MB", "CSV 100MB in 4 data files of one package", "CSV 100MB in 1,000 packages", "CSV 1GB", "XML-Element 1GB", "XML-Attribute 1GB"}
	if !slices.Equal(full, want) {
		t.Errorf("full: %q, want %q", full, want)
	}
	if got := titles(options{quick: true, small: 20e6}); len(got) != 3 {
		t.Errorf("quick: %q, want the three formats", got)
	}
	if got := titles(options{format: customers.XMLAttribute, small: 20e6}); !slices.Equal(got, []string{"XML-Attribute 20MB"}) {
		t.Errorf("one: %q", got)
	}
}

func TestWhoTakesPart(t *testing.T) {
	names := func(t *task) (all []string) {
		for _, c := range contestants() {
			if c.takes(t) && !c.tooLarge(t) {
				all = append(all, c.name)
			}
		}
		return all
	}
	if got := names(&task{format: customers.CSV, role: many}); !slices.Equal(got, []string{ours, together, obvious, unzip}) {
		t.Errorf("many packages: %q", got)
	}
	if got := names(&task{format: customers.XMLElement, size: 1e9}); !slices.Equal(got, []string{ours, obvious, unzip}) {
		t.Errorf("1 GB of XML: %q", got)
	}
	got := names(&task{format: customers.CSV, size: 1e9})
	if !slices.Contains(got, "Miller") || !slices.Contains(got, duckFile) || slices.Contains(got, "node csv-parse") {
		t.Errorf("1 GB of CSV: %q", got)
	}
}

func TestRosterNamesTheAbsent(t *testing.T) {
	all := contestants()
	for i := range all {
		all[i].version = "1.0"
	}
	all[len(all)-1].absent = "needs xmllint (Debian: libxml2-utils)"
	text := roster(all)
	for _, want := range []string{"**absent**: needs xmllint (Debian: libxml2-utils)", "unzip -p IN 'Customers*' \\| mlr", "/dev/stdin OUT COLUMNS`"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestFindNamesWhatIsMissing(t *testing.T) {
	l := &lab{tools: tools{peers: map[string]string{}}}
	c := contestant{name: "x", needs: need{program: "no-such-program", debian: "no-such-package"}}
	l.find(t.Context(), &c, t.TempDir())
	if want := "needs no-such-program (Debian: no-such-package)"; c.absent != want {
		t.Errorf("got %q, want %q", c.absent, want)
	}
	c = contestant{name: "x", needs: need{program: "sh", version: []string{"-c", "echo sh 1.0; echo more"}}}
	l.find(t.Context(), &c, t.TempDir())
	if c.absent != "" || c.version != "sh 1.0" {
		t.Errorf("got %q, %q", c.absent, c.version)
	}
}

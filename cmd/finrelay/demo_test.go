package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// demoTable is the table of a demo in which all is well: mark, entity, what was
// sent, expected, outcome, rows; blanks folded.
const demoTable = `
ok (endpoint test) what FinOps posts first ignored ignored -
ok Customers V3 CSV, UTF-8 with BOM landed landed 60
ok Vendors V2 CSV-Unicode: UTF-16LE landed landed 45
ok Released products V2 windows-1252 CSV, semicolon landed landed 80
ok Exchange rates XML-Element landed landed 24
ok Fixed asset major type XML-Attribute landed landed 9
ok Customer groups JSON, event of 2019 landed landed 12
ok Sales order headers V2 package, CSV-Unicode landed landed 36
ok Sales order lines V2 same package, XML-Element landed landed 110
ok Vendor groups same package, no flow parked no_flow parked no_flow -
ok Warehouses CSV landed landed 15
ok Warehouses the same event again already known already known -
ok Main accounts CSV, the newer of two landed landed 31
ok Main accounts CSV, older but comes later landed landed 30
ok General journal lines CSV, cut in the middle landed landed 4000
ok Purchase order headers V2 CSV, sent 70 min late expired expired -
ok Bank accounts CSV, a field too many parked bad_rows parked bad_rows -
`

// The whole road, from an event over HTTP to a file: the demo checks it as it
// goes, this test checks that the demo says so, and that what it tells people to
// try next works.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a demo") // a blank, as folders of people have
	for _, which := range []string{"first", "second, in place of the first"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"demo", "--dir", dir}, nil, &out, &errs); code != exitDone || errs.Len() > 0 {
			t.Fatalf("%s demo: exit code %d, standard error %q, standard output\n%s", which, code, &errs, &out)
		}
		var table []string
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "ok  ") || strings.HasPrefix(line, "NO  ") {
				table = append(table, strings.Join(strings.Fields(line), " "))
			}
			if len([]rune(line)) > screenWidth+1 && !strings.Contains(line, dir) {
				t.Errorf("wider than %d characters: %s", screenWidth, line)
			}
		}
		if got := "\n" + strings.Join(table, "\n") + "\n"; got != demoTable {
			t.Errorf("%s demo: table%swant%s", which, got, demoTable)
		}
		if got, want := steps(out.String()), stepsOf(table); !slices.Equal(got, want) {
			t.Errorf("%s demo: steps of landing %q, the table has %q", which, got, want)
		}
		for _, never := range []string{"sig=", "code=", "\x1b"} {
			if strings.Contains(out.String(), never) {
				t.Errorf("%s demo prints %q", which, never)
			}
		}
		tryNext(t, out.String(), dir)
	}
	var status struct {
		Person  int  `json:"need_a_person"`
		OnWay   int  `json:"on_the_way"`
		Serving bool `json:"serving"`
	}
	var out, errs bytes.Buffer
	run(t.Context(), []string{"status", "-c", filepath.Join(dir, "finrelay.yaml"), "-o", "json"}, nil, &out, &errs)
	if err := json.Unmarshal(out.Bytes(), &status); err != nil || status.Person != 3 || status.OnWay != 0 || status.Serving {
		t.Errorf("status after the demo: %+v, %v %s", status, err, &errs)
	}
}

// landedStep is a line of the screen that says that an export has landed.
var landedStep = regexp.MustCompile(`(?m)^ +\d+\.\d\d s  landed +(\S.*\S)  +(\S.*) rows$`)

// steps are the landings as they were shown while they happened, sorted.
func steps(out string) []string {
	var all []string
	for _, m := range landedStep.FindAllStringSubmatch(out, -1) {
		all = append(all, m[1]+": "+m[2])
	}
	slices.Sort(all)
	return all
}

// stepsOf are the landings of the table, in the same form.
func stepsOf(table []string) []string {
	var all []string
	for _, c := range demoCases() {
		for _, w := range c.want {
			entity := or(w.entity, c.entity)
			for _, line := range table {
				rest, of := strings.CutPrefix(line, "ok "+entity+" "+or(w.sent, c.sent)+" landed landed ")
				if of {
					all = append(all, entity+": "+rest)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// tryNext runs the commands under "Try next" as they are printed.
func tryNext(t *testing.T, out, dir string) {
	t.Helper()
	_, after, found := strings.Cut(out, "Try next:\n")
	if !found {
		t.Fatalf("nothing to try next in\n%s", out)
	}
	tried := 0
	for line := range strings.Lines(after) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), shellWord(programName())+" ")
		if !ok {
			continue
		}
		tried++
		file := filepath.Join(dir, "finrelay.yaml")
		rest, ok = strings.CutSuffix(rest, shellWord(file))
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append(strings.Fields(rest), file), nil, &stdout, &stderr); !ok || code != exitDone || stdout.Len() == 0 {
			t.Errorf("%s: exit code %d, %q", line, code, &stderr)
		}
	}
	if tried != 3 {
		t.Errorf("%d commands to try, want 3, in\n%s", tried, after)
	}
}

// A demo that cannot fail proves nothing: each kind of expectation is made
// wrong once.
func TestDemoFindsFaults(t *testing.T) {
	last := func(p demoParcel) sim.Table {
		for _, table := range p.tables {
			return table
		}
		return sim.Table{}
	}
	for name, c := range map[string]struct {
		entity string
		spoil  func(c *demoCase)
		want   string
	}{
		"state":      {"Vendors V2", func(c *demoCase) { c.want[0].state = state.Parked }, "is landed, want parked"},
		"reason":     {"Bank accounts", func(c *demoCase) { c.want[0].reason = state.ReasonDamaged }, "is parked bad_rows, want parked damaged"},
		"answer":     {"Vendors V2", func(c *demoCase) { c.want[0].answer = 200 }, "the door answered 202"},
		"checkpoint": {"Main accounts", func(c *demoCase) { c.age = 0 }, "the checkpoint is at"},
		"no resume":  {"Exchange rates", func(c *demoCase) { c.want[0].also = (*demoCheck).resumed }, "1 requests for the file, want 2"},
		"value": {"Vendors V2", func(c *demoCase) {
			export := c.make
			c.make = func(s *sim.Sim, entity string) demoParcel {
				p := export(s, entity)
				last(p).Rows[2][0] = "another"
				return p
			}
		}, `want "another"`},
		"file": {"Vendors V2", func(c *demoCase) {
			export := c.make
			c.make = func(s *sim.Sim, entity string) demoParcel {
				p := export(s, entity)
				p.blob = s.PutBlob("another", []byte("not what was sent"), sim.BlobOptions{})
				return p
			}
		}, "is not that of the file in FinOps"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			a := &app{stdout: &out, stderr: &errs}
			d := &demo{app: a, dir: filepath.Join(t.TempDir(), "demo")}
			for _, one := range demoCases() {
				if one.entity == c.entity {
					d.cases = append(d.cases, one)
				}
			}
			c.spoil(&d.cases[len(d.cases)-1])
			code := a.exit(t.Context(), d.run(t.Context()))
			if code != exitFailed || !strings.Contains(out.String(), c.want) || !strings.Contains(errs.String(), d.path("finrelay.log")) {
				t.Errorf("exit code %d, standard error %q; want %d, and %q in\n%s", code, &errs, exitFailed, c.want, &out)
			}
		})
	}
}

func TestDemoInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &trigger{word: "posted", pull: interrupt}
	var errs bytes.Buffer
	dir := filepath.Join(t.TempDir(), "demo")
	if code := run(ctx, []string{"demo", "--dir", dir}, nil, out, &errs); code != exitInterrupted {
		t.Errorf("exit code %d, want %d: %s", code, exitInterrupted, &errs)
	}
	// The lock is free: another demo may begin.
	if err := freshDemoFolder(dir); err != nil {
		t.Error(err)
	}
}

// trigger calls pull when a word is written.
type trigger struct {
	bytes.Buffer
	word string
	pull func()
}

func (w *trigger) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.word)) {
		w.pull()
	}
	return w.Buffer.Write(p)
}

func TestDemoLeavesFoldersAlone(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--dir", dir}, nil, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "--dir") {
		t.Errorf("in a folder of others: exit code %d, %q; want %d and the way out", code, &errs, exitUsage)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want %s alone", entries, err, precious)
	}

	// A demo's folder in which a server is at work.
	used := filepath.Join(t.TempDir(), "demo")
	if err := freshDemoFolder(used); err != nil {
		t.Fatal(err)
	}
	db, err := state.OpenLedger(t.Context(), filepath.Join(used, "state"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if code := run(t.Context(), []string{"demo", "--dir", used}, nil, &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "running") {
		t.Errorf("in a folder in use: exit code %d, %q; want %d", code, &errs, exitFailed)
	}
	if _, err := os.Stat(filepath.Join(used, "state", state.File)); err != nil {
		t.Errorf("the ledger in use is gone: %v", err)
	}
}

func TestCompareRows(t *testing.T) {
	table := sim.Table{Columns: []string{"A", "B"}, Rows: [][]string{{"007", ""}, {"x\r\ny", `"`}}}
	const good = `{"A":"007","B":""}` + "\n" + `{"A":"x\r\ny","B":"\""}` + "\n"
	if n, err := compareRows([]byte(good), table); n != 4 || err != nil {
		t.Fatalf("equal rows: %d values, %v", n, err)
	}
	for data, want := range map[string]string{
		"":                                     "0 rows, want 2",
		`{"A":"007","B":""}`:                   "1 rows, want 2",
		good + good:                            "more rows than the 2",
		strings.Replace(good, "0", "", 1):      `row 1, A: "07", want "007"`,
		strings.Replace(good, `\r`, "", 1):     `row 2, A`,
		strings.Replace(good, `"007"`, "7", 1): "not a string",
		strings.Replace(good, `"A":"007","B":""`, `"A":"007"`, 1): "row 1 has the keys",
		`{"B":"","A":"007"}`: "row 1 has the keys",
		`{"A":"007"`:         "not a JSON text",
		`["007"]`:            "not an object",
	} {
		if _, err := compareRows([]byte(data), table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", data, err, want)
		}
	}
}

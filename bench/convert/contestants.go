//go:build linux

package main

import (
	"slices"
	"strings"

	"finrelay/bench/customers"
	"finrelay/bench/figures"
	"finrelay/bench/tree"
)

// The names that the goals speak of.
const (
	ours     = "finrelay convert"
	together = "finrelay convert, all in one command"
	obvious  = "obvious Go program"
	unzip    = "unzip to nowhere"
)

// dataFiles is how unzip is told what to take out of a package.
const dataFiles = "Customers*"

// contestant is a command that turns a package into JSON Lines, or a floor: a
// command that does less and writes nothing.
type contestant struct {
	name    string
	floor   bool
	formats []customers.Format // nil = all
	most    figures.Bytes      // takes no part in more than this; 0 = any size
	anyFile bool               // takes packages of several data files too
	needs   need
	steps   func(t tools, in input, out string) []tree.Pipeline
	all     func(t tools, in []input, out string) []tree.Pipeline // instead of steps: all packages in one command; out is a folder

	version string // found by lab.find
	absent  string // why it takes no part anywhere; "" = it is here
	known   string // why its rows are other ones, as far as we know
}

// need is what must be there, and whose version is shown.
type need struct {
	program string   // on the path
	version []string // arguments that make it print its version
	debian  string   // package to install
	peer    string   // folder below bench/peers that npm installs
	module  string   // of npm, whose version is shown
}

// input is one package, and where to put what a contestant needs on the way.
type input struct{ zip, member, temp string }

// tools are the programs as they are called.
type tools struct {
	finrelay, obvious, self, python string
	peers                           map[string]string // home by folder
}

func (c contestant) takes(t *task) bool {
	if t.role != many && c.all != nil || !c.anyFile && !t.oneFile() {
		return false
	}
	return c.formats == nil || slices.Contains(c.formats, t.format)
}

// tooLarge says whether the task is larger than what this one is given.
func (c contestant) tooLarge(t *task) bool { return c.most > 0 && t.size > c.most }

var (
	csvOnly = []customers.Format{customers.CSV}
	xmlOnly = []customers.Format{customers.XMLElement, customers.XMLAttribute}

	node   = need{program: "node", version: []string{"--version"}}
	python = need{program: "python3", version: []string{"--version"}, debian: "python3"}
)

// peer is a script for node with a package of npm.
func peer(folder, module string) need {
	return need{program: node.program, peer: folder, module: module}
}

// slow is the size beyond which those are left out that take ten times as long,
// or whose rows are wrong anyway.
const slow = 200e6

func contestants() []contestant {
	return []contestant{
		{name: ours, anyFile: true, steps: func(t tools, in input, out string) []tree.Pipeline {
			return command(t.finrelay, "convert", in.zip, "-o", out)
		}},
		{name: together, anyFile: true, all: func(t tools, in []input, out string) []tree.Pipeline {
			return command(append([]string{t.finrelay, "convert", "-o", out}, zips(in)...)...)
		}},
		{name: obvious, anyFile: true, steps: func(t tools, in input, out string) []tree.Pipeline {
			return command(t.obvious, in.zip, out)
		}},
		{name: unzip, floor: true, anyFile: true, needs: need{program: "unzip", version: []string{"-v"}, debian: "unzip"},
			steps: func(_ tools, in input, _ string) []tree.Pipeline { return command(unpacked(in)...) }},
		{name: "DuckDB, from a temporary file", formats: csvOnly, needs: peer("duckdb", "@duckdb/node-api"),
			steps: func(t tools, in input, out string) []tree.Pipeline {
				return append(piped(in, in.temp), command("node", script(t, "duckdb"), in.temp, out)...)
			}},
		{name: "DuckDB, piped, schema by hand", formats: csvOnly, needs: peer("duckdb", "@duckdb/node-api"),
			steps: func(t tools, in input, out string) []tree.Pipeline {
				return piped(in, "", "node", script(t, "duckdb"), "/dev/stdin", out, strings.Join(customers.Columns(), ","))
			}},
		{name: "DuckDB, piped, automatic schema", formats: csvOnly, most: slow, known: "the bytes it finds the schema with are gone from the pipe", needs: peer("duckdb", "@duckdb/node-api"),
			steps: func(t tools, in input, out string) []tree.Pipeline {
				return piped(in, "", "node", script(t, "duckdb"), "/dev/stdin", out)
			}},
		{name: "Miller", formats: csvOnly, needs: need{program: "mlr", version: []string{"--version"}, debian: "miller"},
			steps: func(_ tools, in input, out string) []tree.Pipeline {
				return piped(in, out, "mlr", "-S", "--icsv", "--ojsonl", "cat")
			}},
		{name: "Python csv", formats: csvOnly, most: slow, needs: python, steps: func(t tools, in input, out string) []tree.Pipeline {
			return command(t.python, "bench/peers/python/from_csv.py", in.zip, in.member, out)
		}},
		{name: "node csv-parse", formats: csvOnly, most: slow, needs: peer("csv-parse", "csv-parse"), steps: fromPipe("csv-parse")},
		{name: "node csv-parser", formats: csvOnly, most: slow, known: "the byte order mark stays in the first name", needs: peer("csv-parser", "csv-parser"), steps: fromPipe("csv-parser")},
		{name: "node saxes", formats: xmlOnly, most: slow, needs: peer("saxes", "saxes"), steps: fromPipe("saxes")},
		{name: "Python iterparse", formats: xmlOnly, most: slow, needs: python, steps: func(t tools, in input, out string) []tree.Pipeline {
			return command(t.python, "bench/peers/python/from_xml.py", in.zip, in.member, out)
		}},
		{name: "xmllint, parsing to nowhere", floor: true, formats: xmlOnly, most: slow,
			needs: need{program: "xmllint", version: []string{"--version"}, debian: "libxml2-utils"},
			steps: func(_ tools, in input, _ string) []tree.Pipeline {
				return piped(in, "", "xmllint", "--stream", "--noout", "--huge", "-")
			}},
	}
}

func command(args ...string) []tree.Pipeline { return []tree.Pipeline{{Commands: [][]string{args}}} }

func unpacked(in input) []string { return []string{"unzip", "-p", in.zip, dataFiles} }

// piped sends the data file through a command, if there is one, to a file.
func piped(in input, to string, args ...string) []tree.Pipeline {
	p := tree.Pipeline{Commands: [][]string{unpacked(in)}, To: to}
	if len(args) > 0 {
		p.Commands = append(p.Commands, args)
	}
	return []tree.Pipeline{p}
}

func script(t tools, folder string) string { return t.peers[folder] + "/convert.js" }

func fromPipe(folder string) func(tools, input, string) []tree.Pipeline {
	return func(t tools, in input, out string) []tree.Pipeline {
		return piped(in, "", "node", script(t, folder), out)
	}
}

func zips(inputs []input) (names []string) {
	for _, in := range inputs {
		names = append(names, in.zip)
	}
	return names
}

// typed writes the contestant's command as one would type it.
func (c contestant) typed() string {
	t := tools{finrelay: "finrelay", obvious: "obvious", python: "python3", peers: map[string]string{}}
	for _, folder := range []string{"duckdb", "csv-parse", "csv-parser", "saxes"} {
		t.peers[folder] = "bench/peers/" + folder
	}
	in := input{zip: "IN", member: "MEMBER", temp: "TEMP"}
	steps := []tree.Pipeline(nil)
	if c.all != nil {
		steps = c.all(t, []input{in}, "OUT")
	} else {
		steps = c.steps(t, in, "OUT")
	}
	var typed []string
	for _, step := range steps {
		typed = append(typed, step.String())
	}
	text := strings.Join(typed, " && ")
	return strings.ReplaceAll(text, strings.Join(customers.Columns(), ","), "COLUMNS")
}

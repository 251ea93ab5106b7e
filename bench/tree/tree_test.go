//go:build linux

package tree

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const ballast = 32 << 20

// feed gives ballast bytes and then keeps its reader waiting, long enough to be
// sampled. The reader, tail, must hold them all until it knows where they end;
// being no Go program, it takes no more under the race detector.
var (
	feed = []string{"sh", "-c", "head -c 33554432 /dev/zero; sleep 0.3"}
	hold = []string{"tail", "-c", "33554432"}
	both = []string{"sh", "-c", "(head -c 33554432 /dev/zero; sleep 0.3) | tail -c 33554432 >/dev/null"}
)

func nothing() error { return nil }

func run(t *testing.T, steps ...Pipeline) Cost {
	t.Helper()
	cost, err := Run(t.Context(), steps, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return cost
}

func TestPipeline(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	cost := run(t,
		Pipeline{Commands: [][]string{{"printf", "b\na\nb\n"}, {"sort"}, {"uniq", "-c"}}, To: out},
		Pipeline{Commands: [][]string{{"true"}}})
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(content)); strings.Join(got, " ") != "1 a 2 b" {
		t.Errorf("wrote %q", content)
	}
	if cost.Wall <= 0 || cost.CPU <= 0 {
		t.Errorf("cost %+v, want wall and CPU time", cost)
	}
}

// The memory of a process that our command starts counts, and so does that of
// each part of a pipeline. What the test process holds itself must not.
func TestMemoryOfTheTree(t *testing.T) {
	mine := bytes.Repeat([]byte{1}, 4*ballast)
	child := run(t, Pipeline{Commands: [][]string{both}})
	if child.Anon < ballast || child.Anon > ballast*3/2 || child.Resident < child.Anon {
		t.Errorf("with a grandchild of %d bytes: %+v", ballast, child)
	}
	if child.Mark >= ballast {
		t.Errorf("the shell's own mark is %d bytes, its child's memory is in it", child.Mark)
	}
	piped := run(t, Pipeline{Commands: [][]string{feed, hold}})
	if piped.Anon < ballast || piped.Anon > ballast*3/2 || piped.Mark < ballast || piped.Mark > ballast*3/2 {
		t.Errorf("with %d bytes in the last command: %+v", ballast, piped)
	}
	two := run(t, Pipeline{Commands: [][]string{both, both}})
	if two.Anon < 2*ballast || two.Anon > ballast*5/2 {
		t.Errorf("with two of %d bytes at once: %+v", ballast, two)
	}
	turns := run(t, Pipeline{Commands: [][]string{both}}, Pipeline{Commands: [][]string{both}})
	if turns.Anon > ballast*3/2 {
		t.Errorf("one after the other took %d bytes, want no more than one", turns.Anon)
	}
	if mine[0] != 1 {
		t.Fatal("keep mine alive")
	}
}

func TestFailures(t *testing.T) {
	fail := []string{"sh", "-c", "echo no such thing >&2; exit 3"}
	for name, tt := range map[string]struct {
		commands [][]string
		want     string
	}{
		"the first of a pipe": {[][]string{fail, {"cat"}}, "no such thing"},
		"the last of a pipe":  {[][]string{{"true"}, fail}, "exit status 3"},
		"not there":           {[][]string{{"/no/such/program"}, {"cat"}}, "no such file"},
	} {
		_, err := Run(t.Context(), []Pipeline{{Commands: tt.commands}}, nothing)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
		}
	}
	broken := errors.New("disk full")
	if _, err := Run(t.Context(), nil, func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want finish's", err)
	}
}

func TestString(t *testing.T) {
	p := Pipeline{Commands: [][]string{{"unzip", "-p", "IN", "Customers V3.csv"}, {"mlr", "cat"}}, To: "OUT"}
	if got, want := p.String(), "unzip -p IN 'Customers V3.csv' | mlr cat > OUT"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTail(t *testing.T) {
	var w tail
	for range 100 {
		_, _ = w.Write([]byte(strings.Repeat("x", 99) + "\n"))
	}
	_, _ = w.Write([]byte("the end\n"))
	if len(w.b) > tailSize || !strings.HasSuffix(w.String(), "the end") {
		t.Errorf("kept %d bytes", len(w.b))
	}
}

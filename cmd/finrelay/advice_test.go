package main

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
)

// Whatever is advised about any reason names commands that exist, with flags
// that they have, and is completed by the configuration of the run.
func TestAdviceCanBePasted(t *testing.T) {
	a := &app{stdout: io.Discard, stderr: io.Discard}
	root := a.command()
	a.configFile, a.stateFolder = "/etc/fin relay.yaml", "/var/lib/finrelay"
	complete := a.newAdvice(root).complete
	const flags = "-c '/etc/fin relay.yaml' --state-folder /var/lib/finrelay"
	commands := regexp.MustCompile(`\bfinrelay [a-z][^.;,()]*`)
	reasons := typedConstants(t, "../../state/reason.go", "Reason")
	reasons[""] = true // what is said when there is no advice of its own
	found := 0
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		waiting := []string{flows.RetryAdvice(state.Reason(reason), "prod", "prod"), flows.RetryAdvice(state.Reason(reason), "", "lake")}
		for _, text := range append(waiting, flows.Advice(state.Reason(reason))) {
			mentions := commands.FindAllString(text, -1)
			for _, mention := range mentions {
				found++
				if problem := runnable(root, mention); problem != "" {
					t.Errorf("%s: %s: %s", reason, mention, problem)
				}
			}
			if got := strings.Count(complete(text), "finrelay "+flags+" "); got != len(mentions) {
				t.Errorf("%s: %d of %d commands name the configuration: %s", reason, got, len(mentions), complete(text))
			}
		}
		for i, target := range []string{"prod", "lake"} {
			said, ended := strings.CutSuffix(waiting[i], "it goes on by itself, and at once with: finrelay retry "+target)
			if open := leftOpen.FindString(waiting[i]); !ended || open != "" || strings.Contains(said, "finrelay rerun") || strings.Contains(said, "finrelay skip") {
				t.Errorf("%s: of what waits for %s: left open %q: %s", reason, target, open, waiting[i])
			}
			if said != "" && !strings.HasSuffix(said, "; ") || strings.Count(said, "(") != strings.Count(said, ")") {
				t.Errorf("%s: cut badly: %s", reason, waiting[i])
			}
		}
	}
	if found < 90 {
		t.Errorf("found %d commands; the search is broken", found)
	}
}

// leftOpen finds a placeholder that nobody filled.
var leftOpen = regexp.MustCompile(`\b[A-Z]+-ID\b|\bNAME\b|\bPROJECT\b|\bENVIRONMENT\b`)

// runnable says what of a command line does not exist; words after the first
// that is none of ours are prose.
func runnable(root *cobra.Command, line string) string {
	words := strings.Fields(line)[1:]
	c, _, err := root.Find(words)
	if err != nil || c == root {
		return "no such command"
	}
	for _, word := range words {
		if name, ok := strings.CutPrefix(word, "--"); ok && c.Flags().Lookup(name) == nil {
			return "no flag " + word
		}
	}
	if c.Name() == "skip" && !slices.Contains(words, "--why") {
		return "it needs --why"
	}
	return ""
}

func TestAdviceIsCompleted(t *testing.T) {
	a := &app{stdout: io.Discard, stderr: io.Discard}
	root := a.command()
	a.configFile = "/etc/f.yaml"
	v := a.newAdvice(root)
	for _, c := range []struct{ text, want string }{
		{"run finrelay rerun ex_1, then (finrelay status)", "run finrelay -c /etc/f.yaml rerun ex_1, then (finrelay -c /etc/f.yaml status)"},
		{"see finrelay exports show --help", "see finrelay exports show --help"},
		{"finrelay convert x.zip; finrelay demo", "finrelay convert x.zip; finrelay demo"},
		{"finrelay has it; finrelay statuses", "finrelay has it; finrelay statuses"},
		{"nofinrelay status", "nofinrelay status"},
	} {
		if got := v.complete(c.text); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.text, got, c.want)
		}
		if got := (advice{}).complete(c.text); got != c.text {
			t.Errorf("without flags %q becomes %q", c.text, got)
		}
		// However it is cut into writes, the same comes out.
		for cut := range len(c.text) {
			var b strings.Builder
			w := &advising{w: &b, advice: v}
			for _, part := range []string{c.text[:cut], c.text[cut:] + "\n" + c.text} {
				if _, err := io.WriteString(w, part); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil || b.String() != c.want+"\n"+c.want {
				t.Errorf("cut at %d: %q, %v", cut, b.String(), err)
			}
		}
	}
}

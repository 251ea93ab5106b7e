package main

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// configless are commands that read no configuration: advice that names them
// works as it stands.
var configless = []string{"completion", "convert", "demo", "help", "import", "sim", "version"}

// advice makes commands in what finrelay says work when they are pasted: with
// the flags that name this run's configuration, which the person gave and the
// text leaves out. With neither flag it changes nothing.
type advice struct {
	flags   string // "-c /etc/finrelay.yaml", "" when none was given
	mention *regexp.Regexp
}

func (a *app) newAdvice(root *cobra.Command) advice {
	var names, flags []string
	for _, c := range root.Commands() {
		if !slices.Contains(configless, c.Name()) {
			names = append(names, c.Name())
		}
	}
	if a.configFile != "" {
		flags = append(flags, "-c", shellWord(absolute(a.configFile)))
	}
	if a.stateFolder != "" {
		flags = append(flags, "--state-folder", shellWord(absolute(a.stateFolder)))
	}
	return advice{flags: strings.Join(flags, " "), mention: regexp.MustCompile(`\bfinrelay ((?:` + strings.Join(names, "|") + `)\b)`)}
}

// complete puts the flags into each command that a text names. A pointer to
// --help is left alone.
func (v advice) complete(text string) string {
	if v.flags == "" {
		return text
	}
	var b strings.Builder
	for {
		at := v.mention.FindStringSubmatchIndex(text)
		if at == nil {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:at[0]] + "finrelay ")
		if !helpFollows.MatchString(text[at[1]:]) {
			b.WriteString(v.flags + " ")
		}
		b.WriteString(text[at[2]:at[3]])
		text = text[at[1]:]
	}
}

var helpFollows = regexp.MustCompile(`^( [a-z]+)? --help`)

// advising is a writer that completes what it is given, a line at a time.
type advising struct {
	w      io.Writer
	advice advice
	line   []byte // begun and not ended
}

func (w *advising) Write(p []byte) (int, error) {
	w.line = append(w.line, p...)
	end := bytes.LastIndexByte(w.line, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	text := w.advice.complete(string(w.line[:end]))
	w.line = append(w.line[:0], w.line[end:]...)
	if _, err := io.WriteString(w.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes a last line that was not ended.
func (w *advising) Flush() error {
	text := w.advice.complete(string(w.line))
	w.line = nil
	_, err := io.WriteString(w.w, text)
	return err
}

// advise has a command's output for people completed. JSON is for programs,
// and gives texts as they are.
func (a *app) advise(c *cobra.Command) {
	a.advice = a.newAdvice(c.Root())
	path := strings.Fields(c.CommandPath())
	if a.advice.flags == "" || a.output == "json" || len(path) < 2 || slices.Contains(configless, path[1]) || path[1] == "config" && path[len(path)-1] != "lint" {
		return
	}
	w := &advising{w: a.stdout, advice: a.advice}
	a.stdout, a.flush = w, w.Flush
}

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"finrelay/state"
)

// report draws the table and says how it ended.
func (d *demo) report(r demoResults) error {
	d.screen.table(r.lines)
	problems := slices.Clone(r.problems)
	landed, listed := 0, 0
	for _, l := range r.lines {
		for _, p := range l.problems {
			problems = append(problems, fmt.Sprintf("%s (%s): %s", l.entity, l.sent, p))
		}
		switch {
		case l.where.Next != "":
			listed++
		case l.landed:
			landed++
		}
	}
	s := d.screen
	if !r.ok() {
		s.println(s.paint(red, "Not as expected:"))
		for _, p := range problems {
			s.println("  ", oneLine(p))
		}
		s.println()
		return &codedError{exitFailed, fmt.Errorf("demo: %d things are not as expected; the server's log is %s", len(problems), d.path("finrelay.log"))}
	}
	s.println(s.paint(green, fmt.Sprintf("All %d outcomes are as expected, after %.1f s.", len(r.lines), d.since().Seconds())))
	s.paragraph("", fmt.Sprintf("%d exports landed and %d wait on the list for a person, with their rows' whereabouts. "+
		"Checked: each of the %d values that landed against what was sent, each file against its manifest, "+
		"the ledger's numbers, and that no link's signature is in a log or file.", landed, listed, r.values))
	s.println()
	d.next(r)
	return nil
}

// next says where the files are and what to try on them.
func (d *demo) next(r demoResults) {
	s := d.screen
	for _, place := range [][2]string{
		{"rows", d.path("out")}, {"ledger", d.path("state")}, {"settings", d.path("finrelay.yaml")}, {"log", d.path("finrelay.log")},
	} {
		s.println("  ", pad(place[0], 10), place[1])
	}
	s.println()
	s.println("Try next:")
	s.println()
	for _, c := range d.commands(r) {
		s.println("  ", c)
	}
}

// commands are lines for a shell, good as they are.
func (d *demo) commands(r demoResults) []string {
	at := "-c " + shellWord(d.path("finrelay.yaml"))
	program := shellWord(programName())
	lines := []string{program + " status " + at}
	for _, l := range r.lines {
		if l.exportID != "" && strings.HasSuffix(l.expected, string(state.ReasonBadRows)) {
			lines = append(lines, program+" exports show "+l.exportID+" "+at)
		}
	}
	return append(lines, program+" checkpoints "+at)
}

// programName is what the user typed to get here, so that it works again.
func programName() string {
	if len(os.Args) == 0 || os.Args[0] == "" {
		return "finrelay"
	}
	return os.Args[0]
}

// shellWord quotes a word that a shell would not take as it is.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

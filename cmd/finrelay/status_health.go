package main

import (
	"fmt"
	"strings"

	"finrelay/web"
)

// drawHealth says what keeps events out: a ledger that cannot be written, and
// what the door has turned away.
func (a *app) drawHealth(v web.StatusView) {
	for _, t := range v.Troubles {
		fmt.Fprintf(a.stdout, "\nevents cannot be accepted: %s\n    error: %s\n    next: see that the state folder's disk is there, writable and not full: finrelay doctor\n",
			oneLine(t.What), oneLine(t.Detail))
	}
	for _, r := range v.Refused {
		environment := "an environment that is not configured"
		if r.Environment != "" {
			environment = r.Environment
		}
		fmt.Fprintf(a.stdout, "\nevents refused: %d for %s, answered %d, since %s (%s), last %s ago\n",
			r.Count, environment, r.Status, ago(r.Since), showTime(r.Since), ago(r.Last))
		fmt.Fprintf(a.stdout, "    why: %s\n    from: %s\n    next: %s\n", oneLine(r.Why), oneLine(strings.Join(r.Remotes, ", ")), oneLine(r.Next))
	}
}

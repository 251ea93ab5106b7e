package flows

import (
	"context"
	"strings"
	"time"

	"finrelay/state"
)

// claim says whether what FinOps' history tells of a run is a flow's.
type claim int

const (
	notOurs       claim = iota // another entity's, project's or company's
	maybeOurs                  // of a company that is not known
	cameToAnother              // it came here, and another flow took it
	isOurs
)

// claims knows whose past runs are. FinOps' history names no company, so that
// of a run is known only by what came of it here.
type claims struct {
	flow    *Flow
	project string // "" when the flow's rows may come from any
	takes   func(pastEntity) bool
	came    map[string][]state.Came // by execution
}

// claimsOf looks up what came of the runs that ended after a time.
func (r *Relay) claimsOf(ctx context.Context, w watch, runs []pastRun, since time.Time, takes func(pastEntity) bool) (claims, error) {
	c := claims{flow: w.flow, project: string(r.projectName(w)), takes: takes, came: map[string][]state.Came{}}
	for _, run := range runs {
		if run.id == "" || !run.at().After(since) {
			continue
		}
		came, err := r.db.CameOf(ctx, w.environment, run.id)
		if err != nil {
			return c, err
		}
		c.came[run.id] = came
	}
	return c, nil
}

// of judges one entity of a run. What opened here, of whichever company and for
// whichever flow, is no miss of anybody's.
func (c claims) of(run pastRun, e pastEntity) claim {
	ours := c.project == "" || strings.EqualFold(run.project, c.project)
	if !ours || !fits(c.flow.Projects, run.project) || !c.takes(e) {
		return notOurs
	}
	known := maybeOurs
	if len(c.flow.LegalEntities) == 0 {
		known = isOurs
	}
	opened := false
	for _, x := range c.came[run.id] {
		opened = opened || x.Opened && entityKey(x.Entity) == entityKey(e.label)
		switch {
		case known == isOurs, x.LegalEntity == "":
		case fits(c.flow.LegalEntities, x.LegalEntity):
			known = isOurs
		default:
			known = notOurs
		}
	}
	switch {
	case opened && known == isOurs:
		return cameToAnother // of this flow it would have been heard
	case opened:
		return notOurs
	}
	return known
}

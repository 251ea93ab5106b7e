package flows

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"finrelay/exporter/convert"
	"finrelay/flows/cadence"
	"finrelay/state"
)

// Policy says what to do with an export that is readable but not right.
type Policy string

// Policies.
const (
	ParkIt Policy = "park" // nothing becomes visible; a person decides
	LandIt Policy = "land" // bad rows are set aside in a file of their own, the rest lands
	WarnIt Policy = "warn" // it lands and the difference is noted
	OmitIt Policy = "omit" // it counts as landed and no file is written
)

// Flow is a rule: which exports it takes, how they are read and where they go.
type Flow struct {
	Name string

	// What it takes: an export must fit each list that is not empty, of
	// Entities and TargetEntities at least one, since they are two names for
	// one thing. Labels may hold * and ?, and letter case does not count.
	Entities       []string
	TargetEntities []string
	LegalEntities  []string
	Environments   []string
	Sources        []string // event, queue or package
	Queues         []string // canonical activity ids, or names of the flows that poll them
	Projects       []string // data projects, with the same wildcards
	When           string   // jq on the event; "" is always

	Read convert.Options
	// Shape is what becomes of rows behind the reader; the zero value leaves
	// them as they are. Its bad rows follow OnBadRows.
	Shape         convert.Shape
	Outputs       []string
	OnBadRows     Policy // ParkIt (default) or LandIt
	OnRowMismatch Policy // WarnIt (default) or ParkIt
	// HoldTwins parks an export when one that came another way, by event or by
	// queue, may hold the same rows. The default lands both and shows the pair.
	HoldTwins bool

	// OnZeroRows says what to do with an export of 0 rows: LandIt (default)
	// writes an empty file with its manifest, OmitIt writes none, ParkIt asks.
	OnZeroRows Policy
	// Cadence is how often exports are expected; nil when nobody said.
	Cadence *cadence.Cadence

	// FullRefresh says that every run exports all rows, so that a lost one is
	// repaired by the next. The default, incremental, never sends rows again.
	FullRefresh bool

	when *gojq.Code
}

// conditionTime bounds one evaluation of When: an endless jq program must not
// hold a shipment.
const conditionTime = 2 * time.Second

func (f *Flow) compile() error {
	if err := f.Shape.Validate(); err != nil {
		return fmt.Errorf("flow %s: %w", f.Name, err)
	}
	if f.When == "" {
		return nil
	}
	q, err := gojq.Parse(f.When)
	if err != nil {
		return fmt.Errorf("flow %s: condition %q: %w", f.Name, f.When, err)
	}
	if f.when, err = gojq.Compile(q); err != nil {
		return fmt.Errorf("flow %s: condition %q: %w", f.Name, f.When, err)
	}
	return nil
}

// Subject is what flows are matched against.
type Subject struct {
	Environment  string
	Source       string // event, queue or package
	Queue        string // activity id of the queue that brought it; "" otherwise
	Polled       string // the flow that polls that queue; "" when none does any more
	Project      string // data project; "" when nothing tells it
	Entity       string // label
	TargetEntity string // AOT name from the manifest; "" when unknown
	LegalEntity  string
	Event        json.RawMessage // for conditions; may be nil
}

// Match is one flow's answer about one subject.
type Match struct {
	Flow  *Flow
	Takes bool
	Why   string // for people: what fits, or what does not
}

// ConditionError is a flow's condition that could not be evaluated on an
// event. No flow is guessed then: the export is parked.
type ConditionError struct {
	Flow string
	Err  error
}

func (e *ConditionError) Error() string {
	return fmt.Sprintf("condition of flow %s: %v", e.Flow, e.Err)
}

func (e *ConditionError) Unwrap() error { return e.Err }

// match asks one flow.
func (f *Flow) match(ctx context.Context, s Subject) (Match, error) {
	m := Match{Flow: f, Why: f.misfit(s)}
	if m.Why != "" {
		return m, nil
	}
	if f.when != nil {
		ok, err := f.condition(ctx, s.Event)
		if ctx.Err() != nil {
			return m, context.Cause(ctx) // says nothing about the condition
		}
		if err != nil {
			return m, &ConditionError{Flow: f.Name, Err: err}
		}
		if !ok {
			m.Why = "condition " + f.When + " is not true"
			return m, nil
		}
	}
	m.Takes = true
	m.Why = "everything it asks for fits"
	return m, nil
}

func fits(globs []string, value string) bool { return len(globs) == 0 || matchAny(globs, value) }

// misfit says which of a flow's lists does not hold the subject; "" when all
// do. The condition is not asked.
func (f *Flow) misfit(s Subject) string {
	switch {
	case !fits(f.Environments, s.Environment):
		return notIn("environment", s.Environment, f.Environments)
	case len(f.Sources) > 0 && !slices.Contains(f.Sources, s.Source):
		return notIn("source", s.Source, f.Sources)
	case !f.fitsQueue(s):
		return s.whereFrom() + " is not in " + strings.Join(f.Queues, ", ")
	case !fits(f.Projects, s.Project):
		return notIn("data project", s.Project, f.Projects)
	case !f.fitsEntity(s):
		return notIn("entity", s.Entity, slices.Concat(f.Entities, f.TargetEntities))
	case !fits(f.LegalEntities, s.LegalEntity):
		return notIn("legal entity", s.LegalEntity, f.LegalEntities)
	}
	return ""
}

func notIn(what, value string, globs []string) string {
	return fmt.Sprintf("%s %q is not in %s", what, value, strings.Join(globs, ", "))
}

func (f *Flow) fitsEntity(s Subject) bool {
	if len(f.Entities)+len(f.TargetEntities) == 0 {
		return true
	}
	return matchAny(f.Entities, s.Entity) || s.TargetEntity != "" && matchAny(f.TargetEntities, s.TargetEntity)
}

func (f *Flow) condition(ctx context.Context, event json.RawMessage) (bool, error) {
	var input any
	if len(event) > 0 {
		d := json.NewDecoder(strings.NewReader(string(event)))
		d.UseNumber() // a RecId does not survive a float64
		if err := d.Decode(&input); err != nil {
			return false, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, conditionTime)
	defer cancel()
	v, ok := f.when.RunWithContext(limited, input).Next()
	if err, isErr := v.(error); isErr {
		return false, err
	}
	return ok && v != nil && v != false, nil
}

// route gives the flows that take a subject: the first, or all. The flow that
// it came for is asked before the others.
func (r *Relay) route(ctx context.Context, s Subject) ([]*Flow, error) {
	var taken []*Flow
	for _, f := range r.inOrder(s) {
		m, err := f.match(ctx, s)
		if err != nil {
			return nil, err
		}
		if !m.Takes {
			continue
		}
		taken = append(taken, m.Flow)
		if !r.cfg.MatchAll {
			break
		}
	}
	return taken, nil
}

// deliveries lists the outputs of flows; an output that two flows name gets
// the export once, read as the first of them says.
func deliveries(taken []*Flow) []state.NewDelivery {
	var list []state.NewDelivery
	seen := map[string]bool{}
	for _, f := range taken {
		for _, o := range f.Outputs {
			if !seen[o] {
				seen[o] = true
				list = append(list, state.NewDelivery{Output: o, Flow: f.Name})
			}
		}
	}
	return list
}

// matchAny says whether a value fits one of the globs, letter case ignored.
func matchAny(globs []string, value string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return state.MatchGlob(g, value) })
}

package web

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"finrelay/flows"
	"finrelay/state"
)

// MostListed is how many things, and how many groups of them, a status lists.
const MostListed = 20

// ListItem is one thing that needs a person.
type ListItem struct {
	ID          string       `json:"id"`
	Environment string       `json:"environment"`
	Entity      string       `json:"entity,omitempty"`
	LegalEntity string       `json:"legal_entity,omitempty"`
	State       state.State  `json:"state"`
	Reason      state.Reason `json:"reason"`
	Whereabouts string       `json:"whereabouts"`
	Next        string       `json:"next"`
}

// Group is what needs a person for one reason in one environment, with the same
// advice: three hundred exports that no flow takes are one Group.
type Group struct {
	Kind        state.Kind   `json:"kind"`
	Environment string       `json:"environment"`
	State       state.State  `json:"state"`
	Reason      state.Reason `json:"reason"`
	Count       int          `json:"count"`
	Entities    []string     `json:"entities"` // in alphabetical order, at most mostNamed
	MoreNames   int          `json:"more_entities,omitempty"`
	First       ListItem     `json:"first"`                // the one that came first
	Since       time.Time    `json:"since"`                // when that was received
	Why         string       `json:"why,omitempty"`        // of the first
	OtherWhys   int          `json:"other_whys,omitempty"` // how many have another one, numbers and names aside
	Whereabouts string       `json:"whereabouts"`          // that of the first
	Next        string       `json:"next"`                 // for all of them
	// Found are the flags by which rerun, skip and the lists find these and no
	// others; "" when none do.
	Found string `json:"found_by,omitempty"`
	// Skip takes all of them off the list; "" when Next says it, or nothing does.
	Skip string `json:"skip,omitempty"`

	where flows.Whereabouts
	names map[string]bool
}

// mostNamed bounds the entities that a group names, mostJudged the things of
// each kind of which the files are looked at: the others are taken to be like
// the first of the same reason.
const (
	mostNamed  = 5
	mostJudged = 500
)

// standing is one thing that needs a person, before it is said where its rows are.
type standing struct {
	ListItem
	kind   state.Kind
	at     time.Time
	detail string
	where  func() (flows.Whereabouts, error)
}

// needsPerson gives what stands still, oldest first, shipments before exports
// because their links and blobs have clocks running: thing by thing as far as
// MostListed goes, and in groups.
func (a *API) needsPerson(ctx context.Context, environment string) ([]ListItem, []Group, error) {
	list, groups := []ListItem{}, []*Group{}
	for _, read := range []func(context.Context, string) ([]standing, error){a.stillShipments, a.stillExports, a.stillEvents, a.stillExecutions} {
		things, err := read(ctx, environment)
		if err != nil {
			return nil, nil, err
		}
		slices.Reverse(things) // lists are newest first
		for n, t := range things {
			same := func(g *Group) bool {
				return g.Kind == t.kind && g.Environment == t.Environment && g.State == t.State && g.Reason == t.Reason
			}
			i := -1
			if n >= mostJudged {
				i = slices.IndexFunc(groups, same)
			}
			if i < 0 {
				where, err := t.where()
				if err != nil {
					return nil, nil, err
				}
				t.Whereabouts, t.Next = where.String(), where.Next
				if len(list) < MostListed {
					list = append(list, t.ListItem)
				}
				i = slices.IndexFunc(groups, func(g *Group) bool { return same(g) && g.where.SameTrouble(where) })
				if i < 0 {
					i, groups = len(groups), append(groups, t.group(where))
				}
			}
			groups[i].Count++
			groups[i].names[t.Entity] = true
			if alike(t.detail) != alike(groups[i].Why) {
				groups[i].OtherWhys++
			}
		}
	}
	return list, a.finished(ctx, groups), nil
}

func (t standing) group(where flows.Whereabouts) *Group {
	return &Group{Kind: t.kind, Environment: t.Environment, State: t.State, Reason: t.Reason, First: t.ListItem, Since: t.at, Why: t.detail,
		Whereabouts: t.Whereabouts, where: where, names: map[string]bool{}}
}

// particular is what two details may differ in that tell of one cause: the place
// in a file, what is quoted, numbers.
var particular = regexp.MustCompile(`(?m)^.*?:[0-9]+:[0-9]+:|"(?:[^"\\]|\\.)*"|[0-9]+`)

// alike is what a detail has in common with others of the same cause: of its
// first line, and of the first place that it names.
func alike(detail string) string {
	lines := strings.SplitN(detail, "\n", 3)
	return particular.ReplaceAllString(strings.Join(lines[:min(len(lines), 2)], "\n"), "")
}

// finished gives the first groups, with what can only be said when all are known.
func (a *API) finished(ctx context.Context, all []*Group) []Group {
	groups := []Group{}
	for _, g := range all[:min(len(all), MostListed)] {
		for name := range g.names {
			if name != "" {
				g.Entities = append(g.Entities, name)
			}
		}
		slices.Sort(g.Entities)
		g.MoreNames = max(0, len(g.Entities)-mostNamed)
		g.Entities = append([]string{}, g.Entities[:len(g.Entities)-g.MoreNames]...)
		if g.Kind == state.KindEvent {
			g.Why = a.whyUnread(ctx, g.First)
		}
		g.Next = g.First.Next
		if g.Count > 1 {
			g.Found = g.found(all)
			g.Next = g.where.ForAll(g.Found, g.First.ID)
			if g.Found != "" && !g.where.Skips() {
				g.Skip = "finrelay skip " + g.Found + ` --why "not needed"`
			}
		}
		groups = append(groups, *g)
	}
	return groups
}

// found gives the flags that find a group and nothing else that stands still.
func (g *Group) found(all []*Group) string {
	flags := "--reason " + string(g.Reason) + " --environment " + g.Environment
	others := slices.DeleteFunc(slices.Clone(all), func(o *Group) bool { return o == g || o.Reason != g.Reason || o.Environment != g.Environment })
	if len(others) == 0 {
		return flags
	}
	if !slices.ContainsFunc(others, func(o *Group) bool { return o.State == g.State }) {
		return flags + " --state " + string(g.State)
	}
	one := len(g.names) == 1 && g.Kind != state.KindExecution && copyable(g.First.Entity) // runs are not found by an entity
	if one && !slices.ContainsFunc(others, func(o *Group) bool { return o.hasName(g.First.Entity) }) {
		return flags + ` --entity "` + g.First.Entity + `"`
	}
	return ""
}

func (g *Group) hasName(entity string) bool {
	for name := range g.names {
		if strings.EqualFold(name, entity) {
			return true
		}
	}
	return false
}

// copyable says whether a label can stand between quotes in a command: to a
// shell, and as a glob, it is what it is.
func copyable(label string) bool {
	return label != "" && !strings.ContainsAny(label, "\"\\$`!*?\n\r\x00")
}

func (a *API) stillShipments(ctx context.Context, environment string) ([]standing, error) {
	// Without a limit, because lists are newest first and the oldest is what
	// must not fall off; they come from indexes of what is open.
	shipments, err := a.DB.Shipments(ctx, state.Filter{Environment: environment, States: []state.State{state.Parked, state.Expired}, Limit: -1})
	var still []standing
	for _, s := range shipments {
		if !s.RenewAt.IsZero() {
			continue // a fresh link is on its way
		}
		still = append(still, standing{
			ListItem: ListItem{ID: s.ID, Environment: s.Environment, Entity: s.Entity, LegalEntity: s.LegalEntity, State: s.State, Reason: s.Reason},
			kind:     state.KindShipment, at: s.ReceivedAt, detail: s.Detail,
			where: func() (flows.Whereabouts, error) { return a.Relay.ShipmentWhereabouts(s), nil },
		})
	}
	return still, err
}

func (a *API) stillExports(ctx context.Context, environment string) ([]standing, error) {
	exports, err := a.DB.Exports(ctx, state.Filter{Environment: environment, States: []state.State{state.Parked}, Limit: -1})
	var still []standing
	for _, e := range exports {
		still = append(still, standing{
			ListItem: ListItem{ID: e.ID, Environment: e.Environment, Entity: e.Entity, LegalEntity: e.LegalEntity, State: e.State, Reason: e.Reason},
			kind:     state.KindExport, at: e.ReceivedAt, detail: e.Detail,
			where: func() (flows.Whereabouts, error) {
				v, err := a.exportView(ctx, e)
				return v.Where, err
			},
		})
	}
	return still, err
}

func (a *API) stillEvents(ctx context.Context, environment string) ([]standing, error) {
	events, err := a.DB.Events(ctx, state.Filter{Environment: environment, States: []state.State{state.Unreadable}, Limit: -1})
	var still []standing
	for _, e := range events {
		still = append(still, standing{
			ListItem: ListItem{ID: e.ID, Environment: e.Environment, Entity: e.Entity, LegalEntity: e.LegalEntity, State: e.State, Reason: e.Reason},
			kind:     state.KindEvent, at: e.ReceivedAt,
			where: func() (flows.Whereabouts, error) { return a.Relay.EventWhereabouts(e), nil },
		})
	}
	return still, err
}

func (a *API) stillExecutions(ctx context.Context, environment string) ([]standing, error) {
	runs, err := a.DB.Executions(ctx, state.Filter{Environment: environment, States: []state.State{state.Failed, state.Stuck}, Limit: -1})
	var still []standing
	for _, x := range runs {
		still = append(still, standing{
			ListItem: ListItem{ID: x.ID, Environment: x.Environment, Entity: x.Project, LegalEntity: x.LegalEntity, State: x.State, Reason: x.Reason},
			kind:     state.KindExecution, at: x.RequestedAt, detail: x.Detail,
			where: func() (flows.Whereabouts, error) { return a.Relay.ExecutionWhereabouts(x), nil },
		})
	}
	return still, err
}

// whyUnread reads an event again to say what is not understood of it.
func (a *API) whyUnread(ctx context.Context, e ListItem) string {
	body, err := a.DB.Body(ctx, e.ID)
	if err != nil {
		return ""
	}
	why := ""
	for _, in := range a.Relay.Inspect(ctx, e.Environment, body) {
		why = cmp.Or(why, in.Problem)
	}
	return why
}

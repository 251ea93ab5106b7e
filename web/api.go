package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"finrelay/flows"
	"finrelay/state"
)

// API serves the control API.
type API struct {
	DB      *state.DB
	Relay   *flows.Relay
	Version string
	// Serving says that Relay.Run is at work in this process.
	Serving bool
	// Reload reads the server's configuration again; nil where there is none.
	Reload func(context.Context) (Reloaded, error)
	// AlertOn are the remarks that make a status unwell.
	AlertOn []state.Remark
}

// maxInspect is the largest body that inspect takes, in bytes.
const maxInspect = 16 << 20

// Handler gives the routes, all under /api/.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, h func(r *http.Request) (any, error)) { mux.Handle("GET /api/"+path, handle(h)) }
	post := func(path string, h func(r *http.Request) (any, error)) { mux.Handle("POST /api/"+path, handle(h)) }
	get("events", a.listEvents)
	get("events/{id}", a.showEvent)
	get("shipments", a.listShipments)
	get("shipments/{id}", a.showShipment)
	get("exports", a.listExports)
	get("exports/{id}", a.showExport)
	get("checkpoints", a.listCheckpoints)
	get("status", a.status)
	get("journal", a.journal)
	get("journal/last", func(r *http.Request) (any, error) { return a.DB.LastEntry(r.Context()) })
	get("entities", a.entities)
	get("hosts", func(r *http.Request) (any, error) { return a.DB.HostsSeen(r.Context()) })
	get("stats", a.stats)
	get("check", a.check)
	post("rerun", a.rerun)
	post("retry", a.retry)
	post("skip", a.skip)
	post("ack", a.ack)
	post("seen", a.seen)
	post("reload", a.reload)
	post("poll", a.poll)
	post("export", a.export)
	post("reconcile", a.reconcile)
	get("executions", a.listExecutions)
	get("executions/{id}", a.showExecution)
	get("queues", a.queues)
	get("outputs", a.outputs)
	post("outputs/adopt", a.adopt)
	post("inspect/{environment}", a.inspect)
	get("environments/{name}/epoch", a.epoch)
	post("environments/{name}/reset", a.reset)
	return mux
}

// Problem is the body of an answer that is not 2xx.
type Problem struct {
	Error string `json:"error"`
	// Reason is state.ReasonSignIn, ReasonNetwork or ReasonFinOps when it was
	// FinOps that did not do what was asked.
	Reason state.Reason `json:"reason,omitempty"`
}

func handle(h func(r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := h(r)
		var text []byte
		if err == nil {
			// Before the status is sent: a 200 with half a body behind it says
			// nothing to anybody.
			text, err = json.Marshal(body)
		}
		status := http.StatusOK
		if err != nil {
			status = statusOf(err)
			text, _ = json.Marshal(problem(err)) // two strings: cannot fail
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(append(text, '\n')) // the client may be gone
	})
}

func problem(err error) Problem {
	p := Problem{Error: err.Error()}
	if f, ok := errors.AsType[*flows.FinOpsError](err); ok {
		p.Reason = f.Reason
	}
	return p
}

// badRequest is a fault of the client.
type badRequest struct{ error }

// badValue names the parameter that cannot be read.
func badValue(name, value string, err error) error {
	return badRequest{fmt.Errorf("%s=%s: %w", name, value, err)}
}

var errTooLarge = fmt.Errorf("the body is larger than %d bytes", maxInspect)

func statusOf(err error) int {
	switch {
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, new(badRequest)):
		return http.StatusBadRequest
	case errors.Is(err, state.ErrNotFound):
		return http.StatusNotFound
	case errors.As(err, new(*NotReloadedError)):
		return http.StatusUnprocessableEntity
	case errors.As(err, new(*state.TransitionError)), errors.As(err, new(conflict)), errors.Is(err, state.ErrLooking):
		return http.StatusConflict
	case errors.As(err, new(*flows.FinOpsError)):
		return http.StatusBadGateway
	case errors.Is(err, state.ErrClosed), errors.Is(err, flows.ErrStopping):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// filter reads a state.Filter from the query; see FilterQuery for its form. A
// state that is none of those known is refused: a list of nothing would look
// like good news.
func filter(r *http.Request, known []state.State) (state.Filter, error) {
	q := r.URL.Query()
	f := state.Filter{
		Environment: q.Get("environment"),
		Entity:      q.Get("entity"),
		Reason:      state.Reason(q.Get("reason")),
		ShipmentID:  q.Get("shipment"),
		Remark:      state.Remark(q.Get("remark")),
		Unseen:      q.Get("unseen") == "true",
	}
	if err := knownRemark(q.Get("remark")); err != nil {
		return f, err
	}
	for _, s := range strings.Split(q.Get("state"), ",") {
		if s == "" {
			continue
		}
		if !slices.Contains(known, state.State(s)) {
			return f, badRequest{fmt.Errorf("state=%s: it is one of %s", s, stateNames(known))}
		}
		f.States = append(f.States, state.State(s))
	}
	if s := q.Get("since"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return f, badValue("since", s, err)
		}
		f.Since = t
	}
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return f, badValue("limit", s, err)
		}
		f.Limit = n
	}
	return f, nil
}

func (a *API) listEvents(r *http.Request) (any, error) {
	f, err := filter(r, EventStates)
	if err != nil {
		return nil, err
	}
	events, err := a.DB.Events(r.Context(), f)
	views := make([]EventView, 0, len(events))
	for _, e := range events {
		views = append(views, a.eventView(e))
	}
	return views, err
}

func (a *API) eventView(e state.Event) EventView {
	return EventView{Event: e, Next: a.Relay.EventWhereabouts(e).Next}
}

func (a *API) showEvent(r *http.Request) (any, error) {
	ctx := r.Context()
	id, err := a.DB.Find(ctx, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	e, err := a.DB.Event(ctx, id)
	if err != nil {
		return nil, err
	}
	v := a.eventView(e)
	body, err := a.DB.Body(ctx, id)
	if notFoundIsNil(err) != nil {
		return nil, err
	}
	v.Body = string(body)
	v.Story, err = a.DB.Story(ctx, id)
	if err != nil || e.ShipmentID == "" {
		return v, err
	}
	of, err := a.DB.Story(ctx, e.ShipmentID)
	v.Story = mergeStories(v.Story, of)
	return v, err
}

func mergeStories(x, y []state.JournalEntry) []state.JournalEntry {
	seen := map[int64]bool{}
	var all []state.JournalEntry
	for len(x)+len(y) > 0 {
		if len(y) == 0 || len(x) > 0 && x[0].Seq <= y[0].Seq {
			x, y = y, x // the smaller head is now y's
		}
		if !seen[y[0].Seq] {
			seen[y[0].Seq] = true
			all = append(all, y[0])
		}
		y = y[1:]
	}
	return all
}

func (a *API) listShipments(r *http.Request) (any, error) {
	f, err := filter(r, ShipmentStates)
	if err != nil {
		return nil, err
	}
	shipments, err := a.DB.Shipments(r.Context(), f)
	views := make([]ShipmentView, 0, len(shipments))
	for _, s := range shipments {
		views = append(views, a.shipmentView(s))
	}
	return views, err
}

func (a *API) showShipment(r *http.Request) (any, error) {
	ctx := r.Context()
	id, err := a.DB.Find(ctx, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	s, err := a.DB.Shipment(ctx, id)
	if err != nil {
		return nil, err
	}
	v := a.shipmentView(s)
	if v.Exports, err = a.exportViews(ctx, state.Filter{ShipmentID: id, Limit: -1}); err != nil {
		return nil, err
	}
	v.Story, err = a.DB.Story(ctx, id)
	return v, err
}

func (a *API) listExports(r *http.Request) (any, error) {
	f, err := filter(r, ExportStates)
	if err != nil {
		return nil, err
	}
	return a.exportViews(r.Context(), f)
}

func (a *API) showExport(r *http.Request) (any, error) {
	ctx := r.Context()
	id, err := a.DB.Find(ctx, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	e, err := a.DB.Export(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := a.exportView(ctx, e)
	if err != nil {
		return nil, err
	}
	v.Story, err = a.DB.Story(ctx, id)
	return v, err
}

func (a *API) listCheckpoints(r *http.Request) (any, error) {
	f, err := filter(r, nil)
	if err != nil {
		return nil, err
	}
	c, err := a.DB.Checkpoints(r.Context(), f)
	if c == nil {
		c = []state.Checkpoint{}
	}
	return c, err
}

func (a *API) status(r *http.Request) (any, error) {
	environment := r.URL.Query().Get("environment")
	s, err := a.DB.Status(r.Context(), environment)
	if err != nil {
		return nil, err
	}
	if s.Lines == nil {
		s.Lines = []state.StatusLine{}
	}
	v := StatusView{Status: s, Version: a.Version, Serving: a.Serving}
	if v.Queues, err = a.queueViews(r.Context(), environment); err != nil {
		return nil, err
	}
	for _, q := range v.Queues {
		if q.Failures >= FailingPolls || q.DrainedAt.IsZero() && !q.HeldBackAt.IsZero() {
			v.QueuesFailing++
		}
	}
	if v.Cadences, v.Late, err = a.cadences(r.Context(), environment); err != nil {
		return nil, err
	}
	if v.Waiting, err = a.waitViews(r.Context(), environment); err != nil {
		return nil, err
	}
	if v.LinksLate, err = a.DB.LinksLate(r.Context(), environment); err != nil {
		return nil, err
	}
	if v.Overdue, err = a.DB.Overdue(r.Context(), environment); err != nil {
		return nil, err
	}
	v.Troubles = a.troubles()
	if v.Refused, err = a.refusalViews(r.Context(), environment); err != nil {
		return nil, err
	}
	if v.Remarks, err = a.remarkViews(r.Context(), environment); err != nil {
		return nil, err
	}
	v.List, v.Groups, err = a.needsPerson(r.Context(), environment)
	return v, err
}

// Stats are counts of this process.
type Stats struct {
	Commits int64 `json:"commits"` // SQLite's own count, from its commit hook
}

func (a *API) stats(*http.Request) (any, error) { return Stats{Commits: a.DB.Commits()}, nil }

func (a *API) inspect(r *http.Request) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxInspect+1))
	if err != nil {
		return nil, badRequest{err}
	}
	if len(body) > maxInspect {
		return nil, errTooLarge
	}
	return a.Relay.Inspect(r.Context(), r.PathValue("environment"), body), nil
}

// Epoch is the answer of an environment's reset.
type Epoch struct {
	Environment string `json:"environment"`
	Epoch       int64  `json:"epoch"`
	// Forgotten is what made duplicates until now and does not any more; before
	// the reset, what would not.
	Forgotten Forgotten `json:"forgotten"`
}

// Forgotten counts the identities of the epoch that ended.
type Forgotten struct {
	Epoch    int64     `json:"epoch"`
	Since    time.Time `json:"since,omitzero"` // when that epoch began; absent for the first
	Events   int64     `json:"events"`
	LastSeen time.Time `json:"last_seen,omitzero"` // the last of those events
	Messages int64     `json:"messages"`           // of queues
	// Unacked are messages that FinOps may hand out again: they would count as
	// new ones.
	Unacked int64 `json:"unacked"`
}

// epoch says what a reset would make forgotten.
func (a *API) epoch(r *http.Request) (any, error) {
	name := r.PathValue("name")
	if !a.Relay.KnowsEnvironment(name) {
		return nil, badRequest{errors.New("environment " + name + " is not configured")}
	}
	was, err := a.DB.Epoch(r.Context(), name)
	return Epoch{Environment: name, Epoch: was.Number, Forgotten: Forgotten{
		Epoch: was.Number, Since: was.Since, Events: was.Events, LastSeen: was.LastSeen, Messages: was.Messages, Unacked: was.Unacked,
	}}, err
}

func (a *API) reset(r *http.Request) (any, error) {
	before, err := a.epoch(r)
	if err != nil {
		return nil, err
	}
	e := before.(Epoch)
	e.Epoch, err = a.DB.ResetEnvironment(r.Context(), e.Environment, "by "+by(r.URL.Query().Get("by")))
	return e, err
}

// by names the person for the journal: who is said to ask, else the account.
func by(said string) string {
	if said != "" {
		return said
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "somebody"
}

package sim

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Options returns base with what the scenario says about the simulator as a
// whole: seed, clock, link life, retention and sign-in. A clock in base stays.
func (sc Scenario) Options(base Options) Options {
	if base.Clock == nil && !sc.Clock.IsZero() {
		base.Clock = new(Clock)
		base.Clock.Advance(time.Until(sc.Clock)) // and runs on
	}
	if sc.Seed != 0 {
		base.Seed = sc.Seed
	}
	base.LinkLife = orDefault(sc.LinkLife, base.LinkLife)
	base.Retention = orDefault(sc.Retention, base.Retention)
	base.OnPremises = base.OnPremises || sc.SignIn.OnPremises
	id := &base.Identity
	id.Tenant = orElse(sc.SignIn.Tenant, id.Tenant)
	id.TenantID = orElse(sc.SignIn.TenantID, id.TenantID)
	id.TokenLife = orDefault(sc.SignIn.TokenLife, id.TokenLife)
	id.SignInPage = id.SignInPage || sc.SignIn.Page
	if len(sc.SignIn.Apps) > 0 {
		id.Apps = []App{} // not the default app: Setup adds the scenario's
	}
	return base
}

// Setup puts the scenario's apps, projects, activities and faults into the
// simulator; their times count from now. Play does it too; Setup alone is for a
// test that has its own timeline. The simulator should be made with the
// scenario's Options.
func (s *Sim) Setup(sc Scenario) {
	begin := s.clock.Now()
	for _, a := range sc.SignIn.Apps {
		app := App{ClientID: a.ClientID, Secret: a.Secret, NoPrincipal: a.NoPrincipal, NotListed: a.NotListed, NoRights: a.NoRights}
		if a.SecretExpires > 0 {
			app.SecretExpires = begin.Add(a.SecretExpires)
		}
		s.SetApp(app)
	}
	for _, p := range sc.Projects {
		s.AddProject(p.project())
		for _, e := range p.Executions {
			s.ScriptNext(p.Name, e.script())
		}
	}
	for _, a := range sc.Activities {
		s.AddActivity(a.ID, ActivityOptions{
			Project: a.Project, Clients: a.Clients, Location: LocationStyle(a.Location), Braces: a.Braces,
			Visibility: a.Visibility, StaleReceipt: a.StaleReceipt, EmptyAs200: a.EmptyAs200,
		})
	}
	for _, f := range sc.Faults {
		s.Fault(f.fault(begin))
	}
}

func (p ScenarioProject) project() Project {
	pr := Project{Name: p.Name, Incremental: p.Incremental, LegalEntities: p.LegalEntities, Format: Format(strings.ToLower(p.Format)), Script: p.Script.script()}
	for _, e := range p.Entities {
		pr.Entities = append(pr.Entities, ProjectEntity(e))
	}
	return pr
}

func (sc ScenarioScript) script() ExecutionScript { return ExecutionScript(sc) }

func (f ScenarioFault) fault(begin time.Time) Fault {
	out := Fault{
		Route: f.Route, Blob: f.Blob, Subject: f.Subject, Client: f.Client, Skip: f.Skip, Times: f.Times,
		Delay: f.Delay, Status: f.Status, Code: f.Code, Message: f.Message,
		RetryAfter: f.RetryAfter, RetryAfterDate: f.RetryAfterDate, RetryAfterGrow: f.RetryAfterGrow,
		NoAzureHeaders: f.ProxyPage, Lost: f.Lost, Reset: f.Reset, CutAfter: f.CutAfter, HangAfter: f.HangAfter,
		DripBytesPerSec: f.Drip, WrongETag: f.WrongETag, WrongLength: f.WrongLength, IgnoreRange: f.IgnoreRange,
		ContentType: f.ContentType, Redirect: f.Redirect, NoLength: f.NoLength, Gzip: f.Gzip,
	}
	if f.Body != "" {
		out.Body = []byte(f.Body)
	}
	if f.From > 0 {
		out.From = begin.Add(f.From)
	}
	if f.Until > 0 {
		out.Until = begin.Add(f.Until)
		if out.Times == 0 {
			out.Times = Always
		}
	}
	return out
}

// Target is where a scenario plays to.
type Target struct {
	Door string // URL that events are posted to; "" = events are made, not sent
	Key  string // the door's key, sent as ?code=; "" = none
	// Until ends the play so long after its beginning; 0 = with the timeline.
	Until time.Duration
	// Each is told what happened, with the clock at that time, before anything
	// else does; an error ends the play. nil = nobody is.
	Each func(context.Context, Played) error
	// Pass moves a clock that stands to the time of the next step, in strides of
	// the caller's own, for a client that has to live through what lies between;
	// an error ends the play. nil = in one stride. A clock that runs needs none.
	Pass func(ctx context.Context, to time.Time) error
}

// Played is one thing that a scenario did: an export's package or file, or a
// step that exports nothing.
type Played struct {
	Step        int // index in Timeline
	Time        time.Time
	ExecutionID string
	Project     string
	LegalEntity string
	Entity      string // "" = a package of all of the project's
	Rows        int
	Blob        *Blob
	Event       *Event    // nil = none
	Delivery    *Delivery // nil = not sent
	Message     *Message  // nil = none
}

// Play sets the scenario up and plays its timeline on the simulator's clock: in
// real time while the clock runs; a clock that stands is moved from one step to
// the next without waiting. Steps of one time come in the order of the file.
// An event is sent before the next step; one that was given up is in Errors and
// no error here. It returns when the timeline or Target.Until is over, ctx has
// ended, or Each has failed.
func (s *Sim) Play(ctx context.Context, sc Scenario, target Target) error {
	if s.clock.stands() && target.Until == 0 {
		for i, st := range sc.Timeline {
			if st.Times == Always {
				return fmt.Errorf("play scenario: timeline[%d] has no end and the clock stands; set Target.Until", i)
			}
		}
	}
	s.Setup(sc)
	begin := s.clock.Now()
	next := make([]time.Duration, len(sc.Timeline)) // when each step is due
	left := make([]int, len(sc.Timeline))
	pads := new(pads)
	for i, st := range sc.Timeline {
		next[i], left[i] = st.At, max(1, st.Times)
		if st.Times == Always {
			left[i] = Always
		}
	}
	for {
		i := earliest(next, left)
		if i < 0 || target.Until > 0 && next[i] >= target.Until {
			break
		}
		if err := s.waitFor(ctx, begin.Add(next[i]), target.Pass); err != nil {
			return err
		}
		if err := s.playStep(ctx, i, sc.Timeline[i], target, pads); err != nil {
			return err
		}
		next[i] += sc.Timeline[i].Every
		if left[i] != Always {
			left[i]--
		}
	}
	if target.Until > 0 {
		return s.waitFor(ctx, begin.Add(target.Until), target.Pass)
	}
	return nil
}

// earliest returns the step that is due first; -1 if none is left.
func earliest(next []time.Duration, left []int) int {
	best := -1
	for i, at := range next {
		if left[i] != 0 && (best < 0 || at < next[best]) {
			best = i
		}
	}
	return best
}

// waitFor lets the clock come to t; pass moves it when it stands.
func (s *Sim) waitFor(ctx context.Context, t time.Time, pass func(context.Context, time.Time) error) error {
	if s.clock.stands() && pass != nil && s.clock.Now().Before(t) {
		if err := pass(ctx, t); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		d := t.Sub(s.clock.Now())
		if d <= 0 {
			return nil
		}
		if s.clock.stands() {
			s.clock.Advance(d)
			return nil
		}
		// In pieces: the clock may be moved meanwhile.
		pause(ctx, min(d, 100*time.Millisecond))
	}
	return context.Cause(ctx)
}

func (s *Sim) playStep(ctx context.Context, i int, st ScenarioStep, target Target, pads *pads) error {
	if r := st.RotateSecret; r != nil {
		s.RotateSecret(r.ClientID, r.Secret)
	}
	if st.RevokeTokens {
		s.RevokeTokens()
	}
	all := []Played{{}}
	if st.Project != "" {
		all = s.playExport(st, pads)
	}
	for _, p := range all {
		p.Step, p.Time = i, s.clock.Now()
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if p.Event != nil && target.Door != "" {
			d := s.Send(ctx, doorURL(target), s.Payload(*p.Event))
			p.Delivery = &d
		}
		if target.Each == nil {
			continue
		}
		if err := target.Each(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func doorURL(t Target) string {
	if t.Key == "" {
		return t.Door
	}
	join := "?"
	if strings.Contains(t.Door, "?") {
		join = "&"
	}
	return t.Door + join + "code=" + url.QueryEscape(t.Key)
}

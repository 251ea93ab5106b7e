package sim

import (
	"fmt"
	"slices"
	"time"
)

// leastLife is the shortest that a link, a token or a message's hiding may
// live in real time: a link names its end in whole seconds, and a client that
// does all well needs a second or two.
const leastLife = 5 * time.Second

// Faster gives the scenario as it is when all of it is n times as fast: when
// things happen, how long they last, how long links, tokens, receipts and files
// live, and what Retry-After asks for. One clock stays for all of it, the real
// one, so whatever a client reads (se= in a link, expires_in, Date) is true by
// its own, and what outlives what is as in the story. What the wire takes is not
// changed: Delay, Drip, and FinOps' own tries of an event.
//
// It returns an error when n is below 1, or leaves something that a client holds
// less than five seconds.
func (sc Scenario) Faster(n float64) (Scenario, error) {
	if !(n >= 1) { // NaN too
		return sc, fmt.Errorf("a speed of %v: it is 1 or more", n)
	}
	sc = sc.withLives()
	if what, life := sc.shortest(); float64(life)/n < float64(leastLife) {
		return sc, fmt.Errorf("%v times as fast, %s would live %v, and a client needs %v: at most %d, or write a longer one into the scenario",
			n, what, time.Duration(float64(life)/n).Round(time.Millisecond), leastLife, max(1, int64(life/leastLife)))
	}
	fast := func(d *time.Duration) { *d = time.Duration(float64(*d) / n) }
	fast(&sc.LinkLife)
	fast(&sc.Retention)
	fast(&sc.SignIn.TokenLife)
	for i := range sc.SignIn.Apps {
		fast(&sc.SignIn.Apps[i].SecretExpires)
	}
	for i := range sc.Projects {
		p := &sc.Projects[i]
		fast(&p.Script.Lasts)
		for j := range p.Executions {
			fast(&p.Executions[j].Lasts)
		}
	}
	for i := range sc.Activities {
		fast(&sc.Activities[i].Visibility)
	}
	for i := range sc.Timeline {
		fast(&sc.Timeline[i].At)
		fast(&sc.Timeline[i].Every)
	}
	for i := range sc.Faults {
		f := &sc.Faults[i]
		for _, d := range []*time.Duration{&f.From, &f.Until, &f.RetryAfter, &f.RetryAfterGrow} {
			fast(d)
		}
	}
	return sc, nil
}

// withLives is a copy that shares nothing, with the lives that the file leaves
// to the simulator.
func (sc Scenario) withLives() Scenario {
	sc.LinkLife = orDefault(sc.LinkLife, DefaultLinkLife)
	sc.Retention = orDefault(sc.Retention, DefaultRetention)
	sc.SignIn.TokenLife = orDefault(sc.SignIn.TokenLife, DefaultTokenLife)
	sc.SignIn.Apps = slices.Clone(sc.SignIn.Apps)
	sc.Projects = slices.Clone(sc.Projects)
	for i := range sc.Projects {
		sc.Projects[i].Executions = slices.Clone(sc.Projects[i].Executions)
	}
	sc.Activities = slices.Clone(sc.Activities)
	for i := range sc.Activities {
		sc.Activities[i].Visibility = orDefault(sc.Activities[i].Visibility, DefaultVisibility)
	}
	sc.Timeline = slices.Clone(sc.Timeline)
	sc.Faults = slices.Clone(sc.Faults)
	return sc
}

// shortest names what lives shortest of what a client holds. Tokens count when
// there is something to call for.
func (sc Scenario) shortest() (what string, life time.Duration) {
	what, life = "links (link_life)", sc.LinkLife
	for _, a := range sc.Activities {
		if a.Visibility < life {
			what, life = "receipts (visibility)", a.Visibility
		}
	}
	if len(sc.Activities) > 0 && sc.SignIn.TokenLife < life {
		what, life = "tokens (token_life)", sc.SignIn.TokenLife
	}
	return what, life
}

// Ends is when the last step of the timeline is due, after the beginning; false
// when the timeline has no end.
func (sc Scenario) Ends() (after time.Duration, ends bool) {
	for _, st := range sc.Timeline {
		if st.Times == Always {
			return 0, false
		}
		after = max(after, st.At+st.Every*time.Duration(max(1, st.Times)-1))
	}
	return after, true
}

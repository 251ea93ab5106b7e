package flows

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"finrelay/state"
)

// neverParked are reasons that no thing waits or stands still for: they tell a
// story, or speak of what a person has decided.
var neverParked = []state.Reason{
	state.ReasonEndpointTest, state.ReasonImportStatus, state.ReasonNoLink, // ignored events
	state.ReasonRerun, state.ReasonRetry, state.ReasonSkipped, state.ReasonTaken, state.ReasonSeen, // a person's verbs
	state.ReasonDuplicateEvent, state.ReasonFreshLink, state.ReasonShutdown, state.ReasonRawRemoved, state.ReasonNewEpoch, // the journal's
	state.ReasonRedelivered, state.ReasonNoFile, state.ReasonNoFreshLink, // a queue's, done with
	state.ReasonStillRunning, state.ReasonPlace, // the journal's
	state.ReasonSameExport, state.ReasonSuperseded, // closed by what came another way
}

func TestEveryReasonHasAdvice(t *testing.T) {
	all := constants[state.Reason](t, "../state", "Reason")
	for _, reason := range neverParked {
		delete(all, reason)
	}
	for reason, name := range all {
		if advice[reason] == "" {
			t.Errorf("%s: no advice; a person who reads %q at night has nothing to do", name, reason)
		}
	}
	for reason := range advice {
		if all[reason] == "" {
			t.Errorf("advice on %q, which is no reason to stand still", reason)
		}
	}
}

// Advice is copied from a screen into a shell.
func TestAdviceNamesCommandsThatExist(t *testing.T) {
	files, err := filepath.Glob("../cmd/finrelay/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no commands", err)
	}
	commands := map[string]bool{}
	use := regexp.MustCompile(`Use:\s+"([a-z]+)`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range use.FindAllStringSubmatch(string(source), -1) {
			commands[m[1]] = true
		}
	}
	texts := map[string]string{"default": Advice("no such reason"), "full push": (&Relay{}).fullPush(state.Shipment{})}
	for reason, text := range advice {
		texts[string(reason)] = text
	}
	for remark := range remarkAdvice {
		texts["remark "+string(remark)] = nextOf(state.Remarks{remark}, "prod")
	}
	called := regexp.MustCompile(`finrelay ([a-z]+)`)
	ids := regexp.MustCompile(`\bID\b`)
	for name, text := range texts {
		for _, m := range called.FindAllStringSubmatch(text, -1) {
			if m[1] != "says" && m[1] != "reads" && !commands[m[1]] {
				t.Errorf("%s: there is no command %q: %s", name, m[1], text)
			}
		}
		if ids.MatchString(strings.NewReplacer("EVENT-ID", "", "SHIPMENT-ID", "", "EXPORT-ID", "", "EXECUTION-ID", "").Replace(text)) {
			t.Errorf("%s: says ID where about() puts none: %s", name, text)
		}
	}
}

func TestShipmentWhereabouts(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.open(w.takesAll())
	now := w.db.Now()
	order := state.OrderKey{At: now.Add(-time.Hour)}
	old := state.OrderKey{At: now.Add(-BlobLife - time.Hour)}
	for _, c := range []struct {
		name  string
		s     state.Shipment
		place Place
		until time.Time
		next  string // part of it; "" wants none
	}{
		{"just arrived", state.Shipment{State: state.Pending, Order: order, Deadline: now.Add(time.Hour)}, InFinOps, now.Add(time.Hour), ""},
		{"on the wire", state.Shipment{State: state.Fetching, Order: order, Deadline: now.Add(time.Hour)}, InFinOps, now.Add(time.Hour), ""},
		{"waiting", state.Shipment{State: state.Waiting, Reason: state.ReasonBusy, DueAt: now.Add(time.Minute), Order: order, Deadline: now.Add(time.Hour)}, InFinOps, now.Add(time.Hour), "tries again at"},
		{"late by our clock", state.Shipment{State: state.Pending, Order: order, Deadline: now.Add(-time.Minute)}, AtRisk, time.Time{}, "only the server"},
		{"waiting, late by our clock", state.Shipment{State: state.Waiting, Reason: state.ReasonNetwork, DueAt: now.Add(time.Minute), Order: order, Deadline: now.Add(-time.Minute)}, AtRisk, time.Time{}, "only the server"},
		{"expired", state.Shipment{State: state.Expired, Reason: state.ReasonLinkExpired, Order: order}, AtRisk, order.At.Add(BlobLife), "fresh link"},
		{"expired long ago", state.Shipment{State: state.Expired, Reason: state.ReasonLinkExpired, Order: old}, Lost, time.Time{}, "full push"},
		{"refused", state.Shipment{State: state.Parked, Reason: state.ReasonLinkRefused, Order: order}, AtRisk, order.At.Add(BlobLife), "allow this machine"},
		{"gone", state.Shipment{State: state.Parked, Reason: state.ReasonLinkGone, Order: order}, Lost, time.Time{}, "full push"},
		{"skipped", state.Shipment{State: state.Settled, Reason: state.ReasonSkipped}, SkippedHere, time.Time{}, ""},
		{"a raw file that the ledger believes in", state.Shipment{State: state.Parked, Reason: state.ReasonDamaged, RawFile: "ledger.db", Order: order}, SafeHere, time.Time{}, "raw file"},
		{"settled long ago, raw file removed", state.Shipment{State: state.Settled, RawFile: "raw/x", RawRemovedAt: now}, LandedHere, time.Time{}, ""},
	} {
		c.s.ID, c.s.Entity = "sh_1", "Customer groups"
		got := w.relay.ShipmentWhereabouts(c.s)
		if got.Place != c.place || !got.Until.Equal(c.until) || !strings.Contains(got.Next, c.next) || (c.next == "") != (got.Next == "") {
			t.Errorf("%s: %s, next %q; want %s until %v, next %q", c.name, got, got.Next, c.place, c.until, c.next)
		}
	}
}

func TestWhereaboutsAsText(t *testing.T) {
	w := Whereabouts{Place: InFinOps, Until: time.Date(2026, 3, 2, 11, 15, 0, 0, time.FixedZone("CET", 3600))}
	if got := w.String(); got != "still in FinOps until 2026-03-02 10:15 UTC" {
		t.Error(got)
	}
	if got := (Whereabouts{Place: SafeHere}).String(); got != "safe here" {
		t.Error(got)
	}
}

// That the next run brings the rows again may be said only when it is sure.
func TestFullRefresh(t *testing.T) {
	s := state.Shipment{Environment: "prod", Entity: "Customer groups", LegalEntity: "usmf"}
	incremental, full := Flow{Name: "i"}, Flow{Name: "f", FullRefresh: true}
	with := func(f Flow, change func(*Flow)) Flow { change(&f); return f }
	for _, c := range []struct {
		name  string
		flows []Flow
		want  bool
	}{
		{"no flow", nil, false},
		{"full", []Flow{full}, true},
		{"incremental", []Flow{incremental}, false},
		{"the first that takes it counts", []Flow{incremental, full}, false},
		{"of another entity", []Flow{with(full, func(f *Flow) { f.Entities = []string{"Units"} }), incremental}, false},
		{"of another company", []Flow{with(full, func(f *Flow) { f.LegalEntities = []string{"demf"} }), incremental}, false},
		{"of another environment", []Flow{with(full, func(f *Flow) { f.Environments = []string{"uat"} }), incremental}, false},
		{"by a target entity that is not known", []Flow{with(full, func(f *Flow) { f.TargetEntities = []string{"Cust*"} })}, false},
		{"on a condition", []Flow{with(full, func(f *Flow) { f.When = ".x" })}, false},
		{"of another source", []Flow{with(full, func(f *Flow) { f.Sources = []string{byQueue} }), incremental}, false},
		{"by a data project that is not told", []Flow{with(full, func(f *Flow) { f.Projects = []string{"Daily"} }), incremental}, false},
		{"by one that is not told, and in any case", []Flow{with(full, func(f *Flow) { f.Projects = []string{"Daily"} }), full}, true},
		{"perhaps an incremental one's", []Flow{with(incremental, func(f *Flow) { f.Projects = []string{"Daily"} }), full}, false},
	} {
		for i := range c.flows {
			if err := c.flows[i].compile(); err != nil {
				t.Fatal(err)
			}
		}
		said := (&Relay{cfg: Config{Flows: c.flows}}).fullPush(s)
		if strings.Contains(said, "brings these rows again") != c.want {
			t.Errorf("%s: %s", c.name, said)
		}
	}
}

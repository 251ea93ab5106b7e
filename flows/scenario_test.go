package flows

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finrelay/dmf"
	"finrelay/dmf/sim"
	"finrelay/state"
)

// outcome is what must have become of a scenario's files at its end. What the
// simulator made beyond these numbers fails the test.
type outcome struct {
	method   string // of sign-in; "" = MethodV1
	messages int    // of a scenario that is too long for a test: as many as this
	ask      []ExportRequest
	asked    time.Duration // after the beginning

	landed int // exports
	same   int // copies that FinOps proves to be of a run that came another way
	noFile int // messages that say so: recorded and acked
	// Exports that stand on the list, and executions that made no file: what a
	// person decides.
	parked map[state.Reason]int
	failed map[state.Reason]int
	// Polls that must have ended with a problem that holds this text.
	problem string
}

// scenarioOutcomes is the table of docs/simulator.md, "Ready scenarios", as
// numbers.
var scenarioOutcomes = map[string]outcome{
	"calm": {landed: 16 + 12},
	"flaky": {
		ask: []ExportRequest{{Project: "Contoso sales orders"}, {Project: "Contoso sales orders"}, {Project: "Contoso sales orders"}},
		// The second run answers with an empty id, and the third succeeds partly.
		landed: 12 + 12 + 1, failed: map[state.Reason]int{state.ReasonNotStarted: 1}, parked: map[state.Reason]int{state.ReasonPartial: 1},
	},
	"gateway": {landed: 18},
	"throttled": {
		ask: []ExportRequest{{Project: "Contoso sales orders"}}, asked: 2*time.Minute + 30*time.Second,
		landed: 10 + 5 + 1, problem: "429",
	},
	"expiring":     {landed: 10 + 5, same: 5},  // the five come by event and by queue, and FinOps says of which run a message is
	"backlog-2000": {messages: 12, landed: 12}, // all of it: go run ./bench/queue -messages 2000
	"month-end":    {landed: 240 + 1 + 6, noFile: 2},
	"wrong-secret": {landed: 6, problem: "AADSTS7000215"},
	"on-premises": {
		method: dmf.MethodADFS,
		ask:    []ExportRequest{{Project: "Contoso customers", LegalEntities: []string{"usmf", "demf"}}},
		// The first start is refused while somebody edits the project; that of the
		// second company is not held up by it.
		landed: 6 + 2, failed: map[state.Reason]int{state.ReasonNotStarted: 1},
	},
}

// TestScenariosLand plays every ready scenario against a relay, door and queue
// and package API, on the simulator's clock, and wants each file that the
// simulator made to have landed once with the rows that it was made of, or to
// stand on the list with a reason and what to do. No ack may arrive before the
// raw file is in place.
func TestScenariosLand(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "scenarios", "*.yaml"))
	if err != nil || len(files) != len(scenarioOutcomes) {
		t.Fatalf("%d scenarios, %v; want %d", len(files), err, len(scenarioOutcomes))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, ok := scenarioOutcomes[name]
			if !ok {
				t.Fatalf("no outcome of %s is known", name)
			}
			p := newPlayedScenario(t, file, want)
			p.play()
			p.checkFiles()
			p.checkList()
		})
	}
}

func readScenario(t *testing.T, file string, want outcome) sim.Scenario {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := sim.LoadScenario(text)
	if err != nil {
		t.Fatal(err)
	}
	if want.messages > 0 {
		sc.Timeline[0].Times = want.messages
	}
	return sc
}

// checkList compares what a person has to decide about.
func (p *playedScenario) checkList() {
	p.t.Helper()
	parked, failed := map[state.Reason]int{}, map[state.Reason]int{}
	for _, e := range p.exports {
		if e.State == state.Landed {
			continue
		}
		at := p.where(e)
		if e.State == state.Skipped && e.Reason == state.ReasonSameExport {
			p.wantTwin(e)
			continue
		}
		if e.State != state.Parked || at.Place != SafeHere || at.Next == "" {
			p.t.Errorf("export %s of %s is %s %q, its rows %q, next %q; want it parked, safe here, with what to do", e.ID, e.Entity, e.State, e.Reason, at.Place, at.Next)
		}
		parked[e.Reason]++
	}
	executions, err := p.db.Executions(p.t.Context(), state.Filter{Limit: -1})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, x := range executions {
		if x.State == state.Done {
			continue
		}
		if at := p.relay.ExecutionWhereabouts(x); x.State != state.Failed || at.Next == "" {
			p.t.Errorf("execution of %s for %s is %s (%s), next %q; want it done, or failed with what to do", x.Project, x.LegalEntity, x.State, x.Detail, at.Next)
		}
		failed[x.Reason]++
	}
	if p.same != p.want.same {
		p.t.Errorf("%d copies were not landed again; want %d", p.same, p.want.same)
	}
	if fmt.Sprint(parked) != fmt.Sprint(orNone(p.want.parked)) || fmt.Sprint(failed) != fmt.Sprint(orNone(p.want.failed)) {
		p.t.Errorf("on the list are exports %v and executions %v; want %v and %v", parked, failed, p.want.parked, p.want.failed)
	}
	if problems := strings.Join(p.problems, "\n"); !strings.Contains(problems, p.want.problem) {
		p.t.Errorf("no poll ended with %q: %s", p.want.problem, cmp.Or(problems, "none had a problem"))
	}
}

// wantTwin: what was not landed again has landed.
func (p *playedScenario) wantTwin(e state.Export) {
	p.t.Helper()
	p.same++
	twin, err := p.db.Export(p.t.Context(), e.Twin)
	if err != nil || twin.State != state.Landed || !strings.EqualFold(twin.Entity, e.Entity) {
		p.t.Errorf("%s is a copy of %s, which is %s of %s, %v", e.ID, e.Twin, twin.State, twin.Entity, err)
	}
}

func orNone(m map[state.Reason]int) map[state.Reason]int {
	if m == nil {
		return map[state.Reason]int{}
	}
	return m
}

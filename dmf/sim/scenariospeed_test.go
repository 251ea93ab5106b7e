package sim_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

// everyDuration walks a scenario's durations, by the names of their fields.
func everyDuration(v reflect.Value, path string, each func(path string, d reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		each(path, v)
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			everyDuration(v.Field(i), path+"."+v.Type().Field(i).Name, each)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			everyDuration(v.Index(i), path, each)
		}
	}
}

func wholeScenario() sim.Scenario {
	sc := sim.Scenario{
		SignIn:     sim.ScenarioSignIn{Apps: make([]sim.ScenarioApp, 1)},
		Projects:   []sim.ScenarioProject{{Executions: make([]sim.ScenarioScript, 2)}},
		Activities: make([]sim.ScenarioActivity, 1),
		Timeline:   make([]sim.ScenarioStep, 2),
		Faults:     make([]sim.ScenarioFault, 2),
	}
	everyDuration(reflect.ValueOf(&sc).Elem(), "", func(_ string, d reflect.Value) { d.SetInt(int64(time.Hour)) })
	return sc
}

// All of a story is as many times as fast, but for what the wire takes.
func TestFasterChangesAllOfAStory(t *testing.T) {
	slow := wholeScenario()
	fast, err := slow.Faster(60)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	everyDuration(reflect.ValueOf(&fast).Elem(), "", func(path string, d reflect.Value) {
		seen++
		want := time.Minute
		if strings.HasSuffix(path, ".Delay") {
			want = time.Hour
		}
		if got := time.Duration(d.Int()); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	})
	if seen < 15 {
		t.Errorf("%d durations; the walk is broken", seen)
	}
	if !reflect.DeepEqual(slow, wholeScenario()) {
		t.Errorf("the scenario itself was changed: %+v", slow)
	}
}

// What a file leaves to the simulator is as many times as short too: else a
// link would outlive what it dies of in the story.
func TestFasterChangesDefaults(t *testing.T) {
	sc, err := sim.LoadScenario([]byte("activities: [{id: 3F2504E0-4F89-41D3-9A0C-0305E82C3301}]"))
	if err != nil {
		t.Fatal(err)
	}
	fast, err := sc.Faster(10)
	if err != nil {
		t.Fatal(err)
	}
	opt := fast.Options(sim.Options{LinkLife: time.Hour})
	got := fmt.Sprint(opt.LinkLife, opt.Retention, opt.Identity.TokenLife, fast.Activities[0].Visibility)
	if want := "6m0s 16h48m0s 5m59.9s 3m0s"; got != want {
		t.Errorf("lives of links, files, tokens and receipts: %s, want %s", got, want)
	}
}

// A link as it is written dies when it says so, by the client's own clock.
func TestFasterLinksTellTheTruth(t *testing.T) {
	sc, err := sim.Scenario{}.Faster(720)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	s := sim.New(sc.Options(sim.Options{Clock: sim.NewClock(now)}))
	link := s.Link(s.PutBlob("x.csv", []byte("A\n1\n"), sim.BlobOptions{}), sim.LinkOptions{})
	if !strings.Contains(link, "se=2026-03-02T06%3A00%3A05Z") {
		t.Errorf("a link of 60 minutes, 720 times as fast, is not good for 5 seconds: %s", strings.ReplaceAll(link, "sig=", ""))
	}
}

func TestFasterRefuses(t *testing.T) {
	queue := []sim.ScenarioActivity{{}}
	for _, tt := range []struct {
		sc   sim.Scenario
		n    float64
		want string // "" = it is fine
	}{
		{sim.Scenario{}, 0.5, "1 or more"},
		{sim.Scenario{}, 720, ""},
		{sim.Scenario{}, 721, "link_life) would live 4.993s, and a client needs 5s: at most 720"},
		{sim.Scenario{LinkLife: 24 * time.Hour}, 3600, ""},
		{sim.Scenario{LinkLife: 24 * time.Hour, Activities: queue}, 360, ""},
		{sim.Scenario{Activities: queue}, 400, "visibility"},
		{sim.Scenario{Activities: queue, SignIn: sim.ScenarioSignIn{TokenLife: 5 * time.Minute}}, 100, "token_life"},
	} {
		_, err := tt.sc.Faster(tt.n)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v, %v times as fast: %v, want %q", tt.sc, tt.n, err, tt.want)
		}
	}
}

func TestScenarioEnds(t *testing.T) {
	const project = "projects: [{name: P, entities: [{label: E}]}]\n"
	for text, want := range map[string]string{
		"about: x": "0s true",
		project + "timeline: [{at: 1m, every: 15m, times: 8, project: P}, {at: 2m, project: P}]": "1h46m0s true",
		project + "timeline: [{at: 1m, every: 15m, times: -1, project: P}]":                      "0s false",
	} {
		sc, err := sim.LoadScenario([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if after, ends := sc.Ends(); fmt.Sprint(after, ends) != want {
			t.Errorf("%s: ends %v %v, want %s", text, after, ends, want)
		}
	}
}

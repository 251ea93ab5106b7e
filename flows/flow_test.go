package flows

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"finrelay/state"
)

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		glob, value string
		want        bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "Customer groups", true},
		{"?", "", false},
		{"?", "é", true}, // a character, not a byte
		{"customer*", "Customer groups", true},
		{"CUSTOMER GROUPS", "customer groups", true},
		{"customer*", "Vendor", false},
		{"*groups", "Customer groups", true},
		{"*groups", "groupsX", false},
		{"c*r*s", "Customer groups", true},
		{"country/*", "Country/regions", true}, // "/" is a letter like any other
		{"a*b*c", "abcabd", false},
		{"*a*a*a*a*a*a*a*b", strings.Repeat("a", 200), false}, // and is soon answered
		{"[ab]", "a", false},                                  // no classes
		{"[ab]", "[AB]", true},
		{`\*`, "x", false},
		{"Ünïts", "ünÏTS", true},
	} {
		if got := matchAny([]string{c.glob}, c.value); got != c.want {
			t.Errorf("%q on %q: %t, want %t", c.glob, c.value, got, c.want)
		}
	}
	if matchAny(nil, "x") || !matchAny([]string{"a", "x"}, "X") {
		t.Error("one of several globs is enough, none is none")
	}
}

func TestMatchGlobIsARegexp(t *testing.T) {
	letters := rapid.SampledFrom([]rune(`ab/. é*?\[(`))
	rapid.Check(t, func(t *rapid.T) {
		glob := string(rapid.SliceOfN(letters, 0, 8).Draw(t, "glob"))
		value := string(rapid.SliceOfN(letters, 0, 12).Draw(t, "value"))
		quoted := regexp.QuoteMeta(glob)
		quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`, `\\`, `\\`).Replace(quoted)
		want := regexp.MustCompile(`(?s)\A(?:` + quoted + `)\z`).MatchString(value)
		if got := state.MatchGlob(glob, value); got != want {
			t.Fatalf("%q on %q: %t, the regexp %s says %t", glob, value, got, quoted, want)
		}
	})
}

func compiled(t *testing.T, f Flow) *Flow {
	t.Helper()
	if err := f.compile(); err != nil {
		t.Fatal(err)
	}
	return &f
}

func TestFlowMatch(t *testing.T) {
	event := json.RawMessage(`{"EntityName":"Customer groups","RecId":9007199254740993,"NoOfRecords":7,"Nested":{"Kind":"full"}}`)
	subject := Subject{Environment: "prod", Entity: "Customer groups", TargetEntity: "CustCustomerGroupEntity", LegalEntity: "USMF", Event: event}
	bare := subject
	bare.TargetEntity = "" // a bare file has no manifest that names it
	for _, c := range []struct {
		name    string
		flow    Flow
		subject Subject
		want    bool
		why     string // part of it
	}{
		{"asks for nothing", Flow{}, subject, true, "fits"},
		{"label", Flow{Entities: []string{"customer GROUPS"}}, subject, true, "fits"},
		{"another label", Flow{Entities: []string{"Vendor*"}}, subject, false, `entity "Customer groups" is not in Vendor*`},
		{"target entity", Flow{TargetEntities: []string{"cust*entity"}}, subject, true, "fits"},
		{"target entity of a bare file", Flow{TargetEntities: []string{"*"}}, bare, false, "entity"},
		{"label or target: label", Flow{Entities: []string{"Customer groups"}, TargetEntities: []string{"Vend*"}}, subject, true, "fits"},
		{"label or target: target", Flow{Entities: []string{"Kundengruppen"}, TargetEntities: []string{"CustCustomerGroupEntity"}}, subject, true, "fits"},
		{"label or target: neither", Flow{Entities: []string{"Kundengruppen"}, TargetEntities: []string{"Vend*"}}, subject, false, "Kundengruppen, Vend*"},
		{"legal entity", Flow{LegalEntities: []string{"usm?"}}, subject, true, "fits"},
		{"another legal entity", Flow{LegalEntities: []string{"demf", "usrt"}}, subject, false, `legal entity "USMF" is not in demf, usrt`},
		{"environment", Flow{Environments: []string{"PROD"}}, subject, true, "fits"},
		{"another environment", Flow{Environments: []string{"uat"}}, subject, false, `environment "prod" is not in uat`},
		{"all, one does not fit", Flow{Entities: []string{"*"}, LegalEntities: []string{"*"}, Environments: []string{"uat"}}, subject, false, "environment"},
		{"condition", Flow{When: `.Nested.Kind == "full"`}, subject, true, "fits"},
		{"condition, not true", Flow{When: `.NoOfRecords > 7`}, subject, false, "condition .NoOfRecords > 7 is not true"},
		{"condition, null is not true", Flow{When: `.Absent`}, subject, false, "is not true"},
		{"condition, 0 is true in jq", Flow{When: `0`}, subject, true, "fits"},
		{"condition, empty is not true", Flow{When: `empty`}, subject, false, "is not true"},
		{"condition, the first answer counts", Flow{When: `false, true`}, subject, false, "is not true"},
		{"condition, int64 is exact", Flow{When: `.RecId == 9007199254740993`}, subject, true, "fits"},
		{"condition, its float64 neighbour is another number", Flow{When: `.RecId == 9007199254740992`}, subject, false, "is not true"},
		{"condition without an event", Flow{When: `. == null`}, Subject{Environment: "prod"}, true, "fits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := compiled(t, c.flow).match(t.Context(), c.subject)
			if err != nil || m.Takes != c.want || !strings.Contains(m.Why, c.why) {
				t.Errorf("takes %t because %q, %v; want %t because %q", m.Takes, m.Why, err, c.want, c.why)
			}
		})
	}
}

func TestConditionErrors(t *testing.T) {
	for _, c := range []struct{ name, when, event string }{
		{"error of jq", `.EntityName | keys`, `{"EntityName":"x"}`},
		{"error of the condition's own", `error("no")`, `{}`},
		{"an event that is no JSON", `.x`, `{`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := compiled(t, Flow{Name: "f", When: c.when}).match(t.Context(), Subject{Event: json.RawMessage(c.event)})
			if bad := new(ConditionError); !errors.As(err, &bad) || bad.Flow != "f" {
				t.Errorf("got %v, want a *ConditionError of flow f", err)
			}
		})
	}
	for _, when := range []string{`.x |`, `nosuchfunction`, `$ENV.HOME`, `env.HOME`, `input`} {
		f := Flow{Name: "f", When: when}
		err := f.compile()
		if err == nil { // then it must not see what is around it
			if ok, err := f.condition(t.Context(), json.RawMessage(`{}`)); ok {
				t.Errorf("%s is true (%v): a condition sees only the event", when, err)
			}
		} else if !strings.Contains(err.Error(), "flow f: condition") {
			t.Errorf("%s: %v does not name the flow", when, err)
		}
	}
}

func TestEndlessConditionIsStopped(t *testing.T) {
	t.Parallel()
	f := compiled(t, Flow{Name: "f", When: `def f: f; f`})
	began := time.Now()
	_, err := f.match(t.Context(), Subject{Event: json.RawMessage(`{}`)})
	if bad := new(ConditionError); !errors.As(err, &bad) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a *ConditionError that says its time is over", err)
	}
	if took := time.Since(began); took > 5*conditionTime {
		t.Errorf("it held the shipment for %v", took)
	}
	// The end of the process says nothing about the condition: no export may
	// be parked for it.
	ctx, stop := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { stop(ErrStopping) })
	_, err = f.match(ctx, Subject{Event: json.RawMessage(`{}`)})
	if bad := new(ConditionError); errors.As(err, &bad) || !errors.Is(err, ErrStopping) {
		t.Errorf("while stopping: got %v, want ErrStopping and no *ConditionError", err)
	}
}

func TestFirstOrAll(t *testing.T) {
	flows := []Flow{
		{Name: "other", Entities: []string{"Vendor*"}, Outputs: []string{"a"}},
		{Name: "narrow", Entities: []string{"Customer*"}, Outputs: []string{"a", "b"}},
		{Name: "wide", Outputs: []string{"b", "c", "c"}},
	}
	for _, c := range []struct {
		all  bool
		want []state.NewDelivery
	}{
		{false, []state.NewDelivery{{Output: "a", Flow: "narrow"}, {Output: "b", Flow: "narrow"}}},
		{true, []state.NewDelivery{{Output: "a", Flow: "narrow"}, {Output: "b", Flow: "narrow"}, {Output: "c", Flow: "wide"}}},
	} {
		r := &Relay{cfg: Config{Flows: flows, MatchAll: c.all}}
		taken, err := r.route(t.Context(), Subject{Entity: "Customer groups"})
		if err != nil {
			t.Fatal(err)
		}
		got := deliveries(taken)
		if len(got) != len(c.want) {
			t.Fatalf("all %t: %v, want %v", c.all, got, c.want)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("all %t: %v, want %v", c.all, got, c.want)
			}
		}
	}
}

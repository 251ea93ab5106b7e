package web

import (
	"fmt"
	"slices"
	"testing"

	"finrelay/state"
)

// The flags that a group offers find the group and nothing else.
func TestGroupsAreFound(t *testing.T) {
	group := func(kind state.Kind, at state.State, reason state.Reason, names ...string) *Group {
		g := &Group{Kind: kind, Environment: "prod", State: at, Reason: reason, Count: 2, First: ListItem{Entity: names[0]}, names: map[string]bool{}}
		for _, n := range names {
			g.names[n] = true
		}
		return g
	}
	uat := group(state.KindExport, state.Parked, state.ReasonNoFlow, "Units")
	uat.Environment = "uat"
	all := []*Group{
		group(state.KindExport, state.Parked, state.ReasonNoFlow, "Units", "Vendors"),
		uat,
		group(state.KindShipment, state.Parked, state.ReasonLinkExpired, "Units", "Vendors"),
		group(state.KindShipment, state.Expired, state.ReasonLinkExpired, "Units", "Vendors"),
		group(state.KindShipment, state.Parked, state.ReasonDamaged, "Units"),
		group(state.KindExport, state.Parked, state.ReasonDamaged, "Customer groups"),
		group(state.KindExport, state.Parked, state.ReasonBadRows, "Units"),
		group(state.KindExport, state.Parked, state.ReasonBadRows, "units", "Vendors"),
		group(state.KindExport, state.Parked, state.ReasonDisk, `$(rm "-rf")`),
		group(state.KindExport, state.Parked, state.ReasonDisk, "Units"),
	}
	var got []string
	for _, g := range all {
		got = append(got, g.found(all))
	}
	want := []string{
		"--reason no_flow --environment prod", "--reason no_flow --environment uat",
		"--reason link_expired --environment prod --state parked", "--reason link_expired --environment prod --state expired",
		`--reason damaged --environment prod --entity "Units"`, `--reason damaged --environment prod --entity "Customer groups"`,
		"", "", "", `--reason disk --environment prod --entity "Units"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestAlike(t *testing.T) {
	one := "3 of 9 records cannot be read as rows:\nUnits{A1}.csv:2:11: column NAME: \"x y\": no whole number\nUnits{A1}.csv:3:11: something else"
	for other, want := range map[string]bool{
		"7 of 7 records cannot be read as rows:\nVendors.csv:25:1: column NAME: \"\": no whole number": true,
		"7 of 7 records cannot be read as rows:\nVendors.csv:25:1: 3 fields, want 4":                   false,
		"": false,
	} {
		if got := alike(one) == alike(other); got != want {
			t.Errorf("%q and %q: %t, want %t", one, other, got, want)
		}
	}
}

// However many stand still, each is counted, and the groups are few.
func TestManyStandStill(t *testing.T) {
	r := newRig(t)
	for n := range 2*MostListed + 5 {
		r.accept("prod", fmt.Sprintf("nonsense %d", n))
	}
	v, err := r.dialed.Status(t.Context(), "")
	if err != nil || len(v.List) != MostListed || len(v.Groups) != 1 || v.Groups[0].Count != 2*MostListed+5 || int64(v.Groups[0].Count) != v.NeedPerson {
		t.Fatalf("%d listed, groups %+v, %v", len(v.List), v.Groups, err)
	}
	if g := v.Groups[0]; g.Why == "" || g.Next == "" || g.OtherWhys != 0 || g.First.ID != v.List[0].ID {
		t.Errorf("%+v", g)
	}
}

package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finrelay/exporter/outputs"
	"finrelay/flows"
)

// How an output's place stands, and a person's word about it, through the API.
func TestOutputs(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	folder := filepath.Join(t.TempDir(), "lake")
	lake, err := outputs.NewFiles(outputs.FilesOptions{Name: "lake", Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := flows.New(r.db, flows.Config{Outputs: map[string]outputs.Output{"lake": lake}})
	if err != nil {
		t.Fatal(err)
	}
	client := Local((&API{DB: r.db, Relay: relay, Serving: true}).Handler())
	stands := func() flows.OutputStand {
		t.Helper()
		all, err := client.Outputs(ctx)
		if err != nil || len(all) != 1 || all[0].Output != "lake" || all[0].Place != folder {
			t.Fatalf("outputs are %+v, %v", all, err)
		}
		return all[0]
	}
	if s := stands(); s.Stands != flows.PlaceNew || s.Marker != "" || !s.Since.IsZero() {
		t.Errorf("of a place where nothing landed: %+v", s)
	}
	for body, want := range map[string]int{`{"output":"lake"}`: 409, `{"output":"other"}`: 409, "{": 400} {
		if status, text, _ := client.raw(t, "POST", "outputs/adopt", body); status != want {
			t.Errorf("%s: %d %s; want %d", body, status, text, want)
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	a, err := client.AdoptOutput(ctx, AdoptRequest{Output: "lake", By: "ann"})
	if err != nil || a.Marker == "" || a.Found {
		t.Errorf("adopted: %+v, %v", a, err)
	}
	if s := stands(); s.Stands != flows.PlaceThere || s.Marker != a.Marker || s.Since.IsZero() {
		t.Errorf("of a place that was adopted: %+v", s)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if s := stands(); s.Stands != flows.PlaceMissing || !strings.HasPrefix(s.Detail, "not mounted? "+folder+" does not exist") || !strings.Contains(s.Next, "finrelay output adopt lake") {
		t.Errorf("of a place that is gone: %+v", s)
	}
	if err := os.Symlink(folder, folder); err != nil {
		t.Skip(err)
	}
	if s := stands(); s.Stands != flows.PlaceUnclear || s.Detail == "" || s.Next == "" {
		t.Errorf("of a link to itself: %+v", s)
	}
}

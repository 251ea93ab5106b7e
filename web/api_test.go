package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/flows"
	"finrelay/state"
)

// rig is the API over a ledger, on its socket and in the process.
type rig struct {
	t      *testing.T
	folder string
	db     *state.DB
	relay  *flows.Relay
	local  *Client
	dialed *Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	// Not t.TempDir: with a test's name in it the path is too long for a socket.
	folder, err := os.MkdirTemp("", "fr")
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.OpenLedger(t.Context(), folder, state.Options{AnyFilesystem: true})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := flows.New(db, flows.Config{Environments: map[string]flows.Environment{"prod": {}, "uat": {}}})
	if err != nil {
		t.Fatal(err)
	}
	api := &API{DB: db, Relay: relay, Version: "test"}
	listener, err := Listen(folder)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: api.Handler(), ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	r := &rig{t: t, folder: folder, db: db, relay: relay, local: Local(api.Handler()), dialed: Dial(filepath.Join(folder, SocketFile))}
	t.Cleanup(func() {
		r.dialed.http.CloseIdleConnections()
		err := errors.Join(server.Close(), db.Close(), os.RemoveAll(folder))
		if s := <-served; !errors.Is(s, http.ErrServerClosed) {
			err = errors.Join(err, s)
		}
		if err != nil {
			t.Error(err)
		}
	})
	return r
}

// accept stores an event as a door does.
func (r *rig) accept(environment, body string) state.Receipt {
	r.t.Helper()
	receipts, err := r.relay.Accept(r.t.Context(), flows.ReadBody(environment, "finops", []byte(body), r.relay.FieldNames()))
	if err != nil {
		r.t.Fatal(err)
	}
	return receipts[0]
}

func event(n int, entity string) string {
	return fmt.Sprintf(`{"EventId":"%d","EntityName":%q,"LegalEntity":"usmf","DownloadURL":"https://contosodmf.blob.core.windows.net/dmf/%d.csv?sig=SECRET"}`, n, entity, n)
}

// parked stores an event whose shipment a person has to look at.
func (r *rig) parked(n int) state.Receipt {
	r.t.Helper()
	receipt := r.accept("prod", event(n, "Customer groups"))
	if _, err := r.db.ClaimFetches(r.t.Context(), state.FetchClaims{Owner: "test", Lease: time.Minute, Limit: 100}); err != nil {
		r.t.Fatal(err)
	}
	if err := r.db.ParkShipment(r.t.Context(), receipt.ShipmentID, state.ReasonLinkRefused, "address not allowed"); err != nil {
		r.t.Fatal(err)
	}
	return receipt
}

// exportOf lands on the list as an export without a flow.
func (r *rig) exportOf(n int) string {
	r.t.Helper()
	ctx := r.t.Context()
	receipt := r.accept("prod", event(n, "Units"))
	_, err := r.db.ClaimFetches(ctx, state.FetchClaims{Owner: "test", Lease: time.Minute, Limit: 100})
	err = errors.Join(err, r.db.Fetched(ctx, receipt.ShipmentID, state.RawFile{File: "raw/x", Bytes: 3, SHA256: "00", Proof: state.ProofWhole}))
	err = errors.Join(err, r.db.Opened(ctx, receipt.ShipmentID, "project", []state.NewExport{{Entity: "Units", Reason: state.ReasonNoFlow, Detail: "no flow takes it"}}))
	if err != nil {
		r.t.Fatal(err)
	}
	return state.ExportID(receipt.ShipmentID, "")
}

func (c *Client) raw(t *testing.T, method, path, body string) (int, string, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://finrelay/api/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header.Get("Content-Type")
}

func TestBothWaysGiveTheSame(t *testing.T) {
	r := newRig(t)
	one := r.parked(1)
	export := r.exportOf(2)
	bad := r.accept("uat", "nonsense")
	for _, path := range []string{
		"events", "events/" + one.EventID, "events/" + bad.EventID, "events/" + one.EventID[:9], "events?state=unreadable", "events/ev_nothing", "events/nonsense",
		"shipments", "shipments/" + one.ShipmentID, "shipments?state=parked,expired&limit=1", "shipments/sh_nothing",
		"exports", "exports/" + export, "exports?entity=UNITS", "exports/ex_",
		"checkpoints", "status", "status?environment=uat", "journal?after=0", "journal/last", "hosts", "stats",
		"journal", "events?since=yesterday", "exports?limit=many", "nowhere",
	} {
		s1, text1, type1 := r.local.raw(t, "GET", path, "")
		s2, text2, type2 := r.dialed.raw(t, "GET", path, "")
		if s1 != s2 || text1 != text2 || type1 != type2 {
			t.Errorf("%s: %d %s\nover the socket: %d %s", path, s1, text1, s2, text2)
		}
		if path != "nowhere" && (!json.Valid([]byte(text1)) || strings.HasPrefix(text1, "null")) {
			t.Errorf("%s: %s", path, text1)
		}
		if strings.Contains(text1, "SECRET") {
			t.Errorf("%s shows a signature: %s", path, text1)
		}
	}
}

func TestStatusOfErrors(t *testing.T) {
	r := newRig(t)
	landed := r.accept("prod", event(1, "Units")) // on its way: not to be skipped
	for _, c := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"GET", "events/ev_nothing", "", 404, state.ErrNotFound.Error()},
		{"GET", "shipments/sh_nothing", "", 404, state.ErrNotFound.Error()},
		{"GET", "exports/ex_nothing", "", 404, state.ErrNotFound.Error()},
		{"GET", "exports/nonsense", "", 404, "begins with ev_, sh_, ex_ or xc_"},
		{"GET", "events/" + landed.ShipmentID, "", 404, state.ErrNotFound.Error()}, // another kind's id
		{"GET", "exports?since=yesterday", "", 400, "yesterday"},
		{"GET", "exports?limit=many", "", 400, "many"},
		{"GET", "exports?state=parked,wating", "", 400, "state=wating: it is one of open, waiting, landed, parked, skipped"},
		{"GET", "events?state=parked", "", 400, "it is one of accepted, ignored, unreadable"},
		{"GET", "checkpoints?state=parked", "", 400, "have no state"},
		{"GET", "journal?after=x", "", 400, "after=x"},
		{"POST", "rerun", "{", 400, ""},
		{"POST", "rerun", `{"again":true,"entity":"Customer groups"}`, 400, "named by their ids"},
		{"POST", "skip", "", 400, ""},
		{"POST", "skip", `{"why":"x"}`, 400, "everything is never skipped"},
		{"POST", "skip", `{"why":"x","since":"2026-03-02T00:00:00Z"}`, 400, "everything is never skipped"},
		{"POST", "skip", `{"ids":["sh_nothing"],"why":"x"}`, 200, state.ErrNotFound.Error()},
		{"POST", "skip", `{"ids":["` + landed.ShipmentID + `"],"why":"x"}`, 200, "is pending and cannot become"},
		{"POST", "skip", `{"ids":["` + landed.EventID + `"],"why":"x"}`, 200, "is accepted and cannot become"},
		{"POST", "environments/mars/reset", "", 400, "mars is not configured"},
		{"DELETE", "events", "", 405, ""},
	} {
		status, text, _ := r.local.raw(t, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s %s %s: %d %s; want %d with %q", c.method, c.path, c.body, status, text, c.status, c.text)
		}
	}
	_, err := r.dialed.Export(t.Context(), "ex_nothing")
	if bad := new(RequestError); !errors.As(err, &bad) || bad.Status != 404 || !strings.Contains(bad.Error(), "ex_nothing") {
		t.Errorf("the client says %v", err)
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	if status, text, _ := r.local.raw(t, "POST", "environments/prod/reset", ""); status != 503 {
		t.Errorf("closed ledger: %d %s", status, text)
	}
}

func TestFilters(t *testing.T) {
	r := newRig(t)
	one := r.parked(1)
	r.accept("uat", event(2, "Vendors"))
	r.accept("prod", "nonsense")
	ctx := t.Context()
	for _, c := range []struct {
		filter state.Filter
		want   int
	}{
		{state.Filter{}, 2},
		{state.Filter{Environment: "uat"}, 1},
		{state.Filter{Entity: "customer GROUPS"}, 1},
		{state.Filter{Entity: "a&b=c"}, 0},
		{state.Filter{States: []state.State{state.Parked, state.Pending}}, 2},
		{state.Filter{States: []state.State{state.Expired}}, 0},
		{state.Filter{Reason: state.ReasonLinkRefused}, 1},
		{state.Filter{Since: time.Now().Add(-time.Hour)}, 2},
		{state.Filter{Since: time.Now().Add(time.Hour)}, 0},
		{state.Filter{Limit: 1}, 1},
		{state.Filter{Limit: -1}, 2},
	} {
		got, err := r.dialed.Shipments(ctx, c.filter)
		if err != nil || len(got) != c.want {
			t.Errorf("%+v: %d shipments, %v; want %d", c.filter, len(got), err, c.want)
		}
	}
	got, err := r.dialed.Shipments(ctx, state.Filter{Reason: state.ReasonLinkRefused})
	if err != nil || len(got) != 1 || got[0].ID != one.ShipmentID || got[0].Whereabouts == "" || got[0].Where.Next == "" {
		t.Errorf("%+v, %v", got, err)
	}
	// A filter survives its way through the query; the milliseconds of Since too.
	f := state.Filter{Environment: "a b", Entity: "Country/regions & co", Reason: "x", ShipmentID: "sh_1",
		States: []state.State{"parked", "expired"}, Since: time.Date(2026, 3, 2, 9, 15, 42, 718e6, time.UTC), Limit: 7}
	req := &http.Request{URL: &url.URL{RawQuery: FilterQuery(f).Encode()}}
	back, err := filter(req, []state.State{"parked", "expired"})
	if err != nil || fmt.Sprint(back) != fmt.Sprint(f) {
		t.Errorf("%+v\nbecomes %+v, %v", f, back, err)
	}
}

func TestVerbs(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	one := r.parked(1)
	dry, err := r.dialed.Rerun(ctx, RerunRequest{Selection: Selection{States: []state.State{state.Parked}}, DryRun: true})
	if err != nil || len(dry) != 1 || !dry[0].Queued || dry[0].ID != one.ShipmentID {
		t.Fatalf("%+v, %v", dry, err)
	}
	if s, err := r.dialed.Shipment(ctx, one.ShipmentID); err != nil || s.State != state.Parked {
		t.Errorf("a dry run changed it: %s, %v", s.State, err)
	}
	if done, err := r.dialed.Rerun(ctx, RerunRequest{Selection: Selection{IDs: []string{one.ShipmentID, "sh_nothing"}}, By: "ann"}); err != nil || len(done) != 2 || !done[0].Queued || done[1].Refusal == "" {
		t.Errorf("%+v, %v", done, err)
	}
	s, err := r.dialed.Shipment(ctx, one.ShipmentID[:8])
	if err != nil || s.State != state.Pending || !strings.Contains(s.Story[len(s.Story)-1].Detail, "ann") {
		t.Errorf("%+v, %v", s, err)
	}
	two := r.parked(2)
	if done, err := r.dialed.Skip(ctx, SkipRequest{Selection: Selection{IDs: []string{two.ShipmentID[:12]}}, Why: "came by mail", By: "ann"}); err != nil || len(done) != 1 || done[0].ID != two.ShipmentID || !done[0].Skipped {
		t.Errorf("%+v, %v", done, err)
	}
	epoch, err := r.dialed.ResetEnvironment(ctx, "prod", "ann")
	if err != nil || epoch.Epoch != 1 {
		t.Errorf("%+v, %v", epoch, err)
	}
	in, err := r.dialed.Inspect(ctx, "prod", []byte(event(3, "Units")))
	if err != nil || len(in) != 1 || !in[0].Readable || in[0].Entity != "Units" || strings.Contains(fmt.Sprint(in), "SECRET") {
		t.Errorf("%+v, %v", in, err)
	}
	if all, err := r.dialed.Events(ctx, state.Filter{}); err != nil || len(all) != 2 {
		t.Errorf("inspect stores nothing: %d events, %v", len(all), err)
	}
}

// An event's story is its own and its shipment's, each entry once, in order.
func TestStory(t *testing.T) {
	r := newRig(t)
	one := r.parked(1)
	r.accept("prod", event(1, "Customer groups")) // its duplicate
	v, err := r.dialed.Event(t.Context(), one.EventID)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(v.Story, func(a, b state.JournalEntry) int { return int(a.Seq - b.Seq) }) {
		t.Errorf("not in order: %+v", v.Story)
	}
	seen := map[int64]bool{}
	states := []string{}
	for _, e := range v.Story {
		if seen[e.Seq] {
			t.Errorf("entry %d comes twice", e.Seq)
		}
		seen[e.Seq] = true
		states = append(states, string(e.Kind)+" "+string(e.To))
	}
	want := []string{"shipment pending", "shipment fetching", "shipment parked", "event accepted"}
	if !slices.Equal(states, want) {
		t.Errorf("the story is %v, want %v", states, want)
	}
	if !strings.Contains(v.Body, "Customer groups") || strings.Contains(v.Body, "SECRET") {
		t.Errorf("body %s", v.Body)
	}
}

// What needs a person stands in the status, the oldest first: with more than
// it lists, the one that has waited longest must not fall off.
func TestStatusListsTheOldestFirst(t *testing.T) {
	r := newRig(t)
	export := r.exportOf(1000)
	bad := r.accept("prod", "nonsense")
	v, err := r.dialed.Status(t.Context(), "")
	if err != nil || len(v.List) != 2 || v.List[0].ID != export || v.List[1].ID != bad.EventID || v.NeedPerson != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	var ids []string
	for n := range MostListed + 5 {
		ids = append(ids, r.parked(n).ShipmentID)
	}
	v, err = r.dialed.Status(t.Context(), "")
	if err != nil || len(v.List) != MostListed || v.NeedPerson != int64(len(ids)+2) {
		t.Fatalf("%d of %d, %v", len(v.List), v.NeedPerson, err)
	}
	for i, item := range v.List {
		if item.ID != ids[i] {
			t.Errorf("place %d: %s, want %s", i, item.ID, ids[i])
		}
		if item.Next == "" || item.Whereabouts == "" {
			t.Errorf("%+v says not what to do", item)
		}
	}
	if v, err := r.dialed.Status(t.Context(), "uat"); err != nil || len(v.List) != 0 || v.NeedPerson != 0 {
		t.Errorf("of another environment: %+v, %v", v.List, err)
	}
}

func TestFollow(t *testing.T) {
	r := newRig(t)
	r.accept("prod", event(1, "Units"))
	var got []int64
	err := r.dialed.Follow(t.Context(), 0, 5*time.Millisecond, func(e state.JournalEntry) bool {
		got = append(got, e.Seq)
		if len(got) == 1 {
			r.accept("prod", event(2, "Units"))
		}
		return len(got) < 2
	})
	if err != nil || len(got) != 2 || got[0] >= got[1] {
		t.Errorf("%v, %v", got, err)
	}
	last, err := r.dialed.LastEntry(t.Context())
	if err != nil || last != got[1] {
		t.Errorf("last entry %d, %v; want %d", last, err, got[1])
	}
}

func TestClientWithoutServer(t *testing.T) {
	c := Dial(filepath.Join(t.TempDir(), "nobody.sock"))
	_, err := c.Status(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "ask the server") {
		t.Errorf("%v", err)
	}
}

func TestLargeInspect(t *testing.T) {
	r := newRig(t)
	body := bytes.Repeat([]byte(" "), maxInspect+1)
	_, err := r.local.Inspect(t.Context(), "prod", body)
	if bad := new(RequestError); !errors.As(err, &bad) || bad.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("%v, want 413: a body that was cut is not what was asked about", err)
	}
}

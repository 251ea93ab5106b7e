package flows

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"finrelay/dmf"
	"finrelay/dmf/sim"
	"finrelay/state"
)

func TestExpiredLink(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	spec := sim.ExportSpec{Entity: "Customer groups", Rows: 3, Link: sim.LinkOptions{Life: -time.Minute}}
	receipt, event, blob := w.export(spec)
	w.settle()
	s := w.wantShipment(receipt.ShipmentID, state.Expired, state.ReasonLinkExpired, AtRisk)
	at := w.relay.ShipmentWhereabouts(s)
	if !strings.Contains(at.Next, "fresh link") || !strings.Contains(at.Next, "full push") || !strings.Contains(at.Next, s.ID) {
		t.Errorf("what to do: %q", at.Next)
	}
	if n := len(w.fo.Requests()); n != 1 {
		t.Errorf("a link that looks dead gets one try, this had %d", n)
	}

	// The same link again: a duplicate that changes nothing.
	if r := w.post(w.fo.Payload(event))[0]; !r.Duplicate || r.Woken {
		t.Errorf("the same event again: %+v", r)
	}
	w.wantShipment(receipt.ShipmentID, state.Expired, state.ReasonLinkExpired, AtRisk)

	// A person's button asks the server once more, and hears the same.
	if done, err := w.relay.RerunIDs(t.Context(), []string{s.ID[:8]}, false, "me"); err != nil || !done[0].Queued {
		t.Fatalf("rerun: %+v, %v", done, err)
	}
	w.until("asked again", func() bool { return len(w.fo.Requests()) == 2 })
	w.settle()
	w.wantShipment(receipt.ShipmentID, state.Expired, state.ReasonLinkExpired, AtRisk)

	// The same event with a link that lives.
	event.DownloadURL = w.fo.Link(blob, sim.LinkOptions{})
	if r := w.post(w.fo.Payload(event))[0]; !r.Duplicate || !r.Woken || r.ShipmentID != receipt.ShipmentID {
		t.Errorf("a fresh link: %+v", r)
	}
	w.settle()
	e := w.only(receipt.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)
	w.wantRows(e, w.fo.SampleEntity("Customer groups", 3))
}

func TestDuplicateLandsOnce(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	receipt, event, blob := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	w.settle()
	before, asked := w.tree(), len(w.fo.Requests())
	event.DownloadURL = w.fo.Link(blob, sim.LinkOptions{Life: 24 * time.Hour})
	if r := w.post(w.fo.Payload(event))[0]; !r.Duplicate || r.Woken || r.EventID != receipt.EventID {
		t.Errorf("%+v", r)
	}
	w.settle()
	if len(w.fo.Requests()) != asked || len(w.tree()) != len(before) {
		t.Error("a duplicate of what has landed started something")
	}
	if kept, err := w.db.HasLink(t.Context(), receipt.ShipmentID); err != nil || kept {
		t.Errorf("a duplicate brought a settled shipment's signature back: %v", err)
	}
}

func TestWireFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault sim.Fault
		check func(t *testing.T, w *rig, all []sim.Request)
	}{
		{"a cut body resumes", sim.Fault{CutAfter: 20_000}, func(t *testing.T, _ *rig, all []sim.Request) {
			if len(all) != 2 || !strings.HasPrefix(all[1].Range, "bytes=") || all[1].Range == "bytes=0-" || all[1].IfMatch == "" {
				t.Errorf("%+v", all)
			}
		}},
		{"503, then good", sim.Fault{Status: http.StatusServiceUnavailable}, func(t *testing.T, _ *rig, all []sim.Request) {
			if len(all) != 2 {
				t.Errorf("%d requests, want 2", len(all))
			}
		}},
		{"502, then good", sim.Fault{Status: http.StatusBadGateway}, nil},
		{"a proxy's 403, then good", sim.Fault{NoAzureHeaders: true}, nil},
		{"wrong length, then good", sim.Fault{WrongLength: true}, nil},
		{"the blob is replaced half way", sim.Fault{ReplaceBlobAfterBytes: 20_000, CutAfter: 30_000}, func(t *testing.T, _ *rig, all []sim.Request) {
			last := all[len(all)-1]
			if last.Range != "" && last.Range != "bytes=0-" && last.Status == http.StatusPartialContent && last.IfMatch == "" {
				t.Errorf("two blobs may have been spliced: %+v", all)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			w.run(w.takesAll())
			w.fo.Fault(c.fault)
			receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 2000})
			w.until("landed, or waiting for its time", func() bool {
				s := w.shipment(receipt.ShipmentID)
				return s.State == state.Settled || s.State == state.Waiting
			})
			if s := w.shipment(receipt.ShipmentID); s.State == state.Waiting {
				w.wantShipment(s.ID, state.Waiting, s.Reason, InFinOps)
				if Advice(s.Reason) == Advice("no such reason") {
					t.Errorf("no advice on %s", s.Reason)
				}
				w.advance(s.DueAt.Sub(w.db.Now()))
			}
			w.settle()
			e := w.only(receipt.ShipmentID)
			w.wantExport(e, state.Landed, "", LandedHere)
			w.wantRows(e, w.fo.SampleEntity("Customer groups", 2000))
			if c.check != nil {
				c.check(t, w, w.fo.Requests())
			}
		})
	}
}

// A proxy that answers for the storage says nothing about the link: it is
// tried until its deadline, and only then stands on the list.
func TestProxyUntilTheDeadline(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	w.fo.Fault(sim.Fault{NoAzureHeaders: true, Times: sim.Always})
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	var last time.Time
	for n := range 40 {
		w.until("at rest for now", func() bool {
			s := w.shipment(receipt.ShipmentID)
			return s.State == state.Waiting || s.State == state.Parked
		})
		s := w.shipment(receipt.ShipmentID)
		if s.State == state.Parked {
			if !w.db.Now().After(s.Deadline) || n < fewTries {
				t.Fatalf("parked at try %d, %v before the deadline", n, s.Deadline.Sub(w.db.Now()))
			}
			w.wantShipment(s.ID, state.Parked, state.ReasonNotAzure, AtRisk)
			if s.Deadline.Sub(last) > time.Minute {
				t.Errorf("the last try was %v before the deadline; one just before it was worth a lot", s.Deadline.Sub(last))
			}
			w.fo.ClearFaults()
			if done, err := w.relay.RerunIDs(t.Context(), []string{s.ID}, false, "me"); err != nil || !done[0].Queued {
				t.Fatalf("rerun: %+v, %v", done, err)
			}
			w.settle()
			w.wantExport(w.only(s.ID), state.Landed, "", LandedHere)
			return
		}
		if w.db.Now().Before(s.Deadline) {
			last = s.DueAt
		}
		attempts := s.Attempts
		w.advance(s.DueAt.Sub(w.db.Now()))
		w.until("tried again", func() bool { return w.shipment(s.ID).Attempts > attempts })
	}
	t.Fatal("it never came to rest")
}

func TestLinksThatNeedAPerson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(w *rig, e *sim.Event, b *sim.Blob)
		fault  *sim.Fault
		reason state.Reason
		place  Place
	}{
		{"another host", func(_ *rig, e *sim.Event, _ *sim.Blob) {
			e.DownloadURL = "https://storage.attacker.example/dmf/x.csv?sig=SECRET"
		}, nil, state.ReasonLinkHostile, AtRisk},
		{"the metadata service", func(_ *rig, e *sim.Event, _ *sim.Blob) {
			e.DownloadURL = "http://169.254.169.254/latest/meta-data?sig=SECRET"
		}, nil, state.ReasonLinkHostile, AtRisk},
		{"not a link", func(_ *rig, e *sim.Event, _ *sim.Blob) { e.DownloadURL = "file:///etc/passwd?sig=SECRET" }, nil, state.ReasonLinkHostile, AtRisk},
		{"the blob is gone", func(_ *rig, _ *sim.Event, b *sim.Blob) { b.Delete() }, nil, state.ReasonLinkGone, Lost},
		{"no read permission", func(w *rig, e *sim.Event, b *sim.Blob) {
			e.DownloadURL = w.fo.Link(b, sim.LinkOptions{Permissions: "w"})
		}, nil, state.ReasonLinkRefused, AtRisk},
		{"another address", func(w *rig, e *sim.Event, b *sim.Blob) {
			e.DownloadURL = w.fo.Link(b, sim.LinkOptions{IP: "203.0.113.9"})
		}, nil, state.ReasonLinkRefused, AtRisk},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			w.run(w.takesAll())
			e, b := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
			c.change(w, &e, b)
			receipt := w.post(w.fo.Payload(e))[0]
			w.settle()
			s := w.wantShipment(receipt.ShipmentID, state.Parked, c.reason, c.place)
			if at := w.relay.ShipmentWhereabouts(s); at.Next == "" || strings.Contains(at.Next, "SHIPMENT-ID") {
				t.Errorf("what to do: %q", at.Next)
			}
			if strings.Contains(w.logged.String(), "SECRET") {
				t.Error("the log holds the signature")
			}
			// It can be taken off the list, and is not fetched any more.
			if id, err := w.relay.Skip(t.Context(), s.ID[:7], "me", "not needed"); err != nil || id != s.ID {
				t.Fatalf("skip: %s, %v", id, err)
			}
			w.wantShipment(s.ID, state.Settled, state.ReasonSkipped, SkippedHere)
			if kept, err := w.db.HasLink(t.Context(), s.ID); err != nil || kept {
				t.Errorf("skipped, and its signature is still here: %v", err)
			}
		})
	}
}

func TestLinkNotYetValid(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	start := time.Now().Add(10 * time.Minute)
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3, Link: sim.LinkOptions{Start: start}})
	w.until("waiting", func() bool { return w.shipment(receipt.ShipmentID).State == state.Waiting })
	s := w.wantShipment(receipt.ShipmentID, state.Waiting, state.ReasonLinkNotYet, InFinOps)
	if d := s.DueAt.Sub(start); d < -2*time.Second || d > 2*time.Second {
		t.Errorf("it waits until %v, the link begins at %v", s.DueAt, start)
	}
	w.fo.Clock().Advance(11 * time.Minute)
	w.advance(11 * time.Minute)
	w.settle()
	w.wantExport(w.only(s.ID), state.Landed, "", LandedHere)
}

func TestUnreadableIsReadAgain(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	blob := w.fo.PutBlob("shop.csv", w.fo.Render(sim.CSVUTF8, w.fo.SampleEntity("Customer groups", 4)), sim.BlobOptions{})
	body := []byte(`{"fileLink":"` + w.fo.Link(blob, sim.LinkOptions{}) + `","what":"Customer groups","nr":41}`)
	r := w.post(body)[0]
	if r.State != state.Unreadable || r.ShipmentID != "" {
		t.Fatalf("%+v", r)
	}
	if again := w.post(body)[0]; !again.Duplicate || again.EventID != r.EventID {
		t.Errorf("the same body again: %+v", again)
	}
	w.wantUnreadable(r.EventID)
	done, err := w.relay.RerunIDs(t.Context(), []string{r.EventID}, false, "me")
	if err != nil || done[0].Queued || !strings.Contains(done[0].Refusal, "still cannot be read") {
		t.Errorf("rerun without new names: %+v, %v", done, err)
	}
	w.wantUnreadable(r.EventID)

	cfg := w.takesAll()
	cfg.FieldNames = dmf.FieldNames{DownloadURL: []string{"fileLink"}, EntityName: []string{"what"}, ControlNumber: []string{"nr"}}
	w.run(cfg)
	dry, err := w.relay.RerunIDs(t.Context(), []string{r.EventID}, true, "me")
	if err != nil || !dry[0].Queued {
		t.Fatalf("dry run: %+v, %v", dry, err)
	}
	w.wantUnreadable(r.EventID)
	if done, err := w.relay.RerunIDs(t.Context(), []string{r.EventID}, false, "me"); err != nil || !done[0].Queued {
		t.Fatalf("rerun: %+v, %v", done, err)
	}
	w.settle()
	event, err := w.db.Event(t.Context(), r.EventID)
	if err != nil || event.State != state.Accepted || event.ShipmentID == "" {
		t.Fatalf("%+v, %v", event, err)
	}
	e := w.only(event.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)
	w.wantRows(e, w.fo.SampleEntity("Customer groups", 4))
	if _, err := w.db.UnreadBody(t.Context(), r.EventID); err == nil {
		t.Error("read, and the body with its signature is still kept")
	}
	// The sender's next try of the same body is a duplicate of what landed.
	if again := w.post(body)[0]; !again.Duplicate {
		t.Errorf("the same event again lands twice: %+v", again)
	}
}

func (w *rig) wantUnreadable(id string) {
	w.t.Helper()
	e, err := w.db.Event(w.t.Context(), id)
	if err != nil || e.State != state.Unreadable {
		w.t.Fatalf("%+v, %v", e, err)
	}
	if at := w.relay.EventWhereabouts(e); at.Place != AtRisk || !strings.Contains(at.Next, "finrelay rerun "+id) {
		w.t.Errorf("%+v", at)
	}
	st, err := w.db.Status(w.t.Context(), "")
	if err != nil || st.NeedPerson == 0 {
		w.t.Errorf("nobody is told: %+v, %v", st, err)
	}
	body, err := w.db.Body(w.t.Context(), id)
	if err != nil || strings.Contains(string(body), "sig=") && !strings.Contains(string(body), "sig="+RemovedSignature) {
		w.t.Errorf("the body that is shown holds the signature, %v", err)
	}
}

func TestRerunByFilter(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows = []Flow{{Name: "f", Entities: []string{"Units"}, Outputs: []string{"files"}}}
	w.run(cfg)
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 2})
	w.export(sim.ExportSpec{Entity: "Units", Rows: 2})
	w.export(sim.ExportSpec{Entity: "Vendors", Rows: 2, Link: sim.LinkOptions{Life: -time.Minute}})
	w.post([]byte("nonsense"))
	w.settle()
	for _, c := range []struct {
		filter state.Filter
		want   int
	}{
		{state.Filter{}, 3}, // parked, expired, unreadable
		{state.Filter{Entity: "customer GROUPS"}, 1},
		{state.Filter{Reason: state.ReasonLinkExpired}, 1},
		{state.Filter{States: []state.State{state.Landed}}, 1},
		{state.Filter{States: []state.State{state.Unreadable}}, 1},
		{state.Filter{Environment: "uat"}, 0},
	} {
		got, err := w.relay.RerunMatching(t.Context(), c.filter, true, "me")
		if err != nil || len(got) != c.want {
			t.Errorf("%+v finds %+v, %v; want %d", c.filter, got, err, c.want)
		}
	}
	// A landed export may run again: the same bytes at the same place.
	before := w.tree()
	if got, err := w.relay.RerunMatching(t.Context(), state.Filter{States: []state.State{state.Landed}}, false, "me"); err != nil || !got[0].Queued {
		t.Fatalf("%+v, %v", got, err)
	}
	w.settle()
	for path, data := range w.tree() {
		if before[path] != data {
			t.Errorf("%s is another after a rerun:\n%s\n%s", path, before[path], data)
		}
	}
}

func TestSkipNeedsSomethingThatStandsStill(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 2})
	w.settle()
	e := w.only(receipt.ShipmentID)
	for _, id := range []string{e.ID, receipt.ShipmentID, receipt.EventID, "ex_nothing", "nonsense", ""} {
		if _, err := w.relay.Skip(t.Context(), id, "me", "because"); err == nil {
			t.Errorf("%q was skipped", id)
		}
	}
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

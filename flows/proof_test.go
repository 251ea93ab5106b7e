package flows

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// notTheFile are answers to a download that are no export, and that a careful
// client still may take for one. Most were seen from outside.
var notTheFile = []struct {
	name   string
	fault  sim.Fault
	reason state.Reason
}{
	{"a proxy's page", sim.Fault{NoAzureHeaders: true, Status: 200}, state.ReasonNoExport},
	{"a page without a doctype", sim.Fault{Body: []byte("\n<center><h1>Service Unavailable</h1></center>")}, state.ReasonNoExport},
	{"a page that calls itself a file", sim.Fault{Body: []byte("<html><body>Access denied</body></html>"), ContentType: "application/octet-stream"}, state.ReasonNoExport},
	{"an error in XML", sim.Fault{Body: []byte(`<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>`), ContentType: "application/xml"}, state.ReasonNoExport},
	{"an error in JSON", sim.Fault{Body: []byte(`{"Message":"An error has occurred."}`), ContentType: "application/json"}, state.ReasonNoExport},
	{"a sentence", sim.Fault{Body: []byte("upstream connect error or disconnect/reset before headers"), ContentType: "text/plain"}, state.ReasonNoExport},
	{"words in two lines", sim.Fault{Body: []byte("Forbidden by policy\nAsk your administrator\n"), ContentType: "application/octet-stream"}, state.ReasonUnproved},
	{"an error that has rows", sim.Fault{Body: []byte(`[{"error":"busy","retry":30},{"error":"busy","retry":30}]`), ContentType: "application/json"}, state.ReasonUnproved},
	{"nothing", sim.Fault{Body: []byte{}, ContentType: "application/octet-stream"}, state.ReasonNoExport},
	{"no content", sim.Fault{Status: 204}, state.ReasonNoExport},
	{"a 203 of a proxy", sim.Fault{Body: []byte("PK\x03\x04"), Status: 203}, state.ReasonNoExport},
	{"not found", sim.Fault{Status: 404}, state.ReasonFileMissing},
	{"gone", sim.Fault{Status: 410}, state.ReasonFileGone},
}

// An answer that is no export, once: the next download brings the file, and
// that is what lands and what is acked.
func TestPageInsteadOfTheFileOnce(t *testing.T) {
	for _, c := range append(notTheFile,
		struct {
			name   string
			fault  sim.Fault
			reason state.Reason
		}{"half of it without a length", sim.Fault{NoLength: true, CutAfter: 500}, ""}) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			cfg, q := w.polls(BacklogLand)
			data, table := w.queued(0)
			m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
			c.fault.Route = sim.RouteDownload
			w.fo.Fault(c.fault)
			w.run(cfg)
			w.pollUntilRest(q)
			w.untilPassing("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
			s := w.shipment(w.shipmentOf(m))
			if s.Proof != state.ProofWhole || m.Downloads() > 2 {
				t.Errorf("proof %q after %d downloads of the file", s.Proof, m.Downloads())
			}
			w.wantRows(w.only(s.ID), table)
			if left, err := filepath.Glob(w.relay.inFolder(rawFile(s.ID)) + "?*"); err != nil || len(left) != 0 {
				t.Errorf("what was in doubt is still there: %v, %v", left, err)
			}
		})
	}
}

// An answer that is no export, for hours: nothing is acked, a person hears of
// it within the hour and sees what came, and when the right file comes with the
// redelivery it lands, with nobody's help and no slot of the schedule.
func TestPageInsteadOfTheFileForHours(t *testing.T) {
	for _, c := range notTheFile {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			cfg, q := w.polls(BacklogLand)
			q.Schedule = daily{}
			data, table := w.queued(0)
			m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
			c.fault.Route, c.fault.Times = sim.RouteDownload, sim.Always
			w.fo.Fault(c.fault)
			w.run(cfg)
			w.pollUntilRest(q)
			id := w.shipmentOf(m)
			for range 9 { // three hours
				w.pass(20 * time.Minute)
				w.until("the download rests", func() bool { s := w.shipment(id); return s.State == state.Waiting || s.State == state.Parked })
				if due, err := w.relay.NextPoll(t.Context(), q); err != nil || due.After(w.db.Now().Add(state.RedeliveryAfter)) {
					t.Fatalf("the queue is looked at next at %v, %v; want it when the message comes again", due, err)
				} else if !due.After(w.db.Now()) {
					w.poll(q)
				}
			}
			place := InFinOps
			if c.fault.Status == 404 || c.fault.Status == 410 {
				place = AtRisk
			}
			w.pass(31 * time.Minute)
			w.until("a person can see it", func() bool { return w.shipment(id).State == state.Parked })
			s := w.wantShipment(id, state.Parked, c.reason, place)
			if len(c.fault.Body) > 0 && c.fault.Status == 0 {
				kept, err := os.ReadFile(w.relay.ShipmentWhereabouts(s).Paths[0])
				if err != nil || !bytes.Equal(kept, c.fault.Body) {
					t.Errorf("%q, %v is kept, want what came", kept, err)
				}
			}
			if w.countRoute(sim.RouteAck) != 0 || len(w.tree()) != 0 {
				t.Fatalf("%d acks, %d files; want none", w.countRoute(sim.RouteAck), len(w.tree()))
			}
			w.fo.ClearFaults()
			w.poll(q)
			w.untilPassing("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
			w.wantRows(w.only(id), table)
		})
	}
}

// daily is a schedule with one slot a day.
type daily struct{}

func (daily) Next(t time.Time) time.Time { return t.Add(24 * time.Hour) }

// A file that is damaged in FinOps stays so: after two equal downloads, ten
// minutes apart, FinOps need not keep it, and it stands here for a person. What
// differs is looked at again.
func TestDamagedFileIsAckedWhenItComesTwice(t *testing.T) {
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	data, _ := w.queued(0)
	spoiled := bytes.Clone(data)
	spoiled[lastOffset(t, data)] ^= 0x55 // in the last part: only reading all of it shows
	m := w.fo.Enqueue(testActivity, spoiled, sim.MessageOptions{})
	w.fo.Fault(sim.Fault{Route: sim.RouteDownload, Body: append(bytes.Clone(spoiled), 0)})
	w.run(cfg)
	w.pollUntilRest(q)
	id := w.shipmentOf(m)
	w.untilPassing("it came twice", func() bool { return m.Downloads() >= 2 })
	if w.countRoute(sim.RouteAck) != 0 {
		t.Fatal("acked before it was proved")
	}
	w.untilPassing("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
	s := w.shipment(id)
	if s.Proof != state.ProofTwice {
		t.Errorf("proof %q", s.Proof)
	}
	var times []time.Time
	for _, r := range w.fo.Requests() {
		if r.Route == sim.RouteDownload {
			times = append(times, r.Time)
		}
	}
	if span := times[len(times)-1].Sub(times[1]); span < DefaultProofAfter {
		t.Errorf("proved by downloads %v apart, want %v", span, DefaultProofAfter)
	}
	if w.shipment(id).State != state.Parked && w.only(id).State != state.Parked {
		t.Errorf("a damaged file stands as %s", w.shipment(id).State)
	}
}

// lastOffset is a byte within the packed data of an archive's last part.
func lastOffset(t *testing.T, data []byte) int64 {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	for _, f := range z.File {
		at, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		last = max(last, at+int64(f.CompressedSize64)/2)
	}
	return last
}

// Without a length the end of the answer may be a cut. An archive that comes
// twice and ends where it says is whole; a table that comes twice may be cut
// twice at the same place, and is a person's to judge.
func TestBodiesWithoutLength(t *testing.T) {
	t.Run("an archive", func(t *testing.T) {
		w := newRig(t)
		cfg, q := w.polls(BacklogLand)
		data, table := w.queued(0)
		m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
		w.fo.Fault(sim.Fault{Route: sim.RouteDownload, NoLength: true, Times: sim.Always})
		w.run(cfg)
		w.pollUntilRest(q)
		if w.countRoute(sim.RouteAck) != 0 {
			t.Fatal("acked after one download")
		}
		w.untilPassing("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
		id := w.shipmentOf(m)
		if s := w.shipment(id); s.Proof != state.ProofTwice {
			t.Errorf("proof %q", s.Proof)
		}
		w.wantRows(w.only(id), table)
	})
	t.Run("a table", func(t *testing.T) {
		w := newRig(t)
		cfg, q := w.polls(BacklogLand)
		table := w.fo.SampleEntity("all", 5)
		m := w.fo.Enqueue(testActivity, w.fo.Render(sim.CSVUTF8BOM, table), sim.MessageOptions{})
		w.fo.Fault(sim.Fault{Route: sim.RouteDownload, NoLength: true, Times: sim.Always})
		w.run(cfg)
		w.pollUntilRest(q)
		id := w.shipmentOf(m)
		for range 8 {
			w.pass(31 * time.Minute)
			w.poll(q)
			w.until("the download rests", func() bool { s := w.shipment(id); return s.State == state.Waiting || s.State == state.Parked })
		}
		s := w.wantShipment(id, state.Parked, state.ReasonUnproved, InFinOps)
		if w.countRoute(sim.RouteAck) != 0 || len(w.tree()) != 0 {
			t.Fatalf("%d acks, %d files; want none", w.countRoute(sim.RouteAck), len(w.tree()))
		}
		if next := w.relay.ShipmentWhereabouts(s).Next; !strings.Contains(next, "finrelay ack "+id) {
			t.Errorf("next: %s; want the command that takes it", next)
		}
		res, err := w.relay.TakeAsIs(t.Context(), id, "eve", "I have compared it with FinOps")
		if err != nil || !strings.HasSuffix(res.File, doubtedSuffix) {
			t.Fatalf("taken: %+v, %v", res, err)
		}
		w.until("it landed", func() bool { return w.shipment(id).State == state.Settled })
		w.wantRows(w.only(id), table)
		w.pass(31 * time.Minute)
		w.poll(q)
		if at, _ := m.Ack(); at.IsZero() {
			t.Error("not acked with the next receipt")
		}
	})
}

// What a person gives up: nothing but a page came, and FinOps may forget it.
func TestAckOfWhatNeverCame(t *testing.T) {
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	data, _ := w.queued(0)
	m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	w.fo.Fault(sim.Fault{Route: sim.RouteDownload, Status: 410, Times: sim.Always})
	w.run(cfg)
	w.pollUntilRest(q)
	for _, name := range []string{strings.ToUpper(m.CorrelationID), "{" + m.CorrelationID + "}"} {
		if id, err := w.relay.ShipmentOf(t.Context(), name); err != nil || id != w.shipmentOf(m) {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
	id := w.shipmentOf(m)
	if _, err := w.relay.TakeAsIs(t.Context(), id, "eve", "full push"); err != nil {
		t.Fatal(err)
	}
	w.wantShipment(id, state.Settled, state.ReasonTaken, SkippedHere)
	w.pass(31 * time.Minute)
	w.poll(q)
	w.wantMessage(id, state.Acked)
	_, err := w.relay.TakeAsIs(t.Context(), id, "eve", "again")
	if !errors.As(err, new(*state.TransitionError)) {
		t.Errorf("taken twice: %v", err)
	}
}

// Packed in transit is no other file.
func TestPackedInTransit(t *testing.T) {
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	data, table := w.queued(0)
	m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	w.fo.Fault(sim.Fault{Route: sim.RouteDownload, Gzip: true})
	w.run(cfg)
	w.poll(q)
	if at, _ := m.Ack(); at.IsZero() || m.Downloads() != 1 {
		t.Errorf("acked %v after %d downloads", at, m.Downloads())
	}
	w.wantRows(w.only(w.shipmentOf(m)), table)
}

// A download that FinOps sends on to the blob store is followed, by the rules
// for links: without the token, and to hosts of the configuration only.
func TestDownloadIsSentOn(t *testing.T) {
	t.Run("to the storage", func(t *testing.T) {
		w := newRig(t)
		cfg, q := w.polls(BacklogLand)
		data, table := w.queued(0)
		m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
		w.fo.Fault(sim.Fault{Route: sim.RouteDownload, Redirect: true, Times: sim.Always})
		w.fo.Fault(sim.Fault{Route: sim.RouteBlob, CutAfter: 300})
		w.run(cfg)
		w.pollUntilRest(q)
		w.untilPassing("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
		for _, r := range w.fo.Requests() {
			if r.Route == sim.RouteBlob && r.Authorization {
				t.Error("the storage got FinOps' token")
			}
		}
		w.wantRows(w.only(w.shipmentOf(m)), table)
	})
	t.Run("elsewhere", func(t *testing.T) {
		w := newRig(t)
		cfg, q := w.polls(BacklogLand)
		e := cfg.Environments["prod"]
		e.Link.Loopback = false
		cfg.Environments["prod"] = e
		data, _ := w.queued(0)
		m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
		w.fo.Fault(sim.Fault{Route: sim.RouteDownload, Redirect: true, Times: sim.Always})
		w.run(cfg)
		w.pollUntilRest(q)
		id := w.shipmentOf(m)
		w.pass(61 * time.Minute)
		w.until("a person can see it", func() bool { return w.shipment(id).State == state.Parked })
		s := w.wantShipment(id, state.Parked, state.ReasonRedirected, InFinOps)
		if !strings.Contains(s.Detail, "127.0.0.1") || !strings.Contains(s.Detail, "link_hosts") || w.countRoute(sim.RouteBlob) != 0 {
			t.Errorf("%s; %d requests to it, want the host and the setting named, and none", s.Detail, w.countRoute(sim.RouteBlob))
		}
	})
}

// Stopped between any two steps of a download in doubt, the file that lands is
// the right one, and nothing was acked before.
func TestStoppedWhileInDoubt(t *testing.T) {
	for _, step := range []string{"fetch", "mark", "prove", "fetched-recorded"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			cfg, q := w.polls(BacklogLand)
			data, table := w.queued(0)
			m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
			w.fo.Fault(sim.Fault{Route: sim.RouteDownload, NoAzureHeaders: true, Status: 200, Times: 2})
			w.run(cfg)
			w.pollUntilRest(q)
			id := w.shipmentOf(m)
			begun, let := w.hold(step)
			w.untilPassing("held", func() bool {
				select {
				case <-begun:
					return true
				default:
					s := w.shipment(id)
					return s.State == state.Settled
				}
			})
			if w.shipment(id).State != state.Settled && w.countRoute(sim.RouteAck) != 0 {
				t.Error("acked too early")
			}
			let()
			w.run(cfg)
			w.pass(31 * time.Minute)
			w.poll(q)
			w.untilPassing("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
			w.wantRows(w.only(id), table)
		})
	}
}

// After seven days FinOps has no file any more: the rows are lost, and that is
// what is said.
func TestNeverProvedIsLost(t *testing.T) {
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	data, _ := w.queued(0)
	m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	w.fo.Fault(sim.Fault{Route: sim.RouteDownload, NoAzureHeaders: true, Status: 200, Times: sim.Always})
	w.run(cfg)
	w.pollUntilRest(q)
	id := w.shipmentOf(m)
	w.pass(7*24*time.Hour + time.Minute)
	w.until("a person can see it", func() bool { return w.shipment(id).State == state.Parked })
	s := w.wantShipment(id, state.Parked, state.ReasonNoExport, Lost)
	if next := w.relay.ShipmentWhereabouts(s).Next; !strings.Contains(next, "full push") {
		t.Errorf("next: %s", next)
	}
}

// A link's file is vouched for by the storage. What comes without that word, of
// a host that is said to give none, is looked at: a page is no export there
// either.
func TestPageInsteadOfALink(t *testing.T) {
	w := newRig(t)
	cfg := w.takesAll()
	e := cfg.Environments["prod"]
	e.Link.PlainHosts = []string{"127.0.0.1"}
	cfg.Environments["prod"] = e
	w.run(cfg)
	w.fo.Fault(sim.Fault{Route: sim.RouteBlob, Body: []byte("<html>sign in</html>"), Times: 2})
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	w.untilPassing("landed", func() bool { return w.shipment(receipt.ShipmentID).State == state.Settled })
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

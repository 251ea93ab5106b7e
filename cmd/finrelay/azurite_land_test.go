package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/flows"
	"finrelay/flows/doors"
	"finrelay/state"
	"finrelay/web"
)

// served is a finrelay in a folder of its own, and how a test speaks to it.
type served struct {
	*serveProcess
	t      *testing.T
	folder string
	asks   *web.Client
}

func serveIn(t *testing.T, folder, configuration string) *served {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, defaultFile), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := startServe(folder, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", p.Log())
		}
	})
	socket, err := web.SocketPath(filepath.Join(folder, "data"))
	if err != nil {
		t.Fatal(err)
	}
	return &served{p, t, folder, web.Dial(socket)}
}

// loopbackConfig lets links point to this machine; grace is short, because a
// test that holds a download back knows that it will not finish.
const loopbackConfig = `
environments:
  prod: {loopback_links: true}
shutdown: {grace: 100ms}
`

// post sends an export event and gives what the door answered of it.
func (s *served) post(eventID, entity, link string) doors.AnswerEvent {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"BusinessEventId": sim.ExportEventID, "EventId": eventID, "EntityName": entity, "LegalEntity": "usmf",
		"DownloadURL": link, "ControlNumber": 1, "EventTimeIso8601": time.Now().UTC().Format(time.RFC3339),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	status, answer, err := postEvent(blobClient.Transport, s.Door, "prod", s.Key, body)
	if err != nil {
		s.t.Fatal(err)
	}
	var a doors.Answer
	if status/100 != 2 || json.Unmarshal(answer, &a) != nil || len(a.Events) != 1 {
		s.t.Fatalf("event %s: %d %s", eventID, status, answer)
	}
	return a.Events[0]
}

// rest waits until nothing is on its way and gives the shipment.
func (s *served) rest(shipment string) web.ShipmentView {
	s.t.Helper()
	if err := waitRest(filepath.Join(s.folder, "data")); err != nil {
		s.t.Fatal(err)
	}
	v, err := s.asks.Shipment(context.Background(), shipment)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// landed waits for a shipment's only export and gives it and its file.
func (s *served) landed(shipment string) (web.ExportView, []byte) {
	s.t.Helper()
	v := s.rest(shipment)
	if len(v.Exports) != 1 || v.Exports[0].State != state.Landed {
		s.t.Fatalf("shipment is %s (%s) %s, with exports %+v; want one that has landed", v.State, v.Reason, v.Detail, v.Exports)
	}
	return v.Exports[0], s.file(v.Exports[0])
}

func (s *served) file(e web.ExportView) []byte {
	s.t.Helper()
	if len(e.Where.Paths) == 0 {
		s.t.Fatalf("export %s (%s) names no file", e.ID, e.State)
	}
	rows, err := os.ReadFile(e.Where.Paths[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

func withoutQuery(err error) error {
	if ue := new(url.Error); errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// TestAzurite takes exports from a real blob server, through the door of a
// real finrelay, to files.
func TestAzurite(t *testing.T) {
	t.Parallel()
	a := startAzurite(t)
	s := serveIn(t, t.TempDir(), loopbackConfig)
	hour := time.Now().Add(time.Hour)

	t.Run("a CSV file lands", func(t *testing.T) {
		a.upload(t, "groups.csv", []byte("\xef\xbb\xbfCODE,NAME\r\n007,\"Bond, James\"\r\n"))
		_, rows := s.landed(s.post("csv", "Customer groups", a.link("groups.csv", hour)).Shipment)
		if want := "{\"CODE\":\"007\",\"NAME\":\"Bond, James\"}\n"; string(rows) != want {
			t.Errorf("landed %q, want %q", rows, want)
		}
	})

	t.Run("each entity of a package lands", func(t *testing.T) {
		finops := sim.New(sim.Options{Seed: 1})
		content := finops.Package("Nightly",
			finops.Member(sim.CSVUTF16LE, finops.SampleEntity("Customer groups", 5)),
			finops.Member(sim.XMLElement, finops.SampleEntity("Vendor groups", 4)))
		a.upload(t, "nightly.zip", content)
		v := s.rest(s.post("package", "", a.link("nightly.zip", hour)).Shipment)
		if sum := sha256.Sum256(content); v.RawSHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("raw file has SHA-256 %s, the blob %x", v.RawSHA256, sum)
		}
		rows := map[string]int{}
		for _, e := range v.Exports {
			rows[e.Entity] = bytes.Count(s.file(e), []byte("\n"))
		}
		if len(rows) != 2 || rows["Customer groups"] != 5 || rows["Vendor groups"] != 4 {
			t.Errorf("landed rows by entity %v, want 5 customer groups and 4 vendor groups", rows)
		}
	})

	t.Run("a deleted blob is parked", func(t *testing.T) {
		a.upload(t, "gone.csv", []byte("CODE\n1\n"))
		a.remove(t, "gone.csv")
		v := s.rest(s.post("gone", "Customer groups", a.link("gone.csv", hour)).Shipment)
		if v.State != state.Parked || v.Reason != state.ReasonLinkGone || v.Where.Place != flows.Lost {
			t.Errorf("shipment is %s (%s), its rows %q; want parked (%s), %q", v.State, v.Reason, v.Whereabouts, state.ReasonLinkGone, flows.Lost)
		}
	})

	t.Run("a link that died expires, and a fresh one lands", func(t *testing.T) {
		a.upload(t, "late.csv", []byte("CODE\n1\n"))
		link := a.link("late.csv", time.Now().Add(2*time.Second))
		if status := get(t, link); status != http.StatusOK {
			t.Fatalf("the link answers %d while it lives", status)
		}
		for get(t, link) == http.StatusOK { // Azurite's clock decides, not ours
			time.Sleep(100 * time.Millisecond)
		}
		first := s.post("late", "Customer groups", link)
		v := s.rest(first.Shipment)
		if v.State != state.Expired || v.Where.Place != flows.AtRisk || v.Where.Until.IsZero() || !strings.Contains(v.Where.Next, "fresh link") {
			t.Fatalf("shipment is %s (%s), its rows %q, next %q; want expired, at risk until a date, and the advice to send a fresh link",
				v.State, v.Reason, v.Whereabouts, v.Where.Next)
		}
		again := s.post("late", "Customer groups", a.link("late.csv", hour))
		if !again.Duplicate || again.Shipment != first.Shipment {
			t.Fatalf("the event with a fresh link is %+v, want a duplicate of %+v", again, first)
		}
		if _, rows := s.landed(first.Shipment); string(rows) != "{\"CODE\":\"1\"}\n" {
			t.Errorf("landed %q", rows)
		}
	})
}

func get(t *testing.T, link string) int {
	t.Helper()
	resp, err := blobClient.Get(link)
	if err != nil {
		t.Fatal(withoutQuery(err))
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

const mib = 1 << 20

// bigCSV gives about size bytes, and what they are as JSON Lines.
func bigCSV(size int, word string) (csv, jsonl []byte) {
	var in, out bytes.Buffer
	text := strings.Repeat(word+" ", 2000/(len(word)+1))
	in.WriteString("ID,TEXT\n")
	for n := 0; in.Len() < size; n++ {
		fmt.Fprintf(&in, "%d,%s\n", n, text)
		fmt.Fprintf(&out, "{\"ID\":\"%d\",\"TEXT\":\"%s\"}\n", n, text)
	}
	return in.Bytes(), out.Bytes()
}

// TestAzuriteResume ends finrelay in the middle of a large download. What it
// goes on with depends on whether the blob is still the same.
func TestAzuriteResume(t *testing.T) {
	t.Parallel()
	a := startAzurite(t)
	const holdAt = 20 * mib // more than the 16 MiB after which an offset is made durable
	hour := time.Now().Add(time.Hour)

	// interrupted starts a download, holds it, and stops finrelay then.
	interrupted := func(t *testing.T, name string, content []byte) (g *gate, folder, shipment string) {
		a.uploadBlocks(t, name, content, 8*mib)
		g = startGate(t, a, holdAt)
		folder = t.TempDir()
		s := serveIn(t, folder, loopbackConfig)
		shipment = s.post("big", "Customer groups", azurite{g.url}.link(name, hour)).Shipment
		select {
		case <-g.reached:
		case <-time.After(restTimeout):
			t.Fatalf("the download did not come to %d bytes", holdAt)
		}
		if code, err := s.Stop(); err != nil || code != exitDone {
			t.Fatalf("stop in mid-download: exit code %d, %v", code, err)
		}
		g.open()
		return g, folder, shipment
	}

	t.Run("the same blob goes on where it was", func(t *testing.T) {
		content, want := bigCSV(40*mib, "resume")
		g, folder, shipment := interrupted(t, "same.csv", content)
		e, rows := serveIn(t, folder, loopbackConfig).landed(shipment)
		if !bytes.Equal(rows, want) {
			t.Errorf("landed %d bytes that are not the %d of the blob's rows", len(rows), len(want))
		}
		asked := g.requests()
		if len(asked) != 2 {
			t.Fatalf("requests %+v, want one for each run", asked)
		}
		var from int64
		if _, err := fmt.Sscanf(asked[1].Range, "bytes=%d-", &from); err != nil || from < 16*mib || from > holdAt {
			t.Errorf("the second run asked for range %q, want one from 16 to 20 MiB on", asked[1].Range)
		}
		if asked[1].IfMatch == "" || asked[1].Status != http.StatusPartialContent {
			t.Errorf("the second run asked with If-Match %q and was answered %d, want an entity tag and 206", asked[1].IfMatch, asked[1].Status)
		}
		if sum := sha256.Sum256(want); e.Deliveries[0].SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("the ledger has SHA-256 %s of the landed file, it has %x", e.Deliveries[0].SHA256, sum)
		}
	})

	t.Run("an overwritten blob comes again from its start", func(t *testing.T) {
		content, _ := bigCSV(24*mib, "before")
		g, folder, shipment := interrupted(t, "changed.csv", content)
		changed, want := bigCSV(3*mib, "after")
		a.upload(t, "changed.csv", changed)
		_, rows := serveIn(t, folder, loopbackConfig).landed(shipment)
		if !bytes.Equal(rows, want) {
			t.Errorf("landed %d bytes that are not the %d of the new rows", len(rows), len(want))
		}
		asked := g.requests()
		if len(asked) < 3 {
			t.Fatalf("requests %+v, want one before the stop, one that is refused, and a new start", asked)
		}
		last := asked[len(asked)-1]
		if last.Status != http.StatusOK || (last.Range != "" && last.Range != "bytes=0-") {
			t.Errorf("requests %+v, want the last one to ask for the whole blob", asked)
		}
		if asked[1].Status != http.StatusPreconditionFailed && asked[1].Status != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("requests %+v, want the second one refused because the blob changed", asked)
		}
	})
}

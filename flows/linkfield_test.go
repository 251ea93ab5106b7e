package flows

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"finrelay/dmf"
	"finrelay/dmf/sim"
	"finrelay/state"
)

func TestLinkFields(t *testing.T) {
	for body, want := range map[string][]LinkField{
		`{"EventId":"1","Uri":"https://x.blob.core.windows.net/dmf/a.csv?sv=1&sig=s"}`:      {{Path: "Uri", Host: "x.blob.core.windows.net"}},
		`{"File":{"Url":"HTTPS://Shop.example/a.csv?se=1&sig=s"},"Home":"https://a/b?q=1"}`: {{Path: "File.Url", Host: "shop.example"}},
		`{"b":"https://b.blob.core.windows.net/x","a":"http://s3.example/x?X-Amz-Signature=1"}`: {
			{Path: "a", Host: "s3.example"}, {Path: "b", Host: "b.blob.core.windows.net"}},
		`[{"data":{"DownloadURL":"https://x.blob.core.windows.net/a?sig=s"}}]`:                  {{Path: "data.DownloadURL", Host: "x.blob.core.windows.net"}},
		`{"InputParameters":[{"key":"k"},{"value":"https://x.blob.core.windows.net/a?sig=s"}]}`: {{Path: "InputParameters[1].value", Host: "x.blob.core.windows.net", Unnamed: true}},
		`{"body":"{\"Uri\":\"https://x.blob.core.windows.net/a?sig=s\"}"}`:                      {{Path: "body.Uri", Host: "x.blob.core.windows.net", Unnamed: true}},
		`{"$content":"eyJVcmkiOiJodHRwczovL3guYmxvYi5jb3JlLndpbmRvd3MubmV0L2E/c2lnPXMifQ=="}`:   {{Path: "$content.Uri", Host: "x.blob.core.windows.net", Unnamed: true}},
		`{"l":["https://a/?sig=1","https://a/?sig=1","https://a/?sig=1"],"m":["https://a/?sig=1","https://a/?sig=1","https://a/?sig=1"]}`: {
			{"l[0]", "a", true}, {"l[1]", "a", true}, {"l[2]", "a", true}, {"m[0]", "a", true}, {"m[1]", "a", true}},
		`{"https://a/?sig=secret":"https://a/?sig=secret"}`:                                                              {{Path: "https://a/?sig=" + RemovedSignature, Host: "a"}},
		`{"Uri":"https://contoso.operations.dynamics.com/?cmp=usmf","ftp":"ftp://x.blob.core.windows.net/?sig=1","n":7}`: nil,
		`not JSON`: nil,
		``:         nil,
	} {
		if got := linkFields([]byte(body)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", body, got, want)
		}
	}
}

// What the field's envelopes hold is named where a setting reaches it.
func TestLinkFieldsOfEnvelopes(t *testing.T) {
	link := `"https://contosodmf.blob.core.windows.net/dmf/x.csv?sv=2018-03-28&se=2026-12-01T20%3A00%3A00Z&sig=c2VjcmV0"`
	event := `{"BusinessEventId":"ContosoExportBusinessEvent","EntityName":"Units","EventId":"1","DownloadURL":` + link + `}`
	r := &Relay{cfg: Config{FieldNames: dmf.DefaultFieldNames()}}
	for envelope, path := range map[string]string{
		`{"specversion":"1.0","id":"1","data":` + event + `}`:              "data.DownloadURL",
		`[{"id":"1","eventType":"x","data":` + event + `}]`:                "data.DownloadURL",
		`{"statusCode":200,"headers":{},"body":` + event + `}`:             "body.DownloadURL",
		`{"InputParameters":[{"key":"DownloadURL","value":` + link + `}]}`: "",
	} {
		arrivals := ReadBody("prod", "finops", []byte(envelope), r.cfg.FieldNames)
		fields := linkFields(arrivals[0].Body)
		said := r.linkAdvice(fields)
		if path == "" {
			if len(fields) != 1 || !strings.Contains(said, "no setting reaches") {
				t.Errorf("%s: %s", envelope, said)
			}
			continue
		}
		if !strings.Contains(said, "doors.finops.fields.download_url: [DownloadURL, "+path+"]") {
			t.Errorf("%s: %s", envelope, said)
		}
		// What it says to set is what helps.
		names := r.cfg.FieldNames.Merge(dmf.FieldNames{DownloadURL: []string{"DownloadURL", path}})
		again := ReadBody("prod", "finops", []byte(envelope), names)
		if again[0].Event == nil || again[0].Event.Kind() != dmf.KindExport {
			t.Errorf("%s: still no link with %s", envelope, path)
		}
	}
	odd := r.linkAdvice([]LinkField{{Path: "$file-url", Host: "a"}})
	if !strings.Contains(odd, `[DownloadURL, "$file-url"]`) {
		t.Error(odd)
	}
}

// elsewhere is the payload of an export whose link stands under another name.
func (w *rig) elsewhere(spec sim.ExportSpec, change func(event map[string]any)) []byte {
	w.t.Helper()
	e, _ := w.fo.Export(spec)
	var event map[string]any
	if err := json.Unmarshal(w.fo.Payload(e), &event); err != nil {
		w.t.Fatal(err)
	}
	event["File"] = map[string]any{"Url": event["DownloadURL"]}
	delete(event, "DownloadURL")
	if change != nil {
		change(event)
	}
	body, err := json.Marshal(event)
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

func (w *rig) events(f state.Filter) []state.Event {
	w.t.Helper()
	f.Limit = -1
	all, err := w.db.Events(w.t.Context(), f)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// An event of an export in which no link is found is on the list, says which
// field looks like one, and is fetched once the configuration names the field.
func TestNoLinkFound(t *testing.T) {
	w := newRig(t)
	cfg := w.takesAll()
	w.run(cfg)
	body := w.elsewhere(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 3}, nil)
	r := w.post(body)[0]
	if r.State != state.Unreadable || r.Reason != state.ReasonNoLinkFound || r.Duplicate {
		t.Fatalf("%+v", r)
	}
	if again := w.post(body)[0]; !again.Duplicate || again.EventID != r.EventID {
		t.Errorf("the same once more: %+v", again)
	}
	e := w.events(state.Filter{States: []state.State{state.Unreadable}, Reason: state.ReasonNoLinkFound})
	if len(e) != 1 || e[0].Entity != "Customer groups" || e[0].LegalEntity != "usmf" || e[0].Duplicates != 1 {
		t.Fatalf("on the list: %+v", e)
	}
	where := w.relay.EventWhereabouts(e[0])
	if want := "set doors.finops.fields.download_url: [DownloadURL, File.Url], finrelay reload, then finrelay rerun " + r.EventID; where.Place != AtRisk || !strings.Contains(where.Next, want) {
		t.Errorf("%s, next %q; want %q", where, where.Next, want)
	}
	status, err := w.db.Status(t.Context(), "")
	if err != nil || status.NeedPerson != 1 || len(status.Lines) != 1 || status.Lines[0].Entity != "Customer groups" {
		t.Errorf("%+v, %v", status, err)
	}
	shown, err := w.db.Body(t.Context(), r.EventID)
	if err != nil || strings.Contains(string(w.fetchable(shown)), "sig=") {
		t.Errorf("the body that is shown: %s, %v", shown, err)
	}
	if n, err := w.db.Forget(t.Context(), w.now().Add(10*365*24*time.Hour), 100); n != 0 || err != nil {
		t.Errorf("%d forgotten, %v", n, err)
	}
	rerun := func() Rerun {
		t.Helper()
		all, err := w.relay.RerunIDs(t.Context(), []string{r.EventID}, false, "eve")
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		return all[0]
	}
	if got := rerun(); got.Queued || !strings.HasPrefix(got.Refusal, "still no link is found in it: field File.Url holds") {
		t.Errorf("before the correction: %+v", got)
	}

	cfg.FieldNames.DownloadURL = []string{"DownloadURL", "File.Url"}
	w.run(cfg)
	if got := rerun(); !got.Queued {
		t.Errorf("after the correction: %+v", got)
	}
	w.settle()
	x := w.only(w.events(state.Filter{States: []state.State{state.Accepted}})[0].ShipmentID)
	w.wantExport(x, state.Landed, "", LandedHere)
	if n := len(w.rows(x)); n != 3 {
		t.Errorf("%d rows landed", n)
	}
	if left := w.events(state.Filter{States: []state.State{state.Unreadable}}); len(left) > 0 {
		t.Errorf("still on the list: %+v", left)
	}
}

// fetchable is a body without the markers that stand for signatures.
func (w *rig) fetchable(body []byte) []byte {
	return []byte(strings.ReplaceAll(string(body), "sig="+RemovedSignature, ""))
}

// The event sent again after the correction is a new one, with identities or
// without; the one on the list then speaks for it, and nothing lands twice.
func TestNoLinkFoundIsNoDuplicate(t *testing.T) {
	bare := func(event map[string]any) {
		for key := range event {
			if key != "EntityName" && key != "File" && key != "NoOfRecords" {
				delete(event, key)
			}
		}
	}
	for name, change := range map[string]func(map[string]any){"with its identities": nil, "without any": bare} {
		t.Run(name, func(t *testing.T) {
			w := newRig(t)
			cfg := w.takesAll()
			w.run(cfg)
			body := w.elsewhere(sim.ExportSpec{Entity: "Units", Rows: 2}, change)
			listed := w.post(body)[0]
			cfg.FieldNames.DownloadURL = []string{"File.Url"}
			w.run(cfg)
			sent := w.post(body)[0]
			if sent.Duplicate || sent.State != state.Accepted || sent.ShipmentID == "" {
				t.Fatalf("sent again: %+v", sent)
			}
			w.settle()
			w.wantExport(w.only(sent.ShipmentID), state.Landed, "", LandedHere)
			if _, err := w.relay.RerunIDs(t.Context(), []string{listed.EventID}, false, "eve"); err != nil {
				t.Fatal(err)
			}
			w.settle()
			e, err := w.db.Event(t.Context(), listed.EventID)
			if err != nil || e.State != state.Accepted || e.ShipmentID != sent.ShipmentID {
				t.Errorf("the one on the list: %+v, %v; want it to speak for %s", e, err, sent.ShipmentID)
			}
			if files := keys(w.tree()); len(files) != 2 {
				t.Errorf("landed: %v", files)
			}
		})
	}
}

// A body that nobody could read takes the place that its repeat is read into.
func TestUnreadableSentAgain(t *testing.T) {
	w := newRig(t)
	cfg := w.takesAll()
	w.run(cfg)
	body := w.elsewhere(sim.ExportSpec{Entity: "Units", Rows: 2}, func(event map[string]any) {
		for key := range event {
			if key != "File" {
				delete(event, key)
			}
		}
	})
	listed := w.post(body)[0]
	if listed.Reason != state.ReasonUnreadable {
		t.Fatalf("%+v", listed)
	}
	cfg.FieldNames.DownloadURL = []string{"File.Url"}
	w.run(cfg)
	sent := w.post(body)[0]
	if sent.Duplicate || sent.EventID != listed.EventID || sent.ShipmentID == "" {
		t.Fatalf("sent again: %+v", sent)
	}
	if third := w.post(body)[0]; !third.Duplicate || third.ShipmentID != sent.ShipmentID {
		t.Errorf("a third time: %+v", third)
	}
	w.settle()
	w.wantExport(w.only(sent.ShipmentID), state.Landed, "", LandedHere)
	if _, err := w.db.UnreadBody(t.Context(), listed.EventID); err != state.ErrNotFound {
		t.Errorf("its body with the signature is kept: %v", err)
	}
}

// What is no export's event stays ignored; a person may skip one that is.
func TestNoLinkFoundIsSkipped(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	for _, name := range []string{"endpoint-test", "import-status"} {
		body, err := os.ReadFile(filepath.Join("../testdata/events", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if r := w.post(body)[0]; r.State != state.Ignored {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := w.post([]byte(`{"BusinessEventId":"SalesOrderConfirmed","EventId":"1"}`))[0]; r.State != state.Ignored || r.Reason != state.ReasonNoLink {
		t.Errorf("another class: %+v", r)
	}
	r := w.post([]byte(`{"EventId":"2","EntityName":"Units"}`))[0]
	e, err := w.db.Event(t.Context(), r.EventID)
	if err != nil || !strings.HasPrefix(w.relay.EventWhereabouts(e).Next, "nothing in it looks like a link: finrelay events show "+r.EventID) {
		t.Errorf("%+v, %v", w.relay.EventWhereabouts(e), err)
	}
	if _, err := w.relay.Skip(t.Context(), r.EventID, "eve", "no file"); err != nil {
		t.Fatal(err)
	}
	if status, err := w.db.Status(t.Context(), ""); err != nil || status.NeedPerson != 0 {
		t.Errorf("%+v, %v", status, err)
	}
}

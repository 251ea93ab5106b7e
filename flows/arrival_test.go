package flows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"finrelay/dmf"
	"finrelay/state"
)

// arrivalOf reads one event's JSON.
func arrivalOf(t *testing.T, body string) Arrival {
	t.Helper()
	all := ReadBody("prod", "finops", []byte(body), dmf.DefaultFieldNames())
	if len(all) != 1 {
		t.Fatalf("%d arrivals in %s", len(all), body)
	}
	return all[0]
}

func TestIdentity(t *testing.T) {
	const (
		blob  = `"DownloadURL":"https://acct.blob.core.windows.net/dmf/%7BA%7D.csv?sv=1&sig=AAAA&se=2026-03-02T10%3A00%3A00Z"`
		fresh = `"DownloadURL":"https://acct.blob.core.windows.net/dmf/%7BA%7D.csv?sv=2&sig=BBBB&se=2026-03-02T12%3A00%3A00Z"`
		upper = `"DownloadURL":"https://ACCT.blob.core.windows.net/dmf/%7bA%7d.csv?sv=1&sig=AAAA"`
		other = `"DownloadURL":"https://acct.blob.core.windows.net/dmf/%7BB%7D.csv?sv=1&sig=AAAA"`
		cased = `"DownloadURL":"https://acct.blob.core.windows.net/dmf/%7Ba%7D.csv?sv=1&sig=AAAA"` // blob names are case sensitive
		odd   = `"DownloadURL":"not a link?sig=AAAA"`
		odd2  = `"DownloadURL":"not a link?sig=BBBB"`
	)
	for _, c := range []struct {
		name string
		x, y string
		same bool
	}{
		{"braces", `{"EventId":"{6070E2A4-A3D8-4074-B105-4F2666CCA04C}",` + blob + `}`, `{"EventId":"6070E2A4-A3D8-4074-B105-4F2666CCA04C",` + blob + `}`, true},
		{"letter case", `{"EventId":"6070e2a4-a3d8-4074-b105-4f2666cca04c",` + blob + `}`, `{"EventId":"6070E2A4-A3D8-4074-B105-4F2666CCA04C",` + blob + `}`, true},
		{"letter case of the business event", `{"EventId":"1","BusinessEventId":"abc",` + blob + `}`, `{"EventId":"1","BusinessEventId":"ABC",` + blob + `}`, true},
		{"another business event", `{"EventId":"1","BusinessEventId":"abc",` + blob + `}`, `{"EventId":"1","BusinessEventId":"abd",` + blob + `}`, false},
		{"another event id", `{"EventId":"1",` + blob + `}`, `{"EventId":"2",` + blob + `}`, false},
		{"the same blob, a fresh signature", `{"EventId":"1",` + blob + `}`, `{"EventId":"1",` + fresh + `}`, true},
		{"the same blob, spelled otherwise", `{"EventId":"1",` + blob + `}`, `{"EventId":"1",` + upper + `}`, true},
		{"one event id, two blobs", `{"EventId":"1",` + blob + `}`, `{"EventId":"1",` + other + `}`, false},
		{"blobs differ in letter case", `{"EventId":"1",` + blob + `}`, `{"EventId":"1",` + cased + `}`, false},
		{"other fields differ", `{"EventId":"1","EntityName":"A",` + blob + `}`, `{"EventId":"1","EntityName":"B","NoOfRecords":3,` + blob + `}`, true},
		{"a link that is none, a fresh signature", `{"EventId":"1",` + odd + `}`, `{"EventId":"1",` + odd2 + `}`, true},

		{"no event id: RecId and blob", `{"RecId":7,` + blob + `}`, `{"RecId":7,` + fresh + `}`, true},
		{"no event id: RecId, two blobs", `{"RecId":7,` + blob + `}`, `{"RecId":7,` + other + `}`, false},
		{"no event id: two RecIds, one blob", `{"RecId":7,` + blob + `}`, `{"RecId":8,` + blob + `}`, false},
		{"no event id: ControlNumber and blob", `{"ControlNumber":7,` + blob + `}`, `{"ControlNumber":7,` + fresh + `}`, true},
		{"no event id: ControlNumber, two blobs", `{"ControlNumber":7,` + blob + `}`, `{"ControlNumber":7,` + other + `}`, false},
		{"RecId is not ControlNumber", `{"RecId":7,` + blob + `}`, `{"ControlNumber":7,` + blob + `}`, false},
		{"neighbours beyond float64", `{"RecId":9007199254740993,` + blob + `}`, `{"RecId":9007199254740992,` + blob + `}`, false},
		{"an empty event id is none", `{"EventId":"","RecId":7,` + blob + `}`, `{"RecId":7,` + blob + `}`, true},

		{"nothing but a body", `{"EntityName":"A"}`, `{"EntityName":"A"}`, true},
		{"two bodies", `{"EntityName":"A"}`, `{"EntityName":"B"}`, false},
		{"RecId without a link: the body", `{"RecId":7,"X":1}`, `{"RecId":7,"X":2}`, false},
		{"unreadable", `nonsense`, `nonsense`, true},
		{"unreadable, another", `nonsense`, `Nonsense`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, y := arrivalOf(t, c.x).Identity(), arrivalOf(t, c.y).Identity()
			if (x == y) != c.same {
				t.Errorf("%s\n%s\nare the same: %t, want %t\n%s\n%s", c.x, c.y, x == y, c.same, x, y)
			}
			if strings.Contains(x+y, "AAAA") || strings.Contains(x+y, "BBBB") {
				t.Errorf("the identity holds a signature: %s", x+y)
			}
		})
	}
}

func TestWithoutSignatures(t *testing.T) {
	const gone = RemovedSignature
	for _, c := range []struct{ name, body, want string }{
		{"JSON", `{"u":"https://a/b?sv=1&sig=abc%2Bd%3D&se=2"}`, `{"u":"https://a/b?sv=1&sig=` + gone + `&se=2"}`},
		{"last parameter", `{"u":"https://a/b?sig=abc%3D"}`, `{"u":"https://a/b?sig=` + gone + `"}`},
		{"escaped ampersand", `{"u":"https://a/b?sv=1\u0026sig=abc\u0026se=2"}`, `{"u":"https://a/b?sv=1\u0026sig=` + gone + `\u0026se=2"}`},
		{"escaped equals sign", `{"u":"?sig\u003dabc\u0026se\u003d2"}`, `{"u":"?sig\u003d` + gone + `\u0026se\u003d2"}`},
		{"upper case", `{"u":"?SIG=abc&SE=2"}`, `{"u":"?SIG=` + gone + `&SE=2"}`},
		{"percent-encoded", `{"u":"https%3A%2F%2Fa%2Fb%3Fsig%3Dabc%2526"}`, `{"u":"https%3A%2F%2Fa%2Fb%3Fsig%3D` + gone + `"}`},
		{"percent-encoded twice", `{"u":"sig%253Dabc"}`, `{"u":"sig%253D` + gone + `"}`},
		{"XML", `<u>https://a/b?sv=1&amp;sig=abc&amp;se=2</u>`, `<u>https://a/b?sv=1&amp;sig=` + gone + `&amp;se=2</u>`},
		{"XML, last", `<u a='?sig=abc'>?sig=def</u>`, `<u a='?sig=` + gone + `'>?sig=` + gone + `</u>`},
		{"several", `["?sig=a","?sig=b&x","?sig=c"]`, `["?sig=` + gone + `","?sig=` + gone + `&x","?sig=` + gone + `"]`},
		{"in a string in JSON", `"{\"u\":\"?sig=abc\"}"`, `"{\"u\":\"?sig=` + gone + `\"}"`},
		{"base64 as it is", `{"u":"?sig=ab+c/d=="}`, `{"u":"?sig=` + gone + `"}`},
		{"base64 with its slash escaped", `{"u":"?sig=ab\/cd\/e=&se=2"}`, `{"u":"?sig=` + gone + `&se=2"}`},
		{"base64 as .NET escapes it", `{"u":"?sig=ab\u002Bcd\u002fe\u003d\u0026se=2"}`, `{"u":"?sig=` + gone + `\u0026se=2"}`},
		{"and again in a string", `"{\"u\":\"?sig=ab\\/cd\\u002Be\\u0026se=2\"}"`, `"{\"u\":\"?sig=` + gone + `\\u0026se=2\"}"`},
		{"empty", `{"u":"?sig=&se=2"}`, `{"u":"?sig=` + gone + `&se=2"}`},
		{"UTF-16", utf16le(`{"u":"?sig=abc&se=2"}`), `{"u":"?sig=` + gone + `&se=2"}`},
		{"XML escapes", `<u>?sig=ab&#x2B;cd&#47;e&#61;&amp;se=2</u>`, `<u>?sig=` + gone + `&amp;se=2</u>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body)
			if got := string(withoutSignatures(body)); got != c.want {
				t.Errorf("%s\nbecomes %s\nwant    %s", c.body, got, c.want)
			}
			if string(body) != c.body {
				t.Errorf("the body itself was changed to %s", body)
			}
		})
	}
	for _, body := range []string{``, `{}`, `{"signature":"x","sight":1,"s":"SI"}`} {
		b := []byte(body)
		got := withoutSignatures(b)
		if !bytes.Equal(got, b) || len(b) > 0 && &got[0] != &b[0] {
			t.Errorf("%s: without a signature the same slice comes back, got %s", body, got)
		}
	}
}

func utf16le(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) { // ASCII only
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

// Whatever stands around it and however the sender writes JSON: a signature
// that a link holds is not in what is stored.
func TestNoSignatureSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sig := rapid.StringMatching(`[A-Za-z0-9+/]{24,44}={0,2}`).Draw(t, "signature")
		link := "https://acct.blob.core.windows.net/dmf/x.csv?sv=1&sig=" + url.QueryEscape(sig) + "&se=2026-03-02T10%3A00%3A00Z"
		if rapid.Bool().Draw(t, "not percent-encoded") {
			link = "https://acct.blob.core.windows.net/dmf/x.csv?se=2026-03-02T10:00:00Z&sig=" + sig + "&sv=1"
		}
		body := writeJSON(t, link)
		if rapid.Bool().Draw(t, "in a string") {
			body = writeJSON(t, body)
		}
		got := string(withoutSignatures([]byte(body)))
		// Any 8 characters in a row would be too much to show.
		for _, form := range []string{sig, url.QueryEscape(sig)} {
			for i := 0; i+8 <= len(form); i++ {
				if strings.Contains(got, form[i:i+8]) {
					t.Fatalf("%s\nkeeps %q of its signature:\n%s", body, form[i:i+8], got)
				}
			}
		}
	})
}

// writeJSON is a JSON string as one of the writers in the field would write it.
func writeJSON(t *rapid.T, s string) string {
	slash := rapid.SampledFrom([]string{`/`, `\/`, `\u002f`}).Draw(t, "slash")
	amp := rapid.SampledFrom([]string{`&`, `\u0026`}).Draw(t, "ampersand")
	plus := rapid.SampledFrom([]string{`+`, `\u002B`}).Draw(t, "plus")
	equals := rapid.SampledFrom([]string{`=`, `\u003d`, `\u003D`}).Draw(t, "equals")
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `/`, slash, `&`, amp, `+`, plus, `=`, equals).Replace(s) + `"`
}

func TestEventBodiesKeepNoSignature(t *testing.T) {
	files, err := filepath.Glob("../testdata/events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no events", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range ReadBody("prod", "finops", body, dmf.DefaultFieldNames()) {
			entry := a.ledgerEntry()
			if s := entry.Shipment; s != nil {
				u, err := url.Parse(s.Link)
				if err != nil {
					continue
				}
				sig := u.Query().Get("sig")
				if sig != "" && (bytes.Contains(entry.Body, []byte(sig)) || bytes.Contains(entry.Body, []byte(url.QueryEscape(sig)))) {
					t.Errorf("%s: the stored body holds the signature", file)
				}
				if strings.Contains(s.LinkPath, "sig") || strings.Contains(entry.Identity, "sig=") {
					t.Errorf("%s: path %q or identity %q holds the query", file, s.LinkPath, entry.Identity)
				}
			}
			if a.Event != nil && !json.Valid(entry.Body) {
				t.Errorf("%s: the stored body is no JSON any more: %s", file, entry.Body)
			}
		}
	}
}

func FuzzWithoutSignatures(f *testing.F) {
	f.Add([]byte(`{"u":"https://a/b?sv=1&`), []byte(`abc%2Bd%3D`), []byte(`&se=2"}`))
	f.Add([]byte(`{"u":"https://a/b?sv=1\u0026`), []byte(`abc`), []byte(`\u0026se=2"}`))
	f.Add([]byte("s\x00i\x00g\x00=\x00"), []byte("a"), []byte("\x00"))
	f.Fuzz(func(t *testing.T, before, sig, after []byte) {
		for i, c := range sig { // what base64 and percent-encoding are made of
			if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=%-_", rune(c)) {
				sig[i] = 'A' + c%26
			}
		}
		body := bytes.Join([][]byte{before, []byte("sig="), sig, after}, nil)
		got := withoutSignatures(body)
		if again := withoutSignatures(got); !bytes.Equal(again, got) {
			t.Fatalf("a second pass changes %q to %q", got, again)
		}
		long := len(sig) >= 8 && !bytes.Contains(before, sig[:8]) && !bytes.Contains(after, sig[:8]) && !strings.Contains(RemovedSignature, string(sig[:8]))
		if long && bytes.Contains(got, sig[:8]) {
			t.Fatalf("%q keeps its signature: %q", body, got)
		}
	})
}

func TestLedgerEntryByKind(t *testing.T) {
	for _, c := range []struct {
		body   string
		state  state.State
		reason state.Reason
	}{
		{`{"EventId":"1","DownloadURL":"https://a.example/b/c?sig=x"}`, state.Accepted, ""},
		{`{"EventId":"1","DownloadURL":"nonsense"}`, state.Accepted, ""}, // somebody wanted something fetched: a person looks
		{`{"BusinessEventId":"BusinessEventsTestEndpointContract","EventId":"1"}`, state.Ignored, state.ReasonEndpointTest},
		{`{"BusinessEventId":"DMFDataImportBusinessEvent","EventId":"1"}`, state.Ignored, ""},
		{`{"EventId":"1","EntityName":"x"}`, state.Unreadable, state.ReasonNoLinkFound},
		{`{"x":1}`, state.Unreadable, state.ReasonUnreadable},
		{``, state.Unreadable, state.ReasonUnreadable},
	} {
		e := arrivalOf(t, c.body).ledgerEntry()
		if e.State != c.state || c.reason != "" && e.Reason != c.reason || (e.Shipment != nil) != (c.state == state.Accepted) {
			t.Errorf("%s is %s %s with shipment %t, want %s %s", c.body, e.State, e.Reason, e.Shipment != nil, c.state, c.reason)
		}
		if c.state == state.Unreadable && string(e.Unread) != c.body {
			t.Errorf("%s: kept to read again is %q", c.body, e.Unread)
		}
	}
}

// One bad element of an array is kept on the list by itself; the links beside
// it are fetched. An array of which nothing can be read stays one thing.
func TestReadBodyApart(t *testing.T) {
	good := `{"EventId":"%s","EntityName":"A","DownloadURL":"https://a.blob.core.windows.net/dmf/%s?sig=x"}`
	body := "\xEF\xBB\xBF[" + fmt.Sprintf(good, "1", "x") + `, 7, ` + fmt.Sprintf(good, "2", "y") + "]"
	var read []bool
	for _, a := range ReadBody("prod", "finops", []byte(body), dmf.DefaultFieldNames()) {
		read = append(read, a.Event != nil)
	}
	if want := []bool{true, false, true}; !slices.Equal(read, want) {
		t.Errorf("readable: %v; want %v", read, want)
	}
	for _, hopeless := range []string{`[1, 2]`, `[`, `7`, ``, `{"hello":"world"}`} {
		all := ReadBody("prod", "finops", []byte(hopeless), dmf.DefaultFieldNames())
		if len(all) != 1 || all[0].Event != nil || string(all[0].Body) != hopeless {
			t.Errorf("%q gave %d arrivals; want the whole body, unreadable", hopeless, len(all))
		}
	}
}

// A signature reaches no column that is shown, wherever the event carries it.
func TestNoSignatureIsShown(t *testing.T) {
	for _, link := range []string{
		"https%3A%2F%2Fa.blob.core.windows.net%2Fdmf%2Fb%3Fse%3D2026%26sig%3DSECRET",
		"https://a.blob.core.windows.net/dmf/b&sig=SECRET",
		"https://a.blob.core.windows.net/dmf/b%3Fsig%3DSECRET",
		"https://a.blob.core.windows.net/dmf/b;sig=SECRET",
	} {
		body := fmt.Sprintf(`{"EventId":"%s","EntityName":"%s","LegalEntity":"%s","ExecutionId":"%s","DefinitionGroup":"%s","DownloadURL":"%s"}`,
			link, link, link, link, link, link)
		entry := ReadBody("prod", "finops", []byte(body), dmf.DefaultFieldNames())[0].ledgerEntry()
		entry.Shipment.Link = "" // the one place where it belongs
		if shown := fmt.Sprintf("%+v %s %+v", entry, entry.Body, *entry.Shipment); strings.Contains(shown, "SECRET") {
			t.Errorf("%s: the signature is shown: %s", link, shown)
		}
	}
}

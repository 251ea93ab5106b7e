package doors_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"finrelay/flows/doors"
	"finrelay/state"
)

func event(id string) string {
	return `{"BusinessEventId":"DMFDataExportBusinessEvent","EventId":"` + id + `","EntityName":"Customer groups",` +
		`"DownloadURL":"https://contosodmf.blob.core.windows.net/dmf/` + id + `.csv?sv=1&se=2026-03-02T10%3A15%3A42Z&sig=SECRETSIGNATURE%3D"}`
}

const testEvent = `{"BusinessEventId":"BusinessEventsTestEndpointContract","ControlNumber":-9223372036854775808,"EventId":"8B2D5A5E-1111-2222-3333-444455556666"}`

func TestStatusOfABody(t *testing.T) {
	d := newDoor(t, 4096)
	for _, c := range []struct {
		name   string
		body   string
		status int
		state  state.State
		dup    bool
	}{
		{"new", event("1"), 202, state.Accepted, false},
		{"known", event("1"), 200, state.Accepted, true},
		{"in an array with a new one", "[" + event("1") + "," + event("2") + "]", 202, state.Accepted, true},
		{"all of an array known", "[" + event("1") + "," + event("2") + "]", 200, state.Accepted, true},
		{"twice in one array", "[" + event("3") + "," + event("3") + "]", 202, state.Accepted, false},
		{"endpoint test", testEvent, 202, state.Ignored, false},
		{"endpoint test again", testEvent, 200, state.Ignored, true},
		{"unreadable", "nonsense", 202, state.Unreadable, false},
		{"unreadable again", "nonsense", 200, state.Unreadable, true},
		{"nothing at all", "", 202, state.Unreadable, false},
		{"as large as may be", strings.Repeat("x", 4096), 202, state.Unreadable, false},
	} {
		a := d.post(c.body)
		if a.status != c.status || len(a.Events) == 0 || state.State(a.Events[0].State) != c.state || a.Events[0].Duplicate != c.dup {
			t.Errorf("%s: %d %s; want %d, %s, duplicate %t", c.name, a.status, a.text, c.status, c.state, c.dup)
			continue
		}
		first := a.Events[0]
		if (first.Shipment != "") != (c.state == state.Accepted) || (first.Reason != "") != (c.state != state.Accepted) || first.ID == "" {
			t.Errorf("%s: %s", c.name, a.text)
		}
	}
	if n := len(d.events()); n != 7 {
		t.Errorf("%d events are stored, want 7", n)
	}
}

func TestRefusals(t *testing.T) {
	d := newDoor(t, 1000)
	good, base := d.url+"?code="+key, strings.TrimSuffix(d.url, "/prod")
	large := strings.Repeat("x", 1001)
	for _, c := range []struct {
		name, method, url string
		body              io.Reader
		header            []string
		status            int
	}{
		{"no key", "POST", d.url, strings.NewReader(event("1")), nil, 401},
		{"wrong key", "POST", d.url + "?code=nearly", strings.NewReader(event("1")), nil, 401},
		{"empty key", "POST", d.url + "?code=", strings.NewReader(event("1")), nil, 401},
		{"empty header", "POST", d.url, strings.NewReader(event("1")), []string{"x-functions-key", ""}, 401},
		{"empty bearer", "POST", d.url, strings.NewReader(event("1")), []string{"Authorization", "Bearer "}, 401},
		{"basic", "POST", d.url, strings.NewReader(event("1")), []string{"Authorization", "Basic " + key}, 401},
		{"a key's start", "POST", d.url + "?code=" + key[:5], strings.NewReader(event("1")), nil, 401},
		{"a space for a plus", "POST", d.url + "?code=key-of-tomorrow%20/=", strings.NewReader(event("1")), nil, 401},
		{"a key that breaks off in an escape", "POST", d.url + "?code=" + key + "%2", strings.NewReader(event("1")), nil, 401},
		{"a key under another name", "POST", d.url + "?xcode=" + key, strings.NewReader(event("1")), nil, 401},
		{"a key and more", "POST", d.url + "?code=" + key + "x", strings.NewReader(event("1")), nil, 401},
		{"an environment without keys", "POST", base + "/closed?code=" + key, strings.NewReader(event("1")), nil, 401},
		{"an environment without keys, none sent", "POST", base + "/closed?code=", strings.NewReader(event("1")), nil, 401},
		{"another environment", "POST", base + "/uat?code=" + key, strings.NewReader(event("1")), nil, 404},
		{"GET", "GET", good, nil, nil, 405},
		{"PUT", "PUT", good, strings.NewReader(event("1")), nil, 405},
		{"too large", "POST", good, strings.NewReader(large), nil, 413},
		{"too large, chunked", "POST", good, io.MultiReader(strings.NewReader(large)), nil, 413},
		{"too large, without a key", "POST", d.url, strings.NewReader(large), nil, 401},
	} {
		a := d.do(c.method, c.url, c.body, c.header...)
		if a.status != c.status || !strings.Contains(a.text, `"error":`) {
			t.Errorf("%s: %d %s, want %d", c.name, a.status, a.text, c.status)
		}
		if c.status == 405 && a.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow is %q", c.name, a.header.Get("Allow"))
		}
		if c.status == 401 && a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", c.name)
		}
		if strings.Contains(a.text, key) {
			t.Errorf("%s: the answer holds the key: %s", c.name, a.text)
		}
	}
	if all := d.events(); len(all) != 0 {
		t.Errorf("refused, and stored: %+v", all)
	}
}

func TestKeysArePresentedInThreePlaces(t *testing.T) {
	d := newDoor(t, 0)
	for i, c := range []struct {
		query  string
		header []string
	}{
		{"?code=" + key, nil},
		{"?code=key-of-tomorrow%2B%2F%3D", nil},
		{"?code=key-of-tomorrow+/=", nil},     // pasted as it is
		{"?code=key-of-tomorrow+%2F%3D", nil}, // half of it escaped
		{"?x=1&code=" + key + "&y=2", nil},
		{"", []string{"x-functions-key", key}},
		{"", []string{"X-Functions-Key", "key-of-tomorrow+/="}},
		{"", []string{"Authorization", "Bearer " + key}},
		{"", []string{"Authorization", "bearer  " + key}},
		{"?code=wrong", []string{"x-functions-key", key}}, // one that is right is enough
	} {
		if a := d.do("POST", d.url+c.query, strings.NewReader(event(fmt.Sprint(i))), c.header...); a.status != 202 {
			t.Errorf("%s %v: %d %s", strings.ReplaceAll(c.query, key, "KEY"), len(c.header), a.status, a.text)
		}
	}
}

// raw sends bytes as they are and gives what comes back.
func (d *door) raw(request string, hangUp bool) (status int) {
	d.t.Helper()
	host := strings.Split(strings.TrimPrefix(d.url, "http://"), "/")[0]
	conn, err := net.Dial("tcp", host)
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.ReplaceAll(request, "HOST", host)); err != nil {
		d.t.Fatal(err)
	}
	if hangUp {
		return 0
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestBodyCutOnTheWire(t *testing.T) {
	d := newDoor(t, 0)
	body := event("1")
	for name, request := range map[string]string{
		"shorter than said": fmt.Sprintf("POST /in/finops/prod?code=%s HTTP/1.1\r\nHost: HOST\r\nContent-Length: %d\r\n\r\n%s", key, len(body)+1, body),
		"nothing of it":     fmt.Sprintf("POST /in/finops/prod?code=%s HTTP/1.1\r\nHost: HOST\r\nContent-Length: 10\r\n\r\n", key),
		"chunks without end": fmt.Sprintf("POST /in/finops/prod?code=%s HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n",
			key, len(body), body),
	} {
		if status := d.raw(request, false); status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", name, status)
		}
	}
	if all := d.events(); len(all) != 0 {
		t.Errorf("half a body is stored: %+v", all)
	}
}

func TestSenderThatHangsUp(t *testing.T) {
	d := newDoor(t, 0)
	body := event("1")
	d.raw(fmt.Sprintf("POST /in/finops/prod?code=%s HTTP/1.1\r\nHost: HOST\r\nContent-Length: %d\r\n\r\n%s", key, len(body), body), true)
	for end := time.Now().Add(5 * time.Second); len(d.events()) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the event is lost")
		}
	}
	if a := d.post(body); a.status != 200 || !a.Events[0].Duplicate {
		t.Errorf("its next try: %d %s", a.status, a.text)
	}
}

func TestStoreThatCannotBeWritten(t *testing.T) {
	d := newDoor(t, 0)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(d.folder, state.File)+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk is full'); END`); err != nil {
		t.Fatal(err)
	}
	refused := func(when string) {
		t.Helper()
		a := d.post(event("1"))
		if a.status != 503 || a.header.Get("Retry-After") == "" || strings.Contains(a.text, "disk") {
			t.Errorf("%s: %d %s, Retry-After %q", when, a.status, a.text, a.header.Get("Retry-After"))
		}
	}
	refused("disk full")
	refused("disk full, again")
	if noted := d.refusals(); len(noted) != 1 || noted[0].Status != 503 || noted[0].Count != 2 || noted[0].Environment != "prod" || !strings.Contains(noted[0].Why, "disk is full") {
		t.Errorf("noted %+v", noted)
	}
	if _, err := db.Exec(`DROP TRIGGER refuse`); err != nil {
		t.Fatal(err)
	}
	if a := d.post(event("1")); a.status != 202 {
		t.Errorf("after that: %d %s", a.status, a.text)
	}
	if err := d.db.Close(); err != nil {
		t.Fatal(err)
	}
	refused("closed")
}

// When the answer is there, so is the row, for any other reader of the file.
func TestAnswerComesAfterTheCommit(t *testing.T) {
	d := newDoor(t, 0)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(d.folder, state.File)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			a := d.post(event(fmt.Sprint("e", n)))
			if len(a.Events) == 0 {
				return
			}
			var rows int
			err := db.QueryRow(`SELECT count(*) FROM events e JOIN shipments s ON s.id = e.shipment_id JOIN links l ON l.seq = s.seq WHERE e.id = ?`, a.Events[0].ID).Scan(&rows)
			if err != nil || rows != 1 {
				t.Errorf("answered %d, and %d rows are on disk: %v", a.status, rows, err)
			}
		})
	}
	all.Wait()
}

// The same event from many senders at once is one event.
func TestSameEventAtOnce(t *testing.T) {
	d := newDoor(t, 0)
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range 20 {
		all.Go(func() {
			a := d.post(event("1"))
			mu.Lock()
			got[a.status]++
			mu.Unlock()
		})
	}
	all.Wait()
	if got[202] != 1 || got[200] != 19 || len(d.events()) != 1 {
		t.Errorf("answers %v, %d events", got, len(d.events()))
	}
}

func TestEveryKnownBody(t *testing.T) {
	files, err := filepath.Glob("../../testdata/events/*.json")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := newDoor(t, 0)
		a := d.post(string(body))
		if a.status != 202 {
			t.Errorf("%s: %d %s", filepath.Base(file), a.status, a.text)
		}
		listed := strings.HasPrefix(filepath.Base(file), "unreadable-") || filepath.Base(file) == "no-file.json"
		if listed != slices.ContainsFunc(a.Events, func(e doors.AnswerEvent) bool { return e.State == string(state.Unreadable) }) {
			t.Errorf("%s: %s", filepath.Base(file), a.text)
		}
		if again := d.post(string(body)); again.status != 200 {
			t.Errorf("%s, again: %d %s", filepath.Base(file), again.status, again.text)
		}
	}
}

func FuzzDoor(f *testing.F) {
	files, _ := filepath.Glob("../../testdata/events/*.json")
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte("[" + event("1") + "," + event("2") + "," + event("1") + "]"))
	listening := newDoor(f, 8192)
	f.Fuzz(func(t *testing.T, body []byte) {
		d := *listening
		d.t = t
		before := len(d.events())
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/in/finops/prod?code="+key, strings.NewReader(string(body)))
		d.mux.ServeHTTP(w, r)
		if len(body) > 8192 {
			if w.Code != http.StatusRequestEntityTooLarge {
				t.Fatalf("%d for %d bytes", w.Code, len(body))
			}
			return
		}
		a := d.read(w.Code, w.Header(), w.Body.Bytes())
		if a.status != 202 && a.status != 200 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		fresh := 0
		for _, e := range a.Events {
			if !e.Duplicate {
				fresh++
			}
			if _, err := d.db.Event(t.Context(), e.ID); err != nil {
				t.Fatalf("%s is not stored: %v", e.ID, err)
			}
		}
		if got := len(d.events()) - before; got != fresh {
			t.Fatalf("%d rows for %d new events: %s", got, fresh, a.text)
		}
	})
}

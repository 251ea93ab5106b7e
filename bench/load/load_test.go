package load

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"finrelay/dmf"
)

// What the load posts must be what finrelay takes for an export event, or the
// benchmark measures something else.
func TestEventsAreExportEvents(t *testing.T) {
	events := Events{Link: SignedLinks("http://127.0.0.1:1", ".csv", time.Now()), At: time.Now(), Rows: 7}
	for _, n := range []int64{0, 1, 123456789} {
		body := events.Append(nil, n)
		decoded, err := dmf.DecodeBusinessEvents(body, dmf.DefaultFieldNames())
		if err != nil || len(decoded) != 1 {
			t.Fatalf("event %d: decoded %d events, %v", n, len(decoded), err)
		}
		event := decoded[0]
		if got, err := Number(event.EventID); err != nil || got != n {
			t.Errorf("Number(%q) = %d, %v; want %d", event.EventID, got, err, n)
		}
		if event.DownloadURL != events.Link(n) {
			t.Errorf("event %d: link %q, want %q", n, event.DownloadURL, events.Link(n))
		}
	}
}

// A link whose end cannot be read, or lies, would be fetched out of turn. The
// hour is what a layout gets wrong, so every hour of a day is tried.
func TestSignedLinksSayWhenTheyDie(t *testing.T) {
	day := time.Date(2026, 3, 2, 0, 59, 7, 0, time.FixedZone("", 2*60*60))
	for hour := range 24 {
		now := day.Add(time.Duration(hour) * time.Hour)
		u, err := url.Parse(SignedLinks("http://127.0.0.1:1", ".csv", now)(0))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]time.Time{"st": now.Add(-5 * time.Minute), "se": now.Add(time.Hour)} {
			got, err := time.Parse(time.RFC3339, u.Query().Get(name))
			if err != nil || !got.Equal(want) {
				t.Errorf("at %v: %s is %v, %v; want %v", now, name, got, err, want.UTC())
			}
		}
	}
}

// Every event is posted once, and exactly those answered 2xx count as promised.
func TestRunCountsPromises(t *testing.T) {
	var (
		mu   sync.Mutex
		kept []int64
		seen = map[string]int{}
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var event struct{ EventId string }
		if err := json.Unmarshal(body, &event); err != nil {
			t.Error(err)
		}
		n, err := Number(event.EventId)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[event.EventId]++
		switch n % 3 {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1:
			w.Header().Set("Connection", "close")
			fallthrough
		default:
			kept = append(kept, n)
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"id":"x"}`)
		}
	}))
	defer server.Close()
	const posts = 300
	result, err := Run(t.Context(), Plan{
		Door:        server.URL + "/in?code=k",
		Connections: 8,
		For:         time.Minute,
		Max:         posts,
		First:       1000,
		Events:      Events{Link: SignedLinks(server.URL, ".csv", time.Now()), At: time.Now()},
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(result.Acked)
	slices.Sort(kept)
	if len(seen) != posts || !slices.Equal(result.Acked, kept) {
		t.Errorf("server saw %d events and kept %d; the run says %d promised", len(seen), len(kept), len(result.Acked))
	}
	if result.Statuses[503] != posts/3 || len(result.Latencies) != posts {
		t.Errorf("statuses %v, %d latencies; want %d times 503 and %d latencies", result.Statuses, len(result.Latencies), posts/3, posts)
	}
}

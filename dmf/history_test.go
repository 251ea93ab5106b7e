package dmf

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestHistoryPages(t *testing.T) {
	var queries []url.Values
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.Query())
		if r.URL.Query().Has("$skiptoken") {
			answer200(`{"value":[{"JobId":"j","EntityName":"Vendors"}]}`)(w, r)
			return
		}
		// The link as a load balancer would leave it.
		next := "http://127.0.0.1:80/data/DataManagementExecutionJobDetails?$skiptoken=2"
		answer200(`{"@odata.nextLink":"`+next+`","value":[{"JobId":"j","DefinitionGroupId":"O'Neil","EntityName":"Customer groups",
			"StagingStatus":"Finished","TargetStatus":"Finished","TargetRecordsCreatedCount":3,"TargetRecordsUpdatedCount":0,
			"StagingStartDateTime":"2026-03-02T09:15:42Z","StagingEndDateTime":"1900-01-01T00:00:00Z","Odd":{"a":1}}]}`)(w, r)
	})
	got, err := f.History(t.Context(), HistoryQuery{JobID: "j", DefinitionGroup: "O'Neil"})
	if err != nil || len(got.Rows) != 2 || got.Truncated {
		t.Fatalf("got %+v, %v", got, err)
	}
	if want := "JobId eq 'j' and DefinitionGroupId eq 'O''Neil'"; queries[0].Get("$filter") != want || queries[0].Get("cross-company") != "true" {
		t.Errorf("asked %v, want filter %s", queries[0], want)
	}
	row := got.Rows[0]
	if row.DefinitionGroup != "O'Neil" || row.Entity != "Customer groups" || row.TargetStatus != "Finished" || row.StagingStatus != "Finished" {
		t.Errorf("got %+v", row)
	}
	if row.TargetCreated == nil || *row.TargetCreated != 3 || row.TargetUpdated == nil || *row.TargetUpdated != 0 || row.StagingCreated != nil {
		t.Errorf("counts: %v %v %v", row.TargetCreated, row.TargetUpdated, row.StagingCreated)
	}
	if !row.Started.Equal(time.Date(2026, 3, 2, 9, 15, 42, 0, time.UTC)) || !row.Ended.IsZero() || string(row.Fields["Odd"]) != `{"a":1}` {
		t.Errorf("started %s, ended %s, odd %s", row.Started, row.Ended, row.Fields["Odd"])
	}
}

// TestHistorySince: where FinOps does not know the time field by our name, the
// rows are chosen here, and those without a time are kept.
func TestHistorySince(t *testing.T) {
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("$filter"), startField) {
			answerStatus(400, `{"error":{"message":"Could not find a property named 'StagingStartDateTime'"}}`)(w, r)
			return
		}
		answer200(`{"value":[{"JobId":"old","StartDateTime":"2026-02-01T00:00:00"},{"JobId":"new","StartDateTime":"2026-03-02T00:00:00"},{"JobId":"silent"}]}`)(w, r)
	})
	got, err := f.History(t.Context(), HistoryQuery{Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil || len(got.Rows) != 2 || got.Rows[0].JobID != "new" || got.Rows[1].JobID != "silent" {
		t.Errorf("got %+v, %v", got, err)
	}
	if f.count() != 2 {
		t.Errorf("%d requests, want 2", f.count())
	}
}

func TestHistoryBounds(t *testing.T) {
	f := startFinOps(t, answer200(`{"value":[{"JobId":"1"},{"JobId":"2"},{"JobId":"3"}]}`))
	got, err := f.History(t.Context(), HistoryQuery{DefinitionGroup: "p", Limit: 2})
	if err != nil || len(got.Rows) != 2 || !got.Truncated {
		t.Errorf("limit 2: got %d rows, truncated %v, %v", len(got.Rows), got.Truncated, err)
	}
	if _, err := f.History(t.Context(), HistoryQuery{}); err == nil || f.count() != 1 {
		t.Errorf("no question: %v, %d requests", err, f.count())
	}
	if got, err := f.History(t.Context(), HistoryQuery{DefinitionGroup: "p"}); err != nil || len(got.Rows) != 3 || got.Truncated {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestHistoryHostile(t *testing.T) {
	f := startFinOps(t, answer200(`{"value":[],"@odata.nextLink":"https://evil.example/data"}`))
	if _, err := f.History(t.Context(), HistoryQuery{JobID: "j"}); !errors.Is(err, ErrHostile) {
		t.Errorf("a page elsewhere: got %v, want ErrHostile", err)
	}
	f = startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		answer200(`{"value":[{"JobId":"j"}],"@odata.nextLink":"`+r.URL.RequestURI()+`"}`)(w, r)
	})
	if got, err := f.History(t.Context(), HistoryQuery{JobID: "j"}); err != nil || f.count() > 3 {
		t.Errorf("a page that is its own successor: %d rows, %v, %d requests", len(got.Rows), err, f.count())
	}
	f = startFinOps(t, answer200(`{"error":1}`))
	if _, err := f.History(t.Context(), HistoryQuery{JobID: "j"}); !errors.Is(err, ErrUnreadable) {
		t.Errorf("no list: got %v, want ErrUnreadable", err)
	}
}

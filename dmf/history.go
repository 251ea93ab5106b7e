package dmf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds of reading the history, whatever is asked for and answered.
const (
	maxHistoryRows  = 50_000
	maxHistoryPages = 1000
)

// HistoryQuery says which executions are wanted. At least one field must be
// set; those that are set must all hold.
type HistoryQuery struct {
	JobID           string // an execution's id
	DefinitionGroup DefinitionGroup
	Since           time.Time // begun then or later; rows that say no time are kept
	Limit           int       // rows at most; 0 means 50,000
}

// HistoryRow is one entity of one execution.
//
// Observed: scripts of a 10.0.48 sandbox: DefinitionGroupId, EntityName,
// StagingStatus, TargetStatus, TargetRecordsCreatedCount,
// TargetRecordsUpdatedCount and JobId. Assumed: the names of the staging
// counts and of the times; a recorded row would show them.
type HistoryRow struct {
	JobID           string
	DefinitionGroup DefinitionGroup
	Entity          string // label
	StagingStatus   string
	TargetStatus    string
	StagingCreated  *int64 // rows; nil when FinOps does not say. Assumed name.
	StagingUpdated  *int64 // Assumed name.
	TargetCreated   *int64 // rows; nil when FinOps does not say
	TargetUpdated   *int64
	Started         time.Time // UTC; zero when FinOps does not say. Assumed name.
	Ended           time.Time // Assumed name.
	// Fields are all fields as they came, those above included.
	Fields map[string]json.RawMessage
}

// HistoryResult is what History found.
type HistoryResult struct {
	Rows      []HistoryRow
	Truncated bool // there were more rows than the limit
}

// History reads the execution history, one row an entity and execution, in
// FinOps' order. FinOps forgets it after the time its clean-up job is set to.
func (c *Client) History(ctx context.Context, q HistoryQuery) (HistoryResult, error) {
	if q.JobID == "" && q.DefinitionGroup == "" && q.Since.IsZero() {
		return HistoryResult{}, errors.New("history: say which execution, data project or time")
	}
	if q.Limit <= 0 || q.Limit > maxHistoryRows {
		q.Limit = maxHistoryRows
	}
	found, err := c.history(ctx, q, !q.Since.IsZero())
	if refused, ok := errors.AsType[*APIError](err); ok && refused.StatusCode == http.StatusBadRequest && !q.Since.IsZero() {
		// The name of the time field is a guess: without it we choose ourselves.
		return c.history(ctx, q, false)
	}
	return found, err
}

const historyPath = "/data/DataManagementExecutionJobDetails"

func (c *Client) history(ctx context.Context, q HistoryQuery, byTime bool) (HistoryResult, error) {
	const op = "history"
	var found HistoryResult
	next := c.endpoint(historyPath) + "?" + historyOptions(q, byTime)
	for pages := 0; next != ""; pages++ {
		if pages == maxHistoryPages {
			found.Truncated = true
			return found, nil
		}
		a, err := c.call(ctx, request{op: op, method: http.MethodGet, url: next, idempotent: true, data: true, timeout: askTimeout})
		if err != nil {
			return found, err
		}
		var page struct {
			Value    []map[string]json.RawMessage `json:"value"`
			NextLink string                       `json:"@odata.nextLink"`
		}
		if json.Unmarshal(a.body, &page) != nil || page.Value == nil {
			return found, c.unreadable(op, a, "no list of rows in it")
		}
		for _, fields := range page.Value {
			row := historyRow(fields)
			if !row.Started.IsZero() && row.Started.Before(q.Since) {
				continue
			}
			if len(found.Rows) == q.Limit {
				found.Truncated = true
				return found, nil
			}
			found.Rows = append(found.Rows, row)
		}
		following, err := c.nextPage(page.NextLink)
		if err != nil {
			return found, &APIError{Op: op, Err: err}
		}
		if following == next {
			return found, nil // a page that is its own successor is the last
		}
		next = following
	}
	return found, nil
}

// nextPage checks that a page's successor is on our own host: the token goes
// there.
func (c *Client) nextPage(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	u, err := ownURL(c.base, link)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// historyOptions writes the query. cross-company is asked for because OData
// otherwise shows only the company of the user the application is mapped to.
//
// Source: Microsoft Learn, "Open Data Protocol (OData)", cross-company.
func historyOptions(q HistoryQuery, byTime bool) string {
	var terms []string
	if q.JobID != "" {
		terms = append(terms, "JobId eq "+odataString(q.JobID))
	}
	if q.DefinitionGroup != "" {
		terms = append(terms, "DefinitionGroupId eq "+odataString(string(q.DefinitionGroup)))
	}
	if byTime {
		terms = append(terms, startField+" ge "+q.Since.UTC().Format(time.RFC3339))
	}
	options := fmt.Sprintf("cross-company=true&$top=%d", q.Limit+1)
	if len(terms) > 0 {
		options = "$filter=" + strings.ReplaceAll(url.QueryEscape(strings.Join(terms, " and ")), "+", "%20") + "&" + options
	}
	return options
}

func odataString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

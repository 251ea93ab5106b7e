package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"finrelay/state"
)

// journalPage is how many entries an answer holds at most.
const journalPage = 500

func (a *API) journal(r *http.Request) (any, error) {
	q := r.URL.Query()
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if err != nil {
		return nil, badValue("after", q.Get("after"), err)
	}
	f := state.JournalFilter{Environment: q.Get("environment"), Entity: q.Get("entity"), Flow: q.Get("flow")}
	for _, k := range strings.Split(q.Get("kind"), ",") {
		if k == "" {
			continue
		}
		if !slices.Contains(state.Kinds, state.Kind(k)) {
			return nil, badRequest{fmt.Errorf("kind=%s: the journal speaks of no such thing", k)}
		}
		f.Kinds = append(f.Kinds, state.Kind(k))
	}
	entries, err := a.DB.JournalOf(r.Context(), f, after, journalPage)
	if entries == nil {
		entries = []state.JournalEntry{}
	}
	return entries, err
}

// Journal gives a page of entries after a sequence number, oldest first.
func (c *Client) Journal(ctx context.Context, after int64) ([]state.JournalEntry, error) {
	return c.journal(ctx, state.JournalFilter{}, after)
}

func (c *Client) journal(ctx context.Context, f state.JournalFilter, after int64) ([]state.JournalEntry, error) {
	q := FilterQuery(state.Filter{Environment: f.Environment, Entity: f.Entity})
	q.Set("after", strconv.FormatInt(after, 10))
	q.Set("flow", f.Flow)
	kinds := make([]string, len(f.Kinds))
	for i, k := range f.Kinds {
		kinds[i] = string(k)
	}
	q.Set("kind", strings.Join(kinds, ","))
	return call[[]state.JournalEntry](ctx, c, "GET", "journal", q, nil)
}

// LastEntry is the sequence number of the newest journal entry; 0 when none.
func (c *Client) LastEntry(ctx context.Context) (int64, error) {
	return call[int64](ctx, c, "GET", "journal/last", nil, nil)
}

// Follow calls each with every journal entry after a sequence number, as they
// are written, until ctx ends or each returns false.
func (c *Client) Follow(ctx context.Context, after int64, every time.Duration, each func(state.JournalEntry) bool) error {
	return c.FollowOf(ctx, state.JournalFilter{}, after, every, each)
}

// FollowOf is Follow, of the entries that a filter leaves.
func (c *Client) FollowOf(ctx context.Context, f state.JournalFilter, after int64, every time.Duration, each func(state.JournalEntry) bool) error {
	for {
		// What stands before the last entry of now is seen by this look, if it
		// fits; the next need not read it again.
		last, err := c.LastEntry(ctx)
		if err != nil {
			return err
		}
		entries, err := c.journal(ctx, f, after)
		if err != nil {
			return err
		}
		for _, e := range entries {
			after = e.Seq
			if !each(e) {
				return nil
			}
		}
		if len(entries) == journalPage {
			continue
		}
		after = max(after, last)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
}

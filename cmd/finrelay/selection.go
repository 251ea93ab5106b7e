package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"finrelay/cmd/finrelay/config"
	"finrelay/web"
)

// selection is what a verb is about, rerun or skip: ids, or what the flags find.
func (f *filterFlags) selection(verb string, ids []string) (web.Selection, error) {
	filter, err := f.filter()
	if err != nil {
		return web.Selection{}, err
	}
	s := web.Selection{IDs: ids, Environment: filter.Environment, Entity: filter.Entity, States: filter.States, Reason: filter.Reason, Since: filter.Since}
	switch {
	case len(ids) == 0 && !s.Narrowed():
		return s, usage(fmt.Errorf("name ids, or what to %s with --entity, --environment, --state or --reason", verb))
	case len(ids) > 0 && (s.Narrowed() || f.since != ""):
		return s, usage(errors.New("give ids or flags that find them, not both"))
	}
	return s, nil
}

// parseTime reads a date or a time as people type it: in UTC, unless it says
// its zone as RFC 3339 does.
func parseTime(s string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339, "2006-01-02", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseSince reads an age or a time; "" gives the zero time.
func parseSince(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, ok := parseTime(s); ok {
		return t, nil
	}
	d, err := config.ParseDuration(s)
	if err != nil {
		return time.Time{}, usage(fmt.Errorf("--since %q: give an age such as 24h or 7d, a date such as 2026-03-02, or a time such as 2026-03-02T09:15 (UTC)", s))
	}
	return time.Now().Add(-time.Duration(d)), nil
}

// mostEntities bounds the labels that are named when none fits.
const mostEntities = 20

// sayNoEntity tells, where a list is empty, that no label fits what was asked
// for: a misspelled one looks like good news. What is "no export", or "nothing".
func (a *app) sayNoEntity(ctx context.Context, s *session, what, entity string) error {
	if entity == "" {
		return nil
	}
	known, err := s.Entities(ctx, entity)
	if err != nil || len(known.Fits) > 0 {
		return err
	}
	there, more := known.All, ""
	if n := len(there); n > mostEntities {
		there, more = there[:mostEntities], fmt.Sprintf(" and %d more", n-mostEntities)
	}
	text := fmt.Sprintf("%s matches entity %q; entities there are: %s%s", what, entity, cmp.Or(strings.Join(there, ", "), "none"), more)
	_, err = fmt.Fprintln(a.stderr, "finrelay:", oneLine(text))
	return err
}

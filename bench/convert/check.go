//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"finrelay/bench/canon"
)

// check runs each contestant once, before the clock counts, and compares its
// rows with the obvious program's. Who has others is noted as wrong, and so is
// who fails. Wrong rows of ours or of the reference are an error.
func (l *lab) check(ctx context.Context, r *result) error {
	order := slices.Clone(r.entered)
	slices.SortStableFunc(order, func(a, b contestant) int {
		switch {
		case a.name == obvious:
			return -1
		case b.name == obvious:
			return 1
		}
		return 0
	})
	var reference canon.Print
	for _, c := range order {
		fmt.Fprintf(os.Stderr, "%s, round 0: %s\n", r.title, c.name)
		_, err := l.run(ctx, c, r.task)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var got canon.Print
		var size int64
		if err == nil && !c.floor {
			got, size, err = fingerprint(l.out)
		}
		if c.name == obvious {
			if err == nil && got.Rows != int64(r.rows) {
				err = fmt.Errorf("it wrote %d rows of %d", got.Rows, r.rows)
			}
			if err != nil {
				return fmt.Errorf("the reference, %s: %w", c.name, err)
			}
			reference, r.outBytes = got, size
			continue
		}
		if reason := l.public(verdict(c, reference, got, err)); reason != "" {
			r.wrong[c.name] = reason
			fmt.Fprintf(os.Stderr, "WRONG: %s: %s\n", c.name, reason)
		}
	}
	for _, name := range []string{ours, together} {
		if reason := r.wrong[name]; reason != "" {
			return fmt.Errorf("%s is wrong, its speed counts for nothing: %s", name, reason)
		}
	}
	return nil
}

// verdict says what is wrong with a contestant's rows; "" when nothing is.
func verdict(c contestant, reference, got canon.Print, err error) string {
	switch {
	case err != nil:
		return "fails: " + strings.Join(strings.Fields(err.Error()), " ")
	case c.floor || got.Sum == reference.Sum:
		return ""
	}
	return canon.Diff(reference, got).String()
}

package state

import (
	"errors"
	"fmt"
	"testing"
)

func TestRefused(t *testing.T) {
	l := newLedger(t)
	twice := l.update(bg, func(t *tx) error {
		for range 2 {
			if _, err := t.exec(`INSERT INTO queues (environment, activity, first_polled_at, last_polled_at) VALUES ('a', 'b', 1, 1)`); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct {
		err  error
		want bool
	}{
		{twice, true},
		{fmt.Errorf("more: %w", &TransitionError{}), true},
		{ErrNotFound, true},
		{ErrClosed, true},
		{errors.New("disk full"), false},
	} {
		if c.err == nil || Refused(c.err) != c.want {
			t.Errorf("Refused(%v) is %t, want %t", c.err, !c.want, c.want)
		}
	}
}

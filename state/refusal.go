package state

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// RefusalMemory is how long a refusal is looked back at. One that comes
	// later than that after the last begins a new count.
	RefusalMemory = 24 * time.Hour
	// MostRemotes is how many senders' addresses are kept of one Refusal.
	MostRemotes = 5

	// mostRefusals bounds the rows whoever knocks: who holds a key may invent
	// environments where none are configured.
	mostRefusals = 200
)

// Refusal is how often a door turned events of one environment away with one
// answer, or could not store them.
type Refusal struct {
	Environment string    `json:"environment,omitempty"` // "" for all that are not configured
	Status      int       `json:"status"`                // of HTTP
	Why         string    `json:"why"`                   // of the last
	Count       int64     `json:"count"`
	Since       time.Time `json:"since"`
	Last        time.Time `json:"last"`
	Remotes     []string  `json:"remotes"` // senders' addresses, the newest first, at most MostRemotes
}

// And gives r and what came later as one; after a day without any, the later alone.
func (r Refusal) And(later Refusal) Refusal {
	if r.Last.After(later.Last) {
		r, later = later, r
	}
	if later.Since.Sub(r.Last) > RefusalMemory {
		return later
	}
	later.Count += r.Count
	if r.Since.Before(later.Since) {
		later.Since = r.Since
	}
	for _, remote := range r.Remotes {
		if len(later.Remotes) < MostRemotes && !slices.Contains(later.Remotes, remote) {
			later.Remotes = append(slices.Clone(later.Remotes), remote)
		}
	}
	return later
}

// AddRefusals adds what doors turned away to what the ledger remembers. Events that
// are refused are not in the ledger: this is all that tells of them later.
func (db *DB) AddRefusals(ctx context.Context, refusals []Refusal) error {
	return db.update(ctx, func(t *tx) error {
		for _, r := range refusals {
			if err := t.addRefusal(r); err != nil {
				return fmt.Errorf("note refused events: %w", err)
			}
		}
		_, err := t.exec(`DELETE FROM refusals WHERE (environment, status) NOT IN
			(SELECT environment, status FROM refusals ORDER BY last_at DESC LIMIT ?1)`, mostRefusals)
		return err
	})
}

func (t *tx) addRefusal(r Refusal) error {
	began := true // a new count: the journal tells of each, and of no single knock
	err := t.rows(`SELECT `+refusalColumns+` FROM refusals WHERE environment = ?1 AND status = ?2`, []any{r.Environment, r.Status},
		func(scan func(...any) error) error {
			was, err := scanRefusal(scan)
			all := was.And(r)
			began, r = all.Count == r.Count, all
			return err
		})
	if err != nil {
		return err
	}
	if began {
		detail := r.Why + "; from " + strings.Join(r.Remotes, ", ")
		if err := t.note(KindRefusal, r.Environment+"/"+strconv.Itoa(r.Status), "", "", EventRefused, "", detail); err != nil {
			return err
		}
	}
	_, err = t.exec(`INSERT INTO refusals (environment, status, why, count, since, last_at, remotes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (environment, status) DO UPDATE SET why = ?3, count = ?4, since = ?5, last_at = ?6, remotes = ?7`,
		r.Environment, r.Status, r.Why, r.Count, millis(r.Since), millis(r.Last), strings.Join(r.Remotes, " "))
	return err
}

// Refusals gives what was refused within RefusalMemory, of one environment and
// of those that are not configured, or of all.
func (db *DB) Refusals(ctx context.Context, environment string) ([]Refusal, error) {
	return collect(ctx, db, `SELECT `+refusalColumns+` FROM refusals WHERE last_at >= ?2 AND (?1 = '' OR environment IN ('', ?1))`,
		[]any{environment, millis(db.Now().Add(-RefusalMemory))}, scanRefusal)
}

const refusalColumns = `environment, status, why, count, since, last_at, remotes`

func scanRefusal(scan func(...any) error) (Refusal, error) {
	var r Refusal
	var since, last int64
	var remotes string
	err := scan(&r.Environment, &r.Status, &r.Why, &r.Count, &since, &last, &remotes)
	r.Since, r.Last, r.Remotes = fromMillis(since), fromMillis(last), strings.Fields(remotes)
	return r, err
}

package state

import (
	"context"
	"database/sql"
	"time"
)

// KindCadence is a flow in one environment that is expected at a rhythm; in the
// journal it is FLOW@ENVIRONMENT.
const KindCadence Kind = "cadence"

// States of cadences.
const (
	Punctual State = "punctual" // something came, and the next is not overdue
	Quiet    State = "quiet"    // nothing came, and FinOps' history says why that is right
	Late     State = "late"     // nothing came that should have
)

// Cadence is what was last heard of a flow in one environment.
type Cadence struct {
	Flow        string    `json:"flow"`
	Environment string    `json:"environment"`
	State       State     `json:"state"`
	Detail      string    `json:"detail,omitempty"`
	HeardAt     time.Time `json:"heard_at"`               // last export or message; when the watch began, if none came yet
	ExplainedAt time.Time `json:"explained_at,omitzero"`  // quiet: until when FinOps' history explains the silence
	LookedAt    time.Time `json:"last_asked_at,omitzero"` // when FinOps was last asked about a silence
}

// Since is from when the next export is counted.
func (c Cadence) Since() time.Time {
	if c.ExplainedAt.After(c.HeardAt) {
		return c.ExplainedAt
	}
	return c.HeardAt
}

func cadenceID(flow, environment string) string { return flow + "@" + environment }

const cadenceColumns = `flow, environment, state, detail, heard_at, explained_at, looked_at`

func scanCadence(scan func(...any) error) (Cadence, error) {
	var c Cadence
	var heard int64
	var explained, looked sql.NullInt64
	err := scan(&c.Flow, &c.Environment, &c.State, &c.Detail, &heard, &explained, &looked)
	c.HeardAt, c.ExplainedAt, c.LookedAt = fromMillis(heard), fromMillis(explained.Int64), fromMillis(looked.Int64)
	return c, err
}

// Watch begins to remember when a flow was last heard of in an environment. One
// that is watched already is left alone; one that has landed exports before was
// heard of when the last did.
func (db *DB) Watch(ctx context.Context, flow, environment string) error {
	return db.update(ctx, func(t *tx) error {
		var known int
		if err := t.row(`SELECT count(*) FROM cadences WHERE flow = ?1 AND environment = ?2`, []any{flow, environment}, &known); err != nil || known > 0 {
			return err
		}
		if err := t.step(KindCadence, cadenceID(flow, environment), "", "", Punctual, "", "watched from now on"); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO cadences (flow, environment, heard_at, state)
			VALUES (?1, ?2, coalesce((SELECT max(delivered_at) FROM checkpoints WHERE flow = ?1 AND environment = ?2), ?3), 'punctual')`, flow, environment, t.now)
		return err
	})
}

// Heard begins a cadence anew, because the clock was set back. Exports are heard
// when they are opened, messages without a file when they are accepted.
func (db *DB) Heard(ctx context.Context, flow, environment string) error {
	return db.update(ctx, func(t *tx) error { return t.heard(flow, environment) })
}

// heard resets a cadence; a flow that is not watched has none.
func (t *tx) heard(flow, environment string) error {
	if flow == "" {
		return nil
	}
	var from State
	switch err := t.row(`SELECT state FROM cadences WHERE flow = ?1 AND environment = ?2`, []any{flow, environment}, &from); {
	case err == ErrNotFound:
		return nil
	case err != nil:
		return err
	}
	if from != Punctual {
		if err := t.step(KindCadence, cadenceID(flow, environment), "", from, Punctual, "", "it is heard of again"); err != nil {
			return err
		}
	}
	_, err := t.exec(`UPDATE cadences SET heard_at = ?3, explained_at = NULL, looked_at = NULL, state = 'punctual', detail = ''
		WHERE flow = ?1 AND environment = ?2`, flow, environment, t.now)
	return err
}

// Silence is what was found out about a flow that was not heard of in time.
type Silence struct {
	Flow        string
	Environment string
	HeardAt     time.Time // as it was when FinOps was asked: something may have come since
	To          State     // Quiet or Late
	Detail      string
	ExplainedAt time.Time // quiet: the end of the run that explains it; zero: it is asked again soon
}

// Silent records it. It changes nothing when the flow has been heard of
// meanwhile. Only news are told in the journal.
func (db *DB) Silent(ctx context.Context, s Silence) error {
	return db.update(ctx, func(t *tx) error {
		var from State
		var heard int64
		var detail string
		if err := t.row(`SELECT state, heard_at, detail FROM cadences WHERE flow = ?1 AND environment = ?2`,
			[]any{s.Flow, s.Environment}, &from, &heard, &detail); err != nil {
			return err
		}
		if heard != millis(s.HeardAt) {
			return nil
		}
		id := cadenceID(s.Flow, s.Environment)
		switch {
		case from != s.To:
			if err := t.step(KindCadence, id, "", from, s.To, "", s.Detail); err != nil {
				return err
			}
		case detail != s.Detail:
			if err := t.note(KindCadence, id, "", from, from, "", s.Detail); err != nil {
				return err
			}
		}
		_, err := t.exec(`UPDATE cadences SET state = ?3, detail = ?4, looked_at = ?5, explained_at = coalesce(?6, explained_at) WHERE flow = ?1 AND environment = ?2`,
			s.Flow, s.Environment, s.To, s.Detail, t.now, nullMillis(s.ExplainedAt))
		return err
	})
}

// Cadence gives what was last heard of a flow; ErrNotFound when it is not
// watched.
func (db *DB) Cadence(ctx context.Context, flow, environment string) (Cadence, error) {
	return one(ctx, db, `SELECT `+cadenceColumns+` FROM cadences WHERE flow = ?1 AND environment = ?2`, []any{flow, environment}, scanCadence)
}

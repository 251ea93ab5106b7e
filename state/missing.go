package state

import (
	"context"
	"database/sql"
	"time"
)

// Missing is one entity of a flow that came at the flow's rhythm and then did
// not, while others of the flow came. In the journal it is
// FLOW@ENVIRONMENT/ENTITY. It is gone from the ledger when the entity is heard
// of again.
type Missing struct {
	Flow        string    `json:"-"`
	Environment string    `json:"-"`
	Entity      string    `json:"entity"`
	HeardAt     time.Time `json:"since"`                 // its last export
	State       State     `json:"state"`                 // Quiet or Late
	Detail      string    `json:"detail,omitempty"`      // what FinOps' history says
	ExplainedAt time.Time `json:"explained_at,omitzero"` // quiet: until when that explains the silence
	LookedAt    time.Time `json:"last_asked_at"`
}

func missingID(m Missing) string { return cadenceID(m.Flow, m.Environment) + "/" + m.Entity }

const missingColumns = `flow, environment, entity, heard_at, state, detail, explained_at, looked_at`

func scanMissing(scan func(...any) error) (Missing, error) {
	var m Missing
	var heard, looked int64
	var explained sql.NullInt64
	err := scan(&m.Flow, &m.Environment, &m.Entity, &heard, &m.State, &m.Detail, &explained, &looked)
	m.HeardAt, m.ExplainedAt, m.LookedAt = fromMillis(heard), fromMillis(explained.Int64), fromMillis(looked)
	return m, err
}

// Missing lists the entities of a flow that FinOps was asked about, by name.
func (db *DB) Missing(ctx context.Context, flow, environment string) ([]Missing, error) {
	return collect(ctx, db, `SELECT `+missingColumns+` FROM missing WHERE flow = ?1 AND environment = ?2 ORDER BY entity`, []any{flow, environment}, scanMissing)
}

// EntityMissing records what was found out about an entity that did not come in
// time. It changes nothing when the entity has been heard of since m.HeardAt;
// LookedAt is the ledger's. Only news are told in the journal.
func (db *DB) EntityMissing(ctx context.Context, m Missing) error {
	return db.update(ctx, func(t *tx) (err error) {
		var since int
		if err := t.row(`SELECT count(*) FROM (SELECT * FROM exports WHERE entity = ?3 COLLATE NOCASE ORDER BY seq DESC LIMIT ?5) e JOIN shipments s ON s.id = e.shipment_id
			WHERE e.environment = ?2 AND s.opened_at > ?4
			AND (e.flow = ?1 OR EXISTS (SELECT 1 FROM deliveries d WHERE d.export_id = e.id AND d.flow = ?1))`,
			[]any{m.Flow, m.Environment, m.Entity, millis(m.HeardAt), twinHorizon}, &since); err != nil || since > 0 {
			return err
		}
		var from State
		var detail string
		if err := t.row(`SELECT state, detail FROM missing WHERE flow = ?1 AND environment = ?2 AND entity = ?3`,
			[]any{m.Flow, m.Environment, m.Entity}, &from, &detail); err != nil && err != ErrNotFound {
			return err
		}
		switch {
		case from != m.State:
			err = t.step(KindCadence, missingID(m), "", from, m.State, "", m.Detail)
		case detail != m.Detail:
			err = t.note(KindCadence, missingID(m), "", from, from, "", m.Detail)
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO missing (flow, environment, entity, heard_at, state, detail, explained_at, looked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
			ON CONFLICT (flow, environment, entity) DO UPDATE SET heard_at = excluded.heard_at, state = excluded.state, detail = excluded.detail,
				explained_at = coalesce(excluded.explained_at, explained_at), looked_at = excluded.looked_at`,
			m.Flow, m.Environment, m.Entity, millis(m.HeardAt), m.State, m.Detail, nullMillis(m.ExplainedAt), t.now)
		return err
	})
}

// NotExpected forgets that an entity is missing: nobody expects it any more.
func (db *DB) NotExpected(ctx context.Context, m Missing, why string) error {
	return db.update(ctx, func(t *tx) error { return t.foundAgain(m.Flow, m.Environment, m.Entity, why) })
}

// foundAgain ends that an entity is missing; most never were.
func (t *tx) foundAgain(flow, environment, entity, why string) error {
	m := Missing{Flow: flow, Environment: environment}
	err := t.row(`SELECT entity, state FROM missing WHERE flow = ?1 AND environment = ?2 AND entity = ?3`, []any{flow, environment, entity}, &m.Entity, &m.State)
	if err == ErrNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.step(KindCadence, missingID(m), "", m.State, Punctual, "", why); err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM missing WHERE flow = ?1 AND environment = ?2 AND entity = ?3`, flow, environment, entity)
	return err
}

// EntityArrival is when an export of a flow came: when it was opened, since a
// file that came late was heard of then.
type EntityArrival struct {
	Entity string
	At     time.Time
}

// Arrivals gives the exports that a flow took in an environment since a time,
// oldest first. It reads all exports received since a week before that: the way
// from the link to the opening can take days, and the index is on the receipt.
func (db *DB) Arrivals(ctx context.Context, flow, environment string, since time.Time) ([]EntityArrival, error) {
	return collect(ctx, db, `SELECT e.entity, s.opened_at FROM exports e JOIN shipments s ON s.id = e.shipment_id
		WHERE e.received_at >= ?4 AND e.environment = ?2 AND s.opened_at >= ?3
		AND (e.flow = ?1 OR EXISTS (SELECT 1 FROM deliveries d WHERE d.export_id = e.id AND d.flow = ?1))
		ORDER BY s.opened_at`, []any{flow, environment, millis(since), millis(since.Add(-MessageLife))},
		func(scan func(...any) error) (a EntityArrival, err error) {
			var at int64
			err = scan(&a.Entity, &at)
			a.At = fromMillis(at)
			return a, err
		})
}

// Came is something of an execution that came, by whatever way.
type Came struct {
	Entity      string
	LegalEntity string // "" when neither its event nor its file names one
	Opened      bool   // what was in it is an export, whatever became of that
}

// CameOf gives what came of an execution of FinOps.
func (db *DB) CameOf(ctx context.Context, environment, executionID string) ([]Came, error) {
	// Three spellings of one id, since an index finds exact ones only.
	return collect(ctx, db, `SELECT coalesce(e.entity, s.entity), coalesce(e.legal_entity, s.legal_entity), s.opened_at IS NOT NULL
		FROM shipments s LEFT JOIN exports e ON e.shipment_id = s.id
		WHERE s.environment = ?1 AND s.execution_id IN (?2, lower(?2), upper(?2)) AND s.execution_id <> ''`,
		[]any{environment, executionID}, func(scan func(...any) error) (c Came, err error) {
			err = scan(&c.Entity, &c.LegalEntity, &c.Opened)
			return c, err
		})
}

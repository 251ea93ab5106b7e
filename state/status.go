package state

import (
	"cmp"
	"context"
	"database/sql"
	"strconv"
	"time"
)

// Status answers an operator's first questions.
type Status struct {
	// OldestOpen is when the oldest export that has not landed was received:
	// still on its way, or on the list. Zero when all have landed.
	OldestOpen time.Time `json:"oldest_not_landed,omitzero"`
	// OldestID is the shipment or export that OldestOpen speaks of.
	OldestID string `json:"oldest_id,omitempty"`
	// NeedPerson counts parked exports, parked or expired shipments and
	// unreadable events.
	NeedPerson int64 `json:"need_a_person"`
	// OnTheWay counts shipments and exports that move without help.
	OnTheWay int64        `json:"on_the_way"`
	Lines    []StatusLine `json:"entities"`
}

// StatusLine is one entity of one company in one environment.
type StatusLine struct {
	Environment string    `json:"environment"`
	Entity      string    `json:"entity"`
	LegalEntity string    `json:"legal_entity,omitempty"`
	LastLanded  time.Time `json:"last_landed,omitzero"`
	LastRows    int64     `json:"last_rows"` // of the export that landed last; means nothing without LastLanded
	Exports     int64     `json:"exports"`   // delivered
	Rows        int64     `json:"rows"`      // delivered
	OnTheWay    int64     `json:"on_the_way"`
	NeedPerson  int64     `json:"need_a_person"`
	OldestOpen  time.Time `json:"oldest_not_landed,omitzero"`
}

// OverdueAttempts is how often a delivery fails before it needs a person: it
// goes on by itself once its output is well again, but nobody may know that it
// is not.
const OverdueAttempts = 5

// overdue are exports whose delivery has waited in vain for a while.
var overdue = `SELECT export_id FROM deliveries WHERE state IN ('ready', 'waiting') AND state = 'waiting' AND attempts >= ` + strconv.Itoa(OverdueAttempts)

// notLanded is everything that has not landed, one row a thing, from the
// partial indexes: its cost grows with what is open, not with what was.
var notLanded = `
	SELECT id, environment, entity, legal_entity, received_at, order_at, order_no, state = 'parked' OR state = 'expired' AND renew_at IS NULL AS person
		FROM shipments WHERE state NOT IN ('settled') AND state IN ('pending', 'fetching', 'waiting', 'expired', 'parked')
	UNION ALL
	SELECT id, environment, entity, legal_entity, received_at, order_at, order_no, 0
		FROM shipments WHERE state = 'fetched' AND opened_at IS NULL
	UNION ALL
	SELECT id, environment, entity, legal_entity, received_at, order_at, order_no, state = 'parked' OR id IN (` + overdue + `)
		FROM exports WHERE state IN ('open', 'parked')
	UNION ALL
	SELECT id, environment, project, legal_entity, requested_at, requested_at, 0, state IN ('stuck', 'failed')
		FROM executions WHERE state IN ('queued', 'starting', 'running') OR state IN ('stuck', 'failed')
	UNION ALL
	SELECT id, environment, entity, legal_entity, received_at, event_at, 0, 1
		FROM events WHERE state = 'unreadable'`

// Status reads the two numbers and a line for each entity.
func (db *DB) Status(ctx context.Context, environment string) (Status, error) {
	var s Status
	var oldest sql.NullInt64
	var id sql.NullString
	err := db.readRow(ctx, `SELECT min(received_at), id, coalesce(sum(person), 0), coalesce(sum(1 - person), 0)
		FROM (`+notLanded+`) WHERE ?1 = '' OR environment = ?1`, []any{environment}, &oldest, &id, &s.NeedPerson, &s.OnTheWay)
	if err != nil {
		return s, err
	}
	s.OldestOpen, s.OldestID = fromMillis(oldest.Int64), id.String
	s.Lines, err = collect(ctx, db, `
		SELECT environment, entity, legal_entity, max(landed), max(last_rows), max(exports), max(rows), sum(way), sum(person), min(open_at)
		FROM (
			SELECT environment, entity, legal_entity, delivered_at AS landed,
				first_value(last_rows) OVER (PARTITION BY environment, entity, legal_entity ORDER BY delivered_at DESC) AS last_rows,
				exports, rows, 0 AS way, 0 AS person, NULL AS open_at
			FROM checkpoints
			UNION ALL
			SELECT environment, entity, legal_entity, 0, 0, 0, 0, 1 - person, person, received_at FROM (`+notLanded+`)
		)
		WHERE ?1 = '' OR environment = ?1
		GROUP BY environment, entity, legal_entity ORDER BY environment, entity, legal_entity`,
		[]any{environment}, scanStatusLine)
	return s, err
}

func scanStatusLine(scan func(...any) error) (StatusLine, error) {
	var l StatusLine
	var landed int64
	var open sql.NullInt64
	err := scan(&l.Environment, &l.Entity, &l.LegalEntity, &landed, &l.LastRows, &l.Exports, &l.Rows, &l.OnTheWay, &l.NeedPerson, &open)
	l.LastLanded, l.OldestOpen = fromMillis(landed), fromMillis(open.Int64)
	return l, err
}

// Checkpoints lists how far each line of data has come. The oldest open key is
// read from what is open now; only the highest delivered one is stored.
func (db *DB) Checkpoints(ctx context.Context, f Filter) ([]Checkpoint, error) {
	limit := f.Limit
	if limit == 0 {
		limit = -1
	}
	return collect(ctx, db, `
		WITH open AS (`+notLanded+`)
		SELECT c.environment, c.flow, c.entity, c.legal_entity, c.output, c.highest_at, c.highest_no, c.export_id, c.exports, c.rows, c.delivered_at,
			(SELECT count(*) FROM open o WHERE o.environment = c.environment AND o.entity = c.entity AND o.legal_entity = c.legal_entity),
			(SELECT order_at || '/' || order_no FROM open o WHERE o.environment = c.environment AND o.entity = c.entity AND o.legal_entity = c.legal_entity
				ORDER BY order_at, order_no LIMIT 1)
		FROM checkpoints c
		WHERE (?1 = '' OR c.environment = ?1) AND c.entity GLOB ?2
		ORDER BY c.environment, c.entity, c.legal_entity, c.flow, c.output LIMIT ?3`,
		[]any{f.Environment, sqlGlob(cmp.Or(f.Entity, "*")), limit}, scanCheckpoint)
}

func scanCheckpoint(scan func(...any) error) (Checkpoint, error) {
	var c Checkpoint
	var at, delivered int64
	var open sql.NullString
	err := scan(&c.Environment, &c.Flow, &c.Entity, &c.LegalEntity, &c.Output, &at, &c.Highest.No, &c.ExportID, &c.Exports, &c.Rows, &delivered,
		&c.OpenCount, &open)
	c.Highest.At, c.DeliveredAt = fromMillis(at), fromMillis(delivered)
	if open.Valid {
		c.OldestOpen = parseOrderKey(open.String)
	}
	return c, err
}

// Overdue counts the exports whose delivery has failed OverdueAttempts times or
// more and is still tried: of what needs a person, those that Waits groups.
func (db *DB) Overdue(ctx context.Context, environment string) (n int64, err error) {
	err = db.readRow(ctx, `SELECT count(*) FROM exports WHERE state IN ('open', 'parked') AND state = 'open' AND id IN (`+overdue+`)
		AND (?1 = '' OR environment = ?1)`, []any{environment}, &n)
	return n, err
}

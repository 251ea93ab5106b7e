package state

import (
	"cmp"
	"context"
	"database/sql"
	"time"
)

// KindExecution is a run of a data project that finrelay asked FinOps for.
const KindExecution Kind = "execution"

const executionPrefix = "xc"

// States of executions.
const (
	Queued   State = "queued"   // its project runs for another company, or its turn is now
	Starting State = "starting" // FinOps was asked, or is about to be; the answer is not known
	Stuck    State = "stuck"    // runs for longer than any should; keeps its project's lock
	Done     State = "done"     // its package became a shipment
	Failed   State = "failed"   // a person decides
)

// NewExecution asks for one run of a data project.
type NewExecution struct {
	Environment string
	Project     string
	LegalEntity string
	ExecutionID string // chosen by the caller, unique
	// ParkPartial parks the exports of a run that only partly succeeded: an
	// incremental project does not send again what is missing from it.
	ParkPartial bool
	By          string
}

// Execution is a run of a data project.
type Execution struct {
	ID          string    `json:"id"`
	Environment string    `json:"environment"`
	Project     string    `json:"project"`
	LegalEntity string    `json:"legal_entity,omitempty"`
	ExecutionID string    `json:"execution_id"`
	State       State     `json:"state"`
	Status      string    `json:"status,omitempty"` // FinOps' own, as last heard
	Reason      Reason    `json:"reason,omitempty"`
	Detail      string    `json:"detail,omitempty"`
	ParkPartial bool      `json:"-"`
	DueAt       time.Time `json:"due_at,omitzero"`
	Attempts    int       `json:"attempts"`
	RequestedAt time.Time `json:"requested_at"`
	RequestedBy string    `json:"requested_by"`
	CalledAt    time.Time `json:"called_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	ShipmentID  string    `json:"shipment,omitempty"`
	// LinklessSince is since when FinOps gives an answer that may be taken for
	// final only when it stays: no link though the run has ended, Unknown, or
	// that it does not know the execution.
	LinklessSince time.Time `json:"-"`
}

const executionColumns = `id, environment, project, legal_entity, execution_id, state, status, reason, detail, park_partial,
	due_at, attempts, requested_at, requested_by, called_at, ended_at, shipment_id, linkless_since`

func scanExecution(scan func(...any) error) (Execution, error) {
	var x Execution
	var due, requested int64
	var called, ended, linkless sql.NullInt64
	err := scan(&x.ID, &x.Environment, &x.Project, &x.LegalEntity, &x.ExecutionID, &x.State, &x.Status, &x.Reason, &x.Detail, &x.ParkPartial,
		&due, &x.Attempts, &requested, &x.RequestedBy, &called, &ended, &x.ShipmentID, &linkless)
	x.DueAt, x.RequestedAt = fromMillis(due), fromMillis(requested)
	x.CalledAt, x.EndedAt, x.LinklessSince = fromMillis(called.Int64), fromMillis(ended.Int64), fromMillis(linkless.Int64)
	return x, err
}

// RequestExecutions stores runs to be started, in order, and gives their ids.
// FinOps has not been called when it returns.
func (db *DB) RequestExecutions(ctx context.Context, wanted []NewExecution) ([]string, error) {
	var ids []string
	err := db.update(ctx, func(t *tx) (err error) {
		ids, err = t.requestExecutions(wanted)
		return err
	})
	return ids, err
}

func (t *tx) requestExecutions(wanted []NewExecution) (ids []string, err error) {
	for _, n := range wanted {
		id, err := t.requestExecution(n)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (t *tx) requestExecution(n NewExecution) (id string, err error) {
	id = NewID(executionPrefix, n.Environment, n.ExecutionID)
	if err := t.step(KindExecution, id, "", "", Queued, "", "by "+n.By); err != nil {
		return "", err
	}
	_, err = t.exec(`INSERT INTO executions (id, environment, project, legal_entity, execution_id, state, park_partial, due_at, requested_at, requested_by)
		VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?7, ?7, ?8)`,
		id, n.Environment, n.Project, n.LegalEntity, n.ExecutionID, n.ParkPartial, t.now, n.By)
	return id, err
}

// Leases: when an execution whose process ended is looked at again. That of a
// start is longer than one may take: while it is in flight, FinOps does not
// know the execution, and nobody else may take that for an answer.
const (
	executionLease = 3 * time.Minute
	startLease     = 15 * time.Minute
)

// runnable: due, and of queued ones the first of a project that has no run.
const runnable = `state IN ('queued', 'starting', 'running') AND due_at <= ?1 AND (state <> 'queued' OR
	NOT EXISTS (SELECT 1 FROM executions o WHERE o.environment = x.environment AND o.project = x.project COLLATE NOCASE
		AND (o.state IN ('starting', 'running', 'stuck') OR o.state = 'queued' AND o.seq < x.seq)))`

// ClaimExecutions gives up to limit executions to be started or asked about,
// and counts the attempt. A queued one is starting from then on and holds its
// project's lock: whatever becomes of the process, nobody will start another.
func (db *DB) ClaimExecutions(ctx context.Context, limit int) ([]Execution, error) {
	var claimed []Execution
	err := db.update(ctx, func(t *tx) error {
		claimed = nil
		if err := t.rows(`SELECT `+executionColumns+` FROM executions x WHERE `+runnable+` ORDER BY seq LIMIT ?2`, []any{t.now, limit},
			func(scan func(...any) error) error {
				x, err := scanExecution(scan)
				claimed = append(claimed, x)
				return err
			}); err != nil {
			return err
		}
		for i := range claimed {
			x := &claimed[i]
			if x.State == Queued {
				if err := t.moveExecution(*x, Starting, "", ""); err != nil {
					return err
				}
				x.State, x.Attempts = Starting, 0
			}
			x.Attempts++
			lease := executionLease
			if x.State == Starting {
				lease = startLease
			}
			if _, err := t.exec(`UPDATE executions SET attempts = ?2, due_at = ?3 WHERE id = ?1`, x.ID, x.Attempts, t.now+lease.Milliseconds()); err != nil {
				return err
			}
		}
		return nil
	})
	return claimed, err
}

// NextExecution is when the next execution is due; zero when none is.
func (db *DB) NextExecution(ctx context.Context) (time.Time, error) {
	var due int64
	err := db.readRow(ctx, `SELECT coalesce(min(due_at), 0) FROM executions x WHERE state IN ('queued', 'starting', 'running') AND (state <> 'queued' OR
		NOT EXISTS (SELECT 1 FROM executions o WHERE o.environment = x.environment AND o.project = x.project COLLATE NOCASE
			AND (o.state IN ('starting', 'running', 'stuck') OR o.state = 'queued' AND o.seq < x.seq)))`, nil, &due)
	return fromMillis(due), err
}

func (t *tx) execution(id string) (Execution, error) {
	var x Execution
	err := t.scanOne(`SELECT `+executionColumns+` FROM executions WHERE id = ?1`, id, func(scan func(...any) error) (err error) {
		x, err = scanExecution(scan)
		return err
	})
	return x, err
}

func (t *tx) moveExecution(x Execution, to State, reason Reason, detail string) error {
	if err := t.step(KindExecution, x.ID, x.ShipmentID, x.State, to, reason, detail); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE executions SET state = ?2, reason = ?3, detail = ?4, attempts = 0,
		ended_at = CASE WHEN ?2 IN ('done', 'failed', 'skipped') THEN ?5 ELSE ended_at END WHERE id = ?1`, x.ID, to, reason, detail, t.now)
	return err
}

func (db *DB) executionStep(ctx context.Context, id string, step func(*tx, Execution) error) error {
	return db.update(ctx, func(t *tx) error {
		x, err := t.execution(id)
		if err != nil {
			return err
		}
		return step(t, x)
	})
}

// Calling records, before FinOps is asked to start an execution, that it is:
// whoever finds this later asks for its status first.
func (db *DB) Calling(ctx context.Context, id string) error {
	return db.executionStep(ctx, id, func(t *tx, x Execution) error {
		_, err := t.exec(`UPDATE executions SET called_at = ?2, linkless_since = NULL WHERE id = ?1`, id, t.now)
		return err
	})
}

// Started says that FinOps runs the execution, under this id.
func (db *DB) Started(ctx context.Context, id, executionID string, due time.Time) error {
	return db.executionStep(ctx, id, func(t *tx, x Execution) error {
		if err := t.moveExecution(x, Running, "", executionID); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE executions SET execution_id = ?2, due_at = ?3, detail = '', linkless_since = NULL WHERE id = ?1`, id, executionID, millis(due))
		return err
	})
}

// WaitExecution asks again at due. What FinOps said is told in the story when
// it is news. Reason is ReasonSignIn when FinOps let nobody in, else empty.
func (db *DB) WaitExecution(ctx context.Context, id, status string, due time.Time, reason Reason, detail string) error {
	return db.executionStep(ctx, id, func(t *tx, x Execution) error {
		if _, err := t.exec(`UPDATE executions SET status = ?2, due_at = ?3, detail = ?4, reason = ?5,
			linkless_since = CASE WHEN status = ?2 THEN linkless_since END WHERE id = ?1`,
			id, status, millis(due), detail, reason); err != nil {
			return err
		}
		if status == x.Status && detail == x.Detail {
			return nil
		}
		return t.note(KindExecution, id, "", x.State, x.State, cmp.Or(reason, ReasonFinOps), joinDetail(status, detail))
	})
}

// Linkless asks again at due: FinOps gave an answer that may be taken for final
// only when it stays the same, see Execution.LinklessSince.
func (db *DB) Linkless(ctx context.Context, id, status string, due time.Time, detail string) error {
	return db.executionStep(ctx, id, func(t *tx, x Execution) error {
		_, err := t.exec(`UPDATE executions SET status = ?2, due_at = ?3, detail = ?4, reason = '',
			linkless_since = CASE WHEN status = ?2 THEN coalesce(linkless_since, ?5) ELSE ?5 END WHERE id = ?1`,
			id, status, millis(due), detail, t.now)
		return err
	})
}

func joinDetail(status, detail string) string {
	if status == "" || detail == "" {
		return status + detail
	}
	return status + ": " + detail
}

// EndExecution ends one without a package (Failed), or says that it runs for
// longer than it should and keeps its project's lock (Stuck).
func (db *DB) EndExecution(ctx context.Context, id string, to State, status string, reason Reason, detail string) error {
	return db.executionStep(ctx, id, func(t *tx, x Execution) error {
		if err := t.moveExecution(x, to, reason, detail); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE executions SET status = ?2 WHERE id = ?1`, id, status)
		return err
	})
}

// NewPackage is the package of an execution.
type NewPackage struct {
	Status   string
	Link     string // byte for byte
	LinkPath string
	Deadline time.Time // zero: DefaultLinkLife from now
	Notes    string    // errors that FinOps had, for the story
	Park     bool      // its exports are parked when it is opened
}

// Executed ends an execution with its package, which becomes a shipment in the
// same transaction.
func (db *DB) Executed(ctx context.Context, id string, p NewPackage) (shipmentID string, err error) {
	err = db.executionStep(ctx, id, func(t *tx, x Execution) error {
		identity := "execution:" + x.ExecutionID
		shipmentID = NewID(shipmentPrefix, x.Environment, identity)
		x.ShipmentID = shipmentID
		if err := t.moveExecution(x, Done, "", p.Notes); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE executions SET status = ?2, shipment_id = ?3 WHERE id = ?1`, id, p.Status, shipmentID); err != nil {
			return err
		}
		deadline := t.now + DefaultLinkLife.Milliseconds()
		if !p.Deadline.IsZero() {
			deadline = millis(p.Deadline)
		}
		seq, err := t.insert(`INSERT INTO shipments (id, environment, source, event_id, identity, entity, legal_entity, execution_id, definition_group,
				order_at, order_no, link_path, deadline, state, due_at, received_at, held)
			VALUES (?1, ?2, 'package', '', ?3, '', ?4, ?5, ?6, ?7, 0, ?8, ?9, 'pending', ?10, ?10, ?11)`,
			shipmentID, x.Environment, identity, x.LegalEntity, x.ExecutionID, x.Project, millis(x.CalledAt), p.LinkPath, deadline, t.now, p.Park)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO links (seq, url) VALUES (?1, ?2)`, seq, p.Link); err != nil {
			return err
		}
		return t.step(KindShipment, shipmentID, shipmentID, "", Pending, "", "package of execution "+x.ExecutionID)
	})
	return shipmentID, err
}

// Executions lists executions, newest first. A run has no entity: of the filter
// all else counts.
func (db *DB) Executions(ctx context.Context, f Filter) ([]Execution, error) {
	f.Entity = ""
	where, args := f.where("requested_at")
	return collect(ctx, db, `SELECT `+executionColumns+` FROM executions`+where, args, scanExecution)
}

// Execution finds an execution by our id.
func (db *DB) Execution(ctx context.Context, id string) (Execution, error) {
	return one(ctx, db, `SELECT `+executionColumns+` FROM executions WHERE id = ?1`, []any{id}, scanExecution)
}

func (t *tx) skipExecution(id, detail string) error {
	x, err := t.execution(id)
	if err != nil {
		return err
	}
	return t.moveExecution(x, Skipped, ReasonSkipped, detail)
}

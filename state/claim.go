package state

import (
	"context"
	"math"
	"time"
)

// MaxInterruptions is how often the same piece of work may be cut off by the
// end of the process before it is parked: whatever it holds may be what ends
// the process.
const MaxInterruptions = 3

// FetchClaims says which links to claim.
type FetchClaims struct {
	Owner string
	Lease time.Duration
	Limit int
	// Before, if set, admits only links that die before it and live now, by
	// our clock: a slot kept for those must not be held by dead ones.
	Before time.Time
	// InFlight is how many downloads each environment has now. The one with
	// the fewest is served first; equal ones by the earliest deadline.
	InFlight map[string]int
	// Most is the largest number in flight for an environment; none if absent.
	Most map[string]int
}

// FetchJob is a claimed shipment with its link.
type FetchJob struct {
	Shipment Shipment
	Link     string // carries a signature: never log it; "" for a queue's message
}

// ClaimFetches claims up to Limit due links, the earliest deadline first and
// fair among environments. The attempts are counted before it returns.
func (db *DB) ClaimFetches(ctx context.Context, c FetchClaims) ([]FetchJob, error) {
	var jobs []FetchJob
	err := db.update(ctx, func(t *tx) error {
		jobs = nil
		before := int64(math.MaxInt64)
		if !c.Before.IsZero() {
			before = millis(c.Before)
		}
		heads, err := t.dueEnvironments(before)
		if err != nil {
			return err
		}
		inFlight := map[string]int{}
		for environment, n := range c.InFlight {
			inFlight[environment] = n
		}
		for len(jobs) < c.Limit {
			environment, ok := fairest(heads, inFlight, c.Most)
			if !ok {
				return nil
			}
			job, err := t.claimFetch(environment, before, c)
			if err == ErrNotFound {
				delete(heads, environment)
				continue
			}
			if err != nil {
				return err
			}
			heads[environment] = millis(job.Shipment.Deadline)
			inFlight[environment]++
			jobs = append(jobs, job)
		}
		return nil
	})
	return jobs, err
}

// dueEnvironments gives the earliest deadline of each environment with due
// links. It jumps from environment to environment along the index: to group
// would read a whole backlog, on the goroutine that events wait for.
func (t *tx) dueEnvironments(before int64) (map[string]int64, error) {
	heads := map[string]int64{}
	err := t.rows(`WITH RECURSIVE env (name) AS (
			SELECT min(environment) FROM shipments WHERE state IN ('pending', 'waiting')
			UNION ALL
			SELECT (SELECT min(environment) FROM shipments WHERE state IN ('pending', 'waiting') AND environment > env.name) FROM env WHERE name IS NOT NULL
		), head (name, deadline) AS (
			SELECT name, (SELECT deadline FROM shipments WHERE environment = env.name AND state IN ('pending', 'waiting') AND due_at <= ?1 AND deadline < ?2 AND deadline >= ?3
				ORDER BY deadline LIMIT 1) FROM env
		)
		SELECT name, deadline FROM head WHERE deadline IS NOT NULL`,
		[]any{t.now, before, t.alive(before)}, func(scan func(...any) error) error {
			var environment string
			var deadline int64
			err := scan(&environment, &deadline)
			heads[environment] = deadline
			return err
		})
	return heads, err
}

// fairest picks the environment with the fewest downloads in flight, of equal
// ones that with the earliest deadline.
func fairest(heads map[string]int64, inFlight, most map[string]int) (string, bool) {
	best, found := "", false
	for environment, deadline := range heads {
		if m, ok := most[environment]; ok && inFlight[environment] >= m {
			continue
		}
		n, m := inFlight[environment], inFlight[best]
		if !found || n < m || n == m && (deadline < heads[best] || deadline == heads[best] && environment < best) {
			best, found = environment, true
		}
	}
	return best, found
}

// alive is the earliest deadline of a link that is admitted: any, unless only
// links are wanted that die soon.
func (t *tx) alive(before int64) int64 {
	if before == math.MaxInt64 {
		return math.MinInt64
	}
	return t.now
}

// nextLink gives the due link that dies first. One that is past its time by
// our clock and has been tried stands back behind all others: the clock may be
// wrong, so it is tried on, but not in the place of a link that lives.
func (t *tx) nextLink(environment string, before int64) (id string, err error) {
	const due = `SELECT id FROM shipments WHERE environment = ?1 AND state IN ('pending', 'waiting') AND due_at <= ?2 AND deadline < ?3 AND deadline >= ?4 `
	args := []any{environment, t.now, before, t.alive(before)}
	err = t.row(due+`AND (attempts = 0 OR deadline >= ?2) ORDER BY deadline, seq LIMIT 1`, args, &id)
	if err == ErrNotFound {
		err = t.row(due+`ORDER BY deadline, seq LIMIT 1`, args, &id)
	}
	return id, err
}

func (t *tx) claimFetch(environment string, before int64, c FetchClaims) (FetchJob, error) {
	id, err := t.nextLink(environment, before)
	if err != nil {
		return FetchJob{}, err
	}
	s, err := t.shipment(id)
	if err != nil {
		return FetchJob{}, err
	}
	job := FetchJob{Shipment: s}
	// A shipment without a link would be an error for ever, and hold up its
	// whole environment; the fetch of "" parks it.
	if err := t.row(`SELECT coalesce((SELECT url FROM links WHERE seq = (SELECT seq FROM shipments WHERE id = ?1)), '')`, []any{id}, &job.Link); err != nil {
		return job, err
	}
	if err := t.step(KindShipment, id, id, s.State, Fetching, "", ""); err != nil {
		return job, err
	}
	_, err = t.exec(`UPDATE shipments SET state = 'fetching', attempts = attempts + 1, lent = 0, owner = ?2, lease_until = ?3 WHERE id = ?1`,
		id, c.Owner, t.now+c.Lease.Milliseconds())
	job.Shipment.State = Fetching
	job.Shipment.Attempts++
	return job, err
}

// ClaimOpenings claims up to limit shipments whose raw file is here and has
// not been opened yet, first come first served.
func (db *DB) ClaimOpenings(ctx context.Context, owner string, lease time.Duration, limit int) ([]Shipment, error) {
	var claimed []Shipment
	err := db.update(ctx, func(t *tx) error {
		claimed = nil
		if err := t.rows(`SELECT `+shipmentColumns+` FROM shipments WHERE state = 'fetched' AND opened_at IS NULL AND owner = ''
			ORDER BY seq LIMIT ?1`, []any{limit}, func(scan func(...any) error) error {
			s, err := scanShipment(scan)
			claimed = append(claimed, s)
			return err
		}); err != nil {
			return err
		}
		for _, s := range claimed {
			if _, err := t.exec(`UPDATE shipments SET owner = ?2, lease_until = ?3 WHERE id = ?1`, s.ID, owner, t.now+lease.Milliseconds()); err != nil {
				return err
			}
		}
		return nil
	})
	return claimed, err
}

// DeliveryJob is a claimed delivery with all that an output wants to know.
type DeliveryJob struct {
	Delivery Delivery
	Export   Export
	Shipment Shipment
	Event    Event
}

// ClaimDeliveries claims up to limit due deliveries, first in first out. The
// attempts are counted before it returns.
func (db *DB) ClaimDeliveries(ctx context.Context, owner string, lease time.Duration, limit int) ([]DeliveryJob, error) {
	var jobs []DeliveryJob
	err := db.update(ctx, func(t *tx) error {
		jobs = nil
		if err := t.rows(`SELECT `+deliveryColumns+` FROM deliveries WHERE state IN ('ready', 'waiting') AND due_at <= ?1 ORDER BY seq LIMIT ?2`,
			[]any{t.now, limit}, func(scan func(...any) error) error {
				d, err := scanDelivery(scan)
				jobs = append(jobs, DeliveryJob{Delivery: d})
				return err
			}); err != nil {
			return err
		}
		for i := range jobs {
			if err := t.claimDelivery(&jobs[i], owner, lease); err != nil {
				return err
			}
		}
		return nil
	})
	return jobs, err
}

func (t *tx) claimDelivery(job *DeliveryJob, owner string, lease time.Duration) (err error) {
	d := &job.Delivery
	if job.Export, err = t.export(d.ExportID); err != nil {
		return err
	}
	if job.Shipment, err = t.shipment(job.Export.ShipmentID); err != nil {
		return err
	}
	if err := t.scanOne(`SELECT `+eventColumns+` FROM events WHERE id = ?1`, job.Shipment.EventID, func(scan func(...any) error) (err error) {
		job.Event, err = scanEvent(scan)
		return err
	}); err != nil && err != ErrNotFound {
		return err
	}
	if err := t.step(KindDelivery, deliveryID(*d), job.Shipment.ID, d.State, Running, "", ""); err != nil {
		return err
	}
	d.State = Running
	d.Attempts++
	_, err = t.exec(`UPDATE deliveries SET state = 'running', attempts = attempts + 1, owner = ?3, lease_until = ?4 WHERE export_id = ?1 AND output = ?2`,
		d.ExportID, d.Output, owner, t.now+lease.Milliseconds())
	return err
}

// deliveryID names a delivery in the journal.
func deliveryID(d Delivery) string { return d.ExportID + "/" + d.Output }

// NextFetch is when the next link is due that lives and dies before a time
// (zero: any link); in the past when one is due now, zero when none waits.
func (db *DB) NextFetch(ctx context.Context, before time.Time) (time.Time, error) {
	// Asked after every commit, so each form has an index that answers it
	// without walking the backlog.
	query, args := `SELECT coalesce(min(due_at), 0) FROM shipments WHERE state IN ('pending', 'waiting')`, []any(nil)
	if !before.IsZero() {
		query = `SELECT coalesce(min(due_at), 0) FROM shipments INDEXED BY shipments_urgent WHERE state IN ('pending', 'waiting') AND deadline < ?1 AND deadline >= ?2`
		args = []any{millis(before), millis(db.Now())}
	}
	var due int64
	err := db.readRow(ctx, query, args, &due)
	return fromMillis(due), err
}

// NextDelivery is when the next delivery or opening is due; in the past when
// one is due now, zero when none waits.
func (db *DB) NextDelivery(ctx context.Context) (time.Time, error) {
	var due int64
	err := db.readRow(ctx, `SELECT coalesce(
		(SELECT 1 FROM shipments WHERE state = 'fetched' AND opened_at IS NULL AND owner = '' LIMIT 1),
		(SELECT min(due_at) FROM deliveries WHERE state IN ('ready', 'waiting')), 0)`, nil, &due)
	return fromMillis(due), err
}

// Recover gives back what a process that is gone had claimed. Only the holder
// of the folder's lock may call it, before it claims anything. What was cut
// off MaxInterruptions times is parked.
func (db *DB) Recover(ctx context.Context) (returned, parked int, err error) {
	err = db.update(ctx, func(t *tx) error {
		returned, parked = 0, 0
		count := func(interrupted int) {
			if interrupted >= MaxInterruptions {
				parked++
			} else {
				returned++
			}
		}
		shipments, err := t.claimedShipments()
		if err != nil {
			return err
		}
		for _, s := range shipments {
			count(s.Interrupted + 1)
			if err := t.recoverShipment(s); err != nil {
				return err
			}
		}
		deliveries, err := t.claimedDeliveries()
		if err != nil {
			return err
		}
		for _, d := range deliveries {
			count(d.Interrupted + 1)
			if err := t.recoverDelivery(d); err != nil {
				return err
			}
		}
		return nil
	})
	return returned, parked, err
}

const interruptedDetail = "the process ended while this was worked on"

func (t *tx) claimedShipments() (all []Shipment, err error) {
	err = t.rows(`SELECT `+shipmentColumns+` FROM shipments
		WHERE state NOT IN ('settled') AND (state = 'fetching' OR state = 'fetched' AND opened_at IS NULL AND owner <> '') ORDER BY seq`, nil,
		func(scan func(...any) error) error {
			s, err := scanShipment(scan)
			all = append(all, s)
			return err
		})
	return all, err
}

func (t *tx) recoverShipment(s Shipment) error {
	to, reason := s.State, Reason("")
	switch {
	case s.Interrupted+1 >= MaxInterruptions:
		to, reason = Parked, ReasonInterrupted
	case s.State == Fetching:
		to = Pending
	}
	if to == s.State {
		if err := t.note(KindShipment, s.ID, s.ID, s.State, to, ReasonInterrupted, interruptedDetail); err != nil {
			return err
		}
	} else if err := t.step(KindShipment, s.ID, s.ID, s.State, to, ReasonInterrupted, interruptedDetail); err != nil {
		return err
	}
	detail := ""
	if reason != "" {
		detail = interruptedDetail
	}
	_, err := t.exec(`UPDATE shipments SET state = ?2, reason = ?3, detail = ?4, interrupted = interrupted + 1, owner = '', lease_until = 0, due_at = ?5
		WHERE id = ?1`, s.ID, to, reason, detail, t.now)
	return err
}

func (t *tx) claimedDeliveries() (all []Delivery, err error) {
	err = t.rows(`SELECT `+deliveryColumns+` FROM deliveries WHERE state = 'running' ORDER BY seq`, nil, func(scan func(...any) error) error {
		d, err := scanDelivery(scan)
		all = append(all, d)
		return err
	})
	return all, err
}

func (t *tx) recoverDelivery(d Delivery) error {
	if _, err := t.exec(`UPDATE deliveries SET interrupted = interrupted + 1 WHERE export_id = ?1 AND output = ?2`, d.ExportID, d.Output); err != nil {
		return err
	}
	if d.Interrupted+1 >= MaxInterruptions {
		return t.parkDelivery(d, ReasonInterrupted, interruptedDetail, Counts{})
	}
	return t.releaseDelivery(d, ReasonInterrupted, interruptedDetail)
}

package state

import (
	"context"
	"database/sql"
	"time"
)

// Queue is what is remembered of one FinOps queue.
type Queue struct {
	Environment   string    `json:"environment"`
	Activity      string    `json:"activity"`
	FirstPolledAt time.Time `json:"first_polled_at,omitzero"` // zero: never
	LastPolledAt  time.Time `json:"last_polled_at,omitzero"`
	DrainedAt     time.Time `json:"drained_at,omitzero"`      // last found empty
	LastMessageAt time.Time `json:"last_message_at,omitzero"` // last new one
	Messages      int64     `json:"messages"`
	Failures      int       `json:"failures,omitempty"` // polls in a row that did not reach the end
	Problem       string    `json:"problem,omitempty"`
	// Of a queue that was never found empty: when a message was handed out and
	// left, because nobody had said what a backlog means, and what was said.
	HeldBackAt time.Time `json:"held_back_at,omitzero"`
	Backlog    string    `json:"backlog,omitempty"`
}

const queueColumns = `environment, activity, first_polled_at, last_polled_at, drained_at, last_message_at, messages, failures, problem, held_back_at, backlog`

func scanQueue(scan func(...any) error) (Queue, error) {
	var q Queue
	var first, last int64
	var drained, message, held sql.NullInt64
	err := scan(&q.Environment, &q.Activity, &first, &last, &drained, &message, &q.Messages, &q.Failures, &q.Problem, &held, &q.Backlog)
	q.FirstPolledAt, q.LastPolledAt = fromMillis(first), fromMillis(last)
	q.DrainedAt, q.LastMessageAt = fromMillis(drained.Int64), fromMillis(message.Int64)
	q.HeldBackAt = fromMillis(held.Int64)
	return q, err
}

// Queues lists the queues that have been polled.
func (db *DB) Queues(ctx context.Context) ([]Queue, error) {
	return collect(ctx, db, `SELECT `+queueColumns+` FROM queues ORDER BY environment, activity`, nil, scanQueue)
}

// Queue gives what is remembered; ErrNotFound when it was never polled.
func (db *DB) Queue(ctx context.Context, environment, activity string) (Queue, error) {
	return one(ctx, db, `SELECT `+queueColumns+` FROM queues WHERE environment = ?1 AND activity = ?2`, []any{environment, activity}, scanQueue)
}

// PollBegun records that a queue is polled now.
func (db *DB) PollBegun(ctx context.Context, environment, activity string) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO queues (environment, activity, first_polled_at, last_polled_at) VALUES (?1, ?2, ?3, ?3)
			ON CONFLICT (environment, activity) DO UPDATE SET last_polled_at = excluded.last_polled_at`, environment, activity, t.now)
		return err
	})
}

// PollEnded records how a poll ended: with the queue found empty, or with the
// problem that stopped it before.
func (db *DB) PollEnded(ctx context.Context, environment, activity, problem string) error {
	return db.update(ctx, func(t *tx) error {
		if problem != "" {
			_, err := t.exec(`UPDATE queues SET failures = failures + 1, problem = ?3 WHERE environment = ?1 AND activity = ?2`, environment, activity, problem)
			return err
		}
		_, err := t.exec(`UPDATE queues SET drained_at = ?3, failures = 0, problem = '' WHERE environment = ?1 AND activity = ?2`, environment, activity, t.now)
		return err
	})
}

// HeldBack says that a message of a backlog was handed out and left: FinOps
// hides it for half an hour, and the queue looks empty meanwhile.
func (db *DB) HeldBack(ctx context.Context, environment, activity string) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE queues SET held_back_at = ?3 WHERE environment = ?1 AND activity = ?2`, environment, activity, t.now)
		return err
	})
}

// DecideBacklog keeps what was said about a queue's backlog for the polls until
// the queue is first found empty.
func (db *DB) DecideBacklog(ctx context.Context, environment, activity, backlog string) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE queues SET backlog = ?3 WHERE environment = ?1 AND activity = ?2`, environment, activity, backlog)
		return err
	})
}

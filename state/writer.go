package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrClosed: the ledger is closed or closing; nothing was written.
var ErrClosed = errors.New("ledger is closed")

// op is one transition on its way to the writer.
type op struct {
	run func(*tx) error
	err chan error
}

// tx is one transition inside the group's transaction. It sees one time.
type tx struct {
	db    *DB
	now   int64 // ms
	wrote bool  // something is there to commit
}

// update hands a transition to the writer and waits until it is on disk.
// run may be executed a second time from the start, when the group it was in
// could not be committed; it must not keep anything from a first run.
//
// The wait does not end with ctx: once handed over, the transition happens,
// and a caller that believed it did not would do the work twice.
func (db *DB) update(ctx context.Context, run func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if db.looking {
		return ErrLooking
	}
	o := &op{run: run, err: make(chan error, 1)}
	select {
	case <-db.closing:
		return ErrClosed
	case <-ctx.Done(): // the queue is full, and this caller would rather go
		return context.Cause(ctx)
	case db.ops <- o:
	}
	select {
	case err := <-o.err:
		return err
	case <-db.done:
		// The writer took everything that was queued before it ended; only an
		// op that slipped in behind its last look is still without answer.
		select {
		case err := <-o.err:
			return err
		default:
			return ErrClosed
		}
	}
}

func (db *DB) runWriter() {
	defer close(db.done)
	group := make([]*op, 0, maxGroup)
	for {
		var first *op
		select {
		case first = <-db.ops:
		default:
			select {
			case first = <-db.ops:
			case <-db.closing:
				// What is queued was promised a result.
				select {
				case first = <-db.ops:
				default:
					return
				}
			}
		}
		group = append(group[:0], first)
		for more := true; more && len(group) < maxGroup; {
			select {
			case o := <-db.ops:
				group = append(group, o)
			default:
				more = false
			}
		}
		db.commitGroup(group)
	}
}

// commitGroup runs the group in one transaction and answers it. It hopes first:
// all go in side by side, without the cost of a savepoint each. When one of
// them fails, the group starts again with savepoints, and when that does not
// commit (a full disk met by a large one), each gets a transaction of its own.
// So a broken transition never takes its neighbours down.
func (db *DB) commitGroup(group []*op) {
	results, wrote, err := db.tryGroup(group, false)
	if errors.Is(err, errOneFailed) {
		results, wrote, err = db.tryGroup(group, true)
	}
	switch {
	case err != nil && len(group) > 1:
		results, wrote = db.tryEach(group)
	case err != nil:
		results = []error{err}
	}
	for i, o := range group {
		o.err <- results[i]
	}
	if wrote {
		// Only then: a claim that found nothing and woke those who wait for
		// news would wake itself, for ever.
		db.changes.broadcast()
		db.keepLogSmall()
	}
}

func (db *DB) tryEach(group []*op) (results []error, wrote bool) {
	results = make([]error, len(group))
	for i := range group {
		one, w, err := db.tryGroup(group[i:i+1], false)
		wrote = wrote || w
		if results[i] = err; err == nil {
			results[i] = one[0]
		}
	}
	return results, wrote
}

// errOneFailed: nothing was committed, because one of several transitions
// failed and there was no savepoint to go back to.
var errOneFailed = errors.New("a transition of the group failed")

// tryGroup gives one result for each transition, or an error when nothing of
// the group was committed.
func (db *DB) tryGroup(group []*op, savepoints bool) (results []error, wrote bool, err error) {
	defer func() {
		if err != nil && !errors.Is(err, errOneFailed) {
			err = fmt.Errorf("write ledger: %w", err)
		}
		if err != nil {
			wrote = false
			err = errors.Join(err, db.rollback())
		}
	}()
	if err := db.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, false, err
	}
	t := &tx{db: db, now: millis(db.Now())}
	results = make([]error, len(group))
	for i, o := range group {
		switch {
		case savepoints:
			results[i], err = t.inSavepoint(o.run)
		case len(group) == 1:
			// Alone, the transaction itself is the savepoint.
			if results[0] = o.run(t); results[0] != nil {
				return results, false, db.rollback()
			}
		case o.run(t) != nil:
			err = errOneFailed
		}
		if err != nil {
			return nil, false, err
		}
	}
	if !t.wrote {
		return results, false, db.rollback() // nothing to make durable
	}
	return results, true, db.exec("COMMIT")
}

// inSavepoint gives the transition's own result, and apart from it an error
// that the whole group shares.
func (t *tx) inSavepoint(run func(*tx) error) (result, err error) {
	if err := t.db.exec("SAVEPOINT one"); err != nil {
		return nil, err
	}
	if result = run(t); result != nil {
		clear(t.db.epochs)
		if err := t.db.exec("ROLLBACK TO one"); err != nil {
			return nil, errors.Join(result, err)
		}
	}
	return result, t.db.exec("RELEASE one")
}

// rollback ends the transaction. SQLite may have ended it already (a full disk
// does that); then there is nothing to do, and saying so would hide the cause.
func (db *DB) rollback() error {
	clear(db.epochs) // they may have been read from what is undone now
	err := db.exec("ROLLBACK")
	if err == nil {
		return nil
	}
	active := false
	if rawErr := db.conn.Raw(func(c any) error {
		active = !c.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	}); rawErr != nil || active {
		return errors.Join(err, rawErr)
	}
	return nil
}

// stmt prepares a query once on the writer's connection. Only the writer's
// goroutine calls it, so the map needs no lock.
func (db *DB) stmt(query string) (*sql.Stmt, error) {
	if s := db.stmts[query]; s != nil {
		return s, nil
	}
	// Background: a context that can end makes the driver start a goroutine
	// for each statement, and a transition is not to be cut in the middle.
	s, err := db.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	db.stmts[query] = s
	return s, nil
}

func (db *DB) exec(query string, args ...any) error {
	s, err := db.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.Exec(args...)
	return err
}

// exec runs a statement and gives the number of rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	t.wrote = true
	s, err := t.db.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *tx) insert(query string, args ...any) (rowid int64, err error) {
	t.wrote = true
	s, err := t.db.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// row reads one row into dest; ErrNotFound when there is none.
func (t *tx) row(query string, args []any, dest ...any) error {
	s, err := t.db.stmt(query)
	if err != nil {
		return err
	}
	err = s.QueryRow(args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

func (t *tx) rows(query string, args []any, each func(scan func(dest ...any) error) error) error {
	s, err := t.db.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	return eachRow(rows, each)
}

func eachRow(rows *sql.Rows, each func(scan func(dest ...any) error) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// changes tells everyone who waits that a commit happened.
type changes struct {
	mu sync.Mutex
	ch chan struct{}
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch == nil {
		c.ch = make(chan struct{})
	}
	return c.ch
}

func (c *changes) broadcast() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch != nil {
		close(c.ch)
		c.ch = nil
	}
}

// Changed returns a channel that is closed at the next commit. Take it before
// looking at the ledger: then no change can fall between the look and the wait.
func (db *DB) Changed() <-chan struct{} { return db.changes.wait() }

func millis(t time.Time) int64 { return t.UnixMilli() }

// fromMillis gives the zero time for 0.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

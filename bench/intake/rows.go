package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"finrelay/bench/load"

	_ "github.com/mattn/go-sqlite3" // the ledger's own driver reads both databases
)

// acceptTables are those that accepting an event writes to, one row each.
var acceptTables = []string{"events", "bodies", "shipments", "links"}

// kept is what a server's database holds after a round.
type kept struct {
	Events  int64
	Lost    int64            // events answered 2xx without a row
	Rows    map[string]int64 // by table
	Journal int64
	Parked  int64 // shipments; none is, or more than acceptance was measured
}

// inspect opens a server's database after the server has ended. It is opened
// for writing, because after a kill the log must first be played back.
func inspect(file string, acked []int64) (k kept, err error) {
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=rw")
	if err != nil {
		return kept{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	k.Rows = map[string]int64{}
	for _, table := range append(slices.Clone(acceptTables), "journal") {
		var n int64
		if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
			return k, fmt.Errorf("count %s in %s: %w", table, file, err)
		}
		k.Rows[table] = n
	}
	k.Events, k.Journal = k.Rows["events"], k.Rows["journal"]
	if err := db.QueryRow("SELECT count(*) FROM shipments WHERE state = 'parked'").Scan(&k.Parked); err != nil {
		return k, err
	}
	k.Lost, err = lost(db, acked)
	return k, err
}

// lost counts the promised events that have no row.
func lost(db *sql.DB, acked []int64) (int64, error) {
	missing := make(map[int64]bool, len(acked))
	for _, n := range acked {
		missing[n] = true
	}
	rows, err := db.Query("SELECT finops_event_id FROM events")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return 0, err
		}
		n, err := load.Number(id)
		if err != nil {
			return 0, err
		}
		delete(missing, n)
	}
	return int64(len(missing)), rows.Err()
}

// check says what is wrong with a round: promises broken, or rows that the
// comparison supposes and that are not there.
func (k kept) check() error {
	if k.Lost > 0 {
		return fmt.Errorf("%d events were answered 2xx and have no row", k.Lost)
	}
	for _, table := range acceptTables {
		if k.Rows[table] != k.Events {
			return fmt.Errorf("%d rows in %s for %d events, want one each", k.Rows[table], table, k.Events)
		}
	}
	if k.Parked > 0 {
		return fmt.Errorf("%d shipments are parked; the silent blob server did not hold them", k.Parked)
	}
	if k.Journal < k.Events {
		return fmt.Errorf("%d rows in journal for %d events, want one each or more", k.Journal, k.Events)
	}
	return nil
}

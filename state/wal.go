package state

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// SQLite's log (the -wal file) is copied into the ledger in the course of a
// commit, each time it has grown by so much. Rare copies are cheaper, because
// events dirty the same pages of the indexes again and again; BenchmarkAccept
// gains a fifth over SQLite's own 4 MiB. Rarer still would make single answers
// wait long for their copy.
const logPages = 4000 // of 4 KiB

const (
	// logMost is the size in bytes beyond which the log is emptied by force.
	// SQLite begins it anew only at a moment when nobody reads from it. Readers
	// that overlap, such as consoles that poll, never leave such a moment, and
	// the log would grow for as long as they do.
	logMost = 64 << 20
	// logPatience is how long the writer waits for readers then; ms. New
	// readers do not prolong it: they read what is copied already.
	logPatience = 250
	busyTimeout = 5000 // ms; another process may be reading a backup
)

// keepLogSmall runs on the writer's goroutine, after the answers. What goes
// wrong costs nothing but the size of the log, so there is no error.
func (db *DB) keepLogSmall() {
	info, err := os.Stat(filepath.Join(db.folder, File+"-wal"))
	if err != nil || info.Size() < db.logNext {
		return
	}
	var busy, pages, copied int
	db.pragma("busy_timeout", logPatience)
	err = db.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied)
	db.pragma("busy_timeout", busyTimeout)
	if db.logNext = db.logMost; err != nil || busy != 0 {
		// Somebody reads for long. Not at each commit again.
		db.logNext = info.Size() + db.logMost/4
	}
}

func (db *DB) pragma(name string, value int) {
	_, _ = db.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA %s = %d", name, value))
}

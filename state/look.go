package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var (
	// ErrLooking: the ledger was opened by OpenToLook, and nothing is written.
	ErrLooking = errors.New("ledger was opened to look at, not to be changed")
	// ErrOlderLedger: the ledger's tables are those of an older finrelay, and
	// who looks does not change them.
	ErrOlderLedger = errors.New("ledger was written by an older version")
)

// OpenToLook opens the ledger in a folder for its reading methods, whoever holds
// the folder: it takes no lock, and makes and changes no file. Reading must be
// allowed; nothing else has to be. Methods that change something return
// ErrLooking.
//
// Errors: fs.ErrNotExist when there is no ledger, fs.ErrPermission when it may
// not be read, *FilesystemError, ErrNewerLedger, ErrOlderLedger. The caller
// must Close.
func OpenToLook(ctx context.Context, folder string, opt Options) (*DB, error) {
	db := &DB{Now: time.Now, folder: folder, looking: true, closing: make(chan struct{}), done: make(chan struct{})}
	close(db.done) // there is no writer
	if err := db.look(ctx, opt); err != nil {
		return nil, errors.Join(fmt.Errorf("look at ledger in %s: %w", folder, err), db.closeAll())
	}
	return db, nil
}

// look finds out how the ledger can be read without a trace.
//
// With a log beside it, SQLite reads both: as a reader among others while a
// server works, and from an index of its own in memory after a crash. That needs
// the log's index to be there, which it is as long as a process works on the
// ledger, and after its crash. SQLite would make a log where there is none, so a
// ledger that was closed in good order, and has none, is read as a file that
// does not change; Steady says whether that was true.
func (db *DB) look(ctx context.Context, opt Options) error {
	path := filepath.Join(db.folder, File)
	if err := readable(path); err != nil {
		return err
	}
	var err error
	if db.seen, err = os.Stat(path); err != nil {
		return err
	}
	query := url.Values{"mode": {"ro"}, "_query_only": {"1"}}
	switch err := readable(path + "-wal"); {
	case errors.Is(err, fs.ErrNotExist):
		db.unlogged = true
		query.Set("immutable", "1")
	case err != nil:
		return err
	default:
		if err := db.lookAtLog(path, opt); err != nil {
			return err
		}
		query.Set("readonly_shm", "1")
	}
	if db.read, err = sql.Open("sqlite3", dsn(path, query)); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	return db.checkVersion(ctx)
}

func (db *DB) lookAtLog(path string, opt Options) error {
	if !opt.AnyFilesystem {
		if err := checkFilesystem(db.folder); err != nil {
			return err
		}
	}
	err := readable(path + "-shm")
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("its log has no index (" + File + "-shm), as in a copy of a ledger that was in use: " +
			"what opens it for work reads it, for example finrelay serve")
	}
	return err
}

// readable reports why a file cannot be read; SQLite says too little of it. It
// does not open the file: to close it would free all locks that this process
// has on it.
func readable(path string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return nil
}

// Steady reports whether all that was read until now is true. Of a ledger that
// was opened to look at it is not when a process has begun to work on it: what
// was read then may be of two minds, and has to be read again from a ledger that
// is opened again.
func (db *DB) Steady() bool {
	if !db.unlogged {
		return true
	}
	path := filepath.Join(db.folder, File)
	_, err := os.Stat(path + "-wal")
	info, statErr := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) && statErr == nil && os.SameFile(info, db.seen) &&
		info.Size() == db.seen.Size() && info.ModTime().Equal(db.seen.ModTime())
}

// checkVersion says whether this program knows the ledger's tables.
func (db *DB) checkVersion(ctx context.Context) error {
	names, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	number, _, _ := strings.Cut(names[len(names)-1].Name(), "_")
	knows, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	var has int
	err = db.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&has)
	switch {
	case err != nil:
		return err
	case has > knows:
		return fmt.Errorf("%w: it has version %d, this program knows %d; run the newer finrelay", ErrNewerLedger, has, knows)
	case has < knows:
		return fmt.Errorf("%w: it has version %d, this program reads %d; finrelay serve, or what else opens it for work, brings it up to date",
			ErrOlderLedger, has, knows)
	}
	return nil
}

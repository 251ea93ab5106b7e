package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// File is the ledger's name in the state folder.
const File = "ledger.db"

const (
	maxGroup   = 256 // transitions in one commit
	readers    = 4   // connections that only read
	writeQueue = 1024
)

// DB is the open ledger. Its methods may be called from many goroutines.
type DB struct {
	// Now is the clock of every transition. Tests may set it before first use.
	Now func() time.Time

	folder string
	lock   *os.File
	write  *sql.DB
	read   *sql.DB
	conn   *sql.Conn // the writer's only connection
	stmts  map[string]*sql.Stmt

	ops     chan *op
	closing chan struct{}
	done    chan struct{}
	once    sync.Once

	changes changes
	commits atomic.Int64

	logMost, logNext int64 // bytes; the writer's, see keepLogSmall

	epochs map[string]int64 // by environment; the writer's, dropped with each rollback

	looking  bool        // opened by OpenToLook: there is neither lock nor writer
	unlogged bool        // read as a file that does not change
	seen     fs.FileInfo // of that file
}

// ErrNewerLedger: a newer finrelay has changed the ledger's tables.
var ErrNewerLedger = errors.New("ledger was written by a newer version")

// Options for OpenLedger.
type Options struct {
	// AnyFilesystem skips the refusal of network file systems. Locks and
	// fsync are only as true there as the server makes them.
	AnyFilesystem bool
}

// OpenLedger locks the state folder, opens the ledger in it and brings its tables up
// to date. The folder is created with mode 0700 and files with 0600: links and
// payloads are other people's business data.
//
// Errors: ErrLocked when another process holds the folder, *FilesystemError
// when it is on a network file system, ErrNewerLedger when this program is too
// old for it. The caller must Close.
func OpenLedger(ctx context.Context, folder string, opt Options) (*DB, error) {
	if err := makeFolder(folder); err != nil {
		return nil, err
	}
	if !opt.AnyFilesystem {
		if err := checkFilesystem(folder); err != nil {
			return nil, err
		}
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	db := &DB{
		Now:     time.Now,
		folder:  folder,
		lock:    lock,
		stmts:   map[string]*sql.Stmt{},
		epochs:  map[string]int64{},
		logMost: logMost,
		logNext: logMost,
		ops:     make(chan *op, writeQueue),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	if err := db.openFile(ctx, filepath.Join(folder, File)); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger in %s: %w", folder, err), db.closeAll())
	}
	go db.runWriter()
	return db, nil
}

// makeFolder creates the folder and makes its name durable, and the names of
// the folders above it that were missing: a ledger whose folder is gone after a
// power cut is a lost ledger.
func makeFolder(folder string) error {
	folder = filepath.Clean(folder)
	toSync := []string{folder, filepath.Dir(folder)}
	for at := filepath.Dir(folder); at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		toSync = append(toSync, filepath.Dir(at))
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("create state folder: %w", err)
	}
	var errs []error
	for _, f := range toSync {
		errs = append(errs, syncFolder(f))
	}
	return errors.Join(errs...)
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (db *DB) openFile(ctx context.Context, path string) error {
	// SQLite would create the file with the umask's mode; ours is stricter.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return err
	}
	db.write, err = sql.Open(driverName(&db.commits), dsn(path, url.Values{
		"_journal_mode": {"WAL"},
		"_txlock":       {"immediate"},
		// NORMAL would skip the fsync of each commit, and then an answer of
		// 202 would promise more than the disk holds.
		"_synchronous": {"FULL"},
		// A deleted link is overwritten with zeros: its signature must not
		// live on in free pages and in copies of the file.
		"_secure_delete": {"true"},
	}))
	if err != nil {
		return err
	}
	db.write.SetMaxOpenConns(1)
	if err := db.migrate(ctx); err != nil {
		return err
	}
	// SQLite syncs the folder for its log but not for the database itself.
	if err := syncFolder(db.folder); err != nil {
		return err
	}
	if db.conn, err = db.write.Conn(ctx); err != nil {
		return err
	}
	db.pragma("wal_autocheckpoint", logPages)
	// No _txlock here: an immediate transaction on a read-only connection fails.
	db.read, err = sql.Open("sqlite3", dsn(path, url.Values{"mode": {"ro"}, "_query_only": {"1"}}))
	if err != nil {
		return err
	}
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	return nil
}

func dsn(path string, extra url.Values) string {
	v := url.Values{
		"_busy_timeout": {strconv.Itoa(busyTimeout)},
		"_foreign_keys": {"on"},
		"_cache_size":   {"-16000"}, // KiB
	}
	for k, x := range extra {
		v[k] = x
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.write, files)
	if err != nil {
		return err
	}
	// goose steps over versions that it does not know; then old code would
	// write into tables whose meaning has changed.
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if has > knows {
		return fmt.Errorf("%w: it has version %d, this program knows %d; run the newer finrelay, or put back the copy made before the upgrade",
			ErrNewerLedger, has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

var drivers atomic.Int64

// driverName registers a driver whose connections count their commits in n:
// the count is SQLite's own, from its commit hook, so that "commits per event"
// is measured and not deduced.
func driverName(n *atomic.Int64) string {
	name := fmt.Sprintf("sqlite3-ledger-%d", drivers.Add(1))
	sql.Register(name, &sqlite3.SQLiteDriver{
		ConnectHook: func(c *sqlite3.SQLiteConn) error {
			c.RegisterCommitHook(func() int { n.Add(1); return 0 })
			return nil
		},
	})
	return name
}

// Folder is the state folder.
func (db *DB) Folder() string { return db.folder }

// Commits is how many transactions SQLite has committed since the ledger was opened.
func (db *DB) Commits() int64 { return db.commits.Load() }

// Check asks SQLite whether the ledger is sound; the error lists what is not.
func (db *DB) Check(ctx context.Context) error {
	rows, err := db.read.QueryContext(ctx, "PRAGMA quick_check(10)")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		if s != "ok" {
			err = errors.Join(err, errors.New(s))
		}
	}
	return errors.Join(err, rows.Err())
}

// Close finishes the transitions that were accepted, closes the file and
// releases the lock. It may be called twice. Transitions that come later
// return ErrClosed.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		close(db.closing)
		<-db.done
		err = db.closeAll()
	})
	return err
}

func (db *DB) closeAll() error {
	var errs []error
	for _, s := range db.stmts {
		errs = append(errs, s.Close())
	}
	if db.conn != nil {
		errs = append(errs, db.conn.Close())
	}
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close()) // releases the flock
	}
	return errors.Join(errs...)
}

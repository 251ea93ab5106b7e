package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestALoneAcceptIsOneCommit(t *testing.T) {
	l := newLedger(t)
	for i := range 3 {
		before := l.Commits()
		l.accept(arrival(fmt.Sprint(i)))
		if n := l.Commits() - before; n != 1 {
			t.Errorf("%d commits; want 1", n)
		}
	}
}

// hold keeps the writer busy until the returned function is called, so that
// what is handed over meanwhile forms one group.
func (l *ledger) hold() (release func()) {
	entered, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	var once sync.Once
	go func() {
		done <- l.update(bg, func(*tx) error {
			once.Do(func() { close(entered) })
			<-leave
			return nil
		})
	}()
	<-entered
	return func() {
		close(leave)
		if err := <-done; err != nil {
			l.t.Error(err)
		}
	}
}

// queued waits until n transitions stand in the writer's queue.
func (l *ledger) queued(n int) {
	for len(l.ops) < n {
		time.Sleep(100 * time.Microsecond)
	}
}

func TestWaitingTransitionsShareOneCommit(t *testing.T) {
	const callers = 200
	l := newLedger(t)
	release := l.hold()
	before := l.Commits()
	results := make(chan error, callers)
	for i := range callers {
		go func() {
			_, err := l.Accept(bg, []Arrival{arrival(fmt.Sprint(i))})
			results <- err
		}()
	}
	l.queued(callers)
	release()
	for range callers {
		l.must(<-results)
	}
	if n := l.Commits() - before; n != 1 {
		t.Errorf("%d commits for %d waiting events; want 1", n, callers)
	}
	if n := l.count(`SELECT count(*) FROM shipments`); n != callers {
		t.Errorf("%d shipments; want %d", n, callers)
	}
}

// What Accept returned is there for anybody who opens the file, in the log or
// in the database: a kill after the answer cannot take it back.
func TestTheAnswerComesAfterTheCommit(t *testing.T) {
	const callers, each = 16, 8
	l := newLedger(t)
	reader := outside(t, l.Folder(), "ro")
	var all sync.WaitGroup
	before := l.Commits()
	for i := range callers {
		all.Go(func() {
			for j := range each {
				receipts, err := l.Accept(bg, []Arrival{arrival(fmt.Sprint(i, "/", j))})
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				if err := reader.QueryRow(`SELECT count(*) FROM events e JOIN shipments s ON s.id = e.shipment_id JOIN links l ON l.seq = s.seq WHERE e.id = ?1`,
					receipts[0].EventID).Scan(&n); err != nil || n != 1 {
					t.Errorf("answered, but another process sees %d rows (%v)", n, err)
				}
			}
		})
	}
	all.Wait()
	if n := l.Commits() - before; n > callers*each {
		t.Errorf("%d commits for %d events", n, callers*each)
	}
}

func TestOneFailureLeavesItsNeighboursAlone(t *testing.T) {
	l := newLedger(t)
	for name, broken := range map[string]func(*tx) error{
		"refused": func(t *tx) error {
			if _, err := t.exec(`DELETE FROM links`); err != nil {
				return err
			}
			return &TransitionError{KindExport, "x", Open, Open}
		},
		"constraint": func(t *tx) error {
			_, err := t.exec(`UPDATE shipments SET state = 'gone'`)
			return err
		},
		// As SQLite itself does when the disk is full.
		"ends the group's transaction": func(t *tx) error {
			if err := t.db.exec("ROLLBACK"); err != nil {
				return err
			}
			return errors.New("disk full")
		},
	} {
		t.Run(name, func(t *testing.T) {
			release := l.hold()
			results := make(chan error, 3)
			go func() { _, err := l.Accept(bg, []Arrival{arrival(name + "before")}); results <- err }()
			l.queued(1)
			failed := make(chan error, 1)
			go func() { failed <- l.update(bg, broken) }()
			l.queued(2)
			go func() { _, err := l.Accept(bg, []Arrival{arrival(name + "after")}); results <- err }()
			go func() { _, err := l.ResetEnvironment(bg, "uat", name); results <- err }()
			l.queued(4)
			release()
			for range 3 {
				if err := <-results; err != nil {
					t.Errorf("a neighbour got %v", err)
				}
			}
			if err := <-failed; err == nil || strings.Contains(err.Error(), "no transaction") {
				t.Errorf("the broken one got %v; want its own error", err)
			}
			if n := l.count(`SELECT count(*) FROM events JOIN shipments s ON s.id = shipment_id JOIN links l ON l.seq = s.seq
				WHERE events.identity IN (?1, ?2)`, name+"before", name+"after"); n != 2 {
				t.Errorf("%d of 2 neighbours are stored", n)
			}
			checkInvariants(t, l.DB, name)
		})
	}
}

// A claim that finds nothing must neither commit nor wake those who wait for
// news: they would claim again, for ever.
func TestNothingWrittenIsNoNews(t *testing.T) {
	l := newLedger(t)
	l.pending("a")
	// The news of a commit follow its answer; behind another turn of the writer they are out.
	l.must(l.update(bg, func(*tx) error { return nil }))
	changed, before := l.Changed(), l.Commits()
	if jobs, err := l.ClaimFetches(bg, FetchClaims{Limit: 1, Most: map[string]int{"prod": 0}}); err != nil || len(jobs) != 0 {
		t.Fatalf("claimed %v, %v", jobs, err)
	}
	if err := l.ReleaseDelivery(bg, DeliveryKey{"ex_0", "out"}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("released %v", err)
	}
	select {
	case <-changed:
		t.Error("a claim that found nothing was news")
	default:
	}
	if l.Commits() != before {
		t.Error("a claim that found nothing was committed")
	}
	l.pending("b")
	<-changed
}

func TestCloseAnswersWhatIsInFlight(t *testing.T) {
	for range 5 {
		l := newLedger(t)
		const callers = 60
		type answer struct {
			id  string
			err error
		}
		answers := make(chan answer, callers)
		release := l.hold()
		for i := range callers {
			go func() {
				receipts, err := l.Accept(bg, []Arrival{arrival(fmt.Sprint(i))})
				if err != nil {
					answers <- answer{err: err}
					return
				}
				answers <- answer{id: receipts[0].EventID}
			}()
		}
		l.queued(callers / 3)
		closed := make(chan error)
		go func() { closed <- l.Close() }()
		release()
		l.must(<-closed)
		var stored []string
		for range callers {
			switch a := <-answers; {
			case a.err == nil:
				stored = append(stored, a.id)
			case !errors.Is(a.err, ErrClosed):
				t.Errorf("in flight at close: %v; want ErrClosed", a.err)
			}
		}
		if len(stored) < callers/3 {
			t.Errorf("%d answered; the %d that were queued before the close were promised an answer", len(stored), callers/3)
		}
		if _, err := l.Accept(bg, []Arrival{arrival("late")}); !errors.Is(err, ErrClosed) {
			t.Errorf("after close: %v; want ErrClosed", err)
		}
		again := openLedger(t, l.Folder())
		if n := again.count(`SELECT count(*) FROM events`); n != len(stored) {
			t.Errorf("%d answered with success, %d on disk", len(stored), n)
		}
		for _, id := range stored {
			if _, err := again.Event(bg, id); err != nil {
				t.Errorf("%s was answered with success: %v", id, err)
			}
		}
	}
}

func TestAnEndedContextWritesNothing(t *testing.T) {
	l := newLedger(t)
	why := errors.New("the sender went away")
	ctx, cancel := context.WithCancelCause(bg)
	cancel(why)
	if _, err := l.Accept(ctx, []Arrival{arrival("a")}); !errors.Is(err, why) {
		t.Errorf("got %v; want the cause", err)
	}
	// A full queue does not hold a caller whose context ends.
	release := l.hold()
	for range writeQueue {
		l.ops <- &op{run: func(*tx) error { return nil }, err: make(chan error, 1)}
	}
	ctx, cancel = context.WithCancelCause(bg)
	time.AfterFunc(time.Millisecond, func() { cancel(why) })
	if _, err := l.Accept(ctx, []Arrival{arrival("a")}); !errors.Is(err, why) {
		t.Errorf("behind a full queue: %v; want the cause", err)
	}
	release()
	if n := l.count(`SELECT count(*) FROM events`); n != 0 {
		t.Errorf("%d events stored", n)
	}
}

// A store that cannot be written gives an error that names the cause, keeps
// what it has, and takes events again when it can.
func TestFullDisk(t *testing.T) {
	for _, callers := range []int{1, 20} {
		l := newLedger(t)
		kept := l.pending("kept")
		limit := func(pages int) {
			var n int
			l.must(l.conn.QueryRowContext(bg, fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&n))
		}
		limit(1) // SQLite takes that for "no more than there are"
		big := func(identity string) Arrival {
			a := arrival(identity)
			a.Body = make([]byte, 1<<20)
			return a
		}
		errs := make(chan error, callers)
		release := l.hold()
		for i := range callers {
			go func() { _, err := l.Accept(bg, []Arrival{big(fmt.Sprint(i))}); errs <- err }()
		}
		l.queued(callers)
		release()
		for range callers {
			if err := <-errs; err == nil || !strings.Contains(err.Error(), "full") {
				t.Fatalf("%d callers, full disk: %v; want the cause", callers, err)
			}
		}
		limit(1 << 30)
		l.accept(big("0"))
		if l.shipment(kept).State != Pending || l.count(`SELECT count(*) FROM events`) != 2 {
			t.Error("the ledger does not hold what it answered for")
		}
		l.must(l.Check(bg))
	}
}

// Another process in the middle of a write (a person with the sqlite3 command)
// costs an error, not the ledger.
func TestLockedByAnotherProcess(t *testing.T) {
	l := newLedger(t)
	if _, err := l.conn.ExecContext(bg, "PRAGMA busy_timeout = 10"); err != nil {
		t.Fatal(err)
	}
	other := outside(t, l.Folder(), "rw")
	conn, err := other.Conn(bg)
	l.must(err)
	defer conn.Close()
	_, err = conn.ExecContext(bg, "BEGIN IMMEDIATE")
	l.must(err)
	if _, err := l.Accept(bg, []Arrival{arrival("a")}); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Fatalf("accept while locked: %v; want the cause", err)
	}
	_, err = conn.ExecContext(bg, "ROLLBACK")
	l.must(err)
	if r := l.accept(arrival("a"))[0]; r.Duplicate {
		t.Error("the failed accept left its event")
	}
}

func TestReadOnlyFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root writes to read-only files")
	}
	l := newLedger(t)
	folder := l.Folder()
	l.must(l.Close())
	l.must(os.Chmod(filepath.Join(folder, File), 0o400))
	l.must(os.Chmod(folder, 0o500))
	defer os.Chmod(folder, 0o700)
	if db, err := OpenLedger(bg, folder, Options{AnyFilesystem: true}); err == nil {
		db.Close()
		t.Error("a read-only folder was opened as a ledger")
	}
}

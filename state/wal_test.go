package state

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func (l *ledger) logSize() int64 {
	l.t.Helper()
	info, err := os.Stat(filepath.Join(l.Folder(), File+"-wal"))
	l.must(err)
	return info.Size()
}

// fill accepts events of about a tenth of a MiB together.
func (l *ledger) fill(name string) {
	l.t.Helper()
	var arrivals []Arrival
	for i := range 25 {
		a := arrival(fmt.Sprint(name, "/", i))
		a.Body = make([]byte, 3000)
		arrivals = append(arrivals, a)
	}
	l.accept(arrivals...)
}

const smallLog = 1 << 20

func newSmallLogLedger(t *testing.T) *ledger {
	l := newLedger(t)
	l.must(l.update(bg, func(*tx) error {
		l.logMost, l.logNext = smallLog, smallLog
		return nil
	}))
	return l
}

// Readers that overlap without a pause leave SQLite no moment to begin its log
// anew; the writer makes one.
func TestTheLogStaysSmallUnderReaders(t *testing.T) {
	l := newSmallLogLedger(t)
	stop := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(stop)
	for range readers {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := l.Shipments(bg, Filter{Limit: 200}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	most := int64(0)
	for i := range 50 {
		l.fill(fmt.Sprint(i))
		most = max(most, l.logSize())
	}
	if most > 3*smallLog {
		t.Errorf("the log grew to %d KiB beside readers; want about %d", most>>10, smallLog>>10)
	}
}

// One reader that holds on to an old state (a copy being made) makes the log
// grow, and costs the writer a moment now and then; no event is refused.
func TestALongReaderDelaysTheLogOnly(t *testing.T) {
	l := newSmallLogLedger(t)
	l.fill("before")
	reader, err := l.read.Conn(bg)
	l.must(err)
	defer reader.Close()
	tx, err := reader.BeginTx(bg, nil)
	l.must(err)
	var before, during int
	l.must(tx.QueryRow(`SELECT count(*) FROM events`).Scan(&before))
	for i := range 15 {
		l.fill(fmt.Sprint(i))
	}
	l.must(tx.QueryRow(`SELECT count(*) FROM events`).Scan(&during))
	if during != before || l.logSize() < smallLog {
		t.Errorf("the reader saw %d events, then %d, beside a log of %d KiB: it was not reading", before, during, l.logSize()>>10)
	}
	l.must(tx.Rollback())
	for i := range 12 {
		l.fill(fmt.Sprint("after/", i))
	}
	if size := l.logSize(); size > 2*smallLog {
		t.Errorf("the log has %d KiB after the reader went; want about %d", size>>10, smallLog>>10)
	}
	l.must(l.Check(bg))
}

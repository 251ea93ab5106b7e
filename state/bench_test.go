package state

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkAccept is the intake of events: so many doors at once, each waiting
// for its answer. commits/event is what SQLite's commit hook counted.
func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := newLedger(b)
			body := make([]byte, 900)
			before := l.Commits()
			var next atomic.Int64
			var all sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for range callers {
				all.Go(func() {
					for {
						i := next.Add(1)
						if i > int64(b.N) {
							return
						}
						a := arrival(fmt.Sprint("event:", i))
						a.Body = body
						if receipts, err := l.Accept(bg, []Arrival{a}); err != nil || receipts[0].Duplicate {
							b.Errorf("%v, %v", receipts, err)
							return
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			if n := l.count(`SELECT count(*) FROM links`); n != b.N {
				b.Errorf("%d links stored of %d events", n, b.N)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(l.Commits()-before)/float64(b.N), "commits/event")
		})
	}
}

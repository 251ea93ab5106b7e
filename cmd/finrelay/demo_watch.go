package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"finrelay/state"
)

// demoWatch follows the server's journal: it shows what happens and knows
// which shipments have come to rest.
type demoWatch struct {
	demo *demo

	mu      sync.Mutex
	changed chan struct{} // closed at the next news
	resting map[string]bool
	seen    int64 // last entry of the journal that was shown
	err     error // why the following ended
}

func newDemoWatch(d *demo) *demoWatch {
	return &demoWatch{demo: d, changed: make(chan struct{}), resting: map[string]bool{}}
}

// start follows until stop is called, which waits for the end.
func (w *demoWatch) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		const often = 20 * time.Millisecond // a person sees it happen
		err := w.demo.client.Follow(ctx, 0, often, func(e state.JournalEntry) bool {
			w.show(ctx, e)
			w.news(func() {
				w.seen = e.Seq
				if e.Kind == state.KindShipment {
					w.resting[e.Subject] = e.To == state.Settled || e.To == state.Expired || e.To == state.Parked
				}
			})
			return true
		})
		w.news(func() { w.err = err })
	}()
	return func() {
		cancel()
		<-done
	}
}

func (w *demoWatch) news(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	close(w.changed)
	w.changed = make(chan struct{})
}

// rest waits until a shipment moves no more by itself.
func (w *demoWatch) rest(ctx context.Context, shipment string) error {
	return w.until(ctx, func() bool { return shipment == "" || w.resting[shipment] })
}

// catchUp waits until everything that has happened has been shown.
func (w *demoWatch) catchUp(ctx context.Context) error {
	last, err := w.demo.client.LastEntry(ctx)
	if err != nil {
		return err
	}
	return w.until(ctx, func() bool { return w.seen >= last })
}

func (w *demoWatch) until(ctx context.Context, holds func() bool) error {
	for {
		w.mu.Lock()
		ok, err, changed := holds(), w.err, w.changed
		w.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// show prints the entries a person wants to see. What else they want to know
// about it is asked of the server, as any other client would.
func (w *demoWatch) show(ctx context.Context, e state.JournalEntry) {
	d := w.demo
	switch {
	case e.Kind == state.KindEvent && e.To == state.Ignored:
		d.screen.step(d.since(), "ignored", d.cases[0].entity, string(e.Reason))
	case e.Kind == state.KindEvent && e.Reason == state.ReasonDuplicateEvent:
		if v, err := d.client.Event(ctx, e.Subject); err == nil {
			d.screen.step(d.since(), "known", v.Entity, "nothing new starts")
		}
	case e.Kind == state.KindShipment && e.To == state.Fetched:
		if v, err := d.client.Shipment(ctx, e.Subject); err == nil {
			d.screen.step(d.since(), "fetched", v.Entity, joinWords(size(v.RawBytes), e.Detail))
		}
	case e.Kind == state.KindShipment && (e.To == state.Expired || e.To == state.Parked):
		if v, err := d.client.Shipment(ctx, e.Subject); err == nil {
			d.screen.step(d.since(), string(e.To), v.Entity, string(v.Reason))
		}
	case e.Kind == state.KindExport && (e.To == state.Landed || e.To == state.Parked):
		v, err := d.client.Export(ctx, e.Subject)
		if err != nil {
			return
		}
		text := string(v.Reason)
		if e.To == state.Landed {
			text = rowsText(v.Rows) + " rows"
		}
		d.screen.step(d.since(), string(e.To), v.Entity, text)
	}
}

func joinWords(a, b string) string {
	if b == "" {
		return a
	}
	return a + ", " + b
}

// size gives bytes in a unit that people read.
func size(bytes int64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

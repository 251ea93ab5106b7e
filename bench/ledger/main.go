package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"finrelay/bench/figures"
	"finrelay/bench/target"
	"finrelay/state"
)

const (
	smallExports = 200 // more than a page of a list

	goalShare = 0.30 // the large ledger may be so much worse than the small one
	goalStart = time.Second
)

type options struct {
	finrelay, out, work string
	exports             int
	rounds              int
	seconds             time.Duration
}

func main() {
	var opt options
	flag.StringVar(&opt.finrelay, "finrelay", "bin/finrelay", "the program to measure")
	flag.StringVar(&opt.out, "o", "", "Markdown file to put the section into")
	flag.StringVar(&opt.work, "work", "", "folder for the ledgers, on the disk to measure; needs 10 KB an export (default: a temporary one)")
	flag.IntVar(&opt.exports, "exports", 1_000_000, "settled exports in the large ledger")
	flag.IntVar(&opt.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&opt.seconds, "for", 4*time.Second, "time of one round of intake")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
}

// ledger is a filled state folder that measurements copy and never change.
type ledger struct {
	name    string
	exports int
	relay   target.Finrelay
	bytes   int64
	journal int // rows an export
}

func run(ctx context.Context, opt options) (err error) {
	if opt.work, err = os.MkdirTemp(opt.work, "finrelay-ledger"); err != nil {
		return err
	}
	defer os.RemoveAll(opt.work)
	var ledgers []ledger
	for _, exports := range []int{smallExports, opt.exports} {
		l, err := fill(ctx, opt, exports)
		if err != nil {
			return fmt.Errorf("fill a ledger of %d exports: %w", exports, err)
		}
		ledgers = append(ledgers, l)
	}
	small, large := ledgers[0], ledgers[1]
	table := figures.Table{Head: []string{"", small.name, large.name, "large ÷ small", "goal"}}
	for _, measure := range []func(context.Context, options, ledger, ledger, *figures.Table) error{lists, starts, intake} {
		if err := measure(ctx, opt, small, large, &table); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("A ledger of %s settled exports (%.2f GB, %d rows of journal an export) beside one of %d. Lists are read in process, %d times each in turns; "+
		"start-up is from exec to the first answer.\n\n%s",
		figures.Thousands(float64(large.exports)), float64(large.bytes)/1e9, large.journal, smallExports, listCalls, &table)
	return figures.Publish(opt.out, figures.Section{Name: "Ledger", Text: text})
}

func fill(ctx context.Context, opt options, exports int) (ledger, error) {
	l := ledger{name: figures.Thousands(float64(exports)) + " exports", exports: exports}
	l.relay = target.Finrelay{Bin: opt.finrelay, Folder: filepath.Join(opt.work, fmt.Sprint(exports))}
	if err := os.MkdirAll(l.relay.Folder, 0o755); err != nil {
		return l, err
	}
	o, err := settleOne(ctx, l.relay.State())
	if err != nil {
		return l, err
	}
	file := filepath.Join(l.relay.State(), state.File)
	began := time.Now()
	if err := copyRows(ctx, file, o, exports); err != nil {
		return l, err
	}
	fmt.Fprintf(os.Stderr, "filled a ledger of %d exports in %s\n", exports, time.Since(began).Round(time.Second))
	if l.journal, err = checkFilled(ctx, l); err != nil {
		return l, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return l, err
	}
	l.bytes = info.Size()
	return l, nil
}

// checkFilled asks the ledger itself: a copy that finrelay does not take for a
// settled export would be cheap to have. It returns the rows of journal that an
// export has.
func checkFilled(ctx context.Context, l ledger) (journal int, err error) {
	db, err := state.OpenLedger(ctx, l.relay.State(), state.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	page, err := db.Exports(ctx, state.Filter{Limit: 50, States: []state.State{state.Landed}})
	if err != nil {
		return 0, err
	}
	if len(page) != 50 {
		return 0, fmt.Errorf("the filled ledger lists %d landed exports, want a page of 50", len(page))
	}
	for _, e := range page {
		if journal, err = checkCopy(ctx, db, e); err != nil {
			return 0, fmt.Errorf("copy %s: %w", e.ID, err)
		}
	}
	return journal, db.Check(ctx)
}

func checkCopy(ctx context.Context, db *state.DB, e state.Export) (journal int, err error) {
	s, err := db.Shipment(ctx, e.ShipmentID)
	if err != nil {
		return 0, err
	}
	story, err := db.Story(ctx, s.ID)
	if err != nil {
		return 0, err
	}
	deliveries, err := db.Deliveries(ctx, e.ID)
	if err != nil {
		return 0, err
	}
	if s.State != state.Settled || len(deliveries) != 1 || deliveries[0].State != state.Delivered || len(story) < 8 {
		return 0, fmt.Errorf("shipment %s, %d deliveries, %d rows of journal; want a settled one", s.State, len(deliveries), len(story))
	}
	return len(story), nil
}

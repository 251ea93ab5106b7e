//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"finrelay/bench/figures"
	"finrelay/bench/tree"
)

const (
	stray       = 0.15 // of the probe's median, at most
	mostRepeats = 2    // of a round
)

// round is what one round measured.
type round struct {
	costs map[string]tree.Cost // by contestant
	write time.Duration        // of as many bytes as came out, with fsync
}

// measure makes the task's data, checks the contestants' rows and lets those
// that are right race.
func (l *lab) measure(ctx context.Context, t *task) (r *result, err error) {
	fmt.Fprintf(os.Stderr, "%s: making the data\n", t.title)
	data := filepath.Join(l.work, "data")
	if err := t.make(data); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.clean(), os.RemoveAll(data)) }()
	if t.role == many {
		forget, failed := l.keepOutputs()
		if failed != nil {
			return nil, failed
		}
		defer func() { err = errors.Join(err, l.clean(), forget()) }()
	}
	r = &result{task: t, wrong: map[string]string{}}
	if t.role == huge {
		return r, l.once(ctx, r)
	}
	for _, c := range l.contestants {
		switch {
		case c.absent != "" || !c.takes(t):
		case c.tooLarge(t):
			r.leftOut = append(r.leftOut, c.name)
		default:
			r.entered = append(r.entered, c)
		}
	}
	if err := l.check(ctx, r); err != nil {
		return nil, err
	}
	if err := race(r, func(i int) (round, error) { return l.round(ctx, r, i) }); err != nil {
		return nil, err
	}
	if t.role == large || t.role == small || t.role == many {
		r.inside, err = l.lookInside(ctx, t)
	}
	return r, err
}

// race runs the rounds, and again those in which the machine was another one.
func race(r *result, run func(i int) (round, error)) error {
	for i := range r.rounds {
		next, err := run(i)
		if err != nil {
			return err
		}
		r.laps = append(r.laps, next)
	}
	repeats := make([]int, r.rounds)
	for {
		again := -1
		for _, i := range strays(r.walls(unzip)) {
			if repeats[i] < r.again {
				again = i
				break
			}
		}
		if again < 0 {
			break
		}
		r.notes = append(r.notes, fmt.Sprintf("Round %d was run again: unzip took %.2f s, its median is %.2f s.",
			again+1, r.walls(unzip)[again], figures.Median(r.walls(unzip))))
		fmt.Fprintln(os.Stderr, r.notes[len(r.notes)-1])
		repeats[again]++
		next, err := run(again)
		if err != nil {
			return err
		}
		r.laps[again] = next
	}
	for _, i := range strays(r.walls(unzip)) {
		r.notes = append(r.notes, fmt.Sprintf("Round %d stands although unzip strayed from its median.", i+1))
	}
	return nil
}

// strays gives the rounds whose probe is further from the median than the
// machine may move.
func strays(probe []float64) (rounds []int) {
	median := figures.Median(probe)
	for i, value := range probe {
		if math.Abs(value/median-1) > stray {
			rounds = append(rounds, i)
		}
	}
	return rounds
}

func (l *lab) round(ctx context.Context, r *result, n int) (round, error) {
	racers := r.ranked()
	lap := round{costs: map[string]tree.Cost{}}
	for j := range racers {
		c := racers[(n+j)%len(racers)] // who goes first changes
		fmt.Fprintf(os.Stderr, "%s, round %d of %d: %s\n", r.title, n+1, r.rounds, c.name)
		cost, err := l.run(ctx, c, r.task)
		if err != nil {
			return lap, fmt.Errorf("%s: %w", c.name, err)
		}
		lap.costs[c.name] = cost
	}
	var err error
	lap.write, err = l.writeAndSync(r.outBytes)
	return lap, err
}

// writeAndSync takes the time of what no contestant can avoid: its bytes on the
// disk.
func (l *lab) writeAndSync(size int64) (took time.Duration, err error) {
	if err := l.clean(); err != nil {
		return 0, err
	}
	syscall.Sync()
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i * 7)
	}
	began := time.Now()
	f, err := os.Create(l.out)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(l.out)) }()
	for ; size > 0; size -= int64(len(block)) {
		if _, err := f.Write(block[:min(size, int64(len(block)))]); err != nil {
			return 0, err
		}
	}
	err = f.Sync()
	return time.Since(began), err
}

//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"finrelay/bench/tree"
)

// once runs finrelay alone, one time, on data for which everybody else would
// take an hour: to see that neither memory nor time grows out of line. Rows are
// counted and not compared.
func (l *lab) once(ctx context.Context, r *result) error {
	for _, c := range l.contestants {
		if c.name == ours {
			r.entered = []contestant{c}
		}
	}
	fmt.Fprintf(os.Stderr, "%s: %s, once\n", r.title, ours)
	cost, err := l.run(ctx, r.entered[0], r.task)
	if err != nil {
		return err
	}
	var rows int
	if rows, r.outBytes, err = countLines(l.out); err != nil {
		return err
	}
	if rows != r.rows {
		return fmt.Errorf("finrelay wrote %d rows of %d, its speed counts for nothing", rows, r.rows)
	}
	lap := round{costs: map[string]tree.Cost{ours: cost}}
	lap.write, err = l.writeAndSync(r.outBytes)
	r.laps = []round{lap}
	return err
}

func countLines(name string) (lines int, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close() // only read from
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		size += int64(len(line))
		switch {
		case err == nil:
			lines++
		case errors.Is(err, io.EOF):
			return lines, size, nil
		default:
			return lines, size, err
		}
	}
}

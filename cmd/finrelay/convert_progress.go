package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress writes one line on a terminal and keeps it up to date. It works
// within the reads and blocks of the conversion, so it needs no goroutine; an
// input that stands still leaves it standing.
type progress struct {
	w     io.Writer // nil: nobody looks on
	now   func() time.Time
	began time.Time
	last  time.Time
	shown bool

	bytes, size, rows int64
}

// Times of the progress line.
const (
	progressAfter = time.Second            // shorter work needs none
	progressEvery = 200 * time.Millisecond // between two lines
)

// newProgress shows nothing when standard error is no terminal, or when rows go
// to the same one.
func newProgress(a *app, rowsToStdout bool) *progress {
	p := &progress{now: time.Now}
	if isTerminal(a.stderr) && !(rowsToStdout && isTerminal(a.stdout)) {
		p.w = a.stderr
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// watch begins a file.
func (p *progress) watch(from data) io.Reader {
	if p.w == nil {
		return from.Reader
	}
	p.began = p.now()
	p.bytes, p.rows, p.size = 0, 0, from.size
	return &watched{from.Reader, p}
}

type watched struct {
	io.Reader
	p *progress
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	w.p.bytes += int64(n)
	w.p.tick()
	return n, err
}

func (p *progress) add(rows int) {
	p.rows += int64(rows)
	p.tick()
}

func (p *progress) tick() {
	if p.w == nil {
		return
	}
	now := p.now()
	took := now.Sub(p.began)
	if took < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	rate := float64(p.bytes) / took.Seconds()
	line := size(p.bytes)
	if p.size > 0 {
		line += " of " + size(p.size)
	}
	line += fmt.Sprintf(", %d rows, %s/s", p.rows, size(int64(rate)))
	if left := float64(p.size - p.bytes); left > 0 && rate > 0 {
		line += ", " + time.Duration(left/rate*float64(time.Second)).Round(time.Second).String() + " left"
	}
	fmt.Fprint(p.w, "\r\x1b[K"+line)
}

// clear takes the line away, before something else is written.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

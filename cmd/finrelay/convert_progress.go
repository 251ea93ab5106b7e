package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress writes one line on a terminal and keeps it up to date. It works
// within the reads and blocks of the conversions, of which several may go on at
// a time, and needs no goroutine of its own; an input that stands still leaves
// it standing.
type progress struct {
	w   io.Writer // nil: nobody looks on
	now func() time.Time

	mu                sync.Mutex
	began, last       time.Time
	shown             bool
	bytes, size, rows int64

	// Of several inputs, whose unpacked sizes nobody knows beforehand:
	inputs, inputsDone int
	sizes              map[string]int64 // as the inputs stand on disk
	packed, packedOpen int64            // their sum, and that of those whose unpacked size is in size
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

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// begin says how many bytes there will be in all; 0 when nobody knows.
func (p *progress) begin(size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inputs > 0 {
		p.size += size // of one more that was opened
		return
	}
	p.began, p.size = p.now(), size
}

// ofInputs begins with several inputs.
func (p *progress) ofInputs(names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.inputs, p.sizes = p.now(), len(names), map[string]int64{}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			p.sizes[name] = info.Size()
			p.packed += info.Size()
		}
	}
}

// openInput says that begin will tell the unpacked size of this one.
func (p *progress) openInput(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.packedOpen += p.sizes[name]
}

// inputDone counts one of them.
func (p *progress) inputDone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inputsDone++
}

// watch counts what is read.
func (p *progress) watch(r io.Reader) io.Reader {
	if p.w == nil {
		return r
	}
	return &watched{r, p}
}

type watched struct {
	io.Reader
	p *progress
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	w.p.add(int64(n), 0)
	return n, err
}

func (p *progress) add(bytes, rows int64) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes, p.rows = p.bytes+bytes, p.rows+rows
	now := p.now()
	took := now.Sub(p.began)
	if took < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprint(p.w, "\r\x1b[K"+p.line(took))
}

func (p *progress) line(took time.Duration) string {
	rate := float64(p.bytes) / took.Seconds()
	line, done := size(p.bytes), float64(p.bytes)/float64(p.size)
	switch {
	case p.inputs > 0:
		line = fmt.Sprintf("%d of %d files, %s", p.inputsDone, p.inputs, line)
		done *= float64(p.packedOpen) / float64(p.packed) // the others will unpack as these did
	case p.size > 0:
		line += " of " + size(p.size)
	}
	line += fmt.Sprintf(", %d rows, %s/s", p.rows, size(int64(rate)))
	if done > 0 && done < 1 {
		left := time.Duration(float64(took) * (1 - done) / done)
		line += ", " + left.Round(time.Second).String() + " left"
	}
	return line
}

// clear takes the line away, before something else is written.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

package main

import (
	"context"
	"io"
	"os"
)

// pipeBlock is how much is read ahead from a pipe, in bytes.
const pipeBlock = 256 << 10

// endingWith gives a reader that ends when ctx does. A Read of a pipe on which
// nobody writes cannot be broken off, so it waits in a goroutine of its own;
// one that still waits when the command is over ends with the process.
func endingWith(ctx context.Context, r io.Reader) io.Reader {
	p := &pipe{ctx: ctx, full: make(chan block), free: make(chan []byte, 2)}
	p.free <- make([]byte, pipeBlock)
	p.free <- make([]byte, pipeBlock)
	go p.pump(r)
	return p
}

type block struct {
	bytes []byte
	err   error
}

type pipe struct {
	ctx  context.Context
	full chan block
	free chan []byte
	at   block
	rest []byte // of at that was not read yet
}

func (p *pipe) pump(r io.Reader) {
	for {
		var buf []byte
		select {
		case <-p.ctx.Done():
			return
		case buf = <-p.free:
		}
		n, err := r.Read(buf)
		select {
		case <-p.ctx.Done():
			return
		case p.full <- block{buf[:n], err}:
		}
		if err != nil {
			return
		}
	}
}

func (p *pipe) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.at.err != nil {
			return 0, p.at.err
		}
		if p.at.bytes != nil {
			p.free <- p.at.bytes[:cap(p.at.bytes)]
			p.at.bytes = nil
		}
		select {
		case <-p.ctx.Done():
			return 0, context.Cause(p.ctx)
		case p.at = <-p.full:
			p.rest = p.at.bytes
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// isPipe says whether a path is something that can be read only once, as the one
// that a shell gives for <(command).
func isPipe(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) != 0
}

// pipeFile opens its pipe at the first Read, since that waits for a writer.
type pipeFile struct {
	path string
	f    *os.File
}

// Read closes the pipe at its end.
func (p *pipeFile) Read(b []byte) (n int, err error) {
	if p.f == nil {
		if p.f, err = os.Open(p.path); err != nil {
			return 0, err
		}
	}
	if n, err = p.f.Read(b); err != nil {
		p.f.Close() // only read from
	}
	return n, err
}

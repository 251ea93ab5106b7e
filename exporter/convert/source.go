package convert

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// source counts the bytes it hands out and stops when ctx does. Its first
// error stays: bufio.Reader forgets an error once it has told it.
type source struct {
	ctx   context.Context
	r     io.Reader
	what  string // the file, for messages
	bytes int64
	err   error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.ctx.Err() != nil {
		s.err = context.Cause(s.ctx)
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.bytes += int64(n)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		s.err = err
	case s.ctx.Err() != nil:
		// The reader was closed under us to end a blocked Read: the cause says why.
		s.err = context.Cause(s.ctx)
	default:
		s.err = fmt.Errorf("read %s: %w", s.what, err)
	}
	return n, s.err
}

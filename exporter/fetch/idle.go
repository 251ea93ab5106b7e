package fetch

import (
	"context"
	"errors"
	"io"
	"time"
)

// errSilent is the cause of a request that was cut because no byte came.
var errSilent = errors.New("the server sent nothing for too long")

// idleReader cuts a body that stays silent. The alarm runs only during a
// Read, so that a slow disk is not blamed on the server.
type idleReader struct {
	body    io.ReadCloser
	ctx     context.Context // the request's; its cause tells who cut it
	cancel  context.CancelCauseFunc
	alarm   *time.Timer
	limit   time.Duration
	explain func(context.Context, error) error
}

func (r *idleReader) Read(p []byte) (int, error) {
	r.alarm.Reset(r.limit)
	n, err := r.body.Read(p)
	r.alarm.Stop()
	if err != nil && err != io.EOF {
		err = r.explain(r.ctx, err)
	}
	return n, err
}

func (r *idleReader) Close() error {
	r.alarm.Stop()
	err := r.body.Close()
	r.cancel(nil)
	return err
}

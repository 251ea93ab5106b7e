package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// partsAtOnce is how many data files or packages are converted at a time. Each
// keeps more than one core busy, and each has some megabytes in hand.
func partsAtOnce() int { return min(2, runtime.GOMAXPROCS(0)) }

// coresOfPart is what each of that many conversions at a time may use.
func coresOfPart(atOnce int) int { return max(1, runtime.GOMAXPROCS(0)/atOnce) }

// report is what is to be said of one part.
type report struct{ bad, notes []string }

// part is one of several conversions of a command: of a data file of a package,
// or of an input.
type part struct {
	conversion
	work func(context.Context, *part) error
	err  error
	done chan struct{} // closed when err is known
}

// part gives a conversion like this one, which keeps what it has to say.
func (cv *conversion) part(work func(context.Context, *part) error) *part {
	p := &part{conversion: *cv, work: work, done: make(chan struct{})}
	p.files, p.later, p.badRows, p.badShown = nil, new(report), 0, 0
	p.inPart = true
	return p
}

// errOtherFailed ends the conversions beside one that nothing can come after.
var errOtherFailed = errors.New("another file could not be converted")

// runParts works on the parts, some at once, whatever is wrong with their neighbours.
// What they have to say comes in their order. It gives the errors of those that
// were refused and of those that were converted in part.
func (cv *conversion) runParts(ctx context.Context, parts []*part, atOnce int) (refused, partly []error, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop(errOtherFailed)
	var next atomic.Int64
	for range min(atOnce, len(parts)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(parts)); i = next.Add(1) - 1 {
				parts[i].do(ctx)
			}
		})
	}
	for _, p := range parts {
		<-p.done
		cv.take(p)
		switch code := exitCode(p.err); {
		case p.err == nil:
		case code == exitParked:
			partly = append(partly, p.err)
		default:
			refused = append(refused, p.err)
		}
		why := p.err
		if ctx.Err() != nil {
			why = context.Cause(ctx)
		} else if !endsAll(p.err) {
			continue
		}
		stop(errOtherFailed)
		workers.Wait()
		return nil, nil, cv.endedBy(why, parts)
	}
	return refused, partly, nil
}

// endedBy says what else was wrong and how many parts were not converted, since
// one met what ends all. That alone decides about the exit code.
func (cv *conversion) endedBy(why error, parts []*part) error {
	left := 0
	for _, p := range parts {
		switch {
		case p.err == nil || p.err == why:
		case errors.Is(p.err, errOtherFailed) || errors.Is(p.err, context.Canceled):
			left++
		default:
			cv.note(p.err.Error())
		}
	}
	if left == 0 {
		return why
	}
	return fmt.Errorf("%w\n%d of %d were not converted any more", why, left, len(parts))
}

func (p *part) do(ctx context.Context) {
	defer close(p.done)
	if p.err = context.Cause(ctx); p.err == nil {
		p.err = p.work(ctx, p)
	}
}

// take says what the part has to say, and counts what it left out.
func (cv *conversion) take(p *part) {
	for _, line := range p.later.bad {
		cv.showBad(line)
	}
	for _, line := range p.later.notes {
		cv.note(line)
	}
	cv.badRows += p.badRows
	cv.files = append(cv.files, p.files...)
}

// showBad names a bad row, unless many were named already.
func (cv *conversion) showBad(line string) {
	if cv.badShown++; cv.badShown > mostBadShown {
		return
	}
	if cv.later != nil {
		cv.later.bad = append(cv.later.bad, line)
		return
	}
	cv.progress.clear()
	fmt.Fprintln(cv.app.stderr, "finrelay:", line)
}

func (cv *conversion) note(line string) {
	if cv.later != nil {
		cv.later.notes = append(cv.later.notes, line)
		return
	}
	cv.progress.clear()
	fmt.Fprintln(cv.app.stderr, "finrelay:", line)
}

// judge says what is to be said of parts, called what, of which some were
// refused and some converted in part. where is the folder of the others.
func (cv *conversion) judge(refused, partly []error, of int, what, where string) error {
	err := errors.Join(append(partly, refused...)...)
	// --strict is for those who want a failure, not a part.
	if err == nil || len(refused) == of || cv.strict {
		return err
	}
	if len(refused) > 0 {
		verb := "were"
		if len(refused) == 1 {
			verb = "was"
		}
		others := "the others are in " + where
		if cv.schema || cv.target.out == "" {
			others = "the others were read"
		}
		err = fmt.Errorf("%w\n%d of %d %s %s refused, %s", err, len(refused), of, what, verb, others)
	}
	if cv.badRows > 0 && !cv.inPart {
		err = fmt.Errorf("%w; %s", err, leftOut(cv.badRows))
	}
	return &codedError{exitParked, err}
}

// exitCode is the code that the error carries; 0 when it carries none.
func exitCode(err error) int {
	coded, _ := errors.AsType[*codedError](err)
	return cmp.Or(coded, &codedError{}).code
}

// endsAll says whether the next part would fare no better: the disk failed us,
// not the data or one name, or the command itself was wrong.
func endsAll(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	ofDisk := func(no syscall.Errno) bool { return errors.Is(err, no) }
	return (path || link) && slices.ContainsFunc(diskFaults, ofDisk) || exitCode(err) == exitUsage
}

var diskFaults = []syscall.Errno{
	syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO, syscall.EROFS, syscall.EACCES, syscall.EPERM,
}

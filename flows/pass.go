package flows

import (
	"context"
	"errors"

	"finrelay/exporter/convert"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// convert reads an export for one output. Rows of a composite all have the same
// child records, as arrays; where the first of a kind comes too late for the
// rows before it, what was written is discarded and the raw file read again.
// Nobody sees the first of two passes: neither a file, nor a count, nor a state.
//
// The caller ends the pass.
func (r *Relay) convert(ctx context.Context, job state.DeliveryJob, flow *Flow, output outputs.Output) (*pass, error) {
	from := ends{temp: r.db.Folder(), open: func() (*source, outputs.Writer, error) { return r.openEnds(ctx, job, output) }}
	return r.convertFrom(ctx, from, job, flow)
}

// ends are what a pass reads from and writes to.
type ends struct {
	open func() (*source, outputs.Writer, error) // may be called for a second pass
	temp string                                  // folder for what a format has to keep meanwhile
}

func (r *Relay) openEnds(ctx context.Context, job state.DeliveryJob, output outputs.Output) (*source, outputs.Writer, error) {
	marker, err := r.placeOf(ctx, output, true)
	if err != nil {
		return nil, nil, err
	}
	source, err := r.openMember(job)
	if err != nil {
		return nil, nil, err
	}
	w, err := output.Begin(ctx, marker, outputExport(job))
	if err != nil {
		return nil, nil, errors.Join(asOutput(job.Delivery.Output, err), source.Close())
	}
	return source, w, nil
}

func (r *Relay) convertFrom(ctx context.Context, from ends, job state.DeliveryJob, flow *Flow) (*pass, error) {
	read := flow.Read
	read.Entity, read.TempFolder = job.Export.Entity, from.temp
	read.Repeat = convert.RepeatAfresh
	p, err := r.convertOnce(ctx, from, job, flow, read, "convert")
	if err != nil || !p.harvest.Repeat {
		return p, err
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return r.convertOnce(ctx, from, job, flow, read.Again(p.harvest.Result), "convert-again")
}

func (r *Relay) convertOnce(ctx context.Context, from ends, job state.DeliveryJob, flow *Flow, read convert.Options, step string) (p *pass, err error) {
	source, w, err := from.open()
	if err != nil {
		return nil, err
	}
	p = &pass{source: source, w: w, output: job.Delivery.Output, policy: flow.OnBadRows, entry: entryName(job)}
	whole := false
	defer func() {
		if !whole { // after a panic too
			err = errors.Join(err, p.end())
		}
	}()
	r.cfg.Trace(step)
	p.harvest, err = flow.reap(ctx, source, p.entry, read, p)
	if err != nil && !emptyAsAnnounced(err, job.Export) {
		return p, err
	}
	whole = true
	return p, nil
}

// end lets go of the file, and discards what was written unless it is committed.
func (p *pass) end() error {
	_ = p.source.Close() // only read from
	return p.w.Abort()
}

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
	read := flow.Read
	read.Entity, read.TempFolder = job.Export.Entity, r.db.Folder()
	read.Repeat = convert.RepeatAfresh
	p, err := r.convertOnce(ctx, job, flow, output, read, "convert")
	if err != nil || !p.harvest.Repeat {
		return p, err
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return r.convertOnce(ctx, job, flow, output, read.Again(p.harvest.Result), "convert-again")
}

func (r *Relay) convertOnce(ctx context.Context, job state.DeliveryJob, flow *Flow, output outputs.Output, read convert.Options, step string) (p *pass, err error) {
	marker, err := r.placeOf(ctx, output, true)
	if err != nil {
		return nil, err
	}
	source, err := r.openMember(job)
	if err != nil {
		return nil, err
	}
	w, err := output.Begin(ctx, marker, outputExport(job))
	if err != nil {
		return nil, errors.Join(asOutput(job.Delivery.Output, err), source.Close())
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

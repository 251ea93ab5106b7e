package flows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"finrelay/exporter/convert"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// TrialFile is a data file that a flow is tried on.
type TrialFile struct {
	Name         string // as what is wrong with it is placed
	Entity       string // label; "" when nobody knows
	TargetEntity string
	Open         func() (io.ReadCloser, error) // may be called for a second pass
	TempFolder   string                        // for what a format has to keep meanwhile

	To    string                         // what Begin writes to, for messages
	Begin func() (outputs.Writer, error) // takes the rows; it is committed when they would land, else aborted
}

// Trial is what a delivery would make of a data file.
type Trial struct {
	convert.Result              // what was read
	Rows, BadRows  int64        // given to the output; records that are no rows, by the reader or by the shape
	Columns        []string     // of the rows given
	Places         []string     // of bad rows, at most MostPositions
	Notes          string       // what would stand with the export
	Reason         state.Reason // why it would be parked; "" when it would land
	Detail         string       // of that
}

// FlowNames are the flows in the order of the configuration.
func (r *Relay) FlowNames() []string {
	names := make([]string, len(r.cfg.Flows))
	for i, f := range r.cfg.Flows {
		names[i] = f.Name
	}
	return names
}

// FlowTakes says why a flow does not take an entity; "" when it does, as far as
// that goes by its name.
func (r *Relay) FlowTakes(flow, entity, targetEntity string) (why string) {
	f := r.flows[flow]
	if f == nil || f.fitsEntity(Subject{Entity: entity, TargetEntity: targetEntity}) {
		return ""
	}
	return notIn("entity", entity, slices.Concat(f.Entities, f.TargetEntities))
}

// Try takes a data file the way of a delivery: the flow's reading, its shape, and
// its judgment of what came out. The ledger is not asked, and nothing of it
// changes. The error is about opening the file, where the rows go, or that ctx has
// ended.
func (r *Relay) Try(ctx context.Context, flow string, file TrialFile) (trial Trial, err error) {
	f := r.flows[flow]
	if f == nil {
		return trial, fmt.Errorf("no flow %q", flow)
	}
	err = guard(func() error { return r.try(ctx, f, file, &trial) })
	if cause := context.Cause(ctx); err == nil || cause != nil {
		return trial, cause
	}
	if p, ok := errors.AsType[*parkedError](err); ok {
		trial.Reason, trial.Detail = p.reason, p.detail
		return trial, nil
	}
	if v := judge(err, facts{attempts: 1, now: time.Now()}); v.action == park {
		trial.Reason, trial.Detail = v.reason, v.detail
		return trial, nil
	}
	return trial, err
}

func (r *Relay) try(ctx context.Context, f *Flow, file TrialFile, trial *Trial) (err error) {
	job := state.DeliveryJob{
		Export:   state.Export{Entity: file.Entity, TargetEntity: file.TargetEntity, Member: file.Name},
		Delivery: state.Delivery{Output: file.To, Flow: f.Name},
	}
	from := ends{temp: file.TempFolder, open: func() (*source, outputs.Writer, error) {
		stream, err := file.Open()
		if err != nil {
			return nil, nil, err
		}
		w, err := file.Begin()
		if err != nil {
			return nil, nil, errors.Join(asOutput(file.To, err), stream.Close())
		}
		return &source{Reader: stream, close: []io.Closer{stream}}, w, nil
	}}
	p, err := r.convertFrom(ctx, from, job, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	h := p.harvest
	trial.Result, trial.Rows, trial.BadRows, trial.Columns, trial.Places = h.Result, h.rows, h.bad, h.columns, p.positions
	about, err := p.check(h, job.Export, f)
	if err != nil {
		return err
	}
	if h.records == 0 && f.OnZeroRows == OmitIt {
		about.add("", noFileWritten)
		trial.Notes = about.notes
		return nil
	}
	trial.Notes = about.notes
	_, err = p.w.Commit(ctx, outputFacts(h, job, measure{}, trial.Notes))
	return asOutput(file.To, err)
}

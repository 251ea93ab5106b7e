package flows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"finrelay/exporter"
	"finrelay/exporter/convert"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// MostPositions is how many bad rows are shown with their place.
const MostPositions = 100

func asDamaged(err error) error { return fmt.Errorf("%w: %w", err, exporter.ErrDamaged) }

// outputError is an output that could not be written, to tell it from a raw file
// that could not be read.
type outputError struct {
	output string
	err    error
}

func (e *outputError) Error() string { return fmt.Sprintf("output %s: %v", e.output, e.err) }

func (e *outputError) Unwrap() error { return e.err }

func asOutput(name string, err error) error {
	if err == nil {
		return nil
	}
	return &outputError{output: name, err: err}
}

// parkedError is an export that was read and is not to land.
type parkedError struct {
	reason state.Reason
	detail string
	counts state.Counts
}

func (e *parkedError) Error() string { return e.detail }

// deliver takes one export's rows to one output: one pass over the raw file, for
// a composite two at most, committed only when the last was clean.
func (r *Relay) deliver(ctx context.Context, job state.DeliveryJob) {
	key := state.DeliveryKey{ExportID: job.Export.ID, Output: job.Delivery.Output}
	log := r.log.With(keyExport, key.ExportID, keyOutput, key.Output, keyEntity, job.Export.Entity,
		keyLegalEntity, job.Export.LegalEntity, keyEnvironment, job.Export.Environment, keyFlow, job.Delivery.Flow)
	log.Debug("delivery begins", "attempt", job.Delivery.Attempts)
	began := time.Now()
	var landing state.Landing
	err := guard(func() (err error) {
		landing, err = r.land(ctx, job)
		return err
	})
	if err == nil {
		r.cfg.Trace("delivered")
		if !r.record(ctx, log, func(ctx context.Context) error { return r.db.Delivered(ctx, key, landing) }) {
			return
		}
		r.cfg.Trace("delivered-recorded")
		log.Info("landed", keyRows, landing.Rows, keyBytes, landing.Bytes, "path", landing.Path, keyTook, time.Since(began))
		return
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	settle := r.settleDelivery(log, key, job.Delivery.Attempts, err)
	r.record(ctx, log, settle)
}

// settleDelivery says, and gives the transition for, what is to be done about
// a pass that was not clean.
func (r *Relay) settleDelivery(log *slog.Logger, key state.DeliveryKey, attempts int, err error) func(context.Context) error {
	if p, ok := errors.AsType[*parkedError](err); ok {
		log.Warn("parked, a person is needed", keyReason, p.reason, keyRows, p.counts.Rows, "rows_bad", p.counts.BadRows, keyError, clip(p.detail))
		return func(ctx context.Context) error { return r.db.ParkDelivery(ctx, key, p.reason, p.detail, p.counts) }
	}
	v := r.judge(err, attempts, time.Time{})
	switch v.action {
	case release:
		return func(ctx context.Context) error { return r.db.ReleaseDelivery(ctx, key) }
	case park, renew:
		log.Warn("parked, a person is needed", keyReason, v.reason, keyError, v.detail)
		return func(ctx context.Context) error {
			return r.db.ParkDelivery(ctx, key, v.reason, v.detail, state.Counts{})
		}
	}
	log.Warn("delivery waits", keyReason, v.reason, "again_in", v.after.Round(time.Millisecond), keyError, v.detail)
	return func(ctx context.Context) error {
		return r.db.WaitDelivery(ctx, key, r.db.Now().Add(v.after), v.reason, v.detail)
	}
}

func (r *Relay) land(ctx context.Context, job state.DeliveryJob) (landing state.Landing, err error) {
	flow, output := r.flows[job.Delivery.Flow], r.cfg.Outputs[job.Delivery.Output]
	if flow == nil || output == nil {
		return landing, &parkedError{reason: state.ReasonNoFlow, detail: fmt.Sprintf(
			"flow %s or output %s is not in the configuration any more", job.Delivery.Flow, job.Delivery.Output)}
	}
	p, err := r.convert(ctx, job, flow, output)
	if err != nil {
		return landing, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	result := p.harvest
	about, err := p.check(result, job.Export, flow)
	if err != nil {
		return landing, err
	}
	from, err := p.source.rest()
	if err != nil {
		return landing, err
	}
	if job.Export.OpeningNotes != "" { // the ledger has the sentence
		about.remarks = about.remarks.And(state.Remarks{state.RemarkPackageOdd})
	}
	if result.records == 0 && flow.OnZeroRows == OmitIt {
		return r.landNothing(ctx, job, about)
	}
	r.cfg.Trace("commit")
	receipt, err := p.w.Commit(ctx, outputFacts(result, job, from, join(job.Export.OpeningNotes, about.notes)))
	if err != nil {
		return landing, asOutput(job.Delivery.Output, err)
	}
	// A rerun under another template or folder: the export moved, it did not
	// land twice. After the commit, so that its rows are somewhere at any moment.
	if old := job.Delivery.Path; old != "" && old != receipt.Path {
		left, err := r.withdraw(ctx, job)
		if err != nil {
			return landing, err
		}
		if left == "" {
			left = "moved here from " + old
		}
		about.add("", left)
	}
	return state.Landing{
		Path: receipt.Path, ManifestPath: receipt.ManifestPath, Bytes: receipt.Bytes, SHA256: receipt.SHA256,
		Notes: about.notes, Remarks: about.remarks,
		Counts: state.Counts{Rows: result.rows, BadRows: result.bad},
	}, nil
}

// landNothing is the landing of an export of 0 rows that its flow wants no file
// of: it counts, and the checkpoint moves.
func (r *Relay) landNothing(ctx context.Context, job state.DeliveryJob, about noted) (state.Landing, error) {
	about.add("", "0 rows: no file is written")
	landing := state.Landing{Notes: about.notes, Remarks: about.remarks}
	if job.Delivery.Path == "" {
		return landing, nil
	}
	left, err := r.withdraw(ctx, job)
	landing.Notes = join(landing.Notes, left)
	return landing, err
}

// emptyAsAnnounced: 0 bytes are an export of 0 rows only when the event says so.
func emptyAsAnnounced(err error, e state.Export) bool {
	return errors.Is(err, exporter.ErrEmpty) && e.ExpectedRows != nil && *e.ExpectedRows == 0
}

func entryName(job state.DeliveryJob) string {
	if job.Export.Member != "" {
		return job.Export.Member
	}
	return rawName(job.Shipment)
}

// pass receives one conversion and passes good rows on.
type pass struct {
	source    *source
	w         outputs.Writer
	harvest   harvest // once it is over
	output    string
	policy    Policy
	entry     string
	bad       int64
	positions []string
}

func (p *pass) Block(lines []byte, rows int) error {
	if p.bad > 0 && p.policy != LandIt {
		return nil // it will not land; the rest is read to count and to place what is bad
	}
	return asOutput(p.output, p.w.Block(lines, rows))
}

// badRow is a line of the file of rows set aside; see convert.BadRow.
type badRow struct {
	Line   int64  `json:"line"`
	Column int64  `json:"column"`
	Record int64  `json:"record"`
	Error  string `json:"error"`
	Raw    string `json:"raw"`           // as text; bytes that are not UTF-8 are replaced here and kept in hex
	Hex    string `json:"hex,omitempty"` // only when Raw is not exact
}

func (p *pass) BadRow(b convert.BadRow) error {
	p.bad++
	if len(p.positions) < MostPositions {
		e := &exporter.RecordError{Entry: p.entry, Line: b.Line, Column: b.Column, Err: b.Err}
		p.positions = append(p.positions, e.Error())
	}
	if p.policy != LandIt {
		return nil
	}
	row := badRow{Line: b.Line, Column: b.Column, Record: b.Record, Error: b.Err.Error(), Raw: strings.ToValidUTF8(string(b.Raw), "\uFFFD")}
	if row.Raw != string(b.Raw) {
		row.Hex = fmt.Sprintf("%x", b.Raw)
	}
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return asOutput(p.output, p.w.BadRow(append(line, '\n')))
}

// check decides, with the whole file read, whether it may land, and what is to
// be said of it then.
func (p *pass) check(res harvest, e state.Export, f *Flow) (about noted, err error) {
	counts := state.Counts{Rows: res.rows, BadRows: res.bad}
	if p.bad > 0 && p.policy != LandIt {
		return noted{}, &parkedError{reason: state.ReasonBadRows, counts: counts, detail: fmt.Sprintf(
			"%d of %d records cannot be read as rows:\n%s", res.bad, res.records, strings.Join(p.positions, "\n"))}
	}
	if res.records == 0 && f.OnZeroRows == ParkIt {
		return noted{}, &parkedError{reason: state.ReasonZeroRows, detail: "the file holds no rows"}
	}
	if p.bad > 0 {
		about.add(state.RemarkRowsSetAside, fmt.Sprintf("%d rows set aside, first at %s", p.bad, p.positions[0]))
	}
	about.addAll(res.shaped)
	if e.ExpectedRows != nil && *e.ExpectedRows != res.records {
		mismatch := fmt.Sprintf("the event announced %d rows, the file holds %d", *e.ExpectedRows, res.records)
		if f.OnRowMismatch == ParkIt {
			return noted{}, &parkedError{reason: state.ReasonRowMismatch, counts: counts, detail: mismatch}
		}
		about.add(state.RemarkRowMismatch, mismatch)
	}
	about.add(state.RemarkEncodingGuessed, res.GuessedText("read.encoding of the flow"))
	about.add(state.RemarkBytesReplaced, res.ReplacedText())
	about.add(state.RemarkStrayQuotes, res.Oddities.String())
	about.add(state.RemarkRecordsUneven, res.RecordsText())
	return about, nil
}

func outputExport(job state.DeliveryJob) outputs.Export {
	e, s, ev := job.Export, job.Shipment, job.Event
	at, key := e.Order.At, e.Order.String()
	if ev.Timeless {
		at, key = time.Time{}, "" // our clock's time is no fact about the export
	}
	return outputs.Export{
		ID: e.ID, ShipmentID: s.ID, Environment: e.Environment, Flow: job.Delivery.Flow,
		Entity: e.Entity, TargetEntity: e.TargetEntity, LegalEntity: e.LegalEntity,
		ExecutionID: s.ExecutionID, Project: e.Project, RefreshType: e.RefreshType,
		Source: s.Source, Member: e.Member, EventTime: at, OrderKey: key,
		EventID: ev.FinOpsEventID, BusinessEventID: ev.BusinessEventID, ControlNumber: ev.ControlNumber, RecID: ev.RecID,
		BlobPath: s.LinkPath,
	}
}

func outputFacts(res harvest, job state.DeliveryJob, from measure, notes string) outputs.Facts {
	f := outputs.Facts{
		Rows: res.rows, BadRows: res.bad, Columns: res.columns,
		SourceBytes: from.bytes, SourceSHA256: from.sha256,
		Format: string(res.Format), Encoding: res.Encoding, NoOfRecords: job.Export.ExpectedRows,
	}
	if notes != "" {
		f.Warnings = []string{notes}
	}
	return f
}

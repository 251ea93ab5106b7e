package flows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"time"

	"finrelay/exporter/fetch"
	"finrelay/state"
)

// fetch makes a claimed shipment's raw file durable, whatever routing, format
// or configuration will say about it: the link dies, the rows do not come again.
func (r *Relay) fetch(ctx context.Context, job state.FetchJob) {
	s := job.Shipment
	log := r.log.With(keyShipment, s.ID, keyEnvironment, s.Environment, keyEntity, s.Entity)
	log.Debug("fetch begins", "link", s.LinkPath, "attempt", s.Attempts)
	began := time.Now()
	var raw state.RawFile
	err := guard(func() (err error) {
		raw, err = r.download(ctx, job)
		return err
	})
	if err == nil {
		r.cfg.Trace("fetched")
		counts := false
		r.record(ctx, log, decided(log, func(ctx context.Context) error {
			err := r.db.Fetched(ctx, s.ID, raw)
			counts = err == nil
			return err
		}))
		if !counts {
			return
		}
		r.cfg.Trace("fetched-recorded")
		log.Info("fetched", keyBytes, raw.Bytes, keyTook, time.Since(began), "proof", raw.Proof)
		// What was kept has its name before the ledger knows of it.
		if s.Seen.File != "" || s.Attempts > 1 || s.Interrupted > 0 {
			r.forgetDoubts(s, raw.File)
		}
		return
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	v := judge(err, r.fetchFacts(s))
	r.logFetch(log, s, v)
	r.record(ctx, log, decided(log, func(ctx context.Context) error { return r.settleFetch(ctx, s, v, err) }))
}

// decided makes of a download's end one that says nothing when a person has
// decided about the shipment meanwhile.
func decided(log *slog.Logger, step func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		err := step(ctx)
		if refused, ok := errors.AsType[*state.TransitionError](err); ok {
			log.Info("what the download came to does not count: it was decided meanwhile", keyError, refused)
			return nil
		}
		return err
	}
}

// download runs until the file is durable and proved, and only then has its
// final name. What is not proved is kept beside that, and is a *doubtError.
func (r *Relay) download(ctx context.Context, job state.FetchJob) (state.RawFile, error) {
	s := job.Shipment
	file := rawFile(s.ID)
	path := r.inFolder(file)
	got, detail, err := r.bring(ctx, job, path)
	if err != nil {
		return state.RawFile{}, err
	}
	r.cfg.Trace("prove")
	proof, doubt, err := r.prove(ctx, s, got)
	if err != nil {
		return state.RawFile{}, err
	}
	if doubt != nil {
		if err := r.keep(s, got, doubt); err != nil {
			return state.RawFile{}, err
		}
		return state.RawFile{}, doubt
	}
	if got.Path != path {
		if err := fetch.Move(got.Path, path); err != nil {
			return state.RawFile{}, err
		}
	}
	return state.RawFile{File: file, Bytes: got.Bytes, SHA256: got.SHA256, Proof: proof, Detail: detail}, nil
}

// bring downloads the file. One that is there already under its final name was
// made durable by a process that ended before it could say so; it is not asked
// for again, because its link may be dead by now. Only what the storage vouches
// for has that name before it is looked at.
func (r *Relay) bring(ctx context.Context, job state.FetchJob, path string) (got fetch.Result, detail string, err error) {
	s := job.Shipment
	existing, ok, err := fetch.Existing(path)
	if err != nil || ok {
		// No link's file has this name without the storage's word, but for hosts that give none.
		existing.Vouched = !r.plainHosts(s)
		return existing, "found complete after an interruption", err
	}
	if s.Source == "queue" || s.Seen.File != "" || r.plainHosts(s) {
		path += newSuffix
	}
	src, err := r.source(ctx, job)
	if err != nil {
		return got, "", err
	}
	r.cfg.Trace("fetch")
	got, err = fetch.Download(ctx, src, path, fetch.Options{
		Mark: fetch.Mark{ETag: s.MarkETag, Offset: s.MarkOffset},
		OnMark: func(m fetch.Mark) error {
			r.cfg.Trace("mark")
			return r.db.Mark(durably(ctx), s.ID, m.ETag, m.Offset)
		},
	})
	if got.Resumed > 0 {
		detail = fmt.Sprintf("resumed where it was cut off (%d×)", got.Resumed)
	}
	return got, detail, err
}

// plainHosts says whether a shipment's link may lead to a host that does not
// vouch for its files.
func (r *Relay) plainHosts(s state.Shipment) bool {
	return len(r.cfg.Environments[s.Environment].Link.PlainHosts) > 0
}

func (r *Relay) logFetch(log *slog.Logger, s state.Shipment, v verdict) {
	log = log.With(keyReason, v.reason, keyError, v.detail)
	switch v.action {
	case release:
	case renew:
		log.Warn("link is dead, export not here", "link", s.LinkPath)
	case park:
		log.Warn("parked, a person is needed", "link", s.LinkPath)
	default:
		log.Info("fetch waits", "again_in", v.after.Round(time.Millisecond))
	}
}

// settleFetch carries out a verdict on a download that did not end well.
func (r *Relay) settleFetch(ctx context.Context, s state.Shipment, v verdict, err error) error {
	due := r.db.Now().Add(v.after)
	if doubt, ok := errors.AsType[*doubtError](err); ok && (v.action == wait || v.action == park) {
		if v.action == park {
			due = time.Time{}
		}
		if err := r.db.Doubted(ctx, s.ID, doubt.seen, due, v.reason, v.detail); err != nil {
			return err
		}
		now, err := r.db.Shipment(ctx, s.ID)
		if err == nil {
			r.forgetDoubts(s, doubt.seen.File, now.Seen.File)
		}
		return err
	}
	switch v.action {
	case release:
		return r.db.ReleaseFetch(ctx, s.ID)
	case renew:
		return r.db.Expire(ctx, s.ID, s.Deadline, v.detail)
	case park:
		return r.db.ParkFetch(ctx, s.ID, v.reason, v.detail)
	}
	return r.db.WaitFetch(ctx, s.ID, due, v.reason, v.detail)
}

// rawName is what a bare file is called where a file name is wanted: the last
// element of the link's path, as a person would write it.
func rawName(s state.Shipment) string {
	name := path.Base(s.LinkPath)
	if plain, err := url.PathUnescape(name); err == nil {
		name = path.Base(plain)
	}
	return name
}

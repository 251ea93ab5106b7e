package flows

import (
	"context"
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
		if !r.record(ctx, log, func(ctx context.Context) error { return r.db.Fetched(ctx, s.ID, raw) }) {
			return
		}
		r.cfg.Trace("fetched-recorded")
		log.Info("fetched", keyBytes, raw.Bytes, keyTook, time.Since(began))
		return
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	v := r.judge(err, s.Attempts, s.Deadline)
	r.logFetch(log, s, v)
	r.record(ctx, log, func(ctx context.Context) error { return r.settleFetch(ctx, s, v) })
}

// download runs until the file is durable under its final name. A file that
// is there already was made durable by a process that ended before it could
// say so; it is taken as it is, because its link may be dead by now.
func (r *Relay) download(ctx context.Context, job state.FetchJob) (state.RawFile, error) {
	s := job.Shipment
	file := rawFile(s.ID)
	path := r.inFolder(file)
	existing, ok, err := fetch.Existing(path)
	if err != nil {
		return state.RawFile{}, err
	}
	if ok {
		return state.RawFile{File: file, Bytes: existing.Bytes, SHA256: existing.SHA256, Detail: "found complete after an interruption"}, nil
	}
	src, err := r.source(ctx, job)
	if err != nil {
		return state.RawFile{}, err
	}
	r.cfg.Trace("fetch")
	res, err := fetch.Download(ctx, src, path, fetch.Options{
		Mark: fetch.Mark{ETag: s.MarkETag, Offset: s.MarkOffset},
		OnMark: func(m fetch.Mark) error {
			r.cfg.Trace("mark")
			return r.db.Mark(durably(ctx), s.ID, m.ETag, m.Offset)
		},
	})
	if err != nil {
		return state.RawFile{}, err
	}
	raw := state.RawFile{File: file, Bytes: res.Bytes, SHA256: res.SHA256}
	if res.Resumed > 0 {
		raw.Detail = fmt.Sprintf("resumed where it was cut off (%d×)", res.Resumed)
	}
	return raw, nil
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
func (r *Relay) settleFetch(ctx context.Context, s state.Shipment, v verdict) error {
	switch v.action {
	case release:
		return r.db.ReleaseFetch(ctx, s.ID)
	case renew:
		return r.db.Expire(ctx, s.ID, s.Deadline, v.detail)
	case park:
		return r.db.ParkShipment(ctx, s.ID, v.reason, v.detail)
	}
	return r.db.WaitFetch(ctx, s.ID, r.db.Now().Add(v.after), v.reason, v.detail)
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

package flows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/exporter"
	"finrelay/exporter/fetch"
	"finrelay/exporter/recognise"
	"finrelay/exporter/unpack"
	"finrelay/state"
)

// DefaultProofAfter is how far apart two downloads of a queue's file must be
// whose equal bytes prove that there are no others. What is wrong on the way, a
// proxy that restarts say, is over by then.
const DefaultProofAfter = 10 * time.Minute

// Names beside a raw file's own, which only what is proved has. What is kept
// has its checksum in its name: no other bytes ever take its place.
const (
	newSuffix     = ".new"     // a download that is to be looked at
	doubtedSuffix = ".doubted" // what may be the export
	pageSuffix    = ".page"    // what is surely not
)

// doubtError is a download that brought something of which it is not known that
// it is the export. The bytes are kept.
type doubtError struct {
	seen   state.Seen
	what   string    // what it looks like
	proves time.Time // when the same bytes, had they come again, would prove it; zero: never
	repeat bool      // they have come before
}

func (e *doubtError) Error() string {
	switch e.seen.As {
	case state.DoubtNoExport:
		return fmt.Sprintf("what came is not the export but %s (%d bytes, kept in %s)", e.what, e.seen.Bytes, e.seen.File)
	case state.DoubtUnframed:
		return fmt.Sprintf("the answer ended only with the connection, so that the file may be cut: %s (%d bytes, kept in %s)", e.what, e.seen.Bytes, e.seen.File)
	}
	return fmt.Sprintf("what came is not known to be the export: %s (%d bytes, kept in %s)", e.what, e.seen.Bytes, e.seen.File)
}

// prove says why a file that came is the export, or what is in doubt. It looks
// at the file and at how it came, never at flows or rows: a file with bad rows
// is as whole as any.
//
// FinOps forgets what is acked, so a queue's file is proved to its last byte. A
// link's is vouched for by the storage that it comes from.
func (r *Relay) prove(ctx context.Context, s state.Shipment, got fetch.Result) (state.Proof, *doubtError, error) {
	queue := s.Source == "queue"
	none := got.Bytes == 0 && s.ExpectedRows != nil && *s.ExpectedRows == 0 // as the event says
	if got.Framed && !queue && (got.Vouched || none) {
		return state.ProofWhole, nil, nil
	}
	found, err := r.recognise(ctx, got, queue || !got.Framed)
	if err != nil {
		return state.Unproved, nil, err
	}
	doubt := &doubtError{what: found.What, seen: state.Seen{Bytes: got.Bytes, SHA256: got.SHA256}}
	switch {
	case found.Is == recognise.NoExport:
		doubt.seen.As = state.DoubtNoExport
		return state.Unproved, doubt, nil
	case got.Framed && (!queue || found.Is == recognise.Export):
		return state.ProofWhole, nil, nil
	case got.Framed:
		doubt.seen.As = state.DoubtUnknown
	default:
		doubt.seen.As = state.DoubtUnframed
	}
	doubt.repeat = s.Seen.SHA256 == got.SHA256
	// A table that is cut in the same place twice looks like one that is whole,
	// and an answer in words is the same for hours.
	if (got.Framed || found.Ends) && found.Is != recognise.Unclear {
		since := r.db.Now()
		if doubt.repeat {
			since = s.Seen.At
		}
		doubt.proves = since.Add(r.proofAfter(s))
	}
	if doubt.repeat && !doubt.proves.IsZero() && !r.db.Now().Before(doubt.proves) {
		return state.ProofTwice, nil, nil
	}
	return state.Unproved, doubt, nil
}

// proofAfter is how far apart two downloads must be to prove something. Of a
// link no message is acked: two will do.
func (r *Relay) proofAfter(s state.Shipment) time.Duration {
	if s.Source != "queue" {
		return 0
	}
	if after := r.cfg.Environments[s.Environment].ProofAfter; after > 0 {
		return after
	}
	return DefaultProofAfter
}

// recognise says what a file is; deep reads an archive to its last byte.
func (r *Relay) recognise(ctx context.Context, got fetch.Result, deep bool) (recognise.Found, error) {
	if got.Bytes == 0 {
		return recognise.Text(nil, 0, got.ContentType)
	}
	contents, err := unpack.Open(got.Path, unpack.Options{Limits: r.cfg.Limits})
	switch {
	case errors.Is(err, exporter.ErrDamaged):
		return recognise.Found{Is: recognise.Broken, What: err.Error()}, nil
	case fileReason(err) != "":
		return recognise.Found{Is: recognise.Unknown, What: err.Error()}, nil
	case err != nil:
		return recognise.Found{}, err
	}
	defer contents.Close() // only read from
	if contents.Kind == unpack.KindBare {
		return recogniseBare(got, contents)
	}
	found := recognise.Found{Is: recognise.Export, What: "an archive whose parts are all there", Ends: true}
	if !deep {
		return found, nil
	}
	switch err := contents.Verify(ctx, r.cfg.Limits); {
	case errors.Is(err, exporter.ErrDamaged):
		found = recognise.Found{Is: recognise.Broken, What: err.Error()}
	case fileReason(err) != "":
		found = recognise.Found{Is: recognise.Unknown, What: err.Error()}
	case err != nil:
		return recognise.Found{}, err
	}
	return found, nil
}

func recogniseBare(got fetch.Result, contents *unpack.Contents) (recognise.Found, error) {
	if err := contents.Members[0].Err; err != nil {
		return recognise.Found{Is: recognise.Unknown, What: err.Error()}, nil
	}
	file, err := os.Open(got.Path)
	if err != nil {
		return recognise.Found{}, err
	}
	defer file.Close() // only read from
	return recognise.Text(io.ReaderAt(file), got.Bytes, got.ContentType)
}

// keep gives what is in doubt a name under which it stays until something is
// proved, or other bytes came in its place.
func (r *Relay) keep(s state.Shipment, got fetch.Result, doubt *doubtError) error {
	suffix := doubtedSuffix
	if doubt.seen.As == state.DoubtNoExport {
		suffix = pageSuffix
	}
	doubt.seen.File = rawFile(s.ID) + "." + got.SHA256[:12] + suffix
	return fetch.Move(got.Path, r.inFolder(doubt.seen.File))
}

// forgetDoubts removes what lies beside a raw file's name, or was to become one,
// but for some files that are kept.
func (r *Relay) forgetDoubts(s state.Shipment, kept ...string) {
	beside, err := filepath.Glob(r.inFolder(rawFile(s.ID)) + ".*")
	for _, path := range beside {
		file := filepath.Join(rawFolder, filepath.Base(path))
		if slices.Contains(kept, file) {
			continue
		}
		// What stays is swept at the next start after the raw file's time.
		if removeErr := os.Remove(path); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	if err != nil {
		r.log.Error("file not removed", keyShipment, s.ID, keyError, err)
	}
}

// Taken is what came of TakeAsIs.
type Taken struct {
	Shipment string `json:"shipment"`
	File     string `json:"file,omitempty"` // what is taken for the export, as a path; "" when nothing is
	// Message is the state of the queue's message: due when FinOps can be told
	// now, stale when it is told once it hands the message out again. "" for a
	// shipment that came by a link.
	Message state.State `json:"message,omitempty"`
}

// ShipmentOf finds a shipment by the start of its id, or by the correlation id
// of its message as FinOps shows it, in any spelling.
func (r *Relay) ShipmentOf(ctx context.Context, name string) (string, error) {
	if state.KindOf(name) == state.KindShipment {
		return r.db.Find(ctx, name)
	}
	if dmf.Fold(name) == "" || state.KindOf(name) != "" {
		return "", fmt.Errorf("%q is neither a shipment's id nor a message's: %w", name, state.ErrNotFound)
	}
	ids, err := r.db.ShipmentsOfMessage(ctx, dmf.Fold(name))
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", fmt.Errorf("no message %s has been taken from a queue (its whole correlation id is needed): %w", name, state.ErrNotFound)
	case len(ids) > 1:
		return "", fmt.Errorf("several messages are called %s: name the shipment, one of %s: %w", name, strings.Join(ids, ", "), state.ErrNotFound)
	}
	return ids[0], nil
}

// TakeAsIs records that a person takes what is here for all that there is of a
// message, see [state.DB.TakeAsIs]. name is as ShipmentOf takes it.
func (r *Relay) TakeAsIs(ctx context.Context, name, by, why string) (Taken, error) {
	id, err := r.ShipmentOf(ctx, name)
	if err != nil {
		return Taken{}, err
	}
	s, err := r.db.Shipment(ctx, id)
	if err != nil {
		return Taken{}, err
	}
	if s.Seen.MayBeIt() {
		if _, err := os.Stat(r.inFolder(s.Seen.File)); err != nil {
			return Taken{}, fmt.Errorf("%s: what came is not where it was kept; the next delivery of its message brings it again: %w", id, err)
		}
	}
	taken, err := r.db.TakeAsIs(ctx, id, by, why)
	if refused, ok := errors.AsType[*state.TransitionError](err); ok {
		return Taken{}, fmt.Errorf("%w: %s", refused, notToTake(s))
	}
	if err != nil {
		return Taken{}, err
	}
	res := Taken{Shipment: id, Message: taken.Message}
	if taken.File != "" {
		res.File = r.inFolder(taken.File)
	}
	return res, nil
}

// notToTake says why there is nothing for a person to decide.
func notToTake(s state.Shipment) string {
	switch {
	case s.Source != "queue" && s.State != state.Settled && !s.RawHere():
		return "its link has brought nothing that may be the export, and no queue waits for an ack: finrelay skip " + s.ID + " --why TEXT gives it up"
	case s.Proof == state.ProofPerson:
		return "a person has taken it before"
	}
	return "nothing of it is in doubt"
}

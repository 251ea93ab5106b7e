package flows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"finrelay/exporter/fetch"
	"finrelay/state"
)

// asideSuffix is that of a damaged raw file that was put aside. It is kept as
// long as the file that takes its place: it may be all that is left of the rows.
const asideSuffix = ".damaged"

// mostRefetches is how often a raw file that turns out damaged is fetched again
// without a person: a disk that spoils each copy would be served for ever.
const mostRefetches = 2

// rawTrouble says in what a raw file is not what was fetched; "" when it is, or
// when the ledger does not know what it was. It reads the whole file, so it is
// asked only when something has gone wrong.
func (r *Relay) rawTrouble(s state.Shipment) (string, error) {
	if !s.RawHere() || s.RawSHA256 == "" {
		return "", nil
	}
	is, there, err := fetch.Existing(r.inFolder(s.RawFile))
	switch {
	case err != nil:
		return "", err
	case !there && r.rawThere(s):
		return "", fmt.Errorf("look for raw file: %w", fs.ErrNotExist) // the whole folder is away
	case !there:
		return "the raw file is gone from the state folder", nil
	case is.SHA256 != s.RawSHA256:
		return fmt.Sprintf("the raw file is damaged: it was fetched with %d bytes and SHA-256 %.12s…, and has %d bytes and %.12s… now",
			s.RawBytes, s.RawSHA256, is.Bytes, is.SHA256), nil
	}
	return "", nil
}

// refetch has a raw file that is not what was fetched brought again.
//
// The order is the guarantee. The file is put aside, durably, before the ledger
// lets go of it: the next download takes a file that it finds for its own. A
// crash between the two leaves a raw file that is gone, which is fetched again
// as well.
func (r *Relay) refetch(ctx context.Context, s state.Shipment, trouble, by string) error {
	if s.Source == "queue" {
		m, err := r.db.Message(ctx, s.ID)
		if err != nil {
			return err
		}
		if m.State != state.Held { // FinOps may have forgotten it
			return &state.TransitionError{Kind: state.KindMessage, ID: s.ID, From: m.State, To: state.Held}
		}
	}
	if err := r.setAside(s); err != nil {
		return fmt.Errorf("put damaged raw file aside: %w", err)
	}
	r.cfg.Trace("set-aside")
	return r.db.Refetch(durably(ctx), s.ID, clip(join(by, trouble)+"; it is fetched again"))
}

func (r *Relay) setAside(s state.Shipment) error {
	from := r.inFolder(s.RawFile)
	if err := os.Rename(from, from+asideSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // see makeRawFolder
	}
	folder, err := os.Open(filepath.Dir(from))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// fetchedAgain has a raw file that could not be opened fetched again, if it is
// not the file that was fetched. It says whether that is under way.
func (r *Relay) fetchedAgain(ctx context.Context, log *slog.Logger, s state.Shipment) bool {
	trouble, err := r.rawTrouble(s)
	if err != nil || trouble == "" {
		return false
	}
	story, err := r.db.Story(ctx, s.ID)
	if err != nil {
		return false
	}
	before := 0
	for _, j := range story {
		if j.Kind == state.KindShipment && j.Reason == state.ReasonRawDamaged {
			before++
		}
	}
	if before >= mostRefetches {
		return false
	}
	if err := r.refetch(ctx, s, trouble, ""); err != nil {
		log.Error("raw file not fetched again", keyError, err)
		return false
	}
	log.Warn("raw file is not what was fetched: fetched again", keyReason, trouble)
	return true
}

// asRawTrouble gives the cause of a failed delivery, if its raw file is not what
// was fetched: then what was read in it says nothing of the export.
func (r *Relay) asRawTrouble(s state.Shipment, err error) error {
	trouble, troubleErr := r.rawTrouble(s)
	if troubleErr != nil || trouble == "" {
		return err
	}
	return &parkedError{reason: state.ReasonRawDamaged, detail: trouble + "; " + clip(err.Error())}
}

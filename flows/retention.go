package flows

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"finrelay/state"
)

const (
	tidyEvery = time.Hour
	tidyBatch = 200 // rows in one transaction, so that events never wait long behind it
)

// keepTidy removes what retention allows, at start and then every hour.
func (r *Relay) keepTidy(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			if err := r.Tidy(ctx); err != nil && ctx.Err() == nil {
				r.log.Error("retention", keyError, err)
			}
			timer.Reset(tidyEvery)
		}
	}
}

// Tidy removes raw files that nothing has needed for the retention time, and
// identities that have not been seen for theirs. It never touches what is open.
func (r *Relay) Tidy(ctx context.Context) error {
	removed, err := r.removeRaw(ctx)
	if err != nil {
		return err
	}
	forgotten := 0
	for {
		n, err := r.db.Forget(ctx, r.db.Now().Add(-r.cfg.RetainIdentities), tidyBatch)
		if err != nil {
			return err
		}
		forgotten += n
		if n < tidyBatch {
			break
		}
	}
	if removed+forgotten > 0 {
		r.log.Info("retention", "raw_files_removed", removed, "identities_forgotten", forgotten)
	}
	return nil
}

func (r *Relay) removeRaw(ctx context.Context) (removed int, err error) {
	for {
		spent, err := r.db.ReleaseRaw(ctx, r.db.Now().Add(-r.cfg.RetainRaw), tidyBatch)
		if err != nil {
			return removed, err
		}
		for _, s := range spent {
			// The ledger has let go of it: if this fails, the sweep at the next start gets it.
			if err := os.Remove(r.inFolder(s.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				r.log.Error("raw file not removed", "file", s.File, keyError, err)
				continue
			}
			removed++
		}
		if len(spent) < tidyBatch {
			return removed, nil
		}
	}
}

// makeRawFolder makes the folder of raw files and makes its name durable:
// downloads sync the folder itself, and all of them would be gone with its name
// after a power cut, while the ledger says that they are here.
func (r *Relay) makeRawFolder() error {
	if err := os.MkdirAll(r.inFolder(rawFolder), 0o700); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // has no such call for folders; NTFS logs names itself
	}
	folder, err := os.Open(r.db.Folder())
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// sweepRaw removes raw and partial files that the ledger has let go of or does
// not know. Whatever it still wants stays, half downloaded or whole.
func (r *Relay) sweepRaw(ctx context.Context) error {
	if err := r.makeRawFolder(); err != nil {
		return err
	}
	files, err := os.ReadDir(r.inFolder(rawFolder))
	if err != nil {
		return err
	}
	swept := 0
	for _, f := range files {
		spent, err := r.spent(ctx, f)
		if err != nil {
			return err
		}
		if !spent {
			continue
		}
		if err := os.Remove(r.inFolder(rawFile(f.Name()))); err != nil {
			// It takes room, no more: not a reason to take no events.
			r.log.Error("raw file not removed", "file", f.Name(), keyError, err)
			continue
		}
		swept++
	}
	if swept > 0 {
		r.log.Info("raw files without owner removed", "files", swept)
	}
	return nil
}

// spent says whether a file of the raw folder may go. A whole file that the
// ledger does not know stays for the retention time: with a ledger restored
// from an old copy it may be the only copy of its rows, and is taken up when
// its event comes again.
func (r *Relay) spent(ctx context.Context, f fs.DirEntry) (bool, error) {
	id, suffix, _ := strings.Cut(f.Name(), ".")
	if !f.Type().IsRegular() || state.KindOf(id) != state.KindShipment {
		return false, nil // not ours
	}
	s, err := r.db.Shipment(ctx, id)
	if err == nil && s.RawHere() {
		return rawFile(f.Name()) != s.RawFile, nil // what lay beside it while it was in doubt
	}
	if wanted, err := r.db.RawWanted(ctx, id); wanted || err != nil {
		return false, err
	}
	if suffix != "" || !errors.Is(err, state.ErrNotFound) {
		return true, nil
	}
	info, err := f.Info()
	return err == nil && r.db.Now().Sub(info.ModTime()) > r.cfg.RetainRaw, nil
}

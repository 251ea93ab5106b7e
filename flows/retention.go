package flows

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
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

// sweepRaw removes raw and partial files that the ledger does not know or has
// let go of. Whatever it still wants stays, half downloaded or whole.
func (r *Relay) sweepRaw(ctx context.Context) error {
	if err := os.MkdirAll(r.inFolder(rawFolder), 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(r.inFolder(rawFolder))
	if err != nil {
		return err
	}
	swept := 0
	for _, f := range files {
		id, _, _ := strings.Cut(f.Name(), ".")
		wanted, err := r.db.RawWanted(ctx, id)
		if err != nil {
			return err
		}
		if wanted {
			continue
		}
		if err := os.Remove(r.inFolder(rawFile(f.Name()))); err != nil {
			return err
		}
		swept++
	}
	if swept > 0 {
		r.log.Info("raw files without owner removed", "files", swept)
	}
	return nil
}

package state

import (
	"context"
	"time"
)

// KindOutput is an output; in the journal it is its name.
const KindOutput Kind = "output"

// Placed is an output whose place is known.
const Placed State = "placed"

// Place is a folder that an output's rows go to, and the marker that tells it
// from any other folder that may stand under its name one day.
type Place struct {
	Output string    `json:"output"`
	Folder string    `json:"folder"`
	Marker string    `json:"marker"` // its id
	Since  time.Time `json:"since"`  // when it became the place
}

const placeColumns = `output, folder, marker, since`

func scanPlace(scan func(...any) error) (Place, error) {
	var p Place
	var since int64
	err := scan(&p.Output, &p.Folder, &p.Marker, &since)
	p.Since = fromMillis(since)
	return p, err
}

// Place gives what is remembered of an output's folder; ErrNotFound when
// nothing ever landed there since places are remembered.
func (db *DB) Place(ctx context.Context, output, folder string) (Place, error) {
	return one(ctx, db, `SELECT `+placeColumns+` FROM places WHERE output = ?1 AND folder = ?2`, []any{output, folder}, scanPlace)
}

// Places gives all folders that outputs have had, by output and folder.
func (db *DB) Places(ctx context.Context) ([]Place, error) {
	return collect(ctx, db, `SELECT `+placeColumns+` FROM places ORDER BY output, folder`, nil, scanPlace)
}

// PlaceKnown remembers the marker of a folder that was not known; its Since is
// ignored. A folder whose marker is remembered is refused with a
// *TransitionError: only a person may say that another one counts.
func (db *DB) PlaceKnown(ctx context.Context, p Place, why string) error {
	return db.update(ctx, func(t *tx) error {
		var known int
		if err := t.row(`SELECT count(*) FROM places WHERE output = ?1 AND folder = ?2`, []any{p.Output, p.Folder}, &known); err != nil {
			return err
		}
		if known > 0 {
			return &TransitionError{Kind: KindOutput, ID: p.Output, From: Placed, To: Placed}
		}
		return t.place(p, why)
	})
}

// AdoptPlace is PlaceKnown by the word of a person: the marker counts from now
// on, whatever was remembered of the folder.
func (db *DB) AdoptPlace(ctx context.Context, p Place, by string) error {
	return db.update(ctx, func(t *tx) error { return t.place(p, "adopted by "+by) })
}

func (t *tx) place(p Place, why string) error {
	var folders int
	if err := t.row(`SELECT count(*) FROM places WHERE output = ?1`, []any{p.Output}, &folders); err != nil {
		return err
	}
	from := State("")
	if folders > 0 {
		from = Placed
	}
	if err := t.step(KindOutput, p.Output, "", from, Placed, ReasonPlace, p.Folder+" with marker "+p.Marker+": "+why); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO places (output, folder, marker, since) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (output, folder) DO UPDATE SET marker = excluded.marker, since = excluded.since`, p.Output, p.Folder, p.Marker, t.now)
	return err
}

// Installation is the id of this ledger, the same for as long as it lives and
// in each of its copies.
func (db *DB) Installation(ctx context.Context) (id string, err error) {
	err = db.readRow(ctx, `SELECT id FROM installation`, nil, &id)
	return id, err
}

// Manifest says where an export's manifest was written.
type Manifest struct {
	ExportID string
	Path     string
}

// LastManifest gives the manifest of the youngest export that has one in an
// output; ErrNotFound when none has. Without a checkpoint it need not search.
func (db *DB) LastManifest(ctx context.Context, output string) (m Manifest, err error) {
	err = db.readRow(ctx, `SELECT export_id, manifest_path FROM deliveries
		WHERE EXISTS (SELECT 1 FROM checkpoints WHERE output = ?1) AND output = ?1 AND manifest_path <> ''
		ORDER BY seq DESC LIMIT 1`, []any{output}, &m.ExportID, &m.Path)
	return m, err
}

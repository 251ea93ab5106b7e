package state

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Remark says, in one word that programs may compare, what a person should
// know of an export that landed all the same. The export's notes say it in
// words for people. What to do about each is said by package flows.
type Remark string

// Remarks of exports.
const (
	RemarkRowMismatch     Remark = "row_mismatch"     // FinOps announced another number of rows
	RemarkRowsSetAside    Remark = "rows_set_aside"   // records that are no rows stand beside the data
	RemarkEncodingGuessed Remark = "encoding_guessed" // nothing says that the text was read in its own encoding
	RemarkBytesReplaced   Remark = "bytes_replaced"   // bytes that the encoding does not know
	RemarkStrayQuotes     Remark = "stray_quotes"     // CSV fields kept although their quotes are odd
	RemarkTypeErrors      Remark = "type_errors"      // values that do not fit their column's type, kept or made null
	RemarkColumnsMissing  Remark = "columns_missing"  // the flow speaks of columns that the file lacks
	RemarkRecordsUneven   Remark = "records_uneven"   // a composite entity of too many kinds of records
	RemarkPackageOdd      Remark = "package_odd"      // the package is not as its manifest says
)

// Remarks is a set of them, in the order of the constants.
type Remarks []Remark

var allRemarks = Remarks{RemarkRowMismatch, RemarkRowsSetAside, RemarkEncodingGuessed, RemarkBytesReplaced, RemarkStrayQuotes,
	RemarkTypeErrors, RemarkColumnsMissing, RemarkRecordsUneven, RemarkPackageOdd}

// AllRemarks lists every remark.
func AllRemarks() Remarks { return slices.Clone(allRemarks) }

// String gives the words with blanks between them.
func (r Remarks) String() string {
	words := make([]string, len(r))
	for i, remark := range r {
		words[i] = string(remark)
	}
	return strings.Join(words, " ")
}

// And gives the remarks of either.
func (r Remarks) And(more Remarks) Remarks {
	return r.only(func(remark Remark) bool { return slices.Contains(r, remark) || slices.Contains(more, remark) })
}

// Without gives those that are not among others.
func (r Remarks) Without(others Remarks) Remarks {
	return r.only(func(remark Remark) bool { return slices.Contains(r, remark) && !slices.Contains(others, remark) })
}

func (Remarks) only(wanted func(Remark) bool) Remarks {
	var some Remarks
	for _, remark := range allRemarks {
		if wanted(remark) {
			some = append(some, remark)
		}
	}
	return some
}

// parseRemarks reads what String wrote.
func parseRemarks(words string) Remarks {
	var r Remarks
	for _, word := range strings.Fields(words) {
		r = append(r, Remark(word))
	}
	return r
}

// Seen takes remarks of an export off the list of what nobody has looked at,
// because a person has: those named in only, or all when it is empty. It gives
// the ones that were taken off. The remarks themselves stay with the export, and
// a rerun that finds them again lists them again.
func (db *DB) Seen(ctx context.Context, exportID string, only Remarks, by string) (seen Remarks, err error) {
	err = db.update(ctx, func(t *tx) error {
		seen = nil
		e, err := t.export(exportID)
		if err != nil {
			return err
		}
		left := Remarks(nil)
		if len(only) > 0 {
			left = e.Unseen.Without(only)
		}
		if seen = e.Unseen.Without(left); len(seen) == 0 {
			return nil
		}
		if err := t.note(KindExport, e.ID, e.ShipmentID, e.State, e.State, ReasonSeen, seen.String()+", "+by); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE exports SET unseen = ?2 WHERE id = ?1`, e.ID, left.String())
		return err
	})
	return seen, err
}

// remark adds what a delivery found to what is known of its export. A remark
// that another output of this landing had too is listed once.
func (t *tx) remark(e Export, l Landing) error {
	const between = "; "
	notes := e.Notes
	if l.Notes != "" && !strings.Contains(between+notes+between, between+l.Notes+between) {
		notes = strings.TrimPrefix(notes+between+l.Notes, between)
	}
	unseen := e.Unseen.And(l.Remarks.Without(e.Remarks))
	_, err := t.exec(`UPDATE exports SET notes = ?2, remarks = ?3, unseen = ?4 WHERE id = ?1`,
		e.ID, notes, e.Remarks.And(l.Remarks).String(), unseen.String())
	return err
}

// RemarkCount is how many landed exports have a remark that nobody has looked at.
type RemarkCount struct {
	Remark  Remark    `json:"remark"`
	Exports int64     `json:"exports"`
	Since   time.Time `json:"since"` // when the first of them landed
}

// UnseenRemarks counts landed exports by their remarks that nobody has looked
// at, in the order of the constants.
func (db *DB) UnseenRemarks(ctx context.Context, environment string) ([]RemarkCount, error) {
	type set struct {
		remarks Remarks
		count   int64
		since   time.Time
	}
	sets, err := collect(ctx, db, `SELECT unseen, count(*), min(landed_at) FROM exports
		WHERE unseen <> '' AND state = 'landed' AND (?1 = '' OR environment = ?1) GROUP BY unseen`, []any{environment},
		func(scan func(...any) error) (s set, err error) {
			var words string
			var since int64
			err = scan(&words, &s.count, &since)
			s.remarks, s.since = parseRemarks(words), fromMillis(since)
			return s, err
		})
	if err != nil {
		return nil, fmt.Errorf("count remarks: %w", err)
	}
	var counts []RemarkCount
	for _, remark := range allRemarks {
		c := RemarkCount{Remark: remark}
		for _, s := range sets {
			if !slices.Contains(s.remarks, remark) {
				continue
			}
			c.Exports += s.count
			if c.Since.IsZero() || s.since.Before(c.Since) {
				c.Since = s.since
			}
		}
		if c.Exports > 0 {
			counts = append(counts, c)
		}
	}
	return counts, nil
}

package outputs

import (
	"context"
	"time"
)

// Export describes one export to an output: identities and times as FinOps
// sent them, nothing from our clock. Strings are "" and pointers nil when
// unknown.
type Export struct {
	ID          string // required; the same for every attempt
	ShipmentID  string
	Environment string
	Flow        string

	// Labels as sent, in the letter case in which they were sent.
	Entity, TargetEntity, LegalEntity string

	ExecutionID string
	Project     string // definition group
	RefreshType string
	Source      string    // how the file reached us: "event", "queue" or "package"
	Member      string    // data file inside the package, "" for a bare file
	EventTime   time.Time // decides {yyyy}/{mm}/{dd}/{hh}, in UTC; of a queue's message, when it was first taken; zero when unknown
	OrderKey    string

	// Identities for the manifest.
	EventID, BusinessEventID string
	ControlNumber, RecID     *int64
	BlobPath                 string // link without query
}

// eventTime gives the event time in UTC. Years that RFC 3339 cannot write
// count as unknown: they come from a mistake, and a path or manifest must still
// be possible.
func (e Export) eventTime() (t time.Time, ok bool) {
	t = e.EventTime.UTC()
	return t, !t.IsZero() && t.Year() >= 1 && t.Year() <= 9999
}

// Output is a named place rows go to. Safe for concurrent use by several
// exports.
//
// What is at a place's address today may be gone tomorrow, or be another: a
// disk is not mounted, a folder was moved away. So a place is made once, holds
// a marker from then on, and who uses the output remembers the marker's id and
// gives it back with each call. Without that marker the answer is ErrMissing,
// and nothing in the place is created, written or removed.
type Output interface {
	// Name is the output's name in the configuration.
	Name() string
	// Place is the address, for people: a folder's path, say.
	Place() string
	// Check gives ErrMissing unless the place is there with this marker.
	Check(ctx context.Context, marker string) error
	// Look tells what is at the address, and whether the manifest of an export
	// is in it; manifest may be "". It changes nothing.
	Look(ctx context.Context, manifest, exportID string) (Sight, error)
	// Make creates the place if it is missing, durably.
	Make(ctx context.Context) error
	// Mark puts the marker into a place that is there, durably, under this
	// output's name. Twice is once; another marker of this output is not
	// replaced but refused with ErrMissing. It serves one goroutine at a time.
	Mark(ctx context.Context, m Marker) error
	// Begin starts one attempt for one export; an earlier unfinished attempt
	// of the same export is discarded and its Writer answers ErrSuperseded.
	// The caller ends the Writer with Commit or Abort.
	Begin(ctx context.Context, marker string, e Export) (Writer, error)
	// Sweep removes what unfinished attempts left behind and tells how many
	// files that were. It is called at start, before any Begin. It goes on
	// after an error and returns all of them joined.
	Sweep(ctx context.Context, marker string) (removed int, err error)
}

// Writer takes one export's rows. Nothing is visible until Commit returns.
// It serves one goroutine at a time. After an error of Block, BadRow or Commit
// only Abort is useful.
type Writer interface {
	// Block appends rows: complete JSON Lines, each ended by "\n". lines
	// belongs to the caller again when Block returns.
	Block(lines []byte, rows int) error
	// BadRow appends one JSON line that describes a row set aside; a final
	// "\n" is optional.
	BadRow(line []byte) error
	// Commit makes data, then manifest, then folder durable, in this order.
	// It refuses with ErrRowCount if f.Rows or f.BadRows are not what was
	// written, with ErrPathTaken if the name is another export's, and with
	// ErrMissing if the place is not the one of Begin any more. A cancelled
	// ctx stops it only before the first visible step.
	Commit(ctx context.Context, f Facts) (Receipt, error)
	// Abort removes the temporary files. Folders stay: another export may be
	// about to use them. Safe after Commit, where it does nothing, and twice.
	Abort() error
}

// Facts is what is known about an export once its source was read to the end.
type Facts struct {
	Rows, BadRows int64    // rows written and rows set aside
	Columns       []string // in the order of the source
	SourceBytes   int64    // of the data file as FinOps wrote it, unpacked
	SourceSHA256  string   // lower-case hex
	// Format and Encoding of the source, as in "csv" and "utf-16le".
	Format, Encoding string
	NoOfRecords      *int64 // rows FinOps announced; nil when it did not
	Warnings         []string
}

// Receipt says where a committed export is.
type Receipt struct {
	Path         string
	ManifestPath string
	BadRowsPath  string // "" when no row was set aside
	Rows         int64
	Bytes        int64  // of the data file
	SHA256       string // of the data file, lower-case hex
}

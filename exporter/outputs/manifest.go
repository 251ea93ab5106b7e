package outputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// ManifestVersion is the version this package writes. It grows when a field
// changes its meaning, not when one is added.
const ManifestVersion = 1

const (
	manifestSuffix = ".manifest.json"
	badRowsSuffix  = ".bad-rows" // JSON Lines, but no name that a consumer's *.json or *.jsonl takes for data

	// formerBadRowsSuffix is what versions before this one wrote. Such a file
	// is removed when its export lands again.
	formerBadRowsSuffix = ".bad.jsonl"
)

// Manifest describes one committed data file. It is a JSON contract: one
// object, indented, keys in the order below, a newline at the end, and no time
// but those FinOps sent. Unknown strings are "", unknown numbers and times
// null, lists never null.
type Manifest struct {
	Version int `json:"finrelay_manifest"`

	Entity       string `json:"entity"`
	TargetEntity string `json:"target_entity"`
	LegalEntity  string `json:"legal_entity"` // as sent; paths fold its letter case
	Environment  string `json:"environment"`
	Flow         string `json:"flow"`
	ExportID     string `json:"export_id"`
	ShipmentID   string `json:"shipment_id"`
	Source       string `json:"source"` // "event", "queue" or "package"
	Member       string `json:"member"` // data file inside the package

	Identities  Identities `json:"identities"`
	Project     string     `json:"project"`
	RefreshType string     `json:"refresh_type"`
	EventTime   *time.Time `json:"event_time"` // RFC 3339, UTC
	OrderKey    string     `json:"order_key"`

	Rows          int64  `json:"rows"` // in DataFile
	RowsSetAside  int64  `json:"rows_set_aside"`
	RowsAnnounced *int64 `json:"rows_announced"` // by FinOps
	Bytes         int64  `json:"bytes"`          // of DataFile
	SHA256        string `json:"sha256"`         // of DataFile, lower-case hex

	SourceBytes  int64    `json:"source_bytes"` // of the data file as FinOps wrote it, unpacked
	SourceSHA256 string   `json:"source_sha256"`
	Format       string   `json:"format"`   // of the source, as in "csv"
	Encoding     string   `json:"encoding"` // of the source, as in "utf-16le"
	Columns      []string `json:"columns"`
	Warnings     []string `json:"warnings"`

	DataFile    string `json:"data_file"`     // name in the manifest's folder
	DataFormat  string `json:"data_format"`   // "jsonl" or "json"
	Envelope    bool   `json:"envelope"`      // rows stand under "row" in an envelope
	BadRowsFile string `json:"bad_rows_file"` // name in the manifest's folder; "" when no row was set aside
}

// Identities are the names by which FinOps knows an export.
type Identities struct {
	EventID         string `json:"event_id"`
	BusinessEventID string `json:"business_event_id"`
	ControlNumber   *int64 `json:"control_number"`
	RecID           *int64 `json:"rec_id"`
	ExecutionID     string `json:"execution_id"`
	BlobPath        string `json:"blob_path"` // link without query
}

// ReadManifest reads the manifest at path. Unknown fields are ignored, so that
// an older tool reads what a newer finrelay added; another version is refused.
func ReadManifest(path string) (Manifest, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	m, err := decodeManifest(body)
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest %s: %w", path, err)
	}
	return m, nil
}

func decodeManifest(body []byte) (m Manifest, err error) {
	if err := json.Unmarshal(body, &m); err != nil {
		return m, err
	}
	if m.Version != ManifestVersion {
		return m, fmt.Errorf("version %d, this program reads version %d", m.Version, ManifestVersion)
	}
	return m, nil
}

// newManifest fills in everything but the data file's own fields.
func newManifest(e Export, f Facts) Manifest {
	// A link's query is a key. A manifest lives for years, so it is cut here
	// too, although callers do it.
	blobPath, _, _ := strings.Cut(e.BlobPath, "?")
	m := Manifest{
		Version:      ManifestVersion,
		Entity:       e.Entity,
		TargetEntity: e.TargetEntity,
		LegalEntity:  e.LegalEntity,
		Environment:  e.Environment,
		Flow:         e.Flow,
		ExportID:     e.ID,
		ShipmentID:   e.ShipmentID,
		Source:       e.Source,
		Member:       e.Member,
		Identities: Identities{
			EventID:         e.EventID,
			BusinessEventID: e.BusinessEventID,
			ControlNumber:   e.ControlNumber,
			RecID:           e.RecID,
			ExecutionID:     e.ExecutionID,
			BlobPath:        blobPath,
		},
		Project:       e.Project,
		RefreshType:   e.RefreshType,
		OrderKey:      e.OrderKey,
		Rows:          f.Rows,
		RowsSetAside:  f.BadRows,
		RowsAnnounced: f.NoOfRecords,
		SourceBytes:   f.SourceBytes,
		SourceSHA256:  f.SourceSHA256,
		Format:        f.Format,
		Encoding:      f.Encoding,
		Columns:       append([]string{}, f.Columns...), // never null
		Warnings:      append([]string{}, f.Warnings...),
	}
	if t, ok := e.eventTime(); ok {
		m.EventTime = &t
	}
	return m
}

func (m Manifest) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // labels hold & and <; nobody shows this in a page unescaped
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("encode manifest of export %s: %w", m.ExportID, err)
	}
	return b.Bytes(), nil
}

// manifestOwner tells which export a manifest belongs to, of any version: a
// newer program's rows must not be overwritten either.
func manifestOwner(body []byte) (string, error) {
	var m struct {
		ExportID string `json:"export_id"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return "", err
	}
	if m.ExportID == "" {
		return "", errors.New("it names no export")
	}
	return m.ExportID, nil
}

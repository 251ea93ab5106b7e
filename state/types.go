package state

import (
	"fmt"
	"time"
)

// OrderKey orders the exports of one line of data: FinOps' time of the event,
// then its control number or RecId.
type OrderKey struct {
	At time.Time `json:"at"`
	No int64     `json:"no"`
}

// String gives a form that sorts like the key as long as numbers have the same
// number of digits: "2026-03-02T09:15:42.718Z/5637210077".
func (k OrderKey) String() string {
	return fmt.Sprintf("%s/%d", k.At.UTC().Format("2006-01-02T15:04:05.000Z"), k.No)
}

// Event is one notification as it arrived.
type Event struct {
	ID              string    `json:"id"`
	Environment     string    `json:"environment"`
	Door            string    `json:"door"`
	State           State     `json:"state"`
	Reason          Reason    `json:"reason,omitempty"`
	BusinessEventID string    `json:"business_event_id,omitempty"`
	FinOpsEventID   string    `json:"event_id,omitempty"`
	Entity          string    `json:"entity,omitempty"`
	LegalEntity     string    `json:"legal_entity,omitempty"`
	ControlNumber   *int64    `json:"control_number,omitempty"`
	RecID           *int64    `json:"rec_id,omitempty"`
	EventAt         time.Time `json:"event_at,omitzero"` // FinOps' time, else that of the arrival
	Timeless        bool      `json:"-"`                 // the event told no time
	ReceivedAt      time.Time `json:"received_at"`
	ShipmentID      string    `json:"shipment_id,omitempty"`
	Duplicates      int64     `json:"duplicates"`
	LastSeenAt      time.Time `json:"last_seen_at"`
}

// Shipment is what FinOps handed over at once. It owns the link, the deadline
// and the raw file.
type Shipment struct {
	ID              string    `json:"id"`
	Environment     string    `json:"environment"`
	Source          string    `json:"source"`
	EventID         string    `json:"event"` // our id of the event it came with
	Entity          string    `json:"entity,omitempty"`
	LegalEntity     string    `json:"legal_entity,omitempty"`
	ExecutionID     string    `json:"execution_id,omitempty"`
	DefinitionGroup string    `json:"definition_group,omitempty"`
	ExpectedRows    *int64    `json:"expected_rows,omitempty"` // as the event announced; rows
	Order           OrderKey  `json:"order"`
	LinkPath        string    `json:"link"` // without its query
	Deadline        time.Time `json:"deadline"`
	State           State     `json:"state"`
	Reason          Reason    `json:"reason,omitempty"`
	Detail          string    `json:"detail,omitempty"`
	DueAt           time.Time `json:"due_at,omitzero"`
	Attempts        int       `json:"attempts"`
	Interrupted     int       `json:"interrupted,omitempty"`
	MarkETag        string    `json:"-"`
	MarkOffset      int64     `json:"-"`                  // bytes of the partial file that are durable
	RawFile         string    `json:"raw_file,omitempty"` // below the state folder
	RawBytes        int64     `json:"raw_bytes,omitempty"`
	RawSHA256       string    `json:"raw_sha256,omitempty"`
	Proof           Proof     `json:"proof,omitempty"` // why the raw file is known to be the export; "" when it is not
	Seen            Seen      `json:"-"`               // what came and is not known to be the export
	ReceivedAt      time.Time `json:"received_at"`
	FetchedAt       time.Time `json:"fetched_at,omitzero"`
	OpenedAt        time.Time `json:"opened_at,omitzero"`
	SettledAt       time.Time `json:"settled_at,omitzero"`
	RawRemovedAt    time.Time `json:"raw_removed_at,omitzero"`
	RenewAt         time.Time `json:"renew_at,omitzero"` // expired: when a fresh link is asked for; zero: it is not
	Renewals        int       `json:"renewals,omitempty"`
	WholePackage    bool      `json:"-"`                     // the link leads to more entities than this shipment's
	Rung            Rung      `json:"-"`                     // expired: which way to its rows is tried at RenewAt
	Superseding     string    `json:"superseding,omitempty"` // the full run, by our id, that was started for it
}

// RawHere says whether the shipment's raw file is durable in the state folder.
func (s Shipment) RawHere() bool { return s.RawFile != "" && s.RawRemovedAt.IsZero() }

// Export is one entity's data file inside a shipment.
type Export struct {
	ID           string    `json:"id"`
	ShipmentID   string    `json:"shipment"`
	Environment  string    `json:"environment"`
	Member       string    `json:"member,omitempty"`
	Entity       string    `json:"entity"`
	TargetEntity string    `json:"target_entity,omitempty"`
	LegalEntity  string    `json:"legal_entity,omitempty"`
	RefreshType  string    `json:"refresh_type,omitempty"`
	Project      string    `json:"project,omitempty"`
	Flow         string    `json:"flow,omitempty"`
	Notes        string    `json:"notes,omitempty"`
	Order        OrderKey  `json:"order"`
	ExpectedRows *int64    `json:"expected_rows,omitempty"`
	State        State     `json:"state"`
	Reason       Reason    `json:"reason,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	Rows         int64     `json:"rows"`
	BadRows      int64     `json:"rows_set_aside,omitempty"`
	ReceivedAt   time.Time `json:"received_at"`
	LandedAt     time.Time `json:"landed_at,omitzero"`
	Twin         string    `json:"possibly_same_as,omitempty"` // an export that came another way and may hold the same rows
	Remarks      Remarks   `json:"remarks,omitempty"`          // of its landing
	Unseen       Remarks   `json:"remarks_unseen,omitempty"`   // those that nobody has looked at
	OpeningNotes string    `json:"-"`                          // what Notes begins with: what its opening noted
}

// Delivery is one export on its way to one output.
type Delivery struct {
	ExportID     string    `json:"export"`
	Output       string    `json:"output"`
	Flow         string    `json:"flow"`
	State        State     `json:"state"`
	Reason       Reason    `json:"reason,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	DueAt        time.Time `json:"due_at,omitzero"`
	Attempts     int       `json:"attempts"`
	Interrupted  int       `json:"interrupted,omitempty"`
	Path         string    `json:"path,omitempty"`
	ManifestPath string    `json:"manifest_path,omitempty"`
	Rows         int64     `json:"rows"`
	BadRows      int64     `json:"rows_set_aside,omitempty"`
	Bytes        int64     `json:"bytes,omitempty"`
	SHA256       string    `json:"sha256,omitempty"`
	DeliveredAt  time.Time `json:"delivered_at,omitzero"`
}

// Checkpoint is how far one line of data has come in one output.
type Checkpoint struct {
	Environment string    `json:"environment"`
	Flow        string    `json:"flow"`
	Entity      string    `json:"entity"`
	LegalEntity string    `json:"legal_entity,omitempty"`
	Output      string    `json:"output"`
	Highest     OrderKey  `json:"highest"`               // highest order key delivered; never moves back
	ExportID    string    `json:"export"`                // the export that holds it
	OldestOpen  *OrderKey `json:"oldest_open,omitempty"` // oldest key of the line that is not landed; nil when none
	OpenCount   int64     `json:"open"`                  // exports and shipments of the line that are not landed
	Exports     int64     `json:"exports"`               // deliveries, repeats included
	Rows        int64     `json:"rows"`                  // rows of those
	DeliveredAt time.Time `json:"delivered_at"`          // freshness
}

// parseOrderKey reads "MILLISECONDS/NUMBER", as SQL glues a key together.
func parseOrderKey(s string) *OrderKey {
	var ms, no int64
	if _, err := fmt.Sscanf(s, "%d/%d", &ms, &no); err != nil {
		return nil
	}
	return &OrderKey{At: fromMillis(ms), No: no}
}

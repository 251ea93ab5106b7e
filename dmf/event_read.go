package dmf

import (
	"strings"
	"time"
)

// event makes a BusinessEvent of the values found in one object.
func (d *eventDecoder) event(slots *[fieldCount]slot, raw string) BusinessEvent {
	r := fieldReader{keys: &d.keys, slots: slots}
	e := BusinessEvent{
		BusinessEventID: r.text(fieldBusinessEventID),
		EventID:         Fold(r.text(fieldEventID)),
		ControlNumber:   r.integer(fieldControlNumber),
		RecID:           r.integer(fieldRecID),
		NoOfRecords:     r.integer(fieldNoOfRecords),
		EventTime:       r.time(fieldEventTimeISO),
		EntityName:      r.text(fieldEntityName),
		LegalEntity:     LegalEntity(r.text(fieldLegalEntity)),
		DownloadURL:     strings.TrimSpace(r.text(fieldDownloadURL)),
		OperationType:   r.text(fieldOperationType),
		ProjectCategory: r.text(fieldProjectCategory),
		ExecutionID:     ExecutionID(r.text(fieldExecutionID)),
		DefinitionGroup: DefinitionGroup(r.text(fieldDefinitionGroup)),
		MajorVersion:    r.small(fieldMajorVersion),
		MinorVersion:    r.small(fieldMinorVersion),
		Raw:             []byte(raw),
	}
	if e.EventTime.IsZero() {
		e.EventTime = r.time(fieldEventTime)
	}
	e.Warnings = r.warnings
	return e
}

func (e *BusinessEvent) warn(text string) { e.Warnings = append(e.Warnings, text) }

// fieldReader turns the values found into the types of BusinessEvent.
type fieldReader struct {
	keys     *fieldKeys
	slots    *[fieldCount]slot
	warnings []string
}

func (r *fieldReader) warn(f field, what string) {
	r.warnings = append(r.warnings, r.keys.name(f)+" "+what)
}

// scalar gives the text of a string or number. A number where a string is
// usual (a legal entity 100) loses nothing as text.
func (r *fieldReader) scalar(f field) (string, bool) {
	sl := &r.slots[f]
	if !sl.set {
		return "", false
	}
	if sl.kind != kindString && sl.kind != kindNumber {
		r.warn(f, "is "+sl.kind.String())
		return "", false
	}
	return sl.text, true
}

func (r *fieldReader) text(f field) string {
	text, _ := r.scalar(f)
	return text
}

func (r *fieldReader) integer(f field) *int64 {
	text, ok := r.scalar(f)
	if !ok {
		return nil
	}
	n, err := parseInteger(text)
	if err != nil {
		r.warn(f, err.Error())
		return nil
	}
	return &n
}

// small reads a version number; one beyond 31 bits is no version.
func (r *fieldReader) small(f field) int {
	n := r.integer(f)
	if n == nil {
		return 0
	}
	if int64(int32(*n)) != *n {
		r.warn(f, "is too large for a version")
		return 0
	}
	return int(*n)
}

func (r *fieldReader) time(f field) time.Time {
	text, ok := r.scalar(f)
	if !ok {
		return time.Time{}
	}
	t, err := parseTime(text)
	if err != nil {
		r.warn(f, err.Error())
	}
	return t
}

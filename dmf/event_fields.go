package dmf

import "strings"

// FieldNames lists, for each field of a business event, the JSON keys under
// which it may arrive. Keys are compared without regard to letter case. When an
// event carries several of a field's keys, the first of the list that is not
// null and not empty wins. A key inside an object of the event is named by its
// path, keys with dots between them: File.Url.
type FieldNames struct {
	DownloadURL     []string
	EntityName      []string
	LegalEntity     []string
	EventID         []string
	BusinessEventID []string
	ControlNumber   []string
	RecID           []string
	EventTime       []string // "/Date(ms)/", ISO or milliseconds
	EventTimeISO    []string // the same forms; preferred over EventTime
	NoOfRecords     []string
	ExecutionID     []string
	DefinitionGroup []string
}

// DefaultFieldNames gives the keys seen in published events. The ones of
// ExecutionID and DefinitionGroup are additions that shops make to the event.
func DefaultFieldNames() FieldNames {
	return FieldNames{
		DownloadURL:     []string{"DownloadURL"},
		EntityName:      []string{"EntityName"},
		LegalEntity:     []string{"LegalEntity", "BusinessEventLegalEntity"},
		EventID:         []string{"EventId"},
		BusinessEventID: []string{"BusinessEventId"},
		ControlNumber:   []string{"ControlNumber"},
		RecID:           []string{"RecId"},
		EventTime:       []string{"EventTime"},
		EventTimeISO:    []string{"EventTimeIso8601"},
		NoOfRecords:     []string{"NoOfRecords"},
		ExecutionID:     []string{"ExecutionId", "DMFExecutionId"},
		DefinitionGroup: []string{"DefinitionGroup", "DMFDefinitionGroup", "DefinitionGroupId"},
	}
}

// Merge gives f with each list that is not empty in over put in place of its
// own. The lists are shared, not copied.
func (f FieldNames) Merge(over FieldNames) FieldNames {
	take := func(mine *[]string, theirs []string) {
		if len(theirs) > 0 {
			*mine = theirs
		}
	}
	take(&f.DownloadURL, over.DownloadURL)
	take(&f.EntityName, over.EntityName)
	take(&f.LegalEntity, over.LegalEntity)
	take(&f.EventID, over.EventID)
	take(&f.BusinessEventID, over.BusinessEventID)
	take(&f.ControlNumber, over.ControlNumber)
	take(&f.RecID, over.RecID)
	take(&f.EventTime, over.EventTime)
	take(&f.EventTimeISO, over.EventTimeISO)
	take(&f.NoOfRecords, over.NoOfRecords)
	take(&f.ExecutionID, over.ExecutionID)
	take(&f.DefinitionGroup, over.DefinitionGroup)
	return f
}

// field indexes the fields of an event while its object is scanned.
type field uint8

const (
	fieldBusinessEventID field = iota
	fieldEventID
	fieldDownloadURL
	fieldEntityName
	fieldControlNumber
	fieldRecID
	fieldLegalEntity
	fieldEventTime
	fieldEventTimeISO
	fieldNoOfRecords
	fieldExecutionID
	fieldDefinitionGroup
	fieldOperationType
	fieldProjectCategory
	fieldMajorVersion
	fieldMinorVersion
	fieldCount

	// An object must have at least one of the fields below this to be an event.
	// EventTime is not among them: Event Grid's envelope has a key eventTime.
	identifyingFields = fieldRecID + 1
)

var (
	operationTypeKeys   = []string{"OperationType"}
	projectCategoryKeys = []string{"ProjectCategory"}
	majorVersionKeys    = []string{"MajorVersion"}
	minorVersionKeys    = []string{"MinorVersion"}
)

// fieldKeys is FieldNames in the order of field, for the scan.
type fieldKeys [fieldCount][]string

func (f *FieldNames) keys() fieldKeys {
	return fieldKeys{
		fieldBusinessEventID: f.BusinessEventID,
		fieldEventID:         f.EventID,
		fieldDownloadURL:     f.DownloadURL,
		fieldEntityName:      f.EntityName,
		fieldControlNumber:   f.ControlNumber,
		fieldRecID:           f.RecID,
		fieldLegalEntity:     f.LegalEntity,
		fieldEventTime:       f.EventTime,
		fieldEventTimeISO:    f.EventTimeISO,
		fieldNoOfRecords:     f.NoOfRecords,
		fieldExecutionID:     f.ExecutionID,
		fieldDefinitionGroup: f.DefinitionGroup,
		fieldOperationType:   operationTypeKeys,
		fieldProjectCategory: projectCategoryKeys,
		fieldMajorVersion:    majorVersionKeys,
		fieldMinorVersion:    minorVersionKeys,
	}
}

// rank gives the place of key in the field's list, from 0, or -1.
func (k *fieldKeys) rank(f field, key string) int {
	for i, name := range k[f] {
		if len(name) == len(key) && strings.EqualFold(name, key) {
			return i
		}
	}
	return -1
}

// within says whether a field may stand inside the object that stands at path.
func (k *fieldKeys) within(path string) bool {
	for _, names := range k {
		for _, name := range names {
			if len(name) > len(path) && name[len(path)] == '.' && strings.EqualFold(name[:len(path)], path) {
				return true
			}
		}
	}
	return false
}

// name is the field's first configured key, for messages.
func (k *fieldKeys) name(f field) string {
	if len(k[f]) == 0 {
		return "field"
	}
	return k[f][0]
}

package dmf

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// startField is the field that a history is filtered by.
//
// Assumed: the name, after the columns of the screen "Execution details". A
// FinOps that does not know it answers 400, and the rows are chosen here.
const startField = "StagingStartDateTime"

var (
	startFields = []string{startField, "StartedDateTime", "StartDateTime", "ExecutionStartedDateTime", "TargetStartDateTime", "CreatedDateTime"}
	endFields   = []string{"TargetEndDateTime", "StagingEndDateTime", "EndedDateTime", "EndDateTime", "ExecutionCompletedDateTime"}
)

func historyRow(fields map[string]json.RawMessage) HistoryRow {
	return HistoryRow{
		JobID:           fieldText(fields, "JobId"),
		DefinitionGroup: DefinitionGroup(fieldText(fields, "DefinitionGroupId")),
		Entity:          fieldText(fields, "EntityName"),
		StagingStatus:   fieldText(fields, "StagingStatus"),
		TargetStatus:    fieldText(fields, "TargetStatus"),
		StagingCreated:  countOf(fields, "StagingRecordsCreatedCount"),
		StagingUpdated:  countOf(fields, "StagingRecordsUpdatedCount"),
		TargetCreated:   countOf(fields, "TargetRecordsCreatedCount"),
		TargetUpdated:   countOf(fields, "TargetRecordsUpdatedCount"),
		Started:         firstTime(fields, startFields),
		Ended:           firstTime(fields, endFields),
		Fields:          fields,
	}
}

func countOf(fields map[string]json.RawMessage, name string) *int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(fieldText(fields, name)), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// firstTime gives the first of the fields that holds a time.
//
// Source: field reports of FinOps' entities: an empty time is 1900-01-01.
// Observed: microsoft/Dynamics-AX-Integration issue 10: times without a zone,
// which are UTC.
func firstTime(fields map[string]json.RawMessage, names []string) time.Time {
	for _, name := range names {
		text := strings.TrimSpace(fieldText(fields, name))
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
			if t, err := time.Parse(layout, text); err == nil && t.Year() > 1901 {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}

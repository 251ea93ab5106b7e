package dmf

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// Status is the state of an execution, spelled as FinOps does; a spelling we
// do not know is kept.
type Status string

// States of an execution.
//
// Source: Microsoft Learn, "Data management package REST API",
// DMFExecutionSummaryStatus. Observed: one client also tolerates Queued.
const (
	StatusUnknown            Status = "Unknown" // poll on for a bounded time
	StatusNotRun             Status = "NotRun"
	StatusQueued             Status = "Queued"
	StatusExecuting          Status = "Executing"
	StatusSucceeded          Status = "Succeeded"
	StatusPartiallySucceeded Status = "PartiallySucceeded" // has a package and errors
	StatusFailed             Status = "Failed"
	StatusCanceled           Status = "Canceled"
)

// Final reports whether the execution has ended. An unknown spelling has not.
func (s Status) Final() bool {
	switch s {
	case StatusSucceeded, StatusPartiallySucceeded, StatusFailed, StatusCanceled:
		return true
	}
	return false
}

// HasPackage reports whether a package was made.
//
// Source: Microsoft Learn, "Data management package REST API": a final status
// is reported only once the package exists. Observed: PartiallySucceeded has one.
func (s Status) HasPackage() bool {
	return s == StatusSucceeded || s == StatusPartiallySucceeded
}

func parseStatus(text string) Status {
	text = strings.TrimSpace(text)
	for _, s := range []Status{StatusUnknown, StatusNotRun, StatusQueued, StatusExecuting, StatusSucceeded,
		StatusPartiallySucceeded, StatusFailed, StatusCanceled} {
		if strings.EqualFold(text, string(s)) {
			return s
		}
	}
	if strings.EqualFold(text, "Cancelled") { // Assumed: British spelling, as in the entity's own state
		return StatusCanceled
	}
	return Status(clipText(text, 100))
}

// MessageState is how far a queue message is, spelled as FinOps does; a
// spelling we do not know is kept.
type MessageState string

// States of a queue message, in order.
//
// Source: Microsoft Learn, "Recurring integrations", GetMessageStatus.
// Observed: microsoft/Recurring-Integrations-Scheduler numbers them from 0 in
// this order, and knows Downloaded.
const (
	MessageEnqueued             MessageState = "Enqueued"
	MessageDequeued             MessageState = "Dequeued"
	MessageDownloaded           MessageState = "Downloaded"
	MessageAcked                MessageState = "Acked"
	MessageProcessing           MessageState = "Processing"
	MessageProcessed            MessageState = "Processed"
	MessageProcessedWithErrors  MessageState = "ProcessedWithErrors"
	MessagePostProcessingFailed MessageState = "PostProcessingFailed"
	MessagePreProcessingError   MessageState = "PreProcessingError"
	MessagePreprocessing        MessageState = "Preprocessing"
)

var messageStates = []MessageState{MessageEnqueued, MessageDequeued, MessageDownloaded, MessageAcked, MessageProcessing,
	MessageProcessed, MessageProcessedWithErrors, MessagePostProcessingFailed, MessagePreProcessingError, MessagePreprocessing}

// otherSpellings are those of the two other enumerations of the same states.
var otherSpellings = map[string]MessageState{
	"inprocess":           MessageProcessing,
	"postprocesserror":    MessagePostProcessingFailed,
	"postprocessingerror": MessagePostProcessingFailed,
	"preprocesserror":     MessagePreProcessingError,
}

func parseMessageState(text string) MessageState {
	text = strings.TrimSpace(text)
	for number, s := range messageStates {
		if strings.EqualFold(text, string(s)) || text == fmt.Sprint(number) {
			return s
		}
	}
	if s, ok := otherSpellings[strings.ToLower(text)]; ok {
		return s
	}
	return MessageState(clipText(text, 100))
}

// Parts of an execution id of ours. Assumed: FinOps' column holds 90
// characters, as ids of that length have been seen to work; a start refused for
// its id's length would show it wrong.
const (
	idProjectBytes = 40 // of the project's name
	idRandomBytes  = 8
)

// NewExecutionID makes an id for one execution of project: its name, the time
// in UTC and a random part, e.g. "Contoso-nightly-20260302T091542Z-7d9a2f105f0e4d0b".
// It is at most 74 characters, of [A-Za-z0-9-] only, and so safe in paths,
// URLs and logs, which FinOps' own ids with slashes and colons are not. random
// nil means crypto/rand; the error is random's.
func NewExecutionID(project DefinitionGroup, now time.Time, random io.Reader) (ExecutionID, error) {
	if random == nil {
		random = rand.Reader
	}
	var salt [idRandomBytes]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return "", fmt.Errorf("make an execution id: %w", err)
	}
	name := plainName(string(project))
	if name == "" {
		name = "export"
	}
	return ExecutionID(name + "-" + now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(salt[:])), nil
}

// plainName keeps ASCII letters and digits and joins the rest by single
// hyphens.
func plainName(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	})
	name := strings.Join(words, "-")
	return strings.TrimRight(name[:min(len(name), idProjectBytes)], "-")
}

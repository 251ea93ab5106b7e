package state

// Reason says, in one word that programs may compare, why something waits, is
// parked, ignored or skipped. The detail beside it is for people.
type Reason string

// Reasons. What to do about each is said by package flows, Advice.
const (
	// Events that carry no export.
	ReasonEndpointTest Reason = "endpoint_test"
	ReasonImportStatus Reason = "import_status"
	ReasonNoLink       Reason = "no_link"
	ReasonUnreadable   Reason = "unreadable"

	// An event of an export in which no link was found.
	ReasonNoLinkFound Reason = "no_link_found"

	// The link.
	ReasonLinkExpired  Reason = "link_expired"
	ReasonLinkNotYet   Reason = "link_not_yet_valid"
	ReasonLinkRefused  Reason = "link_refused"
	ReasonLinkGone     Reason = "blob_gone"
	ReasonLinkHostile  Reason = "link_not_allowed"
	ReasonNotAzure     Reason = "not_azure"
	ReasonBusy         Reason = "server_busy"
	ReasonNetwork      Reason = "network"
	ReasonBlobChanging Reason = "blob_changing"
	ReasonBlobMismatch Reason = "blob_mismatch"

	// What came is not known to be the export.
	ReasonNoExport    Reason = "not_the_export" // a page, an error document, an answer without a file
	ReasonUnproved    Reason = "not_proved"     // it may be half of the file, or something else
	ReasonFileMissing Reason = "file_missing"   // 404: the queue does not find the message's file
	ReasonFileGone    Reason = "file_gone"      // 410: it says that the file is gone
	ReasonRedirected  Reason = "redirected"     // the queue sends the download on to a host that is not allowed

	// The file.
	ReasonDamaged     Reason = "damaged"
	ReasonEmptyFile   Reason = "empty_file"
	ReasonUnsafeName  Reason = "unsafe_name"
	ReasonDuplicate   Reason = "duplicate_name"
	ReasonTooLarge    Reason = "too_large"
	ReasonEncrypted   Reason = "encrypted"
	ReasonFormat      Reason = "format_not_readable"
	ReasonMalformed   Reason = "malformed"
	ReasonBadRows     Reason = "bad_rows"
	ReasonRowMismatch Reason = "row_mismatch"
	ReasonZeroRows    Reason = "zero_rows"

	// FinOps.
	ReasonNoFile       Reason = "no_file"            // a queue's message that has none
	ReasonRedelivered  Reason = "redelivered"        // the queue handed the message out again
	ReasonBacklog      Reason = "backlog"            // was in the queue before finrelay
	ReasonTwin         Reason = "possible_duplicate" // the flow holds what may have come another way already
	ReasonNotStarted   Reason = "not_started"        // FinOps did not start an execution
	ReasonExecution    Reason = "execution"          // FinOps says that an execution failed
	ReasonStuck        Reason = "stuck"              // an execution that runs for longer than any should
	ReasonPartial      Reason = "partial"            // an execution that succeeded for some entities only
	ReasonFinOps       Reason = "finops"             // FinOps did not do what was asked
	ReasonSignIn       Reason = "sign_in"
	ReasonNoFreshLink  Reason = "no_fresh_link" // the journal's: why an expired link was not renewed
	ReasonSameExport   Reason = "same_export"   // proven, by FinOps' own identities, to have come another way
	ReasonStillRunning Reason = "still_running" // the journal's: a slot passed while its project was running
	ReasonSuperseded   Reason = "superseded"    // a full run that was started for it brought its rows

	// The way on.
	ReasonNoFlow        Reason = "no_flow"
	ReasonFlowError     Reason = "flow_condition"
	ReasonOutput        Reason = "output"
	ReasonOutputMissing Reason = "output_missing"      // its place is not there, or is another one
	ReasonEnvironment   Reason = "environment_removed" // the configuration does not have it, or its sign_in, any more
	ReasonOutputRemoved Reason = "output_removed"      // the configuration does not have it any more
	ReasonPathTaken     Reason = "path_taken"
	ReasonDisk          Reason = "disk"
	ReasonInterrupted   Reason = "interrupted"
	ReasonInternal      Reason = "internal"

	// A person.
	ReasonRerun   Reason = "rerun"
	ReasonTaken   Reason = "taken_as_it_is" // what is here is taken for the export, and FinOps may forget it
	ReasonRetry   Reason = "retry"          // the journal's: what waited is tried at once
	ReasonSkipped Reason = "skipped"
	ReasonSeen    Reason = "seen" // the journal's: a person has looked at an export's remarks

	// What happened besides.
	ReasonDuplicateEvent Reason = "duplicate_event"
	ReasonFreshLink      Reason = "fresh_link"
	ReasonShutdown       Reason = "shutdown"
	ReasonRawRemoved     Reason = "raw_removed"
	ReasonNewEpoch       Reason = "new_epoch"
	ReasonMissingMember  Reason = "declared_but_absent"
	ReasonPlace          Reason = "place" // the journal's: where an output's rows go from now on
)

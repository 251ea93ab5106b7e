package flows

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"finrelay/state"
)

// Place is where an export's rows are now.
type Place string

// Places, from best to worst.
const (
	LandedHere    Place = "landed here"
	SafeHere      Place = "safe here"       // raw file kept, not landed
	InFinOps      Place = "still in FinOps" // a way to get them lives until a time
	AtRisk        Place = "at risk"         // the link is dead or looks so, and no other way is known
	Lost          Place = "lost unless full push"
	SkippedHere   Place = "skipped" // a person said that they are not needed
	Nowhere       Place = "no rows: the message has no file"
	SameElsewhere Place = "landed with another export" // proven to be the same, or superseded by a full run
)

// BlobLife is how long FinOps keeps an exported file in its blob storage.
//
// Source: Microsoft Learn, "Recurring integrations" and "Data management
// package REST API": files are deleted 7 days after upload.
const BlobLife = 7 * 24 * time.Hour

// Whereabouts is the sentence a person needs at 3 a.m.: where the rows are,
// and what to do next.
type Whereabouts struct {
	Place Place     `json:"place"`
	Until time.Time `json:"until,omitzero"` // InFinOps, AtRisk: when that ends
	Paths []string  `json:"paths,omitempty"`
	Raw   string    `json:"raw,omitempty"`  // of a shipment: where its raw file is, as long as it is kept
	Next  string    `json:"next,omitempty"` // what to do; "" when nothing
	// form is Next as it is of all things in the same trouble.
	form string
}

// String gives "safe here", or "still in FinOps until 2026-03-02 10:15 UTC".
func (w Whereabouts) String() string {
	if w.Until.IsZero() {
		return string(w.Place)
	}
	return fmt.Sprintf("%s until %s", w.Place, w.Until.UTC().Format("2006-01-02 15:04 MST"))
}

// ExportWhereabouts says where an export's rows are. Paths are those of its
// deliveries that are done.
func (r *Relay) ExportWhereabouts(e state.Export, s state.Shipment, deliveries []state.Delivery) Whereabouts {
	return r.whereExport(e, s, deliveries).about(e.ID, e.Entity)
}

func (r *Relay) whereExport(e state.Export, s state.Shipment, deliveries []state.Delivery) Whereabouts {
	var paths []string
	for _, d := range deliveries {
		if d.State == state.Delivered && d.Path != "" { // of 0 rows there may be no file
			paths = append(paths, d.Path)
		}
	}
	switch {
	case e.State == state.Landed:
		return Whereabouts{Place: LandedHere, Paths: paths, Next: nextOf(e.Unseen, e.Environment)}
	case e.State == state.Skipped && e.Reason == state.ReasonSameExport:
		return Whereabouts{Place: SameElsewhere, Next: "nothing; finrelay exports show " + e.Twin + " tells of the other"}
	case e.State == state.Skipped:
		return Whereabouts{Place: SkippedHere, Paths: paths}
	case e.Reason == state.ReasonMissingMember:
		return Whereabouts{Place: Lost, Next: Advice(e.Reason)}
	case !r.rawThere(s):
		return Whereabouts{Place: Lost, Paths: paths, Next: "the raw file is gone: " + r.fullPush(s)}
	}
	next := Advice(e.Reason)
	if e.State == state.Parked && s.ExecutionID != "" {
		if same, err := r.db.SameExport(context.Background(), e); err == nil && same != "" {
			next = "the same rows came with " + same + ": finrelay skip EXPORT-ID --why \"landed with " + same + "\""
		}
	}
	if e.State == state.Open {
		next = ""
		for _, d := range deliveries {
			if d.State == state.Waiting {
				next = triesAgain(d.DueAt, "EXPORT-ID") + strings.ReplaceAll(Advice(d.Reason), "OUTPUT-NAME", d.Output)
			}
		}
	}
	return Whereabouts{Place: SafeHere, Paths: append(paths, r.inFolder(s.RawFile)), Next: next}
}

// triesAgain says when something that waits is tried again, and how at once.
func triesAgain(due time.Time, id string) string {
	return "nothing now: it tries again at " + due.UTC().Format(time.RFC3339) + ", at once with: finrelay retry " + id + "; "
}

// ShipmentWhereabouts says where a shipment's rows are as long as it has not
// been opened into exports; after that its exports say it.
func (r *Relay) ShipmentWhereabouts(s state.Shipment) Whereabouts {
	w := r.whereShipment(s)
	w.Next = strings.ReplaceAll(w.Next, "environments.NAME", "environments."+s.Environment)
	if s.RawHere() {
		w.Raw = r.inFolder(s.RawFile)
	}
	return w.about(s.ID, s.Entity)
}

// EventWhereabouts speaks of an event that could not be read, or in which no
// link was found: whatever it announced has not been fetched.
func (r *Relay) EventWhereabouts(e state.Event) Whereabouts {
	if e.State != state.Unreadable {
		return Whereabouts{}
	}
	body, err := r.db.Body(context.Background(), e.ID)
	if err != nil {
		body = nil
	}
	return Whereabouts{Place: AtRisk, Next: r.unreadAdvice(e.Reason, linkFields(body))}.about(e.ID, e.Entity)
}

// unreadAdvice names the field of the link where one looks like it.
func (r *Relay) unreadAdvice(reason state.Reason, fields []LinkField) string {
	if advice := r.linkAdvice(fields); advice != "" {
		return advice
	}
	return Advice(reason)
}

// ExecutionWhereabouts speaks of a run that needs a person, or one that FinOps
// cannot be asked about. Nothing of it is here, and an incremental run may have
// moved FinOps' marker all the same.
func (r *Relay) ExecutionWhereabouts(x state.Execution) Whereabouts {
	if x.Reason == state.ReasonSignIn {
		return Whereabouts{Next: strings.ReplaceAll(Advice(x.Reason), "NAME", x.Environment) + "; then it goes on by itself in finrelay serve"}
	}
	if x.State != state.Failed && x.State != state.Stuck {
		return Whereabouts{}
	}
	again := fmt.Sprintf("finrelay export %q --environment %s", x.Project, x.Environment)
	if x.LegalEntity != "" {
		again += " --legal-entity " + x.LegalEntity
	}
	next := strings.NewReplacer("finrelay export PROJECT again", "again: "+again, "ENVIRONMENT", x.Environment).Replace(Advice(x.Reason))
	return Whereabouts{Place: AtRisk, Next: next}.about(x.ID, x.Project)
}

// about puts id and entity into the advice, so that it can be copied as it stands.
func (w Whereabouts) about(id, entity string) Whereabouts {
	w.form, w.Next = w.Next, naming(w.Next, id, entity)
	return w
}

func naming(advice, id, entity string) string {
	label := "its entities"
	if entity != "" {
		label = strconv.Quote(entity)
	}
	return strings.NewReplacer("EVENT-ID", id, "SHIPMENT-ID", id, "EXPORT-ID", id, "EXECUTION-ID", id, "ENTITY-LABEL", label).Replace(advice)
}

func (r *Relay) whereShipment(s state.Shipment) Whereabouts {
	now := r.db.Now()
	switch {
	case s.State == state.Settled && (s.Reason == state.ReasonSkipped || s.Reason == state.ReasonTaken):
		return Whereabouts{Place: SkippedHere}
	case s.State == state.Settled && (s.Reason == state.ReasonSameExport || s.Reason == state.ReasonSuperseded):
		return Whereabouts{Place: SameElsewhere}
	case s.State == state.Settled && s.Reason == state.ReasonNoFile:
		return Whereabouts{Place: Nowhere}
	case s.State == state.Settled:
		return r.whereSettled(s)
	case r.rawThere(s):
		next := ""
		if s.State == state.Parked {
			next = Advice(s.Reason)
		}
		return Whereabouts{Place: SafeHere, Paths: []string{r.inFolder(s.RawFile)}, Next: next}
	case s.Source == "queue":
		return r.whereMessage(s, now)
	case s.State == state.Expired && !s.RenewAt.IsZero():
		return Whereabouts{Place: AtRisk, Until: s.Order.At.Add(BlobLife), Next: "nothing now: " + rungText(s)}
	case s.State == state.Expired || s.State == state.Parked || s.RawHere():
		return r.linkLost(s, now)
	case now.Before(s.Deadline):
		w := Whereabouts{Place: InFinOps, Until: s.Deadline}
		if s.State == state.Waiting {
			w.Next = triesAgain(s.DueAt, "SHIPMENT-ID") + Advice(s.Reason)
		}
		return w
	}
	return Whereabouts{Place: AtRisk, Paths: r.seenPaths(s), Next: "nothing now: the link is past its time by our clock, but only the server may declare it dead; it is being tried"}
}

// whereMessage speaks of a queue's message whose file is not here, or is not
// proved. It is not acknowledged, so FinOps hands it out again every half hour
// and keeps its file for a week.
func (r *Relay) whereMessage(s state.Shipment, now time.Time) Whereabouts {
	w := Whereabouts{Place: InFinOps, Until: s.Deadline, Paths: r.seenPaths(s)}
	switch {
	case !now.Before(s.Deadline):
		return Whereabouts{Place: Lost, Paths: w.Paths, Next: "FinOps keeps the file of a message for 7 days: " + r.fullPush(s)}
	case s.Reason == state.ReasonFileGone, s.Reason == state.ReasonFileMissing && s.State == state.Parked:
		w.Place = AtRisk
	}
	if s.State == state.Parked || s.State == state.Waiting {
		w.Next = "nothing now: it is downloaded again by itself, at the latest when the queue hands it out again; " + Advice(s.Reason)
	}
	return w
}

// seenPaths is what came and is not known to be the export.
func (r *Relay) seenPaths(s state.Shipment) []string {
	if s.Seen.File == "" {
		return nil
	}
	return []string{r.inFolder(s.Seen.File)}
}

// rungText says what is being done about an expired shipment.
func rungText(s state.Shipment) string {
	switch s.Rung {
	case state.RungQueue:
		return "the queue is drained that may hold the same rows"
	case state.RungRun:
		return "full run " + s.Superseding + " was started to bring its rows"
	}
	if s.ExecutionID == "" {
		return "FinOps' execution history is searched for its blob"
	}
	return "FinOps is asked for a fresh link to execution " + s.ExecutionID
}

// whereSettled asks the exports: a shipment is settled when each has come to
// rest, which may be on a person's list.
func (r *Relay) whereSettled(s state.Shipment) Whereabouts {
	exports, err := r.db.Exports(context.Background(), state.Filter{ShipmentID: s.ID, Limit: -1})
	landed, skipped, same := 0, 0, 0
	for _, e := range exports {
		switch e.State {
		case state.Landed:
			landed++
		case state.Skipped:
			skipped++
			if e.Reason == state.ReasonSameExport {
				same++
			}
		}
	}
	switch {
	case s.RawHere() && (err != nil || landed+skipped < len(exports)):
		return Whereabouts{Place: SafeHere, Paths: []string{r.inFolder(s.RawFile)}, Next: "finrelay shipments show SHIPMENT-ID lists its exports, each with what to do"}
	case same > 0 && landed == 0:
		return Whereabouts{Place: SameElsewhere}
	case skipped > 0 && landed == 0:
		return Whereabouts{Place: SkippedHere}
	}
	return Whereabouts{Place: LandedHere}
}

// linkLost: the file lies in FinOps' storage for some days, but no link leads
// to it any more.
func (r *Relay) linkLost(s state.Shipment, now time.Time) Whereabouts {
	until := s.Order.At.Add(BlobLife)
	next := Advice(s.Reason)
	if s.Reason == state.ReasonLinkGone || !now.Before(until) {
		return Whereabouts{Place: Lost, Paths: r.seenPaths(s), Next: r.fullPush(s)}
	}
	if s.State == state.Expired || s.Reason == state.ReasonLinkRefused {
		next = join(next, r.fullPush(s))
	}
	return Whereabouts{Place: AtRisk, Until: until, Paths: r.seenPaths(s), Next: next}
}

// fullPush says how the rows come again, which depends on how they are exported.
func (r *Relay) fullPush(s state.Shipment) string {
	if f := r.fullRefresh(s); f != nil {
		return "flow " + f.Name + " is declared refresh: full, so the next run of its data project brings these rows again"
	}
	return "an incremental export does not send these rows again: run a full push of ENTITY-LABEL in FinOps " +
		"(data project, Refresh type: Full push only; or action ResetVersionToken, which makes the next incremental run a full one), " +
		"then finrelay skip SHIPMENT-ID --why \"full push\""
}

// fullRefresh gives the flow that surely takes a shipment's rows and gets all
// of them at each run; nil when that is not sure. A wrong yes would make a
// person wait for rows that never come.
func (r *Relay) fullRefresh(s state.Shipment) *Flow {
	from, err := r.subjectOf(context.Background(), s)
	if err != nil {
		return nil
	}
	for _, f := range r.inOrder(from) {
		told, hinges := f.told(from)
		switch {
		case told.misfit(from) != "":
			continue
		case !f.FullRefresh:
			return nil
		case f.when == nil && !hinges:
			return f
		}
	}
	return nil
}

// Advice says what to do about a reason. The first words name the thing to press.
func Advice(reason state.Reason) string {
	if a, ok := advice[reason]; ok {
		return a
	}
	return "finrelay rerun EXPORT-ID"
}

var advice = map[state.Reason]string{
	state.ReasonUnreadable:    "finrelay inspect EVENT-ID shows what is not understood; if a field has another name, set doors.finops.fields, finrelay reload, then finrelay rerun EVENT-ID",
	state.ReasonNoLinkFound:   "nothing in it looks like a link: finrelay events show EVENT-ID tells what came; have the sender put the link into it, or finrelay skip EVENT-ID --why \"no file\" if none belongs to it",
	state.ReasonLinkExpired:   "post the event again with a fresh link if its sender can make one: the same event with a younger link goes on by itself",
	state.ReasonLinkRefused:   "read the server's text above: allow this machine's address, or https, on the storage account, then finrelay rerun SHIPMENT-ID; a signature that does not match is of a link that was changed on its way, or whose account has new keys, and needs another link: run the export again",
	state.ReasonLinkGone:      "the file is not in the storage any more",
	state.ReasonLinkHostile:   "if the host is right, add it to environments.NAME.link_hosts (of the simulator: loopback_links: true), finrelay reload, then finrelay rerun SHIPMENT-ID; if not, somebody has sent a forged event",
	state.ReasonNotAzure:      "look for a proxy or firewall between here and the storage account, then finrelay rerun SHIPMENT-ID",
	state.ReasonNoExport:      "what came is a page or an error document, and kept to look at: find the proxy, filter or gateway that answers in FinOps' place; finrelay ack SHIPMENT-ID --why TEXT gives the rows up",
	state.ReasonUnproved:      "finrelay ack SHIPMENT-ID --why TEXT takes the kept file for the export, where it is known to be that",
	state.ReasonFileMissing:   "FinOps' queue does not find the file of its message: look at the recurring data job's messages in FinOps (Manage messages); if the file is gone, run a full push, then finrelay ack SHIPMENT-ID --why \"full push\"",
	state.ReasonFileGone:      "FinOps says that the file of this message is gone: run a full push of its entities, then finrelay ack SHIPMENT-ID --why \"full push\"",
	state.ReasonRedirected:    "if the host it is sent on to is your storage account, add it to environments.NAME.link_hosts, then finrelay reload; else look who answers in FinOps' place",
	state.ReasonLinkNotYet:    "compare this machine's clock with the storage account's",
	state.ReasonBusy:          "the server is busy; finrelay rerun SHIPMENT-ID if it was parked",
	state.ReasonNetwork:       "look at DNS, firewall and network between here and the storage account; finrelay rerun SHIPMENT-ID if it was parked",
	state.ReasonBlobChanging:  "the file changes while it is read: find out who writes it, then finrelay rerun SHIPMENT-ID",
	state.ReasonBlobMismatch:  "the file does not have the length or checksum that the storage states: finrelay rerun SHIPMENT-ID",
	state.ReasonDamaged:       "the file is not what it claims to be: look at the raw file; finrelay rerun reads it again",
	state.ReasonEmptyFile:     "a file of 0 bytes without the event saying 0 rows: look at the execution in FinOps; finrelay skip EXPORT-ID --why \"was empty\" if it really was",
	state.ReasonUnsafeName:    "the package holds a name that leaves its folder: look at the raw file and where it came from",
	state.ReasonDuplicate:     "the package holds two files of one name: look at the raw file",
	state.ReasonTooLarge:      "larger than the limits for packages: look at the raw file",
	state.ReasonEncrypted:     "FinOps encrypts neither packages nor workbooks: export again without a password, or look at the raw file and where it came from",
	state.ReasonFormat:        "this version does not read the format; the raw file is kept: use CSV, XML or XLSX in the data project, or finrelay rerun after an upgrade",
	state.ReasonMalformed:     "the file breaks off, is not well-formed or does not fit the flow's read, columns and constants, as named: correct the flow, finrelay reload, then finrelay rerun EXPORT-ID, or look at the raw file",
	state.ReasonBadRows:       "look at the places named; set read.delimiter or read.quote of the flow if they are misread, the column's type or on_type_error if a value does not fit, or on_bad_rows: land to set such rows aside; finrelay reload, then finrelay rerun EXPORT-ID",
	state.ReasonRowMismatch:   "compare with the execution in FinOps; set on_row_mismatch: warn for the flow to let it land, finrelay reload, then finrelay rerun EXPORT-ID",
	state.ReasonZeroRows:      "see in FinOps whether the run should have had rows; set on_zero_rows: land or omit for the flow, finrelay reload, then finrelay rerun EXPORT-ID, or finrelay skip EXPORT-ID --why \"was empty\"",
	state.ReasonNoFlow:        "add a flow that takes this entity (its detail, or finrelay inspect for an event, says why none does), finrelay reload, then finrelay rerun EXPORT-ID",
	state.ReasonFlowError:     "correct the flow's condition, finrelay reload, then finrelay rerun EXPORT-ID",
	state.ReasonOutput:        "see that the output's folder is there, may be written and is not full",
	state.ReasonOutputMissing: "mount its disk, or put its folder back; if its place is meant to be another one from now on, finrelay output adopt OUTPUT-NAME",
	state.ReasonEnvironment:   "put the environment, with its sign_in, back into the configuration, then finrelay reload",
	state.ReasonOutputRemoved: "put output OUTPUT-NAME back into the configuration, then finrelay reload, or have today's flows take what waits for it: finrelay rerun --state waiting --reason output_removed",
	state.ReasonPathTaken:     "the output's path template gives two exports one name: put {export_id} in it, finrelay reload, then finrelay rerun EXPORT-ID",
	state.ReasonDisk:          "see that disk and folders of state and outputs are there, writable and not full",
	state.ReasonInterrupted:   "the process ended three times while working on this: look at the log and the raw file, then finrelay rerun EXPORT-ID",
	state.ReasonInternal:      "a fault of finrelay: please report it; finrelay rerun EXPORT-ID after an upgrade",
	state.ReasonNotStarted:    "look at the project's execution history in FinOps, then finrelay export PROJECT again, and finrelay skip EXECUTION-ID --why \"run again\"",
	state.ReasonExecution:     "look at the execution in FinOps and at the errors told by finrelay executions show EXECUTION-ID. If FinOps says that it succeeded, finrelay reconcile ENVIRONMENT finds its package, whose rows an incremental project does not export again; if it failed, finrelay export PROJECT again. Then finrelay skip EXECUTION-ID --why \"run again\"",
	state.ReasonStuck:         "cancel the execution in FinOps (known causes: an entity without field mapping, a dead batch job), then finrelay skip EXECUTION-ID --why \"cancelled in FinOps\" lets the project's next run begin; if it ends after all, finrelay reconcile ENVIRONMENT --fix brings its package",
	state.ReasonPartial:       "finrelay executions tells what FinOps could not export; finrelay rerun EXPORT-ID lands what there is; run a full push if rows are missing",
	state.ReasonTwin:          "compare it with the export it names: finrelay rerun EXPORT-ID lands it too, finrelay skip EXPORT-ID --why \"rows are there\" if they are",
	state.ReasonBacklog:       "it was in the queue before finrelay: finrelay rerun EXPORT-ID lands it; finrelay skip EXPORT-ID --why \"came another way\" if its rows did",
	state.ReasonFinOps:        "FinOps does not answer as it should: finrelay status shows what it says",
	state.ReasonSignIn:        "sign-in is refused: correct environments.NAME.sign_in, or the application's registration in FinOps, then finrelay reload",
	state.ReasonMissingMember: "the package lacks a file that its manifest names: look at the execution in FinOps and run a full push of the entity if rows are missing",
}

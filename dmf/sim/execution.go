package sim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The statuses of an execution, DMFExecutionSummaryStatus.
// Source: Microsoft Learn, "Data management package REST API".
const (
	StatusUnknown            = "Unknown"
	StatusNotRun             = "NotRun"
	StatusExecuting          = "Executing"
	StatusSucceeded          = "Succeeded"
	StatusPartiallySucceeded = "PartiallySucceeded"
	StatusFailed             = "Failed"
	StatusCanceled           = "Canceled"

	// StatusNotFound in a script is the 400 that says "Execution details were
	// not found", which a client gets that asks too early.
	StatusNotFound = "NotFound"
)

// unattended is when an execution is over that nobody has asked about often
// enough to use up its script.
const unattended = 10 * time.Minute

// ExecutionScript is what one execution of a project does. The zero value is
// an execution as the protocol reference gives it: not found once, NotRun,
// Executing three times, Succeeded, and a link the second time it is asked for.
type ExecutionScript struct {
	// Statuses are the answers to GetExecutionSummaryStatus, one a request, the
	// last for ever. nil = Polls(1, 1, 3, StatusSucceeded). What ends in
	// StatusExecuting, NotRun or Unknown is stuck.
	Statuses []string
	// Lasts is how long, on the clock, the last status is not reached.
	Lasts    time.Duration
	URLEmpty int // so often the link is empty after the end; 0 = once, negative = never

	EmptyGUID bool   // the start answers 200 and the empty GUID; nothing starts
	Refuse    string // the start answers 400 with this text; nothing starts

	Errors        string // what GetExecutionErrors answers; "" = as fits the status
	InvalidErrors bool   // that answer is not valid JSON: quotes and line breaks as they are
	Nested        bool   // answers about it are nested, see Options.NestedValues
}

// Polls writes a usual script: so often not found, not run and executing, then
// final.
func Polls(notFound, notRun, executing int, final string) []string {
	return slices.Concat(slices.Repeat([]string{StatusNotFound}, notFound), slices.Repeat([]string{StatusNotRun}, notRun),
		slices.Repeat([]string{StatusExecuting}, executing), []string{final})
}

// Execution is one run of a data project as it stands.
type Execution struct {
	ID          string
	Project     string
	LegalEntity string // as the start had it
	Started     time.Time
	Ended       time.Time // zero while it runs
	Status      string    // what the next status request would say
	Tables      []Table   // what it exports, by entity
	Blob        *Blob     // the data package; nil if it makes none
	Links       int       // handed out by GetExportedPackageUrl
}

// Rows returns the rows of all its entities.
func (e Execution) Rows() int {
	n := 0
	for _, t := range e.Tables {
		n += len(t.Rows)
	}
	return n
}

// execution is one run; all under the lock of packages.
type execution struct {
	id      string
	project *project
	company string
	script  ExecutionScript
	tables  []Table
	file    string // the package's name; "" = it makes none
	blob    *Blob  // nil = not packed yet

	started time.Time
	ended   time.Time
	polls   int
	urls    int // link requests after the end
	links   int
}

// newExecution runs the project's export. Its rows are settled at once; the
// script says when it is admitted to be over.
func (s *Sim) newExecution(p *project, r run, sc ExecutionScript) *execution {
	if sc.Statuses == nil {
		sc.Statuses = Polls(1, 1, 3, StatusSucceeded)
	}
	if sc.URLEmpty == 0 {
		sc.URLEmpty = 1
	}
	e := &execution{id: r.id, project: p, company: r.company, script: sc, started: r.now}
	// A run that makes no file leaves the marker where it was (Assumed).
	if e.makesFile() {
		e.tables = p.tables(s, r, true)
		e.file = s.blobName(p.Name, "zip")
	} else {
		e.tables = p.tables(s, r, false)
	}
	s.packages.executions[strings.ToLower(e.id)] = e
	s.packages.order = append(s.packages.order, e)
	return e
}

// pack makes the data package when somebody first wants it: thousands of runs
// whose files go another way never need theirs. Name and age are those of the
// run.
func (s *Sim) pack(e *execution) {
	if e.blob != nil || e.file == "" {
		return
	}
	var members []Member
	for _, t := range e.tables {
		m := s.Member(e.project.Format, t)
		if e.project.Incremental {
			m.RefreshType = "Incremental"
		}
		members = append(members, m)
	}
	e.blob = s.PutBlob(e.file, s.Package(e.project.Name, members...), BlobOptions{Created: e.started})
}

func (e *execution) final() string { return e.script.Statuses[len(e.script.Statuses)-1] }

func (e *execution) makesFile() bool {
	return e.final() == StatusSucceeded || e.final() == StatusPartiallySucceeded
}

// ends reports whether the script ends at all.
func (e *execution) ends() bool {
	return e.makesFile() || e.final() == StatusFailed || e.final() == StatusCanceled
}

// at returns the status that a request at now would get, and whether it is the
// last one.
func (e *execution) at(now time.Time) (status string, last bool) {
	end := len(e.script.Statuses) - 1
	i := min(e.polls, end)
	if e.ends() && now.Sub(e.started) >= max(unattended, e.script.Lasts) {
		i = end
	}
	if i == end && e.script.Lasts > 0 && now.Sub(e.started) < e.script.Lasts && e.ended.IsZero() {
		if i == 0 {
			return StatusExecuting, false
		}
		i--
	}
	return e.script.Statuses[i], i == end
}

// poll answers one status request and counts it.
func (e *execution) poll(now time.Time) string {
	status, _ := e.at(now)
	e.settle(now)
	e.polls++
	return status
}

// settle notes the end when it is reached.
func (e *execution) settle(now time.Time) {
	if _, last := e.at(now); last && e.ends() && e.ended.IsZero() {
		e.ended = now
	}
}

func (e *execution) done(now time.Time) bool {
	e.settle(now)
	return !e.ended.IsZero()
}

// snapshot tells how an execution stands.
func (s *Sim) snapshot(e *execution) Execution {
	now := s.clock.Now()
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	s.pack(e)
	status, _ := e.at(now)
	return Execution{
		ID: e.id, Project: e.project.Name, LegalEntity: e.company, Started: e.started, Ended: e.ended,
		Status: status, Tables: slices.Clone(e.tables), Blob: e.blob, Links: e.links,
	}
}

// errorsText is what GetExecutionErrors answers: a string that looks like a
// JSON array.
//
// Source: protocol reference, 3.5: quotes and line breaks in messages come
// unescaped from some installations.
func (e *execution) errorsText(now time.Time) string {
	switch {
	case e.script.Errors != "":
		return e.script.Errors
	case e.script.InvalidErrors:
		return `[{"RecordId":"4","Field":"CUSTOMERGROUPID","ErrorMessage":"Value "40" in field "Customer group" is not found` + "\r\n" +
			`in table "Customer groups"."},{"RecordId":"7","Field":"","ErrorMessage":"Results. Validation failed."}]`
	case !e.done(now) || e.final() == StatusSucceeded || e.final() == StatusCanceled:
		return "[]"
	}
	return `[{"RecordId":"4","Field":"CUSTOMERGROUPID","ErrorMessage":"Value '40' in field 'Customer group' is not found in table 'Customer groups'."}]`
}

// entityStatus is the DMFBatchJobStatus of one entity of the run.
// Source: Recurring-Integrations-Scheduler for the names; published metadata of
// DataManagementExecutionJobDetails has an enum of that kind.
func (e *execution) entityStatus(now time.Time, i int) string {
	if !e.done(now) {
		return "Executing"
	}
	switch e.final() {
	case StatusFailed:
		return "Error"
	case StatusCanceled:
		return "Canceled"
	case StatusPartiallySucceeded:
		if i == 0 {
			return "Error"
		}
	}
	return "Finished"
}

// isStatus reports whether a script may hold the status.
func isStatus(name string) bool {
	return slices.Contains(statuses, name)
}

var statuses = slices.Sorted(maps.Keys(map[string]bool{
	StatusUnknown: true, StatusNotRun: true, StatusExecuting: true, StatusSucceeded: true,
	StatusPartiallySucceeded: true, StatusFailed: true, StatusCanceled: true, StatusNotFound: true,
}))

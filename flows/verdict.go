package flows

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
	"unicode/utf8"

	"finrelay/dmf"
	"finrelay/exporter"
	"finrelay/exporter/fetch"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// action is what to do about an error.
type action int

const (
	wait    action = iota // again at a due time
	renew                 // the link is dead: only a fresh one helps
	park                  // on the list for a person
	release               // the process stops: give the work back
)

func (a action) String() string { return [...]string{"wait", "renew", "park", "release"}[a] }

// verdict is an error, judged.
type verdict struct {
	action action
	reason state.Reason
	detail string
	after  time.Duration // wait only
}

// facts are what a judgment needs besides the error.
type facts struct {
	attempts int // this one included
	now      time.Time
	deadline time.Time // of the link; zero for a delivery
	received time.Time // of a queue's message, when it was first taken; zero for all else
	jitter   float64   // 0 to 1
}

// late says that a link is past its time.
func (f facts) late() bool { return !f.deadline.IsZero() && f.now.After(f.deadline) }

// toTell says that a person is to hear of what has gone wrong since the first
// try. A queue's message that is parked goes on when FinOps hands it out again;
// a link is given up when its time is over and few tries were in vain.
func (f facts) toTell() bool {
	if !f.received.IsZero() {
		return f.now.Sub(f.received) > tellAfter
	}
	return f.late() && f.attempts >= fewTries
}

// Bounds of waiting.
const (
	firstWait    = 2 * time.Second
	longestWait  = 5 * time.Minute
	longestHint  = 15 * time.Minute // of a server's Retry-After, or of a link not valid yet
	lateFetches  = 24 * time.Hour   // how long after its deadline a link that nobody declared dead is tried
	fewTries     = 5                // for errors that repeat only when something is really wrong
	tellAfter    = time.Hour        // that a queue's download has gone wrong, until a person hears of it
	detailLength = 2000             // bytes of an error's text that are kept
)

// judge is the one place where an error becomes an action.
//
// Only the server may declare a link dead: nothing here expires a link by our
// clock. Only what cannot get better by itself is parked.
func judge(err error, f facts) verdict {
	v := verdict{action: wait, detail: clip(err.Error()), after: backoff(f.attempts, f.jitter)}
	var link *fetch.LinkError
	var record *exporter.RecordError
	var condition *ConditionError
	var api *dmf.APIError
	var signIn *dmf.SignInError
	var output *outputError
	var doubt *doubtError
	var missing *outputs.MissingError
	var removed *removedOutputError
	var environment *removedEnvironmentError
	switch {
	case errors.Is(err, ErrStopping):
		v.action, v.reason = release, state.ReasonShutdown
	case errors.As(err, &doubt):
		v.detail = clip(doubt.Error())
		judgeDoubt(&v, doubt, f)
	// Before context.Canceled: a download that cut its own request is no
	// shutdown, and given back it would be tried again without a pause.
	case errors.As(err, &link):
		v.detail = clip(link.Error()) // without the file that was being written
		judgeLink(&v, link, f)
	case errors.Is(err, context.Canceled):
		v.action, v.reason = release, state.ReasonShutdown
	case errors.As(err, &signIn):
		v.reason = state.ReasonSignIn // a person mends the secret, and the work goes on by itself
	case errors.As(err, &api):
		v.reason = state.ReasonFinOps
		v.after = max(v.after, min(api.RetryAfter, longestHint))
	case errors.Is(err, errPanic), errors.Is(err, outputs.ErrRowCount):
		v.action, v.reason = park, state.ReasonInternal
	case errors.Is(err, errRawGone):
		v.action, v.reason = park, state.ReasonDisk
	case errors.Is(err, outputs.ErrPathTaken):
		v.action, v.reason = park, state.ReasonPathTaken
	case errors.As(err, &condition):
		v.action, v.reason = park, state.ReasonFlowError
	case errors.As(err, &missing):
		v.reason, v.detail = state.ReasonOutputMissing, missing.Error()
	case errors.As(err, &removed): // it may be a slip: nothing is decided about its rows
		v.reason = state.ReasonOutputRemoved
	case errors.As(err, &environment):
		v.reason = state.ReasonEnvironment
	case fileReason(err) != "":
		v.action, v.reason = park, fileReason(err)
	case errors.As(err, &record):
		v.action, v.reason = park, state.ReasonMalformed
	case errors.As(err, &output):
		v.reason = state.ReasonOutput
	default:
		// What is left is this machine: a full disk, a folder that went away.
		// It heals or an operator heals it, and the work goes on by itself.
		v.reason = state.ReasonDisk
	}
	return v
}

// fileReason names what is wrong with a file that must not, or cannot, be opened.
func fileReason(err error) state.Reason {
	for _, c := range []struct {
		err    error
		reason state.Reason
	}{
		{exporter.ErrUnsafePath, state.ReasonUnsafeName},
		{exporter.ErrDuplicateName, state.ReasonDuplicate},
		{exporter.ErrTooLarge, state.ReasonTooLarge},
		{exporter.ErrEncrypted, state.ReasonEncrypted},
		{exporter.ErrUnsupported, state.ReasonFormat},
		{exporter.ErrDamaged, state.ReasonDamaged},
		{exporter.ErrEmpty, state.ReasonEmptyFile},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return ""
}

// judgeDoubt has what is in doubt downloaded again: soon, because most trouble
// on the way is short, and when the same bytes came twice at the time when they
// would prove something.
func judgeDoubt(v *verdict, e *doubtError, f facts) {
	v.reason = state.ReasonUnproved
	if e.seen.As == state.DoubtNoExport {
		v.reason = state.ReasonNoExport
	}
	switch {
	case e.proves.IsZero() && f.toTell():
		v.action = park
	case e.repeat && !e.proves.IsZero():
		v.after = max(v.after, e.proves.Sub(f.now))
	}
	v.after = beforeDeadline(v.after, f)
}

func judgeLink(v *verdict, e *fetch.LinkError, f facts) {
	late := f.late()
	// Never because of one failure: a link may arrive long dead by our clock.
	tooLate := late && f.now.Sub(f.deadline) > lateFetches && f.attempts >= fewTries
	switch e.Kind {
	case fetch.KindExpired:
		v.action, v.reason = renew, state.ReasonLinkExpired
	case fetch.KindNotYetValid:
		v.reason = state.ReasonLinkNotYet
		if until := e.NotBefore.Sub(f.now); until > 0 {
			v.after = min(until, longestHint)
		}
		if tooLate {
			v.action = park // it would never begin
		}
	case fetch.KindRefused:
		v.action, v.reason = park, state.ReasonLinkRefused
	case fetch.KindGone:
		v.action, v.reason = park, state.ReasonLinkGone
	case fetch.KindHostile:
		v.action, v.reason = park, state.ReasonLinkHostile
	case fetch.KindTooLarge:
		v.action, v.reason = park, state.ReasonTooLarge
	case fetch.KindNotAzure, fetch.KindNoFile, fetch.KindMissing, fetch.KindRedirected:
		v.reason = foreignReason(e)
		if f.toTell() {
			v.action = park
		}
	case fetch.KindChanged, fetch.KindMismatch:
		v.reason = state.ReasonBlobChanging
		if e.Kind == fetch.KindMismatch {
			v.reason = state.ReasonBlobMismatch
		}
		if f.attempts >= fewTries {
			v.action = park
		}
	default: // busy, network
		v.reason = state.ReasonNetwork
		if e.Kind == fetch.KindBusy {
			v.reason = state.ReasonBusy
			v.after = max(v.after, min(e.RetryAfter, longestHint))
		}
		if tooLate {
			v.action = park
		}
	}
	if v.action == wait {
		v.after = beforeDeadline(v.after, f)
	}
}

// foreignReason names an answer that is neither the file nor the storage's word
// that there is none.
func foreignReason(e *fetch.LinkError) state.Reason {
	switch e.Kind {
	case fetch.KindNoFile:
		return state.ReasonNoExport
	case fetch.KindMissing:
		if e.StatusCode == http.StatusGone {
			return state.ReasonFileGone
		}
		return state.ReasonFileMissing
	case fetch.KindRedirected:
		return state.ReasonRedirected
	}
	return state.ReasonNotAzure
}

// beforeDeadline shortens a wait that would sleep through the last moment at
// which a link may still live, so that each link gets a try just before.
func beforeDeadline(after time.Duration, f facts) time.Duration {
	const margin = 20 * time.Second
	left := f.deadline.Sub(f.now) - margin
	if f.deadline.IsZero() || left < firstWait || after < left {
		return after
	}
	return left
}

// backoff doubles from firstWait to longestWait; jitter takes up to a quarter
// off, so that what failed together does not come back together.
func backoff(attempts int, jitter float64) time.Duration {
	d := longestWait
	if attempts < 8 {
		d = min(firstWait<<max(attempts-1, 0), longestWait)
	}
	return d - time.Duration(float64(d)/4*jitter)
}

// fetchFacts are those of a download.
func (r *Relay) fetchFacts(s state.Shipment) facts {
	f := facts{attempts: s.Attempts, now: r.db.Now(), deadline: s.Deadline, jitter: rand.Float64()}
	if s.Source == "queue" {
		f.received = s.ReceivedAt
	}
	return f
}

func (r *Relay) judge(err error, attempts int, deadline time.Time) verdict {
	return judge(err, facts{attempts: attempts, now: r.db.Now(), deadline: deadline, jitter: rand.Float64()})
}

// errPanic: our own code failed on this input. It is parked so that it stops
// neither the process nor the work beside it.
var errPanic = errors.New("internal error")

// guard turns a panic of do into an error that is parked.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v (please report this with the raw file)", errPanic, p)
		}
	}()
	return do()
}

func clip(s string) string {
	if len(s) <= detailLength {
		return s
	}
	end := detailLength
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

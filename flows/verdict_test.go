package flows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"finrelay/exporter"
	"finrelay/exporter/fetch"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	early, late, veryLate := noon.Add(time.Hour), noon.Add(-time.Minute), noon.Add(-lateFetches-time.Minute)
	link := func(k fetch.Kind) error {
		return fmt.Errorf("download: %w", &fetch.LinkError{Kind: k, Host: "acct.example"})
	}
	file := func(err error) error { return fmt.Errorf("unpack %q: %w", "a.csv", err) }
	for _, c := range []struct {
		name     string
		err      error
		attempts int
		deadline time.Time
		action   action
		reason   state.Reason
		after    time.Duration // wait only
	}{
		{"expired", link(fetch.KindExpired), 1, early, renew, state.ReasonLinkExpired, 0},
		{"expired, also when our clock thinks otherwise", link(fetch.KindExpired), 1, late, renew, state.ReasonLinkExpired, 0},
		{"refused", link(fetch.KindRefused), 1, early, park, state.ReasonLinkRefused, 0},
		{"gone", link(fetch.KindGone), 1, early, park, state.ReasonLinkGone, 0},
		{"hostile", link(fetch.KindHostile), 1, early, park, state.ReasonLinkHostile, 0},
		{"too large", link(fetch.KindTooLarge), 1, early, park, state.ReasonTooLarge, 0},

		{"proxy, before the deadline", link(fetch.KindNotAzure), 40, early, wait, state.ReasonNotAzure, longestWait},
		{"proxy, after the deadline", link(fetch.KindNotAzure), fewTries, late, park, state.ReasonNotAzure, 0},
		{"proxy, a link dead on arrival by our clock", link(fetch.KindNotAzure), 1, late, wait, state.ReasonNotAzure, firstWait},
		{"proxy, no deadline known", link(fetch.KindNotAzure), 1, time.Time{}, wait, state.ReasonNotAzure, firstWait},

		{"502 once", link(fetch.KindBusy), 1, early, wait, state.ReasonBusy, firstWait},
		{"502 once, past the deadline", link(fetch.KindBusy), 1, late, wait, state.ReasonBusy, firstWait},
		{"502 for an hour", link(fetch.KindBusy), 30, early, wait, state.ReasonBusy, longestWait},
		{"502 for a day", link(fetch.KindBusy), 300, veryLate, park, state.ReasonBusy, 0},
		{"network", link(fetch.KindNetwork), 3, early, wait, state.ReasonNetwork, 4 * firstWait},
		{"network, past the deadline: the clock may be wrong", link(fetch.KindNetwork), 1, late, wait, state.ReasonNetwork, firstWait},
		{"network, a link long dead on arrival by our clock", link(fetch.KindNetwork), 1, veryLate, wait, state.ReasonNetwork, firstWait},
		{"network for a day", link(fetch.KindNetwork), 300, veryLate, park, state.ReasonNetwork, 0},
		{"a kind of tomorrow", link("of tomorrow"), 1, early, wait, state.ReasonNetwork, firstWait},

		{"changed once", link(fetch.KindChanged), 1, early, wait, state.ReasonBlobChanging, firstWait},
		{"changed again and again", link(fetch.KindChanged), fewTries, early, park, state.ReasonBlobChanging, 0},
		{"mismatch once", link(fetch.KindMismatch), fewTries - 1, early, wait, state.ReasonBlobMismatch, 8 * firstWait},
		{"mismatch again and again", link(fetch.KindMismatch), fewTries, early, park, state.ReasonBlobMismatch, 0},

		{"not yet", &fetch.LinkError{Kind: fetch.KindNotYetValid, NotBefore: noon.Add(90 * time.Second)}, 1, early, wait, state.ReasonLinkNotYet, 90 * time.Second},
		{"not yet, for long", &fetch.LinkError{Kind: fetch.KindNotYetValid, NotBefore: noon.Add(40 * time.Minute)}, 1, early, wait, state.ReasonLinkNotYet, longestHint},
		{"not yet, by our clock it is", &fetch.LinkError{Kind: fetch.KindNotYetValid, NotBefore: noon.Add(-time.Minute)}, 1, early, wait, state.ReasonLinkNotYet, firstWait},
		{"not yet, a day after its end", link(fetch.KindNotYetValid), 100, veryLate, park, state.ReasonLinkNotYet, 0},

		{"Retry-After", &fetch.LinkError{Kind: fetch.KindBusy, RetryAfter: time.Minute}, 1, early, wait, state.ReasonBusy, time.Minute},
		{"Retry-After shorter than ours", &fetch.LinkError{Kind: fetch.KindBusy, RetryAfter: time.Second}, 3, early, wait, state.ReasonBusy, 4 * firstWait},
		{"Retry-After a week", &fetch.LinkError{Kind: fetch.KindBusy, RetryAfter: 7 * 24 * time.Hour}, 1, early, wait, state.ReasonBusy, longestHint},

		{"unsafe name", file(exporter.ErrUnsafePath), 1, time.Time{}, park, state.ReasonUnsafeName, 0},
		{"duplicate name", file(exporter.ErrDuplicateName), 1, time.Time{}, park, state.ReasonDuplicate, 0},
		{"too large inside", file(exporter.ErrTooLarge), 1, time.Time{}, park, state.ReasonTooLarge, 0},
		{"encrypted", file(exporter.ErrEncrypted), 1, time.Time{}, park, state.ReasonEncrypted, 0},
		{"unsupported", file(exporter.ErrUnsupported), 1, time.Time{}, park, state.ReasonFormat, 0},
		{"damaged", file(exporter.ErrDamaged), 1, time.Time{}, park, state.ReasonDamaged, 0},
		{"damaged and truncated", file(asDamaged(io.ErrUnexpectedEOF)), 1, time.Time{}, park, state.ReasonDamaged, 0},
		{"empty", file(exporter.ErrEmpty), 1, time.Time{}, park, state.ReasonEmptyFile, 0},
		{"malformed", &exporter.RecordError{Entry: "a.xml", Line: 3, Err: errors.New("no end tag")}, 1, time.Time{}, park, state.ReasonMalformed, 0},
		{"damaged at a record", &exporter.RecordError{Entry: "a.xml", Line: 3, Err: exporter.ErrDamaged}, 1, time.Time{}, park, state.ReasonDamaged, 0},
		{"nothing inside", asDamaged(errNothingInside), 1, time.Time{}, park, state.ReasonDamaged, 0},

		{"condition", &ConditionError{Flow: "f", Err: errors.New("null has no keys")}, 1, time.Time{}, park, state.ReasonFlowError, 0},
		{"path taken", fmt.Errorf("commit: %w", outputs.ErrPathTaken), 1, time.Time{}, park, state.ReasonPathTaken, 0},
		{"row count", fmt.Errorf("commit: %w", outputs.ErrRowCount), 1, time.Time{}, park, state.ReasonInternal, 0},
		{"place not there", &outputError{"lake", &outputs.MissingError{Place: "x"}}, 1000, time.Time{}, wait, state.ReasonOutputMissing, longestWait},
		{"superseded", outputs.ErrSuperseded, 1, time.Time{}, wait, state.ReasonDisk, firstWait},
		{"panic", guard(func() error { panic("index out of range") }), 1, time.Time{}, park, state.ReasonInternal, 0},

		{"output away", &outputError{"lake", &fs.PathError{Op: "mkdir", Path: "x", Err: syscall.ENOENT}}, 1, time.Time{}, wait, state.ReasonOutput, firstWait},
		{"disk full", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 1, time.Time{}, wait, state.ReasonDisk, firstWait},
		{"disk full for long", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 1000, time.Time{}, wait, state.ReasonDisk, longestWait},
		{"folder away, link long dead", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, 9, veryLate, wait, state.ReasonDisk, longestWait},

		{"stopping", ErrStopping, 1, early, release, state.ReasonShutdown, 0},
		{"stopping inside", fmt.Errorf("read body: %w", ErrStopping), 1, early, release, state.ReasonShutdown, 0},
		{"cancelled", fmt.Errorf("read body: %w", context.Canceled), 1, early, release, state.ReasonShutdown, 0},
		// A download that cancels its own request (a silent server) is no
		// shutdown: given back at once it would be tried again without a pause.
		{"cancelled below a link", &fetch.LinkError{Kind: fetch.KindNetwork, Err: context.Canceled}, 1, early, wait, state.ReasonNetwork, firstWait},
		{"timed out below a link", &fetch.LinkError{Kind: fetch.KindNetwork, Err: context.DeadlineExceeded}, 1, early, wait, state.ReasonNetwork, firstWait},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(c.err, facts{attempts: c.attempts, now: noon, deadline: c.deadline})
			if v.action != c.action || v.reason != c.reason || c.action == wait && v.after != c.after {
				t.Errorf("judge(%v) = %v %s after %v, want %v %s after %v", c.err, v.action, v.reason, v.after, c.action, c.reason, c.after)
			}
			if v.detail == "" {
				t.Errorf("judge(%v) says nothing", c.err)
			}
			if v.action == park && Advice(v.reason) == Advice("no such reason") {
				t.Errorf("parked as %s, and no advice what to do about it", v.reason)
			}
		})
	}
}

// Each kind of link error has its own line above; this finds one that was added.
func TestJudgeKnowsEveryKind(t *testing.T) {
	known := map[fetch.Kind]state.Reason{
		fetch.KindExpired: state.ReasonLinkExpired, fetch.KindNotYetValid: state.ReasonLinkNotYet, fetch.KindRefused: state.ReasonLinkRefused,
		fetch.KindGone: state.ReasonLinkGone, fetch.KindNotAzure: state.ReasonNotAzure, fetch.KindBusy: state.ReasonBusy,
		fetch.KindNetwork: state.ReasonNetwork, fetch.KindHostile: state.ReasonLinkHostile, fetch.KindChanged: state.ReasonBlobChanging,
		fetch.KindTooLarge: state.ReasonTooLarge, fetch.KindMismatch: state.ReasonBlobMismatch,
		fetch.KindNoFile: state.ReasonNoExport, fetch.KindMissing: state.ReasonFileMissing, fetch.KindRedirected: state.ReasonRedirected,
	}
	for kind := range constants[fetch.Kind](t, "../exporter/fetch", "Kind") {
		v := judge(&fetch.LinkError{Kind: kind}, facts{attempts: 1, now: noon})
		if known[kind] == "" || v.reason != known[kind] {
			t.Errorf("kind %q is judged %q, want %q", kind, v.reason, known[kind])
		}
	}
}

func TestWaitsAreBounded(t *testing.T) {
	kinds := []fetch.Kind{fetch.KindBusy, fetch.KindNetwork, fetch.KindNotYetValid, fetch.KindNotAzure, fetch.KindChanged, fetch.KindMismatch}
	rapid.Check(t, func(t *rapid.T) {
		e := &fetch.LinkError{
			Kind:       rapid.SampledFrom(kinds).Draw(t, "kind"),
			RetryAfter: time.Duration(rapid.Int64().Draw(t, "retry after")),
		}
		if rapid.Bool().Draw(t, "not before") {
			e.NotBefore = noon.Add(time.Duration(rapid.Int64().Draw(t, "starts in")))
		}
		f := facts{
			attempts: rapid.IntRange(-1, 1<<40).Draw(t, "attempts"),
			now:      noon,
			jitter:   rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
		if rapid.Bool().Draw(t, "deadline") {
			f.deadline = noon.Add(time.Duration(rapid.Int64Range(-int64(100*time.Hour), int64(100*time.Hour)).Draw(t, "lives")))
		}
		v := judge(e, f)
		if v.action == wait && (v.after < firstWait*3/4 && e.Kind != fetch.KindNotYetValid || v.after <= 0 || v.after > longestHint) {
			t.Fatalf("%s waits %v", e.Kind, v.after)
		}
	})
}

func TestBeforeDeadline(t *testing.T) {
	for _, c := range []struct {
		after, lives, want time.Duration
	}{
		{time.Minute, time.Hour, time.Minute},
		{5 * time.Minute, 3 * time.Minute, 3*time.Minute - 20*time.Second}, // would sleep through the end
		{5 * time.Minute, 5 * time.Minute, 5*time.Minute - 20*time.Second},
		{15 * time.Minute, 30 * time.Second, 10 * time.Second},
		{time.Minute, 21 * time.Second, time.Minute}, // no room for a try before: the usual wait
		{time.Minute, -time.Hour, time.Minute},
	} {
		got := beforeDeadline(c.after, facts{now: noon, deadline: noon.Add(c.lives)})
		if got != c.want {
			t.Errorf("wait of %v for a link that lives %v: %v, want %v", c.after, c.lives, got, c.want)
		}
	}
	if got := beforeDeadline(time.Minute, facts{now: noon}); got != time.Minute {
		t.Errorf("without a deadline: %v", got)
	}
}

func TestBackoff(t *testing.T) {
	var got []time.Duration
	for n := range 10 {
		got = append(got, backoff(n+1, 0))
	}
	want := []time.Duration{2, 4, 8, 16, 32, 64, 128, 300, 300, 300}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(got, want) {
		t.Errorf("backoff is %v, want %v", got, want)
	}
	if d := backoff(1, 1); d != firstWait*3/4 {
		t.Errorf("full jitter leaves %v of %v", d, firstWait)
	}
}

func TestClip(t *testing.T) {
	long := "x" + strings.Repeat("é", detailLength)
	got := clip(long)
	if len(got) > detailLength+len("…") || !strings.HasSuffix(got, "…") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("clip gives %d bytes ending in %q", len(got), got[len(got)-6:])
	}
	if strings.ToValidUTF8(got, "?") != got {
		t.Error("clip cuts a character in two")
	}
}

package dmf

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFreshTokenAfter401(t *testing.T) {
	var tokens []string
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		tokens = append(tokens, token)
		if token == "token-1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer200(wholeMessage)(w, r)
	})
	if _, err := f.Dequeue(t.Context(), testActivity); err != nil {
		t.Fatal(err)
	}
	if want := []string{"token-1", "token-2"}; !slices.Equal(tokens, want) {
		t.Errorf("sent %v, want %v", tokens, want)
	}
	if want := []string{"token-1"}; !slices.Equal(f.tokens.forgot, want) {
		t.Errorf("forgot %v, want %v", f.tokens.forgot, want)
	}
}

// TestPersistent401 checks that an application that is not let in does not
// sign in anew for each of its calls.
func TestPersistent401(t *testing.T) {
	f := startFinOps(t, answerStatus(http.StatusUnauthorized, ""))
	for range 3 {
		_, err := f.Dequeue(t.Context(), testActivity)
		api, ok := errors.AsType[*APIError](err)
		if !ok || api.StatusCode != http.StatusUnauthorized || api.Temporary() {
			t.Fatalf("got %v, want a lasting 401", err)
		}
	}
	if n, forgot := f.count(), len(f.tokens.forgot); n != 4 || forgot != 1 {
		t.Errorf("%d requests and %d fresh tokens for 3 calls, want 4 and 1", n, forgot)
	}
	f.clock.Advance(refusedFor)
	if _, err := f.Dequeue(t.Context(), testActivity); err == nil || len(f.tokens.forgot) != 2 {
		t.Errorf("after %s: %v, %d fresh tokens, want 2", refusedFor, err, len(f.tokens.forgot))
	}
}

func TestRefusalsOfAccess(t *testing.T) {
	dequeue := func(f *finops) error { _, err := f.Dequeue(t.Context(), testActivity); return err }
	status := func(f *finops) error { _, err := f.ExecutionStatus(t.Context(), "x"); return err }
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		call   func(*finops) error
		code   string
		text   string
	}{
		{"package API, 401", answerStatus(401, ""), status, CodeNotRegistered, "add its client id under System administration"},
		{"queue, 401", answerStatus(401, ""), dequeue, CodeNotOnJob, "recurring data job"},
		{"queue, 403", answerStatus(403, "Forbidden"), dequeue, CodeNoRights, "security role"},
		{"queue, 302", answerStatus(302, "moved", "Location", "https://login.microsoftonline.com/x?secret=1"), dequeue, CodeRedirected, "login.microsoftonline.com"},
		{"package API, 307", answerStatus(307, "", "Location", "/namespaces/AXSF"), status, CodeRedirected, "on-premises"},
	} {
		f := startFinOps(t, c.answer)
		err := c.call(f)
		api, isAPI := errors.AsType[*APIError](err)
		signIn, isSignIn := errors.AsType[*SignInError](err)
		if !isAPI || !isSignIn || api.Temporary() || signIn.Code != c.code {
			t.Errorf("%s: got %v, want a lasting *APIError with a *SignInError of code %s", c.name, err, c.code)
			continue
		}
		if !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "secret=1") {
			t.Errorf("%s: %q does not say %q, or says too much", c.name, err, c.text)
		}
		if n := f.count(); n > 2 || c.code == CodeRedirected && n != 1 {
			t.Errorf("%s: %d requests: %v", c.name, n, f.requests)
		}
	}
}

// TestNotOnJob: once /data let the application in, a 401 from the queue can
// only mean the job's own list.
func TestNotOnJob(t *testing.T) {
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/data/") {
			answer200(`{"value":"Succeeded"}`)(w, r)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	_, before := f.Dequeue(t.Context(), testActivity)
	if before == nil || !strings.Contains(before.Error(), "if other calls are refused too") {
		t.Errorf("before: got %v, want both possible causes", before)
	}
	if _, err := f.ExecutionStatus(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	_, after := f.Dequeue(t.Context(), testActivity)
	if after == nil || strings.Contains(after.Error(), "if other calls are refused too") {
		t.Errorf("after: got %v, want the job's list only", after)
	}
}

func TestNoCookies(t *testing.T) {
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		if c := r.Header.Get("Cookie"); c != "" {
			t.Errorf("sent cookie %s", c)
		}
		answerStatus(204, "", "Set-Cookie", "ARRAffinity=1")(w, r)
	})
	for range 2 {
		if _, err := f.Dequeue(t.Context(), testActivity); !errors.Is(err, ErrEmpty) {
			t.Fatal(err)
		}
	}
}

func TestSignInFailureInCall(t *testing.T) {
	f := startFinOps(t, answer200(""))
	f.tokens.err = &SignInError{Code: "AADSTS7000222", Status: 401, Hint: "the secret has expired"}
	for range circuitFailures + 1 {
		_, err := f.Dequeue(t.Context(), testActivity)
		if s, ok := errors.AsType[*SignInError](err); !ok || s.Code != "AADSTS7000222" {
			t.Fatalf("got %v, want the *SignInError", err)
		}
		if _, ok := errors.AsType[*APIError](err); ok {
			t.Fatalf("got %v: FinOps answered nothing", err)
		}
	}
	if open, _, _ := f.Circuit(); open || f.count() != 0 {
		t.Errorf("circuit open %v after %d requests; the environment did nothing wrong", open, f.count())
	}
}

func TestAPIErrorText(t *testing.T) {
	e := &APIError{Op: "dequeue", StatusCode: 429, RetryAfter: 1500 * time.Millisecond, RequestID: "r-1", Message: "slow down"}
	if got, want := e.Error(), "dequeue: FinOps answered 429 Too Many Requests: slow down; again in 2s (request id r-1)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

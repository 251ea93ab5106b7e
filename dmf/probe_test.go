package dmf

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	asked := make(chan string, 1)
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.RequestURI()
		answer200(`{"value":[]}`)(w, r)
	})
	if err := f.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := <-asked, "GET /data/DataManagementDefinitionGroups?$top=1"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	if !f.knownToData() {
		t.Error("a later 401 of a queue cannot be told from one of the whole application")
	}
}

func TestHasProject(t *testing.T) {
	for _, c := range []struct {
		answer string
		has    bool
		fails  bool
	}{
		{`{"value":[{"Name":"Bob's export"}]}`, true, false},
		{`{"value":[]}`, false, false},
		{`{"error":"none"}`, false, true},
	} {
		asked := make(chan string, 1)
		f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
			asked <- r.URL.Query().Get("$filter")
			answer200(c.answer)(w, r)
		})
		has, err := f.HasProject(t.Context(), "Bob's export")
		if has != c.has || (err != nil) != c.fails {
			t.Errorf("%s: %v, %v", c.answer, has, err)
		}
		if got, want := <-asked, "Name eq 'Bob''s export'"; got != want {
			t.Errorf("asked for %q, want %q", got, want)
		}
	}
}

// TestProbeTellsTokenFromListing: whether the token could not be had, or is
// not taken, are two different things to repair.
func TestProbeTellsTokenFromListing(t *testing.T) {
	f := startFinOps(t, answerStatus(http.StatusUnauthorized, ""))
	err := f.Probe(t.Context())
	if _, ok := errors.AsType[*APIError](err); !ok {
		t.Errorf("not listed: got %v, want an *APIError", err)
	}
	if s, ok := errors.AsType[*SignInError](err); !ok || s.Code != CodeNotRegistered {
		t.Errorf("not listed: got %v, want code %s", err, CodeNotRegistered)
	}
	f.tokens.err = &SignInError{Code: "AADSTS7000215", Status: 401, Hint: "the secret is wrong"}
	err = f.Probe(t.Context())
	if _, ok := errors.AsType[*APIError](err); ok {
		t.Errorf("no token: got %v, want no *APIError", err)
	}
	if s, ok := errors.AsType[*SignInError](err); !ok || s.Code != "AADSTS7000215" {
		t.Errorf("no token: got %v, want the token's own error", err)
	}
}

func TestProbeActivity(t *testing.T) {
	path := regexp.MustCompile(`^GET /api/connector/jobstatus/` + string(testActivity) + `\?jobId=[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		let    bool
		code   string // of the SignInError, when not let in by one
	}{
		{"unknown import", answerStatus(404, `{"Message":"The job does not exist."}`), true, ""},
		{"an empty status", answer200(`{"DataJobStatus":null}`), true, ""},
		{"nothing", answerStatus(204, ""), true, ""},
		{"bad request", answerStatus(400, ""), true, ""},
		{"an exception", answerStatus(500, `{"Message":"An error has occurred."}`), true, ""},
		{"500 of somebody", answerStatus(500, ""), false, ""},
		{"500, a page", answerStatus(500, "<html><title>x</title></html>"), false, ""},
		{"a gateway", answerStatus(502, `{"Message":"x"}`), false, ""},
		{"throttled", answerStatus(429, "", "Retry-After", "30"), false, ""},
		{"not on the job", answerStatus(401, ""), false, CodeNotOnJob},
		{"no rights", answerStatus(403, ""), false, CodeNoRights},
		{"sent on", answerStatus(302, "", "Location", "https://login.example/x"), false, CodeRedirected},
		{"no answer", hangUp, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := make(chan string, 2) // and once more after a quick failure
			f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
				asked <- r.Method + " " + r.URL.RequestURI()
				c.answer(w, r)
			})
			err := f.ProbeActivity(t.Context(), "{3F2504E0-4F89-41D3-9A0C-0305E82C3301}")
			if (err == nil) != c.let {
				t.Errorf("got %v, want let in: %t", err, c.let)
			}
			if s, ok := errors.AsType[*SignInError](err); ok != (c.code != "") || ok && s.Code != c.code {
				t.Errorf("got %v, want code %q", err, c.code)
			}
			if first := <-asked; !path.MatchString(first) {
				t.Errorf("asked %q, want %s", first, path)
			}
		})
	}
}

// TestProbeActivityNeverTakes: whatever happens, no request is a dequeue.
func TestProbeActivityNeverTakes(t *testing.T) {
	f := startFinOps(t, answers(answerStatus(401, ""), hangUp, answerStatus(503, ""), answer200("{}")))
	for range 4 {
		_ = f.ProbeActivity(t.Context(), testActivity) // what it says is tested above
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if !strings.HasPrefix(r, "GET /api/connector/jobstatus/") {
			t.Errorf("asked %s", r)
		}
	}
	if len(f.requests) == 0 {
		t.Error("nothing was asked")
	}
}

func TestProbeActivityOnPremises(t *testing.T) {
	f := startFinOps(t, answer200("{}"))
	c := f.connect(t, ClientOptions{OnPremises: true})
	if err := c.ProbeActivity(t.Context(), testActivity); !errors.Is(err, ErrOnPremises) || f.count() != 0 {
		t.Errorf("got %v after %d requests, want ErrOnPremises after none", err, f.count())
	}
}

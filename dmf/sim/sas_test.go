package sim_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

func TestLinkShape(t *testing.T) {
	s := started(t, sim.Options{})
	b := s.PutBlob("Customer g{D1A2E1DB24F548AB9A24F8EC65D05DC1}.json", nil, sim.BlobOptions{})
	link := s.Link(b, sim.LinkOptions{Version: "2014-02-14"})
	want := regexp.MustCompile(`^` + regexp.QuoteMeta(s.BaseURL()) +
		`/dmf/Customer%20g%7BD1A2E1DB24F548AB9A24F8EC65D05DC1%7D\.json\?sv=2014-02-14&sr=b&sig=[A-Za-z0-9%]+%3D` +
		`&st=2026-03-02T09%3A10%3A42Z&se=2026-03-02T10%3A15%3A42Z&sp=r$`)
	if !want.MatchString(link) {
		t.Errorf("link is not as published: %s", withoutQuery(link))
	}
}

func TestSignedVersions(t *testing.T) {
	s := started(t, sim.Options{})
	b := s.PutBlob("data", []byte("x"), sim.BlobOptions{})
	for _, v := range []string{"2014-02-14", "2015-04-05", "2018-11-09", "2021-12-02"} {
		a := get(t, s.Link(b, sim.LinkOptions{Version: v}))
		if a.status != 200 || a.header.Get("X-Ms-Version") != v {
			t.Errorf("sv %s: status %d, x-ms-version %s", v, a.status, a.header.Get("X-Ms-Version"))
		}
	}
}

func TestExpiryOnTheClock(t *testing.T) {
	cases := []struct {
		name  string
		opt   sim.LinkOptions
		later time.Duration
		live  bool
		frame string // of the refusal
	}{
		{"at once", sim.LinkOptions{}, 0, true, ""},
		{"a second before the end", sim.LinkOptions{}, time.Hour - time.Second, true, ""},
		{"at the end", sim.LinkOptions{}, time.Hour, false,
			"Start [Mon, 02 Mar 2026 09:10:42 GMT] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 10:15:42 GMT]"},
		{"short life", sim.LinkOptions{Life: time.Minute}, 2 * time.Minute, false,
			"Start [Mon, 02 Mar 2026 09:10:42 GMT] - Expiry [Mon, 02 Mar 2026 09:16:42 GMT] - Current [Mon, 02 Mar 2026 09:17:42 GMT]"},
		{"dead when made", sim.LinkOptions{Life: -time.Hour}, 0, false,
			"Start [Mon, 02 Mar 2026 07:10:42 GMT] - Expiry [Mon, 02 Mar 2026 08:15:42 GMT] - Current [Mon, 02 Mar 2026 09:15:42 GMT]"},
		{"not yet", sim.LinkOptions{Start: morning.Add(10 * time.Minute)}, 0, false,
			"Start [Mon, 02 Mar 2026 09:25:42 GMT] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 09:15:42 GMT]"},
		{"not yet, then yes", sim.LinkOptions{Start: morning.Add(10 * time.Minute)}, 10 * time.Minute, true, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := started(t, sim.Options{})
			link := s.Link(s.PutBlob("data", []byte("x"), sim.BlobOptions{}), c.opt)
			s.Clock().Advance(c.later)
			a := get(t, link)
			if c.live {
				if a.status != 200 {
					t.Errorf("status %d: %s", a.status, a.body)
				}
				return
			}
			code, message, detail := a.azureError(t)
			if a.status != 403 || code != "AuthenticationFailed" || a.code() != code ||
				!strings.HasPrefix(message, "Server failed to authenticate the request. Make sure") ||
				detail != "Signature not valid in the specified time frame: "+c.frame {
				t.Errorf("status %d, code %s, detail %q", a.status, code, detail)
			}
		})
	}
}

// The link is checked when the request begins: a response under way completes.
func TestExpiryDuringDownload(t *testing.T) {
	s := started(t, sim.Options{})
	b := s.PutBlob("data", []byte(hundred), sim.BlobOptions{})
	link := s.Link(b, sim.LinkOptions{Life: time.Minute})
	s.Fault(sim.Fault{DripBytesPerSec: 400})
	done := make(chan answer)
	go func() {
		a, _ := try(http.MethodGet, link)
		done <- a
	}()
	for rs := s.Requests(); len(rs) == 0 || rs[0].Bytes == 0; rs = s.Requests() {
		time.Sleep(time.Millisecond)
	}
	s.Clock().Advance(time.Hour)
	if a := <-done; a.err != nil || a.body != hundred {
		t.Errorf("under way: %v, %d bytes", a.err, len(a.body))
	}
	if a := get(t, link, "Range", "bytes=50-"); a.status != 403 {
		t.Errorf("next range: status %d, want 403", a.status)
	}
}

// TestAlteredLinks: whatever changes the meaning of a link kills it; what only
// writes it otherwise does not, unless the strict setting is on.
func TestAlteredLinks(t *testing.T) {
	replace := func(old, with string) func(string) string {
		return func(l string) string { return strings.Replace(l, old, with, 1) }
	}
	reencoded := func(l string) string {
		u, _ := url.Parse(l)
		u.RawQuery = u.Query().Encode() // sorts the parameters
		return u.String()
	}
	cases := []struct {
		name   string
		alter  func(string) string
		status int
		detail string // begins with
		strict int    // status under VerbatimLinks
	}{
		{"untouched", func(l string) string { return l }, 200, "", 200},
		{"later expiry", replace("&se=2026", "&se=2027"), 403, "Signature did not match", 403},
		{"more rights", replace("&sp=r", "&sp=rw"), 403, "Signature did not match", 403},
		{"another blob", replace("/dmf/plus", "/dmf/plux"), 403, "Signature did not match", 403},
		{"double encoding of the path", replace("%20", "%2520"), 403, "Signature did not match", 403},
		{"double encoding of a time", replace("%3A", "%253A"), 403, "Signature fields not well formed", 403},
		{"a bare plus in sig", replace("%2B", "+"), 403, "Signature did not match", 403},
		{"no expiry", replace("&se=", "&xx="), 403, "Signature fields not well formed", 403},
		{"cut short", func(l string) string { return l[:strings.Index(l, "&se=")] }, 403, "Signature fields not well formed", 403},
		{"bad escape", replace("%3A", "%zz"), 400, "", 400},
		{"query lost", withoutQuery, 404, "", 404},
		{"parameters sorted", reencoded, 200, "", 403},
		{"colons bare", replace("%3A", ":"), 200, "", 403},
		{"space as plus sign in the path", replace("%20", "+"), 403, "Signature did not match", 403},
	}
	for _, strict := range []bool{false, true} {
		s := started(t, sim.Options{VerbatimLinks: strict})
		b, link := linkWithPlus(t, s)
		for _, c := range cases {
			a := get(t, c.alter(link))
			want := c.status
			if strict {
				want = c.strict
			}
			if a.status != want {
				t.Errorf("%s, strict %v: status %d, want %d", c.name, strict, a.status, want)
				continue
			}
			if a.status == 403 && !strict {
				if _, _, detail := a.azureError(t); !strings.HasPrefix(detail, c.detail) {
					t.Errorf("%s: detail %q, want %q", c.name, detail, c.detail)
				}
			}
			rs := s.Requests()
			if got := rs[len(rs)-1]; got.Verbatim != (c.name == "untouched") {
				t.Errorf("%s: journal says verbatim %v", c.name, got.Verbatim)
			}
		}
		_ = b
	}
}

// linkWithPlus returns a link whose signature holds a plus sign, for which
// careless re-encoding is fatal.
func linkWithPlus(t *testing.T, s *sim.Sim) (*sim.Blob, string) {
	t.Helper()
	for i := range 100 {
		b := s.PutBlob("plus "+strings.Repeat("+", i), []byte("x"), sim.BlobOptions{})
		l := s.Link(b, sim.LinkOptions{})
		if _, query, _ := strings.Cut(l, "?"); strings.Contains(query, "%2B") && !strings.Contains(withoutQuery(l), "%2B") {
			return b, l
		}
	}
	t.Fatal("no signature with a plus sign in 100 links")
	return nil, ""
}

func TestRefusedUse(t *testing.T) {
	cases := []struct {
		name   string
		opt    sim.LinkOptions
		status int
		code   string
	}{
		{"no right to read", sim.LinkOptions{Permissions: "w"}, 403, "AuthorizationPermissionMismatch"},
		{"https only", sim.LinkOptions{Protocol: "https"}, 403, "AuthorizationProtocolMismatch"},
		{"https or http", sim.LinkOptions{Protocol: "https,http"}, 200, ""},
		{"another address", sim.LinkOptions{IP: "203.0.113.7"}, 403, "AuthorizationSourceIPMismatch"},
		{"this address", sim.LinkOptions{IP: "127.0.0.1"}, 200, ""},
		{"a range with it", sim.LinkOptions{IP: "127.0.0.0-127.0.0.9"}, 200, ""},
		{"a range without it", sim.LinkOptions{IP: "127.0.0.2-127.0.0.9"}, 403, "AuthorizationSourceIPMismatch"},
	}
	s := started(t, sim.Options{})
	b := s.PutBlob("data", []byte("x"), sim.BlobOptions{})
	for _, c := range cases {
		a := get(t, s.Link(b, c.opt))
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s: status %d, code %q; want %d, %q", c.name, a.status, a.code(), c.status, c.code)
		}
	}
}

func TestStrippedLink(t *testing.T) {
	for _, c := range []struct {
		refused bool
		status  int
		code    string
	}{{false, 404, "ResourceNotFound"}, {true, 409, "PublicAccessNotPermitted"}} {
		s := started(t, sim.Options{PublicAccessRefused: c.refused})
		b := s.PutBlob("data", []byte("x"), sim.BlobOptions{})
		a := get(t, withoutQuery(s.Link(b, sim.LinkOptions{})))
		if a.status != c.status || a.code() != c.code {
			t.Errorf("setting %v: status %d, code %s", c.refused, a.status, a.code())
		}
	}
}

// A link of another environment, so of another account key, is refused.
func TestKeyComesFromTheSeed(t *testing.T) {
	a, b := started(t, sim.Options{Seed: 1}), started(t, sim.Options{Seed: 2})
	link := a.Link(a.PutBlob("x", nil, sim.BlobOptions{}), sim.LinkOptions{})
	b.PutBlob("x", nil, sim.BlobOptions{})
	moved := strings.Replace(link, a.BaseURL(), b.BaseURL(), 1)
	if got := get(t, moved); got.status != 403 {
		t.Errorf("status %d, want 403", got.status)
	}
}

func TestHandlerWithoutListener(t *testing.T) {
	s := sim.New(sim.Options{Clock: sim.NewClock(morning)})
	link := s.Link(s.PutBlob("x", []byte("data"), sim.BlobOptions{}), sim.LinkOptions{})
	if !strings.HasPrefix(link, "https://contosodmf.blob.core.windows.net/dmf/x?sv=") {
		t.Errorf("link begins %q", withoutQuery(link))
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
	if w.Code != 200 || w.Body.String() != "data" {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}

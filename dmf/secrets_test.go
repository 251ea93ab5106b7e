package dmf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// echo answers with everything it was told, in a form drawn by the test: the
// server that most eagerly gives secrets away.
type echo struct {
	status int
	shape  string
}

var echoShapes = []string{"text", "html", "odata", "oauth", "header", "token", "cut"}

func (e echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came is what is echoed
	form, _ := url.ParseQuery(string(body))
	said := fmt.Sprintf("%s %s %s %s", r.Header.Get("Authorization"), form.Get("client_secret"), body, r.URL)
	quoted, _ := json.Marshal(said)
	switch e.shape {
	case "html":
		said = "<html><title>" + said + "</title></html>"
	case "odata":
		said = fmt.Sprintf(`{"error":{"message":"x","innererror":{"message":%s}}}`, quoted)
	case "oauth":
		said = fmt.Sprintf(`{"error":%s,"error_description":%s}`, quoted, quoted)
	case "header":
		header := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, said)
		w.Header().Set("Location", "https://evil.example/?"+header)
		w.Header().Set("ms-dyn-aid", header)
	case "token":
		said = fmt.Sprintf(`{"token_type":%s,"expires_in":%s}`, quoted, quoted)
	case "cut":
		w.Header().Set("Content-Length", "100000")
	}
	w.WriteHeader(e.status)
	_, _ = io.WriteString(w, said) // the client may have hung up
	if e.shape == "cut" {
		panic(http.ErrAbortHandler)
	}
}

// TestSecretsStayInside drives every call into every kind of error that an
// echoing server can cause, and looks for the secrets in errors and logs.
func TestSecretsStayInside(t *testing.T) {
	var server atomic.Pointer[echo] // a request of the round before may still end
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.Load().ServeHTTP(w, r) }))
	defer ts.Close()
	rapid.Check(t, func(rt *rapid.T) {
		server.Store(&echo{
			status: rapid.SampledFrom([]int{200, 201, 302, 400, 401, 403, 404, 429, 500, 502, 503}).Draw(rt, "status"),
			shape:  rapid.SampledFrom(echoShapes).Draw(rt, "shape"),
		})
		// As Entra makes them: letters, digits, and ~ . _ -, and some that
		// have to be escaped.
		secret := rapid.StringMatching(`[A-Za-z0-9~._+/="&\\-]{20,40}`).Draw(rt, "secret")
		token := rapid.StringMatching(`eyJ[A-Za-z0-9_-]{20,40}\.[A-Za-z0-9_-]{20,60}\.[A-Za-z0-9_-]{20,40}`).Draw(rt, "token")

		source, err := NewTokenSource(SignIn{Method: rapid.SampledFrom([]string{MethodV1, MethodADFS, MethodSecret}).Draw(rt, "method"),
			TenantID: "t", ClientID: "c", Secret: StaticSecret(secret), AuthorityHost: ts.URL, Resource: ts.URL}, TransportOptions{})
		if err != nil {
			rt.Fatal(err)
		}
		_, err = source.Token(context.Background())
		inside(rt, fmt.Sprintf("%v %+v", err, err), secret)

		var log bytes.Buffer
		c, err := NewClient(ClientOptions{URL: ts.URL, Tokens: fixedToken(token),
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		if err != nil {
			rt.Fatal(err)
		}
		defer c.Close()
		c.rest = newREST(c.transport, "", 0)
		said := everyCall(c, "http://127.0.0.1:80/x?sig="+url.QueryEscape(secret))
		if said == "" {
			rt.Fatal("no call failed; the test tests nothing")
		}
		inside(rt, said+log.String(), token)
		inside(rt, said+log.String(), url.QueryEscape(secret))
	})
}

type fixedToken string

func (f fixedToken) Token(context.Context) (string, error) { return string(f), nil }
func (fixedToken) Forget(string)                           {}

// everyCall makes each call once and joins the errors' texts.
func everyCall(c *Client, location string) string {
	ctx := context.Background()
	var said strings.Builder
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&said, "%v %+v\n", err, err)
		}
	}
	// The gate and the circuit would keep later calls from being made.
	calls := []func() error{
		func() error { _, err := c.Dequeue(ctx, testActivity); return err },
		func() error { return c.Ack(ctx, testActivity, []byte(`{"DownloadLocation":"`+location+`"}`)) },
		func() error {
			d, err := c.OpenDownload(ctx, testActivity, Message{HasFile: true, DownloadLocation: location})
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, d)
			_ = d.Close() // only read
			return err
		},
		func() error { _, err := c.ExportToPackage(ctx, ExportRequest{DefinitionGroup: "p"}); return err },
		func() error { _, err := c.ExecutionStatus(ctx, "x"); return err },
		func() error { _, err := c.ExportedPackageURL(ctx, "x"); return err },
		func() error { _, err := c.ExecutionErrors(ctx, "x"); return err },
		func() error { _, err := c.History(ctx, HistoryQuery{JobID: "x"}); return err },
	}
	for _, call := range calls {
		c.gate.until = c.gate.until.AddDate(-1, 0, 0)
		c.circuit.leave(c.now(), false, healthy, "")
		note(call())
	}
	return said.String()
}

func inside(t *rapid.T, text, secret string) {
	t.Helper()
	// A part is a leak as well.
	for _, part := range []string{secret, secret[:len(secret)-4], secret[4:]} {
		if strings.Contains(text, part) {
			t.Fatalf("%q is in %s", part, text)
		}
	}
}

func TestServerText(t *testing.T) {
	for name, c := range map[string]struct {
		body, text string
		own        bool
	}{
		"inner error":    {`{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"inner"}}}`, "inner", true},
		"outer error":    {`{"error":{"code":"","message":"outer","innererror":{}}}`, "outer", true},
		"Message":        {`{"Message":"top"}`, "top", true},
		"error as text":  {`{"error":"x","Message":"top"}`, "top", true},
		"text":           {"plain words", "plain words", false},
		"page":           {"<!DOCTYPE html><html><head><title> Bad\nGateway </title>", "an HTML page: Bad\nGateway", false},
		"page, no title": {"<html>", "an HTML page", false},
		"other JSON":     {`{"a":1}`, `{"a":1}`, false},
		"empty":          {"", "", false},
	} {
		if text, own := serverText([]byte(c.body)); text != c.text || own != c.own {
			t.Errorf("%s: got %q, %v; want %q, %v", name, text, own, c.text, c.own)
		}
	}
	long := cleanText(strings.Repeat("ä", maxMessage), maxMessage)
	if len(long) > maxMessage || !strings.HasSuffix(long, "ä…") {
		t.Errorf("a long text is cut to %d bytes, ending in %q", len(long), long[len(long)-6:])
	}
}

// Words stay words beside what is taken out.
func TestCleanTextKeepsWords(t *testing.T) {
	for _, c := range []struct{ text, secret, want string }{
		{"Bearer authentication is required", "", "Bearer authentication is required"},
		{"the bearer token is missing", "", "the bearer token is missing"},
		{"Authorization: Bearer abc1defg", "", "Authorization: <redacted>"},
		{"Bearer " + strings.Repeat("ab.cd-", 5), "", "<redacted>"},
		{"Invalid signature: sig=", "", "Invalid signature: sig="},
		{"the x of an example: x, x x", "x", "the <redacted> of an example: <redacted>, <redacted> <redacted>"},
		{"exact and pass=ab12", "ab12", "exact and pass=<redacted>"},
	} {
		if got := cleanText(c.text, 200, c.secret); got != c.want {
			t.Errorf("%q without %q is %q, want %q", c.text, c.secret, got, c.want)
		}
	}
}

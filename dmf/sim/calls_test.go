package sim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

// caller makes signed-in requests, each on a connection of its own.
type caller struct {
	t     *testing.T
	s     *sim.Sim
	token string
}

func calling(t *testing.T, s *sim.Sim) caller {
	t.Helper()
	return caller{t, s, s.Token(sim.DefaultClientID)}
}

// exchange makes one request; an answer that did not come is an error.
func (c caller) exchange(method, link, body string) (answer, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, link, strings.NewReader(body))
	if err != nil {
		c.t.Fatal("bad link")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text), err}, nil
}

func (c caller) do(method, path, body string) answer {
	c.t.Helper()
	a, err := c.exchange(method, c.s.BaseURL()+path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (c caller) get(path string) answer { c.t.Helper(); return c.do(http.MethodGet, path, "") }

func (c caller) post(path, body string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, body)
}

const actionPath = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."

// action calls the package API; params are name, value pairs.
func (c caller) action(name string, params ...any) answer {
	c.t.Helper()
	return c.post(actionPath+name, paramsOf(c.t, params...))
}

func paramsOf(t *testing.T, params ...any) string {
	t.Helper()
	m := map[string]any{}
	for i := 0; i < len(params); i += 2 {
		m[params[i].(string)] = params[i+1]
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// value reads the value of an action's answer, which must be 200.
func (a answer) value(t *testing.T) string {
	t.Helper()
	var doc struct {
		Context string `json:"@odata.context"`
		Value   string
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.status != 200 || !strings.Contains(doc.Context, "/data/$metadata#Edm.String") {
		t.Fatalf("status %d, %v: %s", a.status, err, a.body)
	}
	return doc.Value
}

// inner reads the useful text of an OData error.
func (a answer) inner(t *testing.T) string {
	t.Helper()
	var doc struct {
		Error struct {
			Message    string
			InnerError struct{ Message, Type, StackTrace string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	if doc.Error.Message != "An error has occurred." || doc.Error.InnerError.Type == "" || doc.Error.InnerError.StackTrace == "" {
		t.Errorf("not an OData error of FinOps: %s", a.body)
	}
	return doc.Error.InnerError.Message
}

// fields decodes a JSON object.
func (a answer) fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("status %d, %v: %.200q", a.status, err, a.body)
	}
	return m
}

// signIn posts a form to a token endpoint; pairs of name, value.
func signIn(t *testing.T, s *sim.Sim, path string, form ...string) answer {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.BaseURL()+path, strings.NewReader(v.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

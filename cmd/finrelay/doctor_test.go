package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

const doctorActivity = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

// patient is an installation that doctor looks at.
type patient struct {
	finops *sim.Sim
	folder string
	url    string // of FinOps in the configuration; the simulator's unless changed
	tokens string // the authority's there; the simulator's unless changed
	secret string
	extra  string // more lines of the environment
	flow   string // more lines of the flow
}

func newPatient(t *testing.T, opt sim.Options, activity sim.ActivityOptions) *patient {
	t.Helper()
	opt.Seed = 1
	p := &patient{finops: sim.New(opt), folder: t.TempDir(), secret: sim.DefaultSecret}
	var err error
	if p.url, err = p.finops.Start(""); err != nil {
		t.Fatal(err)
	}
	p.tokens = p.url
	t.Cleanup(func() {
		if err := p.finops.Close(); err != nil {
			t.Error(err)
		}
	})
	p.finops.AddActivity(doctorActivity, activity)
	return p
}

func (p *patient) run(t *testing.T, args ...string) (code int, stdout string) {
	t.Helper()
	file := filepath.Join(p.folder, "finrelay.yaml")
	text := fmt.Sprintf(`
environments:
  prod:
    keys: [a-key-of-more-than-sixteen]
    url: %s
    sign_in: {tenant: contoso.onmicrosoft.com, client_id: %s, secret: %s, authority: %q}
%s
flows:
  - name: customers
    queue: {environment: prod, activity: %s, backlog: land}
%s
`, p.url, sim.DefaultClientID, p.secret, p.tokens, p.extra, doctorActivity, p.flow)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"-c", file, "--state-folder", filepath.Join(p.folder, "data")}, args...), strings.NewReader(""), &out, &errs)
	if errs.Len() > 0 {
		t.Logf("standard error: %s", errs.String())
	}
	if strings.Contains(out.String()+errs.String(), p.secret) {
		t.Errorf("the secret is shown:\n%s%s", out.String(), errs.String())
	}
	return code, out.String()
}

// wants checks that each text begins a line.
func wants(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !slices.ContainsFunc(strings.Split(got, "\n"), func(have string) bool { return strings.HasPrefix(have, line) }) {
			t.Errorf("no line begins with %q in\n%s", line, got)
		}
	}
}

// TestDoctorHealthy: all is well, and looking took nothing from the queue.
func TestDoctorHealthy(t *testing.T) {
	p := newPatient(t, sim.Options{}, sim.ActivityOptions{})
	p.finops.Enqueue(doctorActivity, []byte("A,B\n1,2\n"), sim.MessageOptions{})
	p.finops.AddProject(sim.Project{Name: "Nightly", Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 1}}})
	p.flow = "    project: {environment: prod, name: Nightly}"
	code, out := p.run(t, "doctor")
	if code != exitDone {
		t.Errorf("exit code %d, want 0", code)
	}
	wants(t, out, "ok    prod: project of customers: FinOps lists Nightly")
	wants(t, out, "ok    machine: state folder: ", "ok    machine: ledger: none yet", "ok    machine: listener key: configured",
		"ok    prod: finops connection: 127.0.0.1", "ok    prod: finops clock: this machine is ", "ok    prod: authority connection: ",
		"ok    prod: credential: a secret", "ok    prod: token: granted", "ok    prod: application: ",
		"warn  prod: queue of customers: the application is let in; not polled yet", "warn  prod: link hosts: not pinned")
	for _, r := range p.finops.Requests() {
		if r.Route == sim.RouteDequeue || r.Route == sim.RouteAck || r.Method != http.MethodGet && r.Route != sim.RouteToken {
			t.Errorf("doctor made a %s to %s", r.Method, r.Route)
		}
	}
	if left, err := os.ReadDir(p.folder); err != nil || len(left) != 1 {
		t.Errorf("doctor left %v, %v; want the configuration alone", left, err)
	}

	if code, _ := p.run(t, "poll", "customers"); code != exitDone {
		t.Fatalf("poll: exit code %d", code)
	}
	code, out = p.run(t, "doctor", "prod")
	if code != exitDone {
		t.Errorf("after a poll: exit code %d, want 0", code)
	}
	wants(t, out, "ok    machine: ledger: sound", "warn  machine: server: none runs", "ok    prod: queue of customers: polled ")
}

// TestDoctorFails: what is wrong is named, with the exit code of its kind.
func TestDoctorFails(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	_ = closed.Close() // so that nobody listens there
	app := func(change func(*sim.App)) sim.Options {
		a := sim.App{ClientID: sim.DefaultClientID, Secret: sim.DefaultSecret}
		change(&a)
		return sim.Options{Identity: sim.IdentityOptions{Apps: []sim.App{a}}}
	}
	for _, c := range []struct {
		name     string
		opt      sim.Options
		activity sim.ActivityOptions
		change   func(*patient)
		code     int
		line     string
		says     string
	}{
		{name: "wrong secret", change: func(p *patient) { p.secret = "not-this-one" }, code: exitSignIn, line: "fail  prod: token: ", says: "AADSTS7000215"},
		{name: "expired secret", opt: app(func(a *sim.App) { a.SecretExpires = time.Now().Add(-time.Hour) }), code: exitSignIn, line: "fail  prod: token: ", says: "has expired"},
		{name: "not listed", opt: app(func(a *sim.App) { a.NotListed = true }), code: exitSignIn, line: "fail  prod: application: ", says: "Microsoft Entra applications"},
		{name: "no rights", opt: app(func(a *sim.App) { a.NoRights = true }), code: exitSignIn, line: "fail  prod: application: ", says: "security role"},
		{name: "not on the job", activity: sim.ActivityOptions{Clients: []string{"somebody-else"}}, code: exitSignIn, line: "fail  prod: queue of customers: ", says: "Set up authorization policy"},
		{name: "another host's page", opt: sim.Options{Identity: sim.IdentityOptions{SignInPage: true, Apps: []sim.App{{ClientID: sim.DefaultClientID, Secret: sim.DefaultSecret, NotListed: true}}}},
			code: exitSignIn, line: "fail  prod: application: ", says: "check the environment's URL"},
		{name: "no way out", change: func(p *patient) { p.url, p.tokens = "http://"+nobody, "http://"+nobody }, code: exitUnreachable, line: "fail  prod: authority connection: ", says: "fail  prod: finops connection: "},
		{name: "a project that is not there", change: func(p *patient) { p.flow = "    project: {environment: prod, name: Nightly}" }, code: exitFailed,
			line: "fail  prod: project of customers: ", says: `no data project "Nightly"`},
		{name: "no authority", change: func(p *patient) { p.tokens = "http://" + nobody }, code: exitUnreachable, line: "fail  prod: authority connection: ", says: "ok    prod: finops connection: "},
		{name: "another address, which the authority does not know", change: func(p *patient) { p.url = "http://" + nobody }, code: exitFailed, line: "fail  prod: finops connection: ", says: "firewall"},
		{name: "throttled", change: func(p *patient) {
			p.finops.Fault(sim.Fault{Route: sim.RouteProjects, Status: 429, RetryAfter: time.Minute, Times: sim.Always})
		}, code: exitUnreachable, line: "fail  prod: application: ", says: "wait and try again"},
		{name: "a bad gateway", change: func(p *patient) {
			p.finops.Fault(sim.Fault{Route: sim.RouteProjects, Status: 502, Times: sim.Always})
		}, code: exitUnreachable, line: "fail  prod: application: ", says: "502"},
		{name: "authority throttles", change: func(p *patient) {
			p.finops.Fault(sim.Fault{Route: sim.RouteToken, Status: 429, RetryAfter: time.Minute, Times: sim.Always})
		}, code: exitUnreachable, line: "fail  prod: token: ", says: "throttling"},
		{name: "proxy does not answer", change: func(p *patient) { p.extra = "    proxy: http://user:proxy-password@" + nobody }, code: exitUnreachable, line: "fail  prod: proxy: ", says: "environments.prod.proxy"},
		{name: "output is a file", change: func(p *patient) { writeFile(t, filepath.Join(p.folder, "out"), "") }, code: exitFailed, line: "fail  machine: output out: ", says: "is not a folder"},
		{name: "ledger is none", change: func(p *patient) {
			if err := os.Mkdir(filepath.Join(p.folder, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(p.folder, "data", "ledger.db"), strings.Repeat("no database ", 1000))
		}, code: exitFailed, line: "fail  machine: ledger: ", says: "not a database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPatient(t, c.opt, c.activity)
			if c.change != nil {
				c.change(p)
			}
			code, out := p.run(t, "doctor")
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			wants(t, out, c.line)
			if !strings.Contains(out, c.says) || strings.Contains(out, "proxy-password") {
				t.Errorf("does not say %q, or says too much:\n%s", c.says, out)
			}
		})
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDoctorJSON: the JSON form is a contract.
func TestDoctorJSON(t *testing.T) {
	p := newPatient(t, sim.Options{}, sim.ActivityOptions{Clients: []string{}})
	code, out := p.run(t, "doctor", "-o", "json")
	var found []map[string]string
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != exitSignIn {
		t.Fatalf("exit code %d, %v:\n%s", code, err, out)
	}
	fails := 0
	for _, f := range found {
		for _, name := range []string{"level", "where", "check", "seen"} {
			if f[name] == "" {
				t.Errorf("no %s in %v", name, f)
			}
		}
		if f["level"] == levelFail {
			fails++
		}
	}
	if fails != 1 {
		t.Errorf("%d fails, want 1:\n%s", fails, out)
	}
}

// TestDoctorThroughProxy: what the proxy carries is checked through it.
func TestDoctorThroughProxy(t *testing.T) {
	p := newPatient(t, sim.Options{}, sim.ActivityOptions{})
	carried := make(chan string, 100)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { carried <- r.In.URL.Path }})
	defer proxy.Close()
	p.extra = "    proxy: " + proxy.URL
	code, out := p.run(t, "doctor")
	if code != exitDone || len(carried) < 4 {
		t.Errorf("exit code %d, %d requests through the proxy, want 0 and all", code, len(carried))
	}
	wants(t, out, "ok    prod: proxy: ", "ok    prod: application: ")
}

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf"
	"finrelay/exporter/fetch"
)

func TestJudgeClock(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 15, 42, 0, time.UTC)
	for _, c := range []struct {
		off   time.Duration // of the server from us
		level string
		says  string
	}{
		{0, levelOK, "the server"},
		{59 * time.Second, levelOK, "behind the server"},
		{62 * time.Second, levelWarn, "1m2s behind the server"},
		{-2 * time.Minute, levelWarn, "2m0s ahead of the server"},
		{-5 * time.Minute, levelWarn, "5m0s ahead"},
		{6 * time.Minute, levelFail, "6m0s behind"},
		{-24 * time.Hour, levelFail, "24h0m0s ahead"},
	} {
		// A Date has lost its fraction; half a second is expected of it.
		header := http.Header{"Date": {now.Add(c.off).Format(http.TimeFormat)}}
		f := judgeClock("prod", "finops", header, now.Add(500*time.Millisecond))
		if f.Level != c.level || !strings.Contains(f.Seen, c.says) || (f.Do == "") != (c.level == levelOK) {
			t.Errorf("%v: got %+v, want %s, %q", c.off, f, c.level, c.says)
		}
	}
	if f := judgeClock("prod", "finops", http.Header{}, now); f.Level != levelWarn {
		t.Errorf("no Date: got %+v, want warn", f)
	}
}

func TestJudgeEnd(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]string{
		31 * 24 * time.Hour: levelOK, 30 * 24 * time.Hour: levelOK, 29 * 24 * time.Hour: levelWarn, time.Hour: levelWarn, 0: levelFail, -time.Hour: levelFail,
	} {
		if f := judgeEnd("prod", now.Add(left), now); f.Level != want || f.Level == levelFail && f.code != exitSignIn {
			t.Errorf("%v left: got %+v, want %s", left, f, want)
		}
	}
}

func TestJudgeVolume(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		name   string
		v      volume
		ledger bool
		want   string
	}{
		{"plenty", volume{50 * gib, 100 * gib, ""}, true, levelOK},
		{"a tenth", volume{10 * gib, 100 * gib, ""}, true, levelOK},
		{"less", volume{9 * gib, 100 * gib, ""}, true, levelWarn},
		{"less than 1 GiB", volume{gib - 1, 2 * gib, ""}, false, levelFail},
		{"ledger on NFS", volume{50 * gib, 100 * gib, "NFS"}, true, levelFail},
		{"output on NFS", volume{50 * gib, 100 * gib, "NFS"}, false, levelWarn},
		{"a file system that counts nothing", volume{2 * gib, 0, ""}, false, levelOK},
	} {
		f := judgeVolume("state folder", c.v, c.ledger)
		if f.Level != c.want || (f.Do == "") != (c.want == levelOK) || !strings.Contains(f.Seen, c.v.network) {
			t.Errorf("%s: got %+v, want %s", c.name, f, c.want)
		}
	}
}

func TestExitOf(t *testing.T) {
	fail := func(code int) finding { return finding{Level: levelFail, code: code} }
	warn := finding{Level: levelWarn}
	for _, c := range []struct {
		found []finding
		want  int
	}{
		{nil, exitDone},
		{[]finding{warn}, exitDone},
		{[]finding{warn, fail(exitSignIn), fail(exitSignIn)}, exitSignIn},
		{[]finding{fail(exitUnreachable), warn}, exitUnreachable},
		{[]finding{fail(exitSignIn), fail(exitUnreachable)}, exitFailed},
		{[]finding{fail(exitFailed), fail(exitSignIn)}, exitFailed},
	} {
		if got := exitOf(c.found); got != c.want {
			t.Errorf("%+v: got %d, want %d", c.found, got, c.want)
		}
	}
}

// TestServerOverTLS: a certificate that is trusted, one that is not, one of
// another name, and something that speaks no TLS.
func TestServerOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail on purpose
	server.StartTLS()
	defer server.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, address string
		link          fetch.ClientOptions
		says          string // of the failure; "" when there is none
	}{
		{"trusted", server.URL, fetch.ClientOptions{RootCAs: roots}, ""},
		{"not trusted", server.URL, fetch.ClientOptions{RootCAs: x509.NewCertPool()}, "ca_file"},
		{"another name", "https://localhost:" + port, fetch.ClientOptions{RootCAs: roots}, "another host's"},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), fetch.ClientOptions{}, "does not speak TLS"},
		{"no address", "nonsense", fetch.ClientOptions{}, "https://HOST"},
	} {
		d := &doctor{report: func(finding) {}}
		reached := d.server(t.Context(), "prod", "finops", c.address, c.link)
		last := d.found[len(d.found)-1]
		if reached != (c.says == "") || !strings.Contains(last.Do, c.says) {
			t.Errorf("%s: reached %t, %+v; want %q", c.name, reached, d.found, c.says)
		}
		if reached && !strings.Contains(d.found[0].Seen, "TLS 1.3, certificate of Acme Co for ") {
			t.Errorf("%s: got %+v, want version and issuer", c.name, d.found[0])
		}
	}
}

func TestJudgeConnection(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // empty
	u := &url.URL{Scheme: "https", Host: "contoso.example"}
	end := server.Certificate().NotAfter
	for _, c := range []struct {
		now  time.Time
		want string
	}{{end.Add(-15 * 24 * time.Hour), levelOK}, {end.Add(-13 * 24 * time.Hour), levelWarn}} {
		if f := judgeConnection("prod", "finops", u, resp.TLS, c.now); f.Level != c.want {
			t.Errorf("%v before the end: got %+v, want %s", end.Sub(c.now), f, c.want)
		}
	}
}

// TestCredentialFile: of a file's certificates, the one that belongs to its key
// counts, and no password is shown.
func TestCredentialFile(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	other := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: endedCertificate(t)})
	for _, c := range []struct {
		name, text, level string
	}{
		{"its own", string(own) + string(private), levelOK},
		{"behind another one", string(other) + string(own) + string(private), levelOK},
		{"another one alone", string(other) + string(private), levelFail},
		{"a password that a PEM file does not take", string(own) + string(private), levelFail},
		{"nothing", "no certificate", levelFail},
		{"absent", "", levelFail},
	} {
		file := filepath.Join(t.TempDir(), "app.pem")
		if c.text != "" {
			writeFile(t, file, c.text)
		}
		in := config.SignIn{Method: dmf.MethodCertificate, Certificate: file}
		if c.level == levelFail && c.name != "another one alone" {
			in.CertificatePassword = config.NewSecret("hunter2")
		}
		d := &doctor{report: func(finding) {}}
		d.credential("prod", config.Environment{SignIn: in})
		f := d.found[0]
		if f.Level != c.level || strings.Contains(f.line(), "hunter2") || c.level == levelFail && (!strings.Contains(f.Seen, file) || f.code != exitSignIn) {
			t.Errorf("%s: got %+v, want %s", c.name, f, c.level)
		}
	}
}

// endedCertificate is of another key, and over.
func endedCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(-time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestLinkHosts(t *testing.T) {
	pinned := []string{"contosodmf.blob.core.windows.net", ".blob.contoso.example", "azurite.local:10000"}
	for _, c := range []struct {
		name          string
		hosts         []string
		seen, refused []string
		level         string
		says          string
	}{
		{"default, none seen", config.DefaultLinkHosts(), nil, nil, levelWarn, "none seen yet"},
		{"default, seen", config.DefaultLinkHosts(), []string{"b.blob.core.windows.net", "a.blob.core.windows.net"}, nil, levelWarn, "seen: a.blob.core.windows.net, b."},
		{"default, one that leads inside", config.DefaultLinkHosts(), []string{"evil.blob.core.windows.net"}, []string{"evil.blob.core.windows.net"}, levelWarn, "none seen yet; links also pointed to evil"},
		{"default, this machine", config.DefaultLinkHosts(), []string{"127.0.0.1:4711", "localhost", "[::1]:80"}, nil, levelWarn, "none seen yet"},
		{"pinned", pinned, []string{"contosodmf.blob.core.windows.net", "x.blob.contoso.example", "azurite.local:10000"}, nil, levelOK, "pinned to contosodmf"},
		{"pinned, another seen", pinned, []string{"contosodmf.blob.core.windows.net", "evil.example"}, nil, levelWarn, "also pointed to evil.example"},
	} {
		d := &doctor{report: func(finding) {}}
		d.hosts.Seen, d.hosts.Refused = map[string][]string{"prod": c.seen}, map[string][]string{"prod": c.refused}
		d.linkHosts("prod", config.Environment{LinkHosts: c.hosts, LoopbackLinks: c.name == "default, this machine"})
		f := d.found[0]
		if f.Level != c.level || !strings.Contains(f.Seen, c.says) {
			t.Errorf("%s: got %+v, want %s, %q", c.name, f, c.level, c.says)
		}
		if strings.Contains(f.Do, "evil") || strings.Contains(f.Do, "127.") {
			t.Errorf("%s: offers %s", c.name, f.Do)
		}
	}
}

// TestProxyVariable: the variable's password is not shown.
func TestProxyVariable(t *testing.T) {
	d := &doctor{report: func(finding) {}, variables: func(*http.Request) (*url.URL, error) {
		return url.Parse("http://user:hunter2@proxy.contoso.example:3128")
	}}
	e := config.Environment{URL: "https://contoso.operations.dynamics.com"}
	d.proxyVariable("prod", e)
	if len(d.found) != 1 || d.found[0].Level != levelWarn || !strings.Contains(d.found[0].Seen, "HTTPS_PROXY or https_proxy is set (proxy.contoso.example:3128) and not used") {
		t.Errorf("got %+v, want a warning that names variable and host", d.found)
	}
	e.Proxy = "http://other:1"
	d.proxyVariable("prod", e)
	d.variables = func(*http.Request) (*url.URL, error) { return nil, nil }
	e.Proxy = ""
	d.proxyVariable("prod", e)
	if len(d.found) != 1 {
		t.Errorf("got %+v, want nothing when a proxy is configured or no variable is set", d.found)
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{&dmf.SignInError{Status: 401, Code: "AADSTS7000215"}, exitSignIn},
		{&dmf.SignInError{Hint: "cannot be reached", Err: errors.New("refused")}, exitUnreachable},
		{&dmf.APIError{Op: "probe", StatusCode: 401, Err: &dmf.SignInError{Status: 401, Code: dmf.CodeNotRegistered}}, exitSignIn},
		{&dmf.APIError{Op: "probe", StatusCode: 429}, exitUnreachable},
		{&dmf.APIError{Op: "probe", StatusCode: 404}, exitFailed},
		{&dmf.APIError{Op: "probe", Err: errors.New("reset")}, exitUnreachable},
		{context.DeadlineExceeded, exitUnreachable},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
}

// What keeps a folder from being written is named, and what to do fits it.
func TestCannotWrite(t *testing.T) {
	for no, want := range map[syscall.Errno][2]string{
		syscall.ENOSPC: {"the disk is full", "free space"},
		syscall.EDQUOT: {"the disk is full", "quota"},
		syscall.EROFS:  {"read-only", "mounted"},
		syscall.EACCES: {"cannot be written: ", "right to write in /data"},
	} {
		err := errors.Join(&fs.PathError{Op: "write", Path: "/data/x", Err: no}, nil)
		if seen, do := cannotWrite("/data", err); !strings.Contains(seen, want[0]) || !strings.Contains(do, want[1]) {
			t.Errorf("%v: %q, do %q; want %q", no, seen, do, want)
		}
	}
}

// The line of the disk is there also when the folder cannot be written: it may
// tell why.
func TestDiskLineAlways(t *testing.T) {
	if _, err := lookAtVolume("/proc"); err != nil {
		t.Skip(err)
	}
	d := &doctor{report: func(finding) {}}
	d.folder("state folder", "/proc", true) // nobody makes files there
	if len(d.found) != 2 || d.found[0].Level != levelFail || d.found[1].Check != "state folder disk" {
		t.Errorf("%+v; want the failure and the line of the disk", d.found)
	}
}

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"finrelay/flows/doors"
)

func cmdStartServer(ts *testscript.TestScript, neg bool, args []string) {
	parts := partsOf(ts)
	usageOf(ts, neg, parts.server == nil, "start-server [FLAGS...], once before stop-server")
	env := []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	p, err := startServe(ts.MkAbs("."), env, args...)
	ts.Check(err)
	parts.server = p
	ts.Setenv("DOOR", p.Door)
	if p.Key != "" {
		ts.Setenv("KEY", p.Key)
	}
}

func cmdStopServer(ts *testscript.TestScript, neg bool, args []string) {
	parts := partsOf(ts)
	usageOf(ts, neg, parts.server != nil && len(args) == 0, "stop-server, after start-server")
	code, err := parts.server.Stop()
	ts.Check(err)
	log := parts.server.Log()
	parts.server = nil
	if code != exitDone {
		ts.Fatalf("serve ended with exit code %d:\n%s", code, log)
	}
	fmt.Fprint(ts.Stderr(), log)
}

func cmdKillServer(ts *testscript.TestScript, neg bool, args []string) {
	parts := partsOf(ts)
	usageOf(ts, neg, parts.server != nil && len(args) == 0, "kill-server, after start-server")
	ts.Check(parts.server.Kill())
	parts.server = nil
}

// cmdHupServer sends SIGHUP and waits for the log to say what came of it.
func cmdHupServer(ts *testscript.TestScript, neg bool, args []string) {
	parts := partsOf(ts)
	usageOf(ts, neg, parts.server != nil && len(args) == 1, "hup-server TEXT, which the log says then")
	ts.Check(parts.server.cmd.Process.Signal(syscall.SIGHUP))
	for until := time.Now().Add(serveTimeout); !strings.Contains(parts.server.Log(), args[0]); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			ts.Fatalf("the log does not say %q:\n%s", args[0], parts.server.Log())
		}
	}
}

func cmdPost(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 1 || len(args) == 2, "post FILE [ENVIRONMENT]")
	environment := "prod"
	if len(args) == 2 {
		environment = args[1]
	}
	t := &http.Transport{DisableKeepAlives: true}
	if cert := ts.Getenv("CERT"); cert != "" {
		t.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		t.TLSClientConfig.RootCAs.AppendCertsFromPEM([]byte(ts.ReadFile(cert)))
	}
	status, answer, err := postEvent(t, ts.Getenv("DOOR"), environment, ts.Getenv("KEY"), []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s", status, answer)
	setAnswered(ts, answer)
}

// cmdAsk gets a path of the server's listener, as a probe does.
func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 1, "ask PATH")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: serveTimeout}
	resp, err := client.Get(ts.Getenv("DOOR") + args[0])
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s", resp.StatusCode, answer)
}

// postEvent sends a body to the door once and gives the answer.
func postEvent(t http.RoundTripper, door, environment, key string, body []byte) (status int, answer []byte, err error) {
	client := http.Client{Transport: t, Timeout: serveTimeout}
	resp, err := client.Post(doorOf(door, environment, key), "application/json", bytes.NewReader(body))
	if ue := new(url.Error); errors.As(err, &ue) {
		return 0, nil, ue.Err // without the key
	}
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func doorOf(door, environment, key string) string {
	return door + "/in/finops/" + environment + "?code=" + url.QueryEscape(key)
}

// setAnswered gives a script the ids of the last event that was stored.
func setAnswered(ts *testscript.TestScript, answer []byte) {
	var a doors.Answer
	if json.Unmarshal(answer, &a) != nil || len(a.Events) == 0 {
		return
	}
	last := a.Events[len(a.Events)-1]
	ts.Setenv("EVENT", last.ID)
	if last.Shipment != "" {
		ts.Setenv("SHIPMENT", last.Shipment)
	}
}

func cmdMakeCert(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 2, "make-cert CERT KEY")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "finrelay test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	writePEM(ts, args[0], "CERTIFICATE", der)
	writePEM(ts, args[1], "PRIVATE KEY", private)
}

func writePEM(ts *testscript.TestScript, name, kind string, der []byte) {
	var text strings.Builder
	ts.Check(pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}))
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text.String()), 0o600))
}

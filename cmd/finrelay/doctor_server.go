package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"finrelay/exporter/fetch"
)

// Bounds of the way to a server.
const (
	reachTimeout = 10 * time.Second

	skewWarn = 60 * time.Second
	skewFail = 5 * time.Minute // tokens and links are good for about that much

	certificateWarning = 14 * 24 * time.Hour
)

// proxy tries the configured proxy, if any; false when it does not answer.
func (d *doctor) proxy(ctx context.Context, name string, proxy *url.URL) bool {
	if proxy == nil {
		return true
	}
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[proxy.Scheme]
	}
	conn, err := (&net.Dialer{Timeout: reachTimeout}).DialContext(ctx, "tcp", net.JoinHostPort(proxy.Hostname(), port))
	if err != nil {
		d.fail(name, "proxy", err.Error(), "check environments."+name+".proxy; everything goes through it", exitUnreachable)
		return false
	}
	_ = conn.Close() // nothing was sent
	d.ok(name, "proxy", proxy.Host+" takes connections")
	return true
}

// server checks name, connection, certificate and clock of one server; false
// when it cannot be reached. what is "finops" or "authority".
func (d *doctor) server(ctx context.Context, name, what, address string, link fetch.ClientOptions) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		d.fail(name, what, "its address is no URL", "write https://HOST", exitFailed)
		return false
	}
	if link.Proxy == nil && !d.resolves(ctx, name, what, u.Hostname()) {
		return false
	}
	begin := time.Now()
	resp, err := look(ctx, u, link)
	if err != nil {
		seen, do := explainReach(err)
		d.fail(name, what+" connection", u.Host+": "+seen, do, exitUnreachable)
		return false
	}
	d.add(judgeConnection(name, what, u, resp.TLS, time.Now()))
	// The answer's second began somewhere between question and answer.
	middle := begin.Add(time.Since(begin) / 2)
	d.add(judgeClock(name, what, resp.Header, middle))
	return true
}

func (d *doctor) resolves(ctx context.Context, name, what, host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		d.fail(name, what+" name", err.Error(), "check the address in the configuration, then this machine's DNS", exitUnreachable)
		return false
	}
	d.ok(name, what+" name", fmt.Sprintf("%s is %s", host, found[0].Unmap()))
	return true
}

// look asks for the server's first page without signing in; whatever it
// answers will do.
func look(ctx context.Context, u *url.URL, link fetch.ClientOptions) (*http.Response, error) {
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: reachTimeout}).DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: link.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   reachTimeout,
		ResponseHeaderTimeout: doctorPatience,
		DisableKeepAlives:     true,
	}
	if link.Proxy != nil {
		transport.Proxy = http.ProxyURL(link.Proxy)
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.Scheme+"://"+u.Host+"/", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", link.UserAgent)
	resp, err := client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if err != nil {
		return nil, err
	}
	return resp, resp.Body.Close()
}

// explainReach says why a server could not be reached and what to do.
func explainReach(err error) (seen, do string) {
	seen = err.Error()
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil && op.Op == "dial" {
		seen = op.Err.Error() // the line names the server
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return seen, "if a proxy opens TLS on the way, name its certificate in ca_file; else do not go on: somebody else answers"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return seen, "the certificate is another host's: check the address"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return seen, "compare this machine's clock; if it is right, the server's certificate has to be renewed"
	}
	if errors.Is(err, http.ErrSchemeMismatch) || isTLSRecord(err) {
		return seen, "what answers does not speak TLS: check address and port, or the proxy on the way"
	}
	return seen, "check firewall and address; if only a proxy leads out, set the environment's proxy"
}

func isTLSRecord(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

func judgeConnection(name, what string, u *url.URL, state *tls.ConnectionState, now time.Time) finding {
	f := finding{Level: levelOK, Where: name, Check: what + " connection"}
	if state == nil || len(state.PeerCertificates) == 0 {
		f.Seen = u.Host + " answers, without TLS"
		return f
	}
	leaf := state.PeerCertificates[0]
	left := leaf.NotAfter.Sub(now)
	f.Seen = fmt.Sprintf("%s answers, %s, certificate of %s for %d more days", u.Host, tls.VersionName(state.Version), issuer(leaf), int(left.Hours()/24))
	if left < certificateWarning {
		f.Level, f.Do = levelWarn, "whoever runs "+u.Hostname()+" must renew its certificate"
	}
	return f
}

// issuer names who vouches, which shows a proxy that opens TLS.
func issuer(c *x509.Certificate) string {
	if len(c.Issuer.Organization) > 0 {
		return c.Issuer.Organization[0]
	}
	return dash(c.Issuer.CommonName)
}

func judgeClock(name, what string, header http.Header, now time.Time) finding {
	f := finding{Level: levelOK, Where: name, Check: what + " clock"}
	theirs, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		f.Level, f.Seen = levelWarn, "not compared: the answer says no time"
		return f
	}
	// Date has whole seconds: on average half a one is cut off.
	skew := now.Sub(theirs.Add(500 * time.Millisecond)).Round(time.Second)
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	f.Seen = fmt.Sprintf("this machine is %s %s the server", skew.Abs(), direction)
	switch {
	case skew.Abs() > skewFail:
		f.Level, f.code, f.Do = levelFail, exitFailed, "set this machine's clock (NTP): tokens and links are judged by it"
	case skew.Abs() > skewWarn:
		f.Level, f.Do = levelWarn, "set this machine's clock (NTP)"
	}
	return f
}

package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (v *validator) listener() {
	c := v.c
	switch {
	case c.TLS.Certificate != "" && c.TLS.Key == "":
		v.fail("tls", "", "set tls.key to the file with the private key", "a certificate without its key")
	case c.TLS.Key != "" && c.TLS.Certificate == "":
		v.fail("tls", "", "set tls.certificate to the file with the certificate", "a key without its certificate")
	case c.TLS.Certificate != "":
		if _, err := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key); err != nil {
			v.failCause("tls", "", "tls.certificate and tls.key are PEM files that belong together, relative to the folder of this file",
				v.hushPair(fmt.Errorf("load %s and %s: %w", c.TLS.Certificate, c.TLS.Key, err)))
		}
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		v.fail("listen", c.Listen, "write HOST:PORT, for example 127.0.0.1:8686", "not an address")
		return
	}
	if !validPort(port) {
		v.fail("listen", c.Listen, "the port is a number from 0 to 65535; 0 takes a free one", "not an address")
		return
	}
	if strings.ContainsAny(host, "@/=?#") {
		v.fail("listen", c.Listen, "write HOST:PORT, for example 127.0.0.1:8686", "not an address")
		return
	}
	if !isLoopback(host) && c.TLS == (TLS{}) && !c.Insecure {
		v.fail("listen", c.Listen, "set tls, or listen on 127.0.0.1, or set insecure: true if something in front of it ends TLS", "other machines reach this address, and keys would cross the network in clear text")
	}
}

// hushPair is hush for an error that names both files of the listener.
func (v *validator) hushPair(err error) error {
	if doubtful(v.c.TLS.Certificate) || doubtful(v.c.TLS.Key) {
		return unsaid{err}
	}
	return v.c.source.hush("tls.certificate", v.c.source.hush("tls.key", err))
}

func validPort(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (v *validator) environments() {
	v.names("environments", sortedKeys(v.c.Environments))
	for _, name := range sortedKeys(v.c.Environments) {
		env := v.c.Environments[name]
		field := "environments." + name
		v.keys(field+".keys", env.Keys)
		v.linkHosts(field+".link_hosts", env.LinkHosts)
		v.hosts(field+".plain_hosts", env.PlainHosts)
		v.proxy(field+".proxy", env.Proxy)
		if env.ProofAfter < second || env.ProofAfter > day {
			v.fail(field+".proof_after", env.ProofAfter.String(), "from 1s to 24h", "what is wrong on the way must be over between two downloads, and FinOps keeps a message for 7 days only")
		}
		v.signIn(field, &env)
		if env.CAFile != "" {
			if err := checkCertificates(env.CAFile); err != nil {
				v.failCause(field+".ca_file", "", "a PEM file with at least one certificate, relative to the folder of this file", v.c.source.hush(field+".ca_file", err))
			}
		}
	}
}

var hostPattern = regexp.MustCompile(`^\.?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)

func (v *validator) linkHosts(field string, hosts []string) {
	if len(hosts) == 0 {
		v.fail(field, "", "name the hosts links may point to, or leave the line out for every Azure Blob account", "every link would be refused")
	}
	v.hosts(field, hosts)
}

func (v *validator) hosts(field string, hosts []string) {
	for i, host := range hosts {
		at := field + "[" + itoa(i) + "]"
		name := host
		if h, port, err := net.SplitHostPort(host); err == nil && validPort(port) {
			name = h
		}
		_, notIP := netip.ParseAddr(strings.Trim(name, "[]"))
		switch {
		case strings.Contains(host, "*"):
			v.fail(at, host, "write a suffix with a dot in front: .blob.core.windows.net", "wildcards are not read here")
		case strings.ContainsAny(name, "/:") && notIP != nil:
			v.fail(at, host, "only the host, without https:// and without a path", "not a host name")
		case notIP != nil && !hostPattern.MatchString(name):
			v.fail(at, host, "write a host name, or a suffix with a dot in front", "not a host name")
		}
	}
}

var webSchemes = []string{"http", "https"}

func (v *validator) proxy(field string, proxy ProxyURL) {
	if proxy == "" {
		return
	}
	u, err := url.Parse(string(proxy))
	// The parser's message repeats the address and its password.
	if err != nil || !isProxy(u) {
		v.fail(field, redacted, "write http://HOST:PORT, or https:// for a proxy that speaks TLS itself", "not the address of a proxy")
	}
}

// isProxy reports whether an address is a host, perhaps with a user, and no more.
func isProxy(u *url.URL) bool {
	return slices.Contains(webSchemes, u.Scheme) && u.Hostname() != "" && strings.Trim(u.Path, "/") == "" &&
		u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
}

func checkCertificates(path string) error {
	pem, err := readLimited(path, 16<<20)
	if err != nil {
		return fmt.Errorf("read certificates from %s: %w", shownPath(path), err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fmt.Errorf("read certificates from %s: %w", shownPath(path), errors.New("no certificate in the file"))
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }

package dmf

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// onPremisesPath goes between the host and every path on-premises.
//
// Source: Microsoft Learn, "Data management package REST API", on-premises.
const onPremisesPath = "/namespaces/AXSF"

// Audience gives the form of an environment's URL that a token is asked for:
// lower case, no trailing slash, no path, e.g.
// "https://contoso.operations.dynamics.com". It refuses what is no environment:
// other schemes than https (http is for loopback), user info, query, a path
// other than the on-premises one.
//
// Source: Microsoft Learn, "Troubleshoot service authentication": a slash or an
// upper-case letter ends up in the token's aud claim, and FinOps answers 401.
func Audience(environment string) (string, error) {
	u, err := parseEnvironment(environment)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

func parseEnvironment(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		// The parser's error repeats its input, in which a password may stand.
		return nil, fmt.Errorf("environment URL is not readable; write it like https://contoso.operations.dynamics.com")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	path := strings.TrimRight(u.Path, "/")
	switch {
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("environment URL: want scheme and host only, like https://contoso.operations.dynamics.com")
	case path != "" && !strings.EqualFold(path, onPremisesPath):
		return nil, fmt.Errorf("environment URL %s://%s%s: leave out the path %s", u.Scheme, u.Host, path, path)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("environment URL http://%s: must be https, tokens are sent there", u.Host)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("environment URL: scheme %q, want https", u.Scheme)
	}
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// ownURL turns a URL out of FinOps' answer into one that may be sent the
// bearer token: on the environment's own scheme, host and port, or not at all.
//
// Source: Microsoft Learn, "Recurring integrations": behind a load balancer
// DownloadLocation says http, sometimes with :80, and must be rewritten before
// a token is sent.
func ownURL(base *url.URL, raw string) (*url.URL, error) {
	u, err := base.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: not a URL", ErrHostile)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: scheme %q", ErrHostile, clipText(u.Scheme, 40))
	}
	if u.User != nil || u.Opaque != "" {
		return nil, fmt.Errorf("%w: it carries user info", ErrHostile)
	}
	if !strings.EqualFold(u.Hostname(), base.Hostname()) || !ownPort(base, u) {
		return nil, fmt.Errorf("%w: host %s is not the environment's %s", ErrHostile, clipText(u.Host, 100), base.Host)
	}
	u.Scheme, u.Host, u.Fragment, u.RawFragment = base.Scheme, base.Host, "", ""
	return u, nil
}

// ownPort takes the environment's port, and the ones a load balancer leaves
// behind: none, or 80 over http, or 443 over https.
func ownPort(base, u *url.URL) bool {
	switch port := u.Port(); port {
	case "", base.Port():
		return true
	case "80":
		return u.Scheme == "http"
	case "443":
		return u.Scheme == "https"
	}
	return false
}

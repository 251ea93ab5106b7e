package fetch

import (
	"net/netip"
	"net/url"
	"strings"
)

// DefaultHosts are the suffixes under which Azure Blob answers, in the public
// cloud and the two sovereign ones. Anyone can own an account below them, so
// an operator who knows the storage accounts should list those instead.
//
// Source: Microsoft Learn, "Storage account overview" (endpoints, Azure DNS
// zone endpoints) and the endpoint lists of Azure Government and Azure China.
// The German cloud (cloudapi.de) was closed in 2021 and is left out.
var DefaultHosts = []string{
	".blob.core.windows.net",
	".blob.storage.azure.net",
	".blob.core.usgovcloudapi.net",
	".blob.core.chinacloudapi.cn",
}

// checkURL says whether a link may be used at all. The address behind the
// name is checked when it is known, by the dial guard.
func (c *Client) checkURL(u *url.URL) error {
	refuse := func(detail string) error {
		return &LinkError{Kind: KindHostile, Host: foldHost(u), Detail: detail}
	}
	switch {
	case u.User != nil:
		return refuse("user info in a link")
	case u.Scheme != "https" && !(c.loopback && isLoopbackHost(u.Hostname())):
		return refuse("only https links are fetched")
	case !c.hostAllowed(u):
		return refuse("this host is not on the environment's link_hosts; add it there if it is yours")
	}
	return nil
}

// hostAllowed says whether the hosts let a link through. On loopback without a
// list all of them are.
func (c *Client) hostAllowed(u *url.URL) bool {
	loopback := c.loopback && isLoopbackHost(u.Hostname())
	return loopback && c.loopbackUnlisted || listed(c.hosts, u, loopback)
}

// listed matches exact names, "host:port", and ".suffix" for any name below it.
// A port other than the scheme's own must be listed, except on loopback, where
// ports are handed out at random.
func listed(hosts []string, u *url.URL, loopback bool) bool {
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	withPort := foldHost(u)
	ownPort := u.Port() == "" || u.Port() == defaultPort(u.Scheme)
	// Unicode names are mapped to ASCII by the transport, after this check:
	// what was compared would not be what is connected to.
	if !isASCII(name) {
		return false
	}
	for _, allowed := range hosts {
		switch {
		case allowed == withPort:
			return true
		case !ownPort && !loopback:
			continue
		case allowed == name || allowed == "["+name+"]":
			return true
		case strings.HasPrefix(allowed, ".") && strings.HasSuffix(name, allowed) && len(name) > len(allowed):
			return true
		}
	}
	return false
}

// isLoopbackHost looks at the name only: a name that merely resolves to
// loopback is not one.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && !addr.Is4In6() && addr.IsLoopback()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

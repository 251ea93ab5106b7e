package config

import (
	"net/netip"
	"slices"
	"strings"
)

// Pinnable divides the hosts that links of an environment pointed to: those
// that a person may be shown to put into link_hosts, and those whose links are
// not followed, which nobody should copy from a message. What the sender of an
// event chose is no advice: a host is pinnable only when links to it are
// followed as things stand, none was refused, and it is a name that can stand
// for a storage account. This machine and addresses are neither.
func Pinnable(e Environment, seen, refused []string) (pinnable, strange []string) {
	for _, host := range slices.Compact(slices.Sorted(slices.Values(seen))) {
		name, _ := splitPort(host)
		_, notAddress := netip.ParseAddr(strings.Trim(name, "[]"))
		switch {
		case slices.Contains(refused, host), !e.FollowsLinksTo(host):
			strange = append(strange, host)
		case notAddress != nil && !isLoopback(name) && hostPattern.MatchString(name):
			pinnable = append(pinnable, host)
		}
	}
	return pinnable, strange
}

// FollowsLinksTo reports whether a host, as a link names it, is one that links
// of this environment may point to.
func (e Environment) FollowsLinksTo(host string) bool {
	host = strings.ToLower(host)
	name, ownPort := splitPort(host)
	if e.LoopbackLinks && isLoopback(strings.Trim(name, "[]")) {
		return true
	}
	return slices.ContainsFunc(e.LinkHosts, func(allowed string) bool {
		allowed = strings.ToLower(allowed)
		return allowed == host || ownPort && (allowed == name || strings.HasPrefix(allowed, ".") && strings.HasSuffix(name, allowed))
	})
}

// splitPort gives a host without its port, and whether that is the port of
// https, which need not be listed.
func splitPort(host string) (name string, ownPort bool) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, true
	}
	return host[:i], host[i+1:] == "443"
}

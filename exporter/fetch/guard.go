package fetch

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// dialContext connects to where a link points. The guard sits in the dialer's
// Control, which runs for every address after the name is resolved and right
// before the connect: a check of the name beforehand would be asked one
// address and be given another (DNS rebinding).
func (c *Client) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: DialTimeout, Control: guard(false)}
	host, _, err := net.SplitHostPort(address)
	if err == nil && c.loopback && isLoopbackHost(host) {
		dialer.Control = guard(true)
	}
	return dialer.DialContext(ctx, network, address)
}

func guard(loopback bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &LinkError{Kind: KindHostile, Detail: "connects to something that is no IP address"}
		}
		addr := unwrap(ap.Addr())
		if loopback && addr.IsLoopback() {
			return nil
		}
		if !isPublic(addr) {
			return &LinkError{Kind: KindHostile, Detail: "the host's address is " + addr.String() +
				", which is not a public one; a link must not reach into the own network"}
		}
		return nil
	}
}

// nat64 is the well-known prefix behind which a NAT64 gateway reaches IPv4.
// Source: RFC 6052, section 2.1.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// unwrap finds the IPv4 address that the connection really goes to.
func unwrap(addr netip.Addr) netip.Addr {
	addr = addr.WithZone("").Unmap()
	if nat64.Contains(addr) {
		b := addr.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return addr
}

// notPublic lists what netip has no method for.
// Source: IANA special-purpose address registries for IPv4 and IPv6.
var notPublic = prefixes(
	"0.0.0.0/8",                                         // this network
	"100.64.0.0/10",                                     // carrier-grade NAT; 100.100.100.200 is a metadata service
	"168.63.129.16/32",                                  // Azure's wire server: a public number, a private thing
	"192.0.0.0/24",                                      // protocol assignments; 192.0.0.192 is a metadata service
	"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation
	"192.88.99.0/24", // 6to4 relays
	"198.18.0.0/15",  // benchmarks
	"240.0.0.0/4",    // reserved, and broadcast
	"2001::/23",      // protocol assignments, Teredo among them: wraps IPv4
	"2001:db8::/32",  // documentation
	"2002::/16",      // 6to4: wraps IPv4
)

// global is the only part of IPv6 given out to the public. Loopback, link and
// site local, unique local (and with it AWS' fd00:ec2::254), multicast and the
// local NAT64 prefix all lie outside.
var global = netip.MustParsePrefix("2000::/3")

func isPublic(addr netip.Addr) bool {
	if addr.Is6() && !global.Contains(addr) {
		return false
	}
	// Link-local holds 169.254.169.254, the metadata service of most clouds.
	if addr.IsUnspecified() || addr.IsLoopback() || addr.IsPrivate() || addr.IsMulticast() || addr.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

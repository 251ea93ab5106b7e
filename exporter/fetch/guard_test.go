package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestGuard(t *testing.T) {
	tests := []struct {
		address       string
		public, local bool // allowed for any host; allowed for a loopback host
	}{
		{"20.60.1.2:443", true, true},
		{"[2603:1030::1]:443", true, true},
		{"[::ffff:20.60.1.2]:443", true, true},
		{"[64:ff9b::143c:102]:443", true, true}, // 20.60.1.2 behind NAT64
		{"127.0.0.1:80", false, true},
		{"127.9.9.9:80", false, true},
		{"[::1]:80", false, true},
		{"[::ffff:127.0.0.1]:80", false, true},
		{"[64:ff9b::7f00:1]:80", false, true},
		{"0.0.0.0:80", false, false},
		{"0.1.2.3:80", false, false},
		{"[::]:80", false, false},
		{"10.0.0.1:80", false, false},
		{"172.16.0.1:80", false, false},
		{"192.168.1.1:80", false, false},
		{"[::ffff:192.168.1.1]:80", false, false},
		{"[64:ff9b::a00:1]:80", false, false},
		{"[64:ff9b:1::a00:1]:80", false, false}, // local NAT64
		{"169.254.169.254:80", false, false},    // metadata
		{"168.63.129.16:80", false, false},      // Azure wire server
		{"100.64.0.1:80", false, false},
		{"100.100.100.200:80", false, false},
		{"192.0.0.192:80", false, false},
		{"198.18.0.1:80", false, false},
		{"224.0.0.1:80", false, false},
		{"255.255.255.255:80", false, false},
		{"[fe80::1%25eth0]:80", false, false},
		{"[fe80::1%eth0]:80", false, false},
		{"[fec0::1]:80", false, false},
		{"[fd00:ec2::254]:80", false, false},
		{"[ff02::1]:80", false, false},
		{"[2001:0:1::1]:80", false, false}, // Teredo
		{"[2001:db8::1]:80", false, false},
		{"[2002:7f00:1::]:80", false, false}, // 6to4 of 127.0.0.1
		{"[::7f00:1]:80", false, false},      // IPv4-compatible
		{"/run/docker.sock", false, false},
	}
	for _, tt := range tests {
		for _, local := range []bool{false, true} {
			want := tt.public
			if local {
				want = tt.local
			}
			err := guard(local)("tcp", tt.address, nil)
			if (err == nil) != want {
				t.Errorf("guard(loopback=%v)(%s) = %v, want allowed %v", local, tt.address, err, want)
			}
			if link, ok := errors.AsType[*LinkError](err); err != nil && (!ok || link.Kind != KindHostile) {
				t.Errorf("guard(%s) = %v, want KindHostile", tt.address, err)
			}
		}
	}
}

// TestNameThatResolvesToLoopback: the name is on the list, its address is not
// to be connected to. The server must not even see a connection.
func TestNameThatResolvesToLoopback(t *testing.T) {
	var connections atomic.Int32
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	for _, host := range []string{"localhost:" + port, "127.0.0.1:" + port, "[::ffff:127.0.0.1]:" + port} {
		src, err := testClient(t, ClientOptions{Hosts: []string{host}}).Link("https://" + host + "/c/b?" + query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = src.Open(context.Background(), 0, "")
		link, ok := errors.AsType[*LinkError](err)
		if !ok || link.Kind != KindHostile || link.Host != host || link.Temporary() {
			t.Errorf("Open of %s = %v, want KindHostile", host, err)
		}
		if err != nil && !strings.Contains(err.Error(), "127.0.0.1") && !strings.Contains(err.Error(), "::1") {
			t.Errorf("%v does not name the address", err)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("the server saw %d connections, want none", n)
	}
}

func TestLinkRefusesWhatIsNotAllowed(t *testing.T) {
	tests := []struct {
		name string
		opt  ClientOptions
		link string
		ok   bool
	}{
		{"default suffix", ClientOptions{}, "https://acct.blob.core.windows.net/c/b", true},
		{"sovereign suffix, upper case, root dot", ClientOptions{}, "https://ACCT.blob.core.usgovcloudapi.net./c/b", true},
		{"bare suffix", ClientOptions{}, "https://blob.core.windows.net/c/b", false},
		{"suffix glued on", ClientOptions{}, "https://evilblob.core.windows.net/c/b", false},
		{"suffix in front", ClientOptions{}, "https://acct.blob.core.windows.net.evil.example/c/b", false},
		{"suffix as user", ClientOptions{}, "https://acct.blob.core.windows.net@evil.example/c/b", false},
		{"user info", ClientOptions{}, "https://u:p@acct.blob.core.windows.net/c/b", false},
		{"other port", ClientOptions{}, "https://acct.blob.core.windows.net:22/c/b", false},
		{"own port", ClientOptions{}, "https://acct.blob.core.windows.net:443/c/b", true},
		{"http", ClientOptions{}, "http://acct.blob.core.windows.net/c/b", false},
		{"http with Loopback", ClientOptions{Loopback: true}, "http://acct.blob.core.windows.net/c/b", false},
		{"wide full stop", ClientOptions{}, "https://evil.example\u3002blob.core.windows.net/c/b", false},
		{"pinned", ClientOptions{Hosts: []string{"Mine.blob.core.windows.net"}}, "https://mine.blob.core.windows.net/c/b", true},
		{"not the pinned one", ClientOptions{Hosts: []string{"mine.blob.core.windows.net"}}, "https://theirs.blob.core.windows.net/c/b", false},
		{"listed port", ClientOptions{Hosts: []string{"h.example:8443"}}, "https://h.example:8443/c/b", true},
		{"listed port, other asked", ClientOptions{Hosts: []string{"h.example:8443"}}, "https://h.example/c/b", false},
		{"loopback off", ClientOptions{}, "https://127.0.0.1/c/b", false},
		{"loopback on", ClientOptions{Loopback: true}, "http://127.0.0.1:10000/c/b", true},
		{"loopback by name", ClientOptions{Loopback: true}, "http://LocalHost:10000/c/b", true},
		{"loopback v6", ClientOptions{Loopback: true}, "http://[::1]:10000/c/b", true},
		{"loopback keeps defaults", ClientOptions{Loopback: true}, "https://acct.blob.core.windows.net/c/b", true},
		{"loopback not listed", ClientOptions{Loopback: true, Hosts: []string{"h.example"}}, "http://127.0.0.1:10000/c/b", false},
		{"loopback listed", ClientOptions{Loopback: true, Hosts: []string{"127.0.0.1"}}, "http://127.0.0.1:10000/c/b", true},
		{"loopback v6 listed", ClientOptions{Loopback: true, Hosts: []string{"[::1]"}}, "http://[::1]:10000/c/b", true},
		{"odd spelling of loopback", ClientOptions{Loopback: true}, "http://127.1:10000/c/b", false},
		{"mapped loopback over http", ClientOptions{Loopback: true}, "http://[::ffff:127.0.0.1]/c/b", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src, err := testClient(t, tt.opt).Link(tt.link + "?" + query)
			if tt.ok {
				if err != nil || src == nil {
					t.Fatalf("Link(%s) = %v, want it allowed", tt.link, err)
				}
				return
			}
			if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindHostile {
				t.Fatalf("Link(%s) = %v, want KindHostile", tt.link, err)
			}
			wantNoSecret(t, err.Error())
		})
	}
}

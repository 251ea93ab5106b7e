package dmf

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestAudience(t *testing.T) {
	for in, want := range map[string]string{
		"https://Contoso.Operations.Dynamics.com/":        "https://contoso.operations.dynamics.com",
		" https://contoso.operations.dynamics.com ":       "https://contoso.operations.dynamics.com",
		"HTTPS://contoso.operations.dynamics.com:443//":   "https://contoso.operations.dynamics.com",
		"https://ax.contoso.local/namespaces/AXSF/":       "https://ax.contoso.local",
		"https://ax.contoso.local:8443/Namespaces/axsf":   "https://ax.contoso.local:8443",
		"http://127.0.0.1:8080":                           "http://127.0.0.1:8080",
		"http://localhost:8080/":                          "http://localhost:8080",
		"http://[::1]:8080":                               "http://[::1]:8080",
		"http://contoso.operations.dynamics.com":          "",
		"http://127.0.0.1.nip.example":                    "",
		"contoso.operations.dynamics.com":                 "",
		"ftp://contoso.operations.dynamics.com":           "",
		"https://contoso.operations.dynamics.com/data":    "",
		"https://contoso.operations.dynamics.com?cmp=x":   "",
		"https://me:hunter2@contoso.operations.dynamics":  "",
		"https://me:hunter2@contoso.operations.dynamics%": "",
		"": "",
	} {
		got, err := Audience(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Audience(%q) = %q, %v; want %q", in, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Audience(%q): the error shows the password: %v", in, err)
		}
	}
}

func TestOwnURL(t *testing.T) {
	const cloud = "https://contoso.operations.dynamics.com"
	const query = "/api/connector/download/%7B3F25%7D?correlation-id=1&blob=2"
	for _, c := range []struct{ name, base, in, want string }{
		{"as it should be", cloud, cloud + query, cloud + query},
		{"http", cloud, "http://contoso.operations.dynamics.com" + query, cloud + query},
		{"http with port 80", cloud, "http://contoso.operations.dynamics.com:80" + query, cloud + query},
		{"https with port 443", cloud, "https://contoso.operations.dynamics.com:443" + query, cloud + query},
		{"capitals", cloud, "HTTP://Contoso.Operations.Dynamics.com" + query, cloud + query},
		{"no host", cloud, query, cloud + query},
		{"fragment", cloud, cloud + query + "#x", cloud + query},
		{"blanks", cloud, " " + cloud + query + "\r\n", cloud + query},
		{"own port", "https://ax.contoso.local:8443", "http://ax.contoso.local:80" + query, "https://ax.contoso.local:8443" + query},
		{"loopback stays http", "http://127.0.0.1:4000", "http://127.0.0.1:80" + query, "http://127.0.0.1:4000" + query},
		{"other host", cloud, "https://evil.example" + query, ""},
		{"host as prefix", cloud, "https://contoso.operations.dynamics.com.evil.example" + query, ""},
		{"sibling", cloud, "https://fabrikam.operations.dynamics.com" + query, ""},
		{"trailing dot", cloud, "https://contoso.operations.dynamics.com." + query, ""},
		{"other port", cloud, "https://contoso.operations.dynamics.com:8443" + query, ""},
		{"port 80 over https", cloud, "https://contoso.operations.dynamics.com:80" + query, ""},
		{"scheme-relative", cloud, "//evil.example" + query, ""},
		{"backslash", cloud, `https:\\evil.example`, ""},
		{"user info", cloud, "https://contoso.operations.dynamics.com@evil.example" + query, ""},
		{"own host as user", cloud, "https://me:pw@contoso.operations.dynamics.com" + query, ""},
		{"opaque", cloud, "https:contoso", ""},
		{"file", cloud, "file:///etc/passwd", ""},
		{"not a URL", cloud, "https://%zz", ""},
	} {
		base, err := url.Parse(c.base)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ownURL(base, c.in)
		switch {
		case c.want == "" && !errors.Is(err, ErrHostile):
			t.Errorf("%s: ownURL(%q) = %v, %v; want ErrHostile", c.name, c.in, got, err)
		case c.want != "" && (err != nil || got.String() != c.want):
			t.Errorf("%s: ownURL(%q) = %v, %v; want %s", c.name, c.in, got, err, c.want)
		}
	}
}

func FuzzOwnURL(f *testing.F) {
	for _, seed := range []string{"http://contoso.operations.dynamics.com:80/a?b", "//evil.example", "https://a@b", `https:\\x`, "/api", "?q"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "contoso.operations.dynamics.com"}
	f.Fuzz(func(t *testing.T, in string) {
		u, err := ownURL(base, in)
		if err != nil {
			return
		}
		// What is sent is the text, so the text is parsed again.
		sent, err := url.Parse(u.String())
		if err != nil {
			t.Skip() // net/http refuses it as well
		}
		if sent.Scheme != base.Scheme || sent.Host != base.Host || sent.User != nil {
			t.Fatalf("ownURL(%q) gives %q, on another host", in, u)
		}
	})
}

package fetch

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestParseLink(t *testing.T) {
	start := time.Date(2026, 3, 2, 9, 10, 42, 0, time.UTC)
	expiry := time.Date(2026, 3, 2, 10, 15, 42, 0, time.UTC)
	tests := []struct {
		name, link string
		want       LinkInfo
	}{
		{"as FinOps sends it", "https://Acct.Blob.core.windows.net/exports/Customer%20groups.csv?" + query,
			LinkInfo{"acct.blob.core.windows.net", "acct.blob.core.windows.net/exports/Customer groups.csv", start, expiry,
				"https://Acct.Blob.core.windows.net/exports/Customer%20groups.csv"}},
		{"own port, root dot, braces", "https://acct.blob.core.windows.net.:443/c/%7BA%7D+b%2Bc.zip?se=2026-03-02T10:15:42.0000000Z",
			LinkInfo{Host: "acct.blob.core.windows.net", BlobPath: "acct.blob.core.windows.net/c/{A}+b+c.zip", Expiry: expiry,
				Redacted: "https://acct.blob.core.windows.net.:443/c/%7BA%7D+b%2Bc.zip"}},
		{"minutes only, no start", "https://h.example/c/b?se=2026-03-02T10%3A15Z",
			LinkInfo{Host: "h.example", BlobPath: "h.example/c/b", Expiry: expiry.Add(-42 * time.Second), Redacted: "https://h.example/c/b"}},
		{"a day, access policy beside it", "https://h.example/c/b?se=2026-03-02&si=policy",
			LinkInfo{Host: "h.example", BlobPath: "h.example/c/b", Expiry: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Redacted: "https://h.example/c/b"}},
		{"offset with a bare plus", "https://h.example/c/b?se=2026-03-02T12:15:42+02:00",
			LinkInfo{Host: "h.example", BlobPath: "h.example/c/b", Expiry: expiry, Redacted: "https://h.example/c/b"}},
		{"unreadable times", "https://h.example/c/b?se=soon&st=",
			LinkInfo{Host: "h.example", BlobPath: "h.example/c/b", Redacted: "https://h.example/c/b"}},
		{"loopback with port", "http://[::1]:10000/devstoreaccount1/c/b?" + query,
			LinkInfo{"[::1]:10000", "[::1]:10000/devstoreaccount1/c/b", start, expiry, "http://[::1]:10000/devstoreaccount1/c/b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseLink(tt.link)
			if err != nil || got != tt.want {
				t.Errorf("ParseLink(%s)\n got %+v, %v\nwant %+v", Redact(tt.link), got, err, tt.want)
			}
		})
	}
}

func TestParseLinkRefusesWhatIsNoLink(t *testing.T) {
	for _, text := range []string{
		"", "customers.csv?sig=s3cr3t", "ftp://h/c/b?sig=s3cr3t", "https:///c/b?sig=s3cr3t", "https:opaque?sig=s3cr3t",
		"https://h/%zz?sig=s3cr3t", "https://h/c\n/b?sig=s3cr3t", "https://h:port/c?sig=s3cr3t", `https://evil\@h/c?sig=s3cr3t`,
	} {
		_, err := ParseLink(text)
		if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindHostile {
			t.Errorf("ParseLink(%q) = %v, want a *LinkError of KindHostile", text, err)
			continue
		}
		wantNoSecret(t, err.Error())
	}
}

func TestRedact(t *testing.T) {
	tests := map[string]string{
		"https://h/c/b?" + query:                  "https://h/c/b",
		"https://user:s3cr3t@h/c/b#sig=s3cr3t":    "https://h/c/b",
		"https://h/c/b%3Fse%3D1%26sig%3Ds3cr3t":   "https://h/c/b%3Fse%3D1%26",
		"https://u@v@h/c/a@b":                     "https://h/c/a@b",
		"no link at all":                          "no link at all",
		"sv=2021&SIG=s3cr3t":                      "sv=2021&",
		"https://h/c/b%253Fse%253D1%26sig%253Ds3": "https://h/c/b%253Fse%253D1%26",
	}
	for link, want := range tests {
		if got := Redact(link); got != want {
			t.Errorf("Redact(%q) = %q, want %q", link, got, want)
		}
	}
}

// FuzzParseLink: whatever arrives, nothing panics, the signature stays out of
// all that is printed, and what goes to the wire fits in a request line.
func FuzzParseLink(f *testing.F) {
	f.Add("https://acct.blob.core.windows.net/exports/b.csv?" + query)
	f.Add("https://u:p@h:8443//c/%7Bb%7D?sig=SECRETSIGNATURE")
	f.Add("https://h/c/b%3Fsig%3DSECRETSIGNATURE#sig=SECRETSIGNATURE")
	f.Add("http://127.0.0.1:1/ä b?sig=SECRETSIGNATURE&se=2026-03-02")
	f.Add("\x00://?#")
	client := NewClient(ClientOptions{Loopback: true, Hosts: []string{".net", "127.0.0.1"}})
	f.Fuzz(func(t *testing.T, raw string) {
		info, err := ParseLink(raw)
		src, linkErr := client.Link(raw)
		if err != nil && linkErr == nil {
			t.Fatalf("Link takes what ParseLink refuses: %v", err)
		}
		printed := fmt.Sprint(err, linkErr, info.Redacted, src)
		u, perr := url.Parse(raw)
		if perr == nil {
			if sig := u.Query().Get("sig"); len(sig) > 12 && !strings.Contains(u.Path+u.Host, sig) && strings.Contains(printed, sig) {
				t.Errorf("the signature of %q is in %q", raw, printed)
			}
		}
		if strings.Contains(strings.ToLower(info.Redacted), "sig=") || strings.Contains(info.Redacted, "?") {
			t.Errorf("Redacted is %q", info.Redacted)
		}
		if src == nil {
			return
		}
		for i, c := range []byte(src.(*link).url.RequestURI()) {
			if c <= ' ' || c >= 0x7f {
				t.Errorf("byte %d of the request line is %#x", i, c)
			}
		}
	})
}

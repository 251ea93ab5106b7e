package fetch

import (
	"net"
	"net/url"
	"strings"
	"time"
)

// LinkInfo is what a link says about itself. Nothing in it is secret.
type LinkInfo struct {
	Host     string    // folded to lower case, without the scheme's own port
	BlobPath string    // "host/container/blob", host folded, path percent-decoded: the blob's identity
	Start    time.Time // st, UTC; zero when absent or unreadable
	Expiry   time.Time // se, UTC; zero when absent (a stored access policy) or unreadable
	Redacted string    // the link without query and user info, for logs
}

// ParseLink reads a link without touching the network. It returns a
// *LinkError of KindHostile when rawURL is not an absolute http or https URL.
// It does not say that the link may be used: see Client.Link.
func ParseLink(rawURL string) (LinkInfo, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return LinkInfo{}, err
	}
	host := foldHost(u)
	query := u.Query()
	return LinkInfo{
		Host:     host,
		BlobPath: host + u.Path,
		Start:    sasTime(query.Get("st")),
		Expiry:   sasTime(query.Get("se")),
		Redacted: Redact(rawURL),
	}, nil
}

// parseURL never passes on the error of package url, which quotes the whole
// link with its signature.
func parseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, &LinkError{Kind: KindHostile, Detail: "not a readable URL"}
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, &LinkError{Kind: KindHostile, Detail: "not an https link"}
	case u.Hostname() == "" || u.Opaque != "":
		return nil, &LinkError{Kind: KindHostile, Detail: "a link without a host"}
	}
	return u, nil
}

// foldHost gives one spelling to hosts that are the same: case, the root's
// dot and the scheme's own port do not make another blob.
func foldHost(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	if port == "" || port == defaultPort(u.Scheme) {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// sasTime reads the forms of ISO 8601 that a SAS may hold. All are UTC.
//
// Source: Microsoft Learn, "Create a service SAS": YYYY-MM-DD,
// YYYY-MM-DDThh:mm<TZD>, YYYY-MM-DDThh:mm:ss<TZD>. Parse takes the fraction
// of a second, which some generators add, with the last of them.
func sasTime(text string) time.Time {
	// A "+" that was not escaped comes out of a query as a space.
	text = strings.ReplaceAll(text, " ", "+")
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Redact returns rawURL without query, fragment and user info, for logs. It
// works on anything, also on text that is no URL.
func Redact(rawURL string) string {
	if i := strings.IndexAny(rawURL, "?#"); i >= 0 {
		rawURL = rawURL[:i]
	}
	// A link that was percent-encoded once too often carries its query in the
	// path.
	folded := strings.ToLower(rawURL)
	for _, mark := range []string{"sig=", "sig%3d", "sig%253d"} {
		if i := strings.Index(folded, mark); i >= 0 {
			rawURL, folded = rawURL[:i], folded[:i]
		}
	}
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return rawURL
	}
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	return scheme + "://" + authority + path
}

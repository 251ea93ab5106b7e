package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultVersion is the storage service version links are signed for.
const DefaultVersion = "2021-12-02"

// sasTime is how SAS parameters write a time: UTC, whole seconds.
const sasTime = "2006-01-02T15:04:05Z"

// LinkOptions says what a link allows. The zero value is the link FinOps puts
// into an event: read, from LinkSkew ago until LinkLife from now.
type LinkOptions struct {
	Life        time.Duration // from now to the expiry; 0 = Options.LinkLife, negative = already dead
	Start       time.Time     // "st"; zero = Options.LinkSkew ago
	Permissions string        // "sp"; "" = "r"
	IP          string        // "sip": an address, or two with "-" between; "" = any
	Protocol    string        // "spr": "https" or "https,http"; "" = any
	Version     string        // "sv"; "" = DefaultVersion, "2014-02-14" as in the published sample
	Container   string        // "" = Container; another name makes a link into a container that does not exist
}

// Link returns a fresh signed URL for the blob, in the parameter order of the
// published event: sv, sr, sig, st, se, sp. It is a credential until it expires.
func (s *Sim) Link(b *Blob, opt LinkOptions) string {
	now := s.clock.Now()
	life := orDefault(opt.Life, s.opt.LinkLife)
	expiry := now.Add(life)
	start := opt.Start
	if start.IsZero() {
		start = now.Add(-s.opt.LinkSkew)
		if expiry.Before(start) {
			// A link made dead began as long ago as if it had lived.
			start = expiry.Add(-s.opt.LinkLife - s.opt.LinkSkew)
		}
	}
	q := url.Values{
		"sv": {orElse(opt.Version, DefaultVersion)},
		"sr": {"b"},
		"st": {start.UTC().Format(sasTime)},
		"se": {expiry.UTC().Format(sasTime)},
		"sp": {orElse(opt.Permissions, "r")},
	}
	if opt.Protocol != "" {
		q.Set("spr", opt.Protocol)
	}
	if opt.IP != "" {
		q.Set("sip", opt.IP)
	}
	container := orElse(opt.Container, Container)
	q.Set("sig", s.sign(container, b.name, q))
	return s.BaseURL() + "/" + container + "/" + url.PathEscape(b.name) + "?" + linkQuery(q)
}

func orElse(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

// linkQuery writes the parameters in the published order.
//
// Source: munib00/MSDYN365FO-EventBasedIntegration, README, sample event:
// "?sv=…&sr=b&sig=…&st=…&se=…&sp=r".
func linkQuery(q url.Values) string {
	var b strings.Builder
	for _, k := range []string{"sv", "sr", "sig", "st", "se", "sp", "spr", "sip"} {
		if !q.Has(k) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(k + "=" + url.QueryEscape(q.Get(k)))
	}
	return b.String()
}

// verbatim reports whether the request line is byte for byte a link of ours:
// signed by us, and what Link would write its parameters as again.
func (s *Sim) verbatim(r *http.Request) bool {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !q.Has("sig") {
		return false
	}
	container, name := splitBlobPath(r.URL.Path)
	path := "/" + container + "/" + url.PathEscape(name)
	return r.URL.EscapedPath() == path && r.URL.RawQuery == linkQuery(q) &&
		hmac.Equal([]byte(q.Get("sig")), []byte(s.sign(container, name, q)))
}

// sign returns the signature of a service SAS, in base64, for the parameters
// in q ("sig" itself is not read).
func (s *Sim) sign(container, blob string, q url.Values) string {
	mac := hmac.New(sha256.New, s.key[:])
	_, _ = mac.Write([]byte(stringToSign(s.opt.Account, container, blob, q)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// stringToSign lists what the signature covers, a line each; an empty value
// keeps its line.
//
// Source: Microsoft Learn, "Create a service SAS", versions 2013-08-15,
// 2015-04-05, 2018-11-09 and 2020-12-06; the last is the one of the protocol
// reference, section 6.1.
func stringToSign(account, container, blob string, q url.Values) string {
	sv := q.Get("sv") // versions are dates: they compare as strings
	resource := "/" + account + "/" + container + "/" + blob
	if sv >= "2015-02-21" {
		resource = "/blob" + resource
	}
	lines := []string{q.Get("sp"), q.Get("st"), q.Get("se"), resource, q.Get("si")}
	if sv >= "2015-04-05" {
		lines = append(lines, q.Get("sip"), q.Get("spr"))
	}
	lines = append(lines, sv)
	if sv >= "2018-11-09" {
		lines = append(lines, q.Get("sr"), q.Get("snapshot"))
	}
	if sv >= "2020-12-06" {
		lines = append(lines, q.Get("ses"))
	}
	for _, k := range []string{"rscc", "rscd", "rsce", "rscl", "rsct"} {
		lines = append(lines, q.Get(k))
	}
	return strings.Join(lines, "\n")
}

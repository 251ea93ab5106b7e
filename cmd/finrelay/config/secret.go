package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
)

const redacted = "<redacted>"

// Secret is a value that no message, log or dump shows: every fmt verb, JSON,
// YAML and slog give "<redacted>". The zero Secret is "no secret" and prints
// as the empty string.
type Secret struct {
	// A pointer, because fmt cannot call methods on unexported fields of other
	// structs and would print their bytes; of a pointer it prints the address.
	text   *string
	absent bool // named in the file, and not to be had: see LoadToLook
}

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal gives the text itself, "" of one that is absent. Its callers are the places to look at when
// asking where a secret can leak.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no secret, or an empty one.
func (s Secret) IsZero() bool { return s.Reveal() == "" && !s.absent }

// IsAbsent reports whether the file names a secret that LoadToLook did without.
func (s Secret) IsAbsent() bool { return s.absent }

// String gives "<redacted>", or "" for the zero Secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format prints String for every verb, %#v and %x included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText serves encoding/json and the YAML encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue serves log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// ProxyURL is the address of a proxy. It may carry a password, which prints as
// "xxxxx"; what may carry a secret elsewhere prints as "<redacted>". Convert to
// string for the real text.
type ProxyURL string

// String gives the address with its password hidden.
func (p ProxyURL) String() string {
	if p == "" {
		return ""
	}
	u, err := url.Parse(string(p))
	if err != nil || !isProxy(u) {
		return redacted
	}
	if _, named := u.User.Password(); u.User != nil && !named {
		return redacted // a token in the place of the user's name
	}
	return u.Redacted()
}

// Format prints String for every verb.
func (p ProxyURL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// MarshalText serves encoding/json and the YAML encoder.
func (p ProxyURL) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText takes the address as it is; Validate looks at it.
func (p *ProxyURL) UnmarshalText(text []byte) error {
	*p = ProxyURL(text)
	return nil
}

// LogValue serves log/slog.
func (p ProxyURL) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Address is the address of a server. It should carry no password and no
// token, but one that is pasted may: what Validate did not see yet prints as
// "<redacted>" in doubt. Convert to string for the text.
type Address string

// String gives the address, or "<redacted>" when it may carry a secret.
func (a Address) String() string {
	u, err := url.Parse(string(a))
	if err != nil || doubtfulAddress(u) || a != "" && (u.Host == "" || !slices.Contains(webSchemes, u.Scheme)) {
		return redacted
	}
	return string(a)
}

// Format prints String for every verb.
func (a Address) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// MarshalText serves encoding/json and the YAML encoder.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText takes the address as it is; Validate looks at it.
func (a *Address) UnmarshalText(text []byte) error {
	*a = Address(text)
	return nil
}

// LogValue serves log/slog.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }

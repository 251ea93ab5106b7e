package flows

import (
	"bytes"
	"strconv"
	"strings"
)

// RemovedSignature stands in stored bodies where a link's signature was.
const RemovedSignature = "removed-by-finrelay"

// withoutSignatures replaces the value of every sig parameter; a body without
// one comes back as it is. It works on the text and not on a parsed link,
// because the body may be one that nobody could parse.
func withoutSignatures(body []byte) []byte {
	if bytes.IndexByte(body, 0) >= 0 {
		// UTF-16 that could not be read: its letters stand between zeros.
		if narrow := bytes.ReplaceAll(body, []byte{0}, nil); hasSignature(narrow) {
			body = narrow
		}
	}
	out, rest := []byte(nil), body
	for {
		at, length := findSignature(rest)
		if at < 0 {
			break
		}
		value := at + length
		out = append(append(out, rest[:value]...), RemovedSignature...)
		rest = rest[value+signatureLength(rest[value:]):]
	}
	if out == nil {
		return body
	}
	return append(out, rest...)
}

func hasSignature(b []byte) bool {
	at, _ := findSignature(b)
	return at >= 0
}

// findSignature gives where a sig parameter's name begins, and the length of
// the name with its "="; -1 when there is none.
func findSignature(b []byte) (at, length int) {
	for from := 0; ; {
		i := bytes.IndexAny(b[from:], "sS")
		if i < 0 {
			return -1, 0
		}
		i += from
		if n := signatureName(b[i:]); n > 0 {
			return i, n
		}
		from = i + 1
	}
}

// signatureName is the length of "sig=", however the "=" is written; 0 when
// something else stands there.
func signatureName(b []byte) int {
	if len(b) < 4 || !strings.EqualFold(string(b[:3]), "sig") {
		return 0
	}
	for _, equals := range []string{"=", "%3d", "%253d"} {
		if n := 3 + len(equals); len(b) >= n && strings.EqualFold(string(b[3:n]), equals) {
			return n
		}
	}
	if c, n := escaped(b[3:]); c == '=' {
		return 3 + n
	}
	return 0
}

// signatureLength is how long the signature is that b begins with. Writers of
// JSON and XML may escape what base64 is made of: "/" as \/, "+" as \u002B or
// &#x2B;. Such a character does not end it, any other escape does.
func signatureLength(b []byte) int {
	end := 0
	for end < len(b) {
		if c := b[end]; c != '\\' && c != '&' {
			if endsSignature(c) {
				break
			}
			end++
			continue
		}
		c, n := escaped(b[end:])
		if n == 0 || c == '&' || endsSignature(c) {
			break
		}
		end += n
	}
	return end
}

// endsSignature: what can stand behind a signature in JSON, XML or plain text.
// Base64 and percent signs never end it.
func endsSignature(c byte) bool {
	return c == '"' || c == '\'' || c == '<' || c == '>' || c <= ' '
}

// escaped reads one escaped ASCII character, in JSON (several backslashes in a
// string within a string) or XML, and the length of its escape; 0 when there
// is none.
func escaped(b []byte) (c byte, length int) {
	if digits, ok := bytes.CutPrefix(b, []byte("&#")); ok {
		text, _, found := bytes.Cut(digits[:min(len(digits), 6)], []byte(";"))
		number := strings.ToLower(string(text))
		if strings.HasPrefix(number, "x") {
			number = "0" + number
		}
		code, err := strconv.ParseUint(number, 0, 7)
		if !found || err != nil {
			return 0, 0
		}
		return byte(code), len("&#;") + len(text)
	}
	n := len(b) - len(bytes.TrimLeft(b, `\`))
	switch {
	case n == 0 || n == len(b):
		return 0, 0
	case b[n] == '/':
		return '/', n + 1
	case b[n] != 'u' || len(b) < n+5:
		return 0, 0
	}
	code, err := strconv.ParseUint(string(b[n+1:n+5]), 16, 7)
	if err != nil {
		return 0, 0
	}
	return byte(code), n + 5
}

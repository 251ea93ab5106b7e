package outputs

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits in bytes. File systems allow 255 for a name. maxElement leaves room
// for the dot, ".manifest.json", the hash and ".tmp" of a temporary file;
// maxValue leaves room for the template's own text. NTFS counts UTF-16 units,
// of which a name never has more than bytes.
const (
	maxValue   = 120
	maxElement = 200
)

// unknown stands for a value that FinOps did not send.
const unknown = "_"

// safeValue makes one path element of any string. A value that has to change
// carries "~" and a hash of the original, so that two values never become the
// same element; "~" in a value counts as a change for that reason. It is also
// the sign of Windows' short names, which would reach another file.
//
// The rules are spelled out here instead of asking package unicode for
// categories: those grow with each Go release, and a name must not change with
// an upgrade.
func safeValue(value string) string {
	if value == "" {
		return unknown
	}
	s := norm.NFC.String(strings.ToValidUTF8(value, "_"))
	s = strings.Map(replaceUnsafe, s)
	s = strings.Trim(s, " ")
	s = strings.TrimRight(s, ". ") // Windows drops these without a word
	if strings.HasPrefix(s, ".") {
		s = "_" + s[1:] // hidden, and ".." among them
	}
	if isDevice(s) {
		s = "_" + s
	}
	// "_" itself changes too: it would pass for an unknown value.
	if s == value && s != unknown && len(s) <= maxValue {
		return s
	}
	mark := hashMark(value)
	s = cut(s, maxValue-len(mark))
	if s == "" {
		s = "_"
	}
	return s + mark
}

// fitElement checks an element put together from values and the template's
// own text, because sound parts can make an unsound whole: CO{flow}, three
// long labels, or a data file named like another one's manifest.
func fitElement(element string, last bool) string {
	s := norm.NFC.String(element)
	if isDevice(s) {
		s = "_" + s
	}
	ext := ""
	if last {
		ext = path.Ext(s)
		if len(ext) > 16 || ext == s {
			ext = ""
		}
	}
	if s == element && len(s) <= maxElement && !(last && isCompanion(s)) {
		return s
	}
	mark := hashMark(element)
	return cut(strings.TrimSuffix(s, ext), maxElement-len(mark)-len(ext)) + mark + ext
}

// replaceUnsafe gives "_" for what a path element must not hold, on either
// system, and for marks that are invisible or turn the writing direction: a
// name that shows as another one misleads the person who looks for a file.
func replaceUnsafe(r rune) rune {
	switch {
	case unicode.IsControl(r), // C0, DEL and C1; that set is closed
		strings.ContainsRune(`<>:"/\|?*~`, r),
		r == 0x00AD, r == 0x061C, r == 0xFEFF,
		0x200B <= r && r <= 0x200F,
		0x2028 <= r && r <= 0x202E,
		0x2060 <= r && r <= 0x206F,
		0xFFF9 <= r && r <= 0xFFFB,
		0xE0000 <= r && r <= 0xE007F:
		return '_'
	}
	return r
}

// isDevice tells whether Windows would open a device for this name. What
// stands before the first dot decides, blanks at its end aside.
//
// Source: Microsoft Learn, "Naming Files, Paths, and Namespaces"; the digits
// include superscript one to three.
func isDevice(s string) bool {
	stem, _, _ := strings.Cut(s, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if digit, ok := strings.CutPrefix(stem, port); ok {
			r, size := utf8.DecodeRuneInString(digit)
			return size > 0 && size == len(digit) && strings.ContainsRune("0123456789¹²³", r)
		}
	}
	return false
}

// isCompanion tells whether a data file of this name would be taken for the
// manifest or the bad rows of another one.
func isCompanion(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasSuffix(lower, manifestSuffix) || strings.HasSuffix(lower, badRowsSuffix) || strings.HasSuffix(lower, formerBadRowsSuffix)
}

// cut shortens s to at most n bytes, at a rune border.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// hashMark is "~" and 32 bits of a hash: enough among the few names that
// become alike, and short enough to leave the name readable.
func hashMark(s string) string { return "~" + shortHash(s)[:8] }

// shortHash is 64 bits of SHA-256 in lower-case hex.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

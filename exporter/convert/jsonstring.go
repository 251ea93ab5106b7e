package convert

const hexDigits = "0123456789abcdef"

// appendEscape appends the JSON spelling of a byte below 0x20, of " or of \.
func appendEscape(out []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(out, '\\', c)
	case '\b':
		return append(out, '\\', 'b')
	case '\f':
		return append(out, '\\', 'f')
	case '\n':
		return append(out, '\\', 'n')
	case '\r':
		return append(out, '\\', 'r')
	case '\t':
		return append(out, '\\', 't')
	}
	return append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// appendString appends s as a JSON string. Only what JSON requires is escaped:
// < > & and everything outside ASCII stay as they are.
func appendString[T string | []byte](out []byte, s T) []byte {
	out = append(out, '"')
	run := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			out = append(out, s[run:i]...)
			out = appendEscape(out, c)
			run = i + 1
		}
	}
	out = append(out, s[run:]...)
	return append(out, '"')
}

package dmf

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// textOf gives the text of data without its byte order mark: UTF-16 when the
// mark, or a NUL beside the first "<", says so, else the bytes as they are,
// which may not be valid UTF-8. A lone surrogate or half a unit becomes U+FFFD.
func textOf(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return utf16Text(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return utf16Text(data[2:], binary.BigEndian)
	case bytes.HasPrefix(data, []byte{'<', 0}):
		return utf16Text(data, binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0, '<'}):
		return utf16Text(data, binary.BigEndian)
	}
	return string(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")))
}

func utf16Text(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(data)/2+1)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	if len(data) > 0 {
		units = append(units, utf8.RuneError)
	}
	return string(utf16.Decode(units))
}

// utf16LE gives text as FinOps writes the XML of a package: little endian
// UTF-16 behind its byte order mark.
func utf16LE(text string) []byte {
	units := utf16.Encode([]rune(text))
	data := make([]byte, 0, 2+2*len(units))
	data = append(data, 0xFF, 0xFE)
	for _, u := range units {
		data = binary.LittleEndian.AppendUint16(data, u)
	}
	return data
}

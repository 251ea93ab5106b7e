package config

import "testing"

func TestCharacterSpellings(t *testing.T) {
	for s, want := range map[string]rune{
		",": ',', "tab": '\t', `\t`: '\t', "\t": '\t', " ": ' ', `\`: '\\', "u": 'u', "U": 'U',
		"¦": '¦', "ÿ": 'ÿ', "語": '語', "😀": '😀', "\x1f": 0x1f, "\u2028": 0x2028,
		`\u001f`: 0x1f, `\u001F`: 0x1f, `\u00a6`: '¦', `\u8a9e`: '語',
		"U+001F": 0x1f, "u+00a6": '¦', "U+1F600": '😀', "U+01F600": '😀', "U+0009": '\t',
	} {
		r := Read{Delimiter: s, Quote: s}
		if got, ok := r.DelimiterChar(); got != want || !ok {
			t.Errorf("delimiter %q: got %U, %v, want %U", s, got, ok, want)
		}
		if got, ok := r.QuoteChar(); got != want || !ok {
			t.Errorf("quote %q: got %U, %v, want %U", s, got, ok, want)
		}
	}
	for _, s := range []string{
		"", "||", "é,", "\xff", "a\xff", "\n", "\r", "\x00", "\ufffd", "\ufeff", "TAB", `\n`, `\x1f`,
		`\u1f`, `\u0001f`, `\u000a`, `\u000d`, `\u0000`, `\ufffd`, `\ud800`, `\u+01f`, `\u00_1`,
		"U+1F", "U+0000001", "U+000A", "U+FFFD", "U+FEFF", "U+D800", "U+110000", "U+-001", "U+00G0",
	} {
		r := Read{Delimiter: s, Quote: s}
		if got, ok := r.DelimiterChar(); ok {
			t.Errorf("delimiter %q: got %U, want none", s, got)
		}
		if got, ok := r.QuoteChar(); ok {
			t.Errorf("quote %q: got %U, want none", s, got)
		}
	}
	r := Read{Delimiter: "auto", Quote: "none"}
	if d, ok := r.DelimiterChar(); d != 0 || !ok {
		t.Errorf("auto: got %U, %v", d, ok)
	}
	if q, ok := r.QuoteChar(); q != 0 || !ok {
		t.Errorf("none: got %U, %v", q, ok)
	}
}

package outputs

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestSafeValue(t *testing.T) {
	// The hash is part of the contract: were it to change, repeats after an
	// upgrade would land beside the first file.
	for _, c := range []struct{ value, want string }{
		{"Customer groups", "Customer groups"},
		{"Release product categories (V2)", "Release product categories (V2)"},
		{"Kundengruppen für Köln", "Kundengruppen für Köln"},
		{"顧客グループ", "顧客グループ"},
		{"v1.2", "v1.2"},
		{"console", "console"},
		{"COM12", "COM12"},
		{"", "_"},
		{"_", "_~d2e2adf7"},
		{"Country/regions", "Country_regions~c38918d1"},
		{`Country\regions`, "Country_regions~80a4784e"},
		{"..", "_~5ec1f7e7"},
		{".", "_~cdb4ee2a"},
		{"../../etc/passwd", "_._.._etc_passwd~"},
		{".hidden", "_hidden~"},
		{"trailing. .", "trailing~"},
		{" blank ", "blank~"},
		{`a<b>c:d"e|f?g*h`, "a_b_c_d_e_f_g_h~"},
		{"line\nbreak\x00\x7f", "line_break__~"},
		{"right\u202Eleft", "right_left~"},
		{"CON", "_CON~"},
		{"con.txt", "_con.txt~"},
		{"Nul .x", "_Nul .x~"},
		{"COM1", "_COM1~"},
		{"lpt³.log", "_lpt³.log~"},
		{"CONIN$", "_CONIN$~"},
		{"PROGRA~1", "PROGRA_1~"},
		{"Country_regions~c38918d1", "Country_regions_c38918d1~"},
		{"bad\xff\xfeutf8", "bad_utf8~"},
		{"Ko\u0308ln", "Köln~"}, // NFD
		{strings.Repeat("é", 61), strings.Repeat("é", 55) + "~"},
		{strings.Repeat("a", 120), strings.Repeat("a", 120)},
		{strings.Repeat("a", 121), strings.Repeat("a", 111) + "~"},
	} {
		got := safeValue(c.value)
		if strings.HasSuffix(c.want, "~") { // any hash
			if want := c.want + shortHash(c.value)[:8]; got != want {
				t.Errorf("safeValue(%q) = %q, want %q", c.value, got, want)
			}
			continue
		}
		if got != c.want {
			t.Errorf("safeValue(%q) = %q, want %q", c.value, got, c.want)
		}
	}
}

// nasty draws strings near the rules' borders, which plain random text misses.
func nasty() *rapid.Generator[string] {
	pieces := rapid.SampledFrom([]string{
		"", ".", "..", " ", "/", `\`, "~", "_", ":", "CON", "nul", "COM1", "lpt¹", "aux.", "a", "B", "é", "e\u0301", "\u0308",
		"\xff", "\xc3", "\x00", "\n", "\u202E", "\uFEFF", "顧客", "😀", ".manifest.json", ".bad-rows", ".bad.jsonl", ".tmp", "{entity}",
		strings.Repeat("x", 119), strings.Repeat("ü", 60),
	})
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.SliceOfN(pieces, 0, 8), func(s []string) string { return strings.Join(s, "") }),
	)
}

func checkElement(t *rapid.T, element string, limit int) {
	switch {
	case !filepath.IsLocal(element):
		t.Fatalf("%q is not local", element)
	case strings.ContainsAny(element, `/\<>:"|?*`):
		t.Fatalf("%q holds a reserved character", element)
	case strings.ContainsFunc(element, func(r rune) bool { return r < ' ' || r == 0x7f }):
		t.Fatalf("%q holds a control character", element)
	case isDevice(element):
		t.Fatalf("%q is a device", element)
	case strings.TrimRight(element, ". ") != element, strings.HasPrefix(element, "."):
		t.Fatalf("%q starts or ends badly", element)
	case !utf8.ValidString(element), !norm.NFC.IsNormalString(element):
		t.Fatalf("%q is not UTF-8 in NFC", element)
	case element == "", len(element) > limit:
		t.Fatalf("%q has %d bytes, want 1 to %d", element, len(element), limit)
	}
}

func TestSafeValueIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := nasty().Draw(t, "value")
		element := safeValue(value)
		checkElement(t, element, maxValue)
		if again := safeValue(value); again != element {
			t.Fatalf("safeValue(%q) = %q, then %q", value, element, again)
		}
		if other := nasty().Draw(t, "other"); other != value && safeValue(other) == element && (value != "" && other != "") {
			t.Fatalf("%q and %q are both %q", value, other, element)
		}
	})
}

func TestPathIsSafe(t *testing.T) {
	templates := []string{
		DefaultTemplate,
		"{entity}{legal_entity}{export_id}",
		"CO{entity}/{flow}.{project}/x{export_id}.json",
		"{entity}-{target_entity}-{project}/{export_id}.manifest.json",
	}
	rapid.Check(t, func(t *rapid.T) {
		tmpl, err := ParseTemplate(rapid.SampledFrom(templates).Draw(t, "template"))
		if err != nil {
			t.Fatal(err)
		}
		e := Export{ID: "x"}
		for _, f := range []*string{&e.Environment, &e.Entity, &e.LegalEntity, &e.TargetEntity, &e.Flow, &e.Project, &e.ID} {
			*f = nasty().Draw(t, "value")
		}
		got := tmpl.Path(e)
		elements := strings.Split(got, "/")
		if len(elements) != len(tmpl.elements) {
			t.Fatalf("%q has %d elements, the template %d", got, len(elements), len(tmpl.elements))
		}
		for _, element := range elements {
			checkElement(t, element, maxElement)
		}
		last := elements[len(elements)-1]
		if isCompanion(last) {
			t.Fatalf("%q would pass for a manifest or bad rows", last)
		}
		if longest := tempName(last+manifestSuffix, shortHash("")); len(longest) > 255 || !tempPattern.MatchString(longest) {
			t.Fatalf("temporary name %q: %d bytes", longest, len(longest))
		}
	})
}

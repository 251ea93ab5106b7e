package dmf

import "testing"

func TestFold(t *testing.T) {
	const want = "6070e2a4-a3d8-4074-b105-4f2666cca04c"
	for _, id := range []string{
		"{6070E2A4-A3D8-4074-B105-4F2666CCA04C}", "6070E2A4-A3D8-4074-B105-4F2666CCA04C", " {6070e2a4-a3d8-4074-b105-4f2666cca04c}\r\n", want,
	} {
		if got := Fold(id); got != want {
			t.Errorf("Fold(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestFileName(t *testing.T) {
	cases := []struct{ label, ext, want string }{
		{"Customer groups", "csv", "Customer groups.csv"},
		{"Country/regions", ".xlsx", "Countryregions.xlsx"},
		{`a\b:c*d?e"f<g>h|i`, "xml", "abcdefghi.xml"},
		{"Kunden\tgruppen\x00", "csv", "Kundengruppen.csv"},
		{"Länder. Regionen", "csv", "Länder. Regionen.csv"},
		{"Customer groups", "", "Customer groups"},
	}
	for _, c := range cases {
		if got := FileName(c.label, c.ext); got != c.want {
			t.Errorf("FileName(%q, %q) = %q, want %q", c.label, c.ext, got, c.want)
		}
	}
}

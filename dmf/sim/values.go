package sim

import (
	"fmt"
	"strings"
)

// maker makes one value of a row.
type maker func(*rowGen) string

// makerOf returns the maker of a kind or of a choice. It panics on a kind that
// does not exist; a test walks all entities.
func makerOf(kind string) maker {
	if m, ok := kinds[kind]; ok {
		return m
	}
	if kind == "" || strings.ToLower(kind) == kind && !strings.ContainsAny(kind, "|0123456789") {
		panic("sim: no kind of value " + kind)
	}
	choice := strings.Split(strings.ReplaceAll(kind, "_", " "), "|")
	return func(g *rowGen) string { return g.pick(choice) }
}

// The lists begin with what breaks careless readers.
var (
	names = []string{
		"Contoso Retail", "Müller & Söhne GmbH", "\"The Original\" Bike Co.", "株式会社コントソ", "Fabrikam, Inc.",
		"Łódź Trading <PL>", "Søren's Cykler A/S", "Café São Paulo; Filiais", "Northwind|Traders", "Ñandú\tExport",
		"O'Neil \\ Partners", "🚚 Express", "Привет ООО", "Größe €uro KG",
	}
	groupNames = []string{
		"Wholesale customers", "Major customers", "Retail customers", "Großkunden, Süd", "Intercompany customers",
		"\"Other\" customers", "Clientes de São Paulo", "Internet customers",
	}
	notes = []string{
		"", "Call before delivery.", "First line\r\nsecond line", "Says \"ok\", then orders; 2% off", "Line one\nline two\n\nline four",
		"  spaces kept  ", "C:\\LEGACY\\AX2009", "=SUM(A1:A2)", "NULL",
	}
	products = []string{
		"Mid-Range Speaker", "Cable, 3\" / 7.5 cm", "Lautsprecher \"Größe L\"", "スピーカー", "Kiwi (kg)", "Design <draft> & review",
	}
	streets = []string{
		"1 Way", "Bahnhofstraße 7\nHinterhaus", "Rua das Flores, 12", "Østergade 3", "King's Way", "Calle Ñuñoa 5",
	}
	cities    = []string{"Redmond", "München", "København", "São Paulo", "東京", "St. Louis", "Kraków", "Zürich"}
	aliases   = []string{"Contoso", "Mueller", "Original", "Kontoso", "Fabrikam", "Lodz", "007", "1E5"}
	firsts    = []string{"", "Anna", "José", "Zoë", "Mei", "O'Neil"}
	lasts     = []string{"", "García", "Sørensen", "d'Artagnan", "Łukasz"}
	countries = []string{"USA", "DEU", "DNK", "BRA", "JPN", "POL"}
	langs     = []string{"en-us", "de", "da", "pt-br", "ja", "pl"}
	money     = []string{"USD", "EUR", "DKK", "BRL", "JPY"}
	companies = []string{"usmf", "usmf", "usmf", "demf"}
)

const nullDate = "1900-01-01 00:00:00" // FinOps' "no date"

// kinds are the values a column can have. Numbers, dates and enums are text as
// an en-US format writes them. Assumed: the ISO-like date form; formats differ
// by locale.
var kinds = map[string]maker{
	"name":      func(g *rowGen) string { return g.cycle(names) },
	"groupname": func(g *rowGen) string { return g.cycle(groupNames) },
	"note":      func(g *rowGen) string { return g.cycle(notes) },
	"product":   func(g *rowGen) string { return g.cycle(products) },
	"street":    func(g *rowGen) string { return g.cycle(streets) },
	"city":      func(g *rowGen) string { return g.cycle(cities) },
	"alias":     func(g *rowGen) string { return g.pick(aliases) },
	"first":     func(g *rowGen) string { return g.pick(firsts) },
	"last":      func(g *rowGen) string { return g.pick(lasts) },
	"country":   func(g *rowGen) string { return g.pick(countries) },
	"language":  func(g *rowGen) string { return g.pick(langs) },
	"currency":  func(g *rowGen) string { return g.pick(money) },
	"company":   func(g *rowGen) string { return g.pick(companies) },
	"groupid":   func(g *rowGen) string { return fmt.Sprintf("%03d", 10*(g.row+1)) },
	"groupref":  func(g *rowGen) string { return fmt.Sprintf("%03d", 10*(1+g.r.IntN(8))) },
	"account":   func(g *rowGen) string { return fmt.Sprintf("US-%06d", g.row+1) },
	"party":     func(g *rowGen) string { return fmt.Sprintf("%09d", 1000+g.row) },
	"order":     func(g *rowGen) string { return fmt.Sprintf("%06d", 697+g.row) },
	"item":      func(g *rowGen) string { return fmt.Sprintf("%05d", 1+g.row) },
	"number":    func(g *rowGen) string { return g.digits(9) },
	"zip":       func(g *rowGen) string { return fmt.Sprintf("%05d", g.r.IntN(100_000)) },
	"barcode":   func(g *rowGen) string { return "0" + g.digits(12) },
	"recid":     func(g *rowGen) string { return fmt.Sprint(68719523988 + int64(g.r.IntN(1_000_000))) },
	"phone":     func(g *rowGen) string { return "+1 425-555-" + g.digits(4) },
	"email":     func(g *rowGen) string { return "contact" + g.digits(4) + "@contoso.example" },
	"amount":    func(g *rowGen) string { return fmt.Sprintf("%d.%s", g.r.IntN(200_000)-1000, g.digits(6)) },
	"rate":      func(g *rowGen) string { return fmt.Sprintf("%d.%s", 1+g.r.IntN(900), g.digits(10)) },
	"weight":    func(g *rowGen) string { return "0." + g.digits(12) },
	"forever":   func(*rowGen) string { return "2154-12-31 23:59:59" },
	"date": func(g *rowGen) string {
		if g.row%4 == 1 {
			return nullDate
		}
		return fmt.Sprintf("%04d-%02d-%02d 00:00:00", 2005+g.r.IntN(21), 1+g.r.IntN(12), 1+g.r.IntN(28))
	},
	"datetime": func(g *rowGen) string {
		return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", 2005+g.r.IntN(21), 1+g.r.IntN(12), 1+g.r.IntN(28),
			g.r.IntN(24), g.r.IntN(60), g.r.IntN(60))
	},
}

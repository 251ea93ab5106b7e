package customers

import (
	"math/rand/v2"
	"strconv"
)

// row is what the values of one row share.
type row struct {
	*rand.Rand
	number int
	broken bool // this row's memo and street hold a line break
}

// filler appends one value to b.
type filler func(r *row, b []byte) []byte

type column struct {
	name string
	fill filler
}

// columns are those of the entity, in the order of the export.
var columns = []column{
	{"CUSTOMERACCOUNT", numbered("US-", 9)},
	{"ORGANIZATIONNAME", joined(oneOf(names...), text(" "), oneOf(foreignNames...), oneOf(legalForms...))},
	{"NAMEALIAS", joined(oneOf(names...), digits(5))},
	{"PARTYTYPE", oneOf("Organization", "Organization", "Person")},
	{"PARTYNUMBER", numbered("", 9)},
	{"CUSTOMERGROUPID", oneOf("10", "20", "30", "80", "90", "INTERCO")},
	{"SALESCURRENCYCODE", oneOf("USD", "USD", "EUR", "GBP", "DKK", "BRL", "JPY")},
	{"ADDRESSDESCRIPTION", oneOf("Business", "Invoice", "Delivery", "Head office, rear entrance")},
	{"ADDRESSSTREET", street},
	{"ADDRESSSTREETNUMBER", sometimes(30, digits(3))},
	{"ADDRESSCITY", oneOf(cities...)},
	{"ADDRESSSTATE", oneOf("WA", "CA", "NY", "TX", "", "BY", "SP")},
	{"ADDRESSZIPCODE", digits(5)},
	{"ADDRESSCOUNTRYREGIONID", oneOf("USA", "USA", "DNK", "DEU", "BRA", "JPN", "POL")},
	{"FULLPRIMARYADDRESS", joined(digits(4), text(" "), oneOf(streets...), text(", "), oneOf(cities...), text(" "), digits(5))},
	{"ADDRESSVALIDFROM", date},
	{"ADDRESSVALIDTO", oneOf("2154-12-31 23:59:59", "2154-12-31 23:59:59", "1900-01-01 00:00:00")},
	{"PRIMARYCONTACTEMAIL", sometimes(75, joined(text("contact"), digits(6), text("@example.com")))},
	{"PRIMARYCONTACTPHONE", sometimes(75, joined(text("+1 425-555-"), digits(4)))},
	{"PRIMARYCONTACTPHONEEXTENSION", rare},
	{"PRIMARYCONTACTURL", rare},
	{"PAYMENTTERMS", oneOf("Net30", "Net10", "Net45", "COD", "")},
	{"PAYMENTMETHOD", oneOf("CHECK", "ELEC", "SEPA DD", "")},
	{"PAYMENTSCHEDULE", rare},
	{"PAYMENTCASHDISCOUNT", oneOf("", "", "0.5%D10", "2%D30")},
	{"CREDITLIMIT", money},
	{"CREDITLIMITISMANDATORY", noYes},
	{"CREDITRATING", oneOf("", "Good", "Excellent", "A+")},
	{"CREDITCARDADDRESSVERIFICATIONLEVEL", oneOf("Accept", "None")},
	{"DISCOUNTPRICEGROUPID", rare},
	{"LINEDISCOUNTCODE", rare},
	{"MULTILINEDISCOUNTCODE", rare},
	{"TOTALDISCOUNTCUSTOMERGROUPCODE", rare},
	{"CHARGESGROUPID", rare},
	{"SALESTAXGROUP", oneOf("AVATAX", "CA", "WA", "EU-B2B", "")},
	{"TAXEXEMPTNUMBER", sometimes(30, digits(9))},
	{"ISSALESTAXINCLUDEDINPRICES", noYes},
	{"DELIVERYTERMS", oneOf("FOB", "CIF", "EXW", "")},
	{"DELIVERYMODE", oneOf("Ground", "Air", "10", "")},
	{"DELIVERYREASON", rare},
	{"WAREHOUSEID", oneOf("11", "12", "24", "")},
	{"SITEID", oneOf("1", "2", "5", "")},
	{"SALESDISTRICT", oneOf("North", "South", "")},
	{"SALESSEGMENTID", rare},
	{"EMPLOYEERESPONSIBLENUMBER", sometimes(50, joined(text("000"), digits(3)))},
	{"COMMISSIONCUSTOMERGROUPID", rare},
	{"INVOICEACCOUNT", rare},
	{"ONHOLDSTATUS", oneOf("No", "No", "No", "No", "Invoice", "All")},
	{"LANGUAGEID", oneOf("en-us", "en-us", "da", "de", "pt-br", "ja")},
	{"TRANSACTIONHISTORYFROM", date},
	{"ACCOUNTSTATEMENT", oneOf("Always", "Quarter", "Never")},
	{"WRITEOFFAMOUNT", money},
	{"OPENBALANCE", money},
	{"FOREIGNCUSTOMER", noYes},
	{"COMMERCIALREGISTERNUMBER", rare},
	{"SALESMEMO", memo},
	{"CONTACTPERSON", sometimes(65, oneOf(people...))},
	{"VENDORACCOUNT", rare},
	{"EXTERNALREFERENCE", guid},
	{"IDENTIFICATIONNUMBER", sometimes(40, digits(8))},
}

var (
	names        = []string{"Contoso", "Fabrikam", "Northwind", "Adventure", "Tailspin", "Litware", "Proseware", "Wingtip", "Woodgrove", "Datum"}
	foreignNames = []string{"Retail", "Wholesale", "Retail", "Services", "Sports", "Café", "Ñandú", "Größe", "東京", "Привет", "🚚 Express"}
	legalForms   = []string{" Inc.", ", Inc.", " GmbH & Co. KG", " A/S", " LLC", ` "The Original" Co`, " <Retail>"}
	cities       = []string{"Redmond", "København", "München", "São Paulo", "Tokyo", "St. Louis", "Kraków", "New York"}
	streets      = []string{"Main Street", "Oak Avenue", "Bahnhofstraße", "Østergade", "King's Way", "Industrial Parkway"}
	people       = []string{"Anna Kowalska", "José Álvarez", "Lars O'Neil", "Mei Tanaka", "Zoë Renée"}
	memos        = []string{
		"Call before delivery.",
		"Prefers invoices by e-mail; see contract 2019/44.",
		`Said "ok", then ordered 12 units`,
		`Moved from the legacy system (id \LEGACY\AX2009).`,
		"Rebate: 2% over 100,000 a year, 3% over 250,000.",
	}
)

func text(s string) filler {
	return func(_ *row, b []byte) []byte { return append(b, s...) }
}

func oneOf(options ...string) filler {
	return func(r *row, b []byte) []byte { return append(b, options[r.IntN(len(options))]...) }
}

func joined(parts ...filler) filler {
	return func(r *row, b []byte) []byte {
		for _, part := range parts {
			b = part(r, b)
		}
		return b
	}
}

// sometimes fills percent of the rows and leaves the others empty.
func sometimes(percent int, fill filler) filler {
	return func(r *row, b []byte) []byte {
		if r.IntN(100) >= percent {
			return b
		}
		return fill(r, b)
	}
}

func digits(n int) filler {
	return func(r *row, b []byte) []byte {
		for range n {
			b = append(b, byte('0'+r.IntN(10)))
		}
		return b
	}
}

func numbered(prefix string, width int) filler {
	return func(r *row, b []byte) []byte {
		b = append(b, prefix...)
		n := strconv.Itoa(r.number)
		for range width - len(n) {
			b = append(b, '0')
		}
		return append(b, n...)
	}
}

var (
	rare  = sometimes(4, joined(text("V"), digits(4)))
	noYes = oneOf("No", "No", "No", "No", "No", "Yes")
	date  = joined(text("20"), digits(2), text("-"), oneOf("01", "06", "12"), text("-1"), digits(1), oneOf(" 00:00:00", " 07:08:09"))
	money = joined(oneOf("0", "0", "-", ""), digits(3), text("."), digits(2), text("0000"))
)

func street(r *row, b []byte) []byte {
	b = oneOf(streets...)(r, append(digits(3)(r, b), ' '))
	if r.broken {
		b = append(b, "\nSuite "...)
		b = digits(3)(r, b)
	}
	return b
}

func memo(r *row, b []byte) []byte {
	if r.broken {
		b = append(oneOf(memos...)(r, b), '\n')
		return oneOf(memos...)(r, b)
	}
	return sometimes(30, oneOf(memos...))(r, b)
}

func guid(r *row, b []byte) []byte {
	const hex = "0123456789ABCDEF"
	bits := [2]uint64{r.Uint64(), r.Uint64()}
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b = append(b, '-')
		}
		b = append(b, hex[bits[i/16]>>(4*(i%16))&15])
	}
	return b
}

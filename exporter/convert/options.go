package convert

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"unicode/utf8"
)

// Format names a kind of data file.
type Format string

// The formats that can be asked for. Result.Format is one of the others.
const (
	FormatAuto         Format = ""              // by the first bytes
	FormatCSV          Format = "csv"           //
	FormatXML          Format = "xml"           // either of the next two; in a Result: a document without rows
	FormatXMLElement   Format = "xml-element"   // a child element per field
	FormatXMLAttribute Format = "xml-attribute" // an attribute per field
	FormatJSON         Format = "json"          // array, object with an array, or JSON Lines
	FormatXLSX         Format = "xlsx"          // one sheet of a workbook
)

const (
	// DefaultFallback is the code page of a CSV file that is neither marked
	// nor UTF-8.
	//
	// Source: Microsoft Learn, "Data entity error descriptions", DMF1957: plain
	// CSV is written in the code page of the source data format, 1252 typically.
	DefaultFallback = "windows-1252"
	// DefaultMaxRecord is the longest record, in bytes.
	DefaultMaxRecord = 16 << 20
)

// Options say how a data file is to be read. The zero value detects everything.
// Delimiter and Quote may be any two different characters but CR, LF, NUL,
// U+FEFF and U+FFFD.
type Options struct {
	Format    Format
	Delimiter rune     // between CSV fields; 0 detects one of , ; tab | :
	Quote     rune     // around CSV fields; 0 means "
	NoQuote   bool     // no qualifier: quotes are text
	NoHeader  bool     // the first CSV record is a row
	Columns   []string // names when NoHeader; else unused. None: COLUMN1, COLUMN2, ...
	Encoding  string   // WHATWG or IANA name; "" detects. A byte order mark is stronger.
	Fallback  string   // encoding of unmarked CSV that is not UTF-8; "" means DefaultFallback
	Strict    bool     // CSV records with odd fields are bad rows; see the package comment
	MaxRecord int      // bytes of one record as UTF-8; 0 means DefaultMaxRecord

	// Sheet names the sheet of a workbook, letter case ignored. "" takes the
	// only visible one, or the one that FinOps would name after Entity.
	Sheet  string
	Entity string // label of the entity, for the sheet's name; "" when unknown
	// TempFolder takes the temporary files of workbooks above 4 MB, which have
	// to be kept aside; "" is the system's folder.
	TempFolder string

	// Children are names of XML elements that are always arrays, empty ones
	// where the row has no such element. A child of a row is a name, one further
	// down a path of names: LINE/CHARGE, which declares LINE too. Unused in
	// other formats.
	Children []string

	// Records are paths as in Children of elements that are records wherever they
	// stand: arrays as if declared, of objects alone, {} where the element is empty
	// and {"#text": ...} where it is text. They are those of a Result whose Repeat
	// says that a second conversion needs them; nobody else has to know them.
	Records []string
	// Repeat says what the caller can do about rows that went out before it was
	// known that they lack a record.
	Repeat Repeat

	// Replace puts U+FFFD where the encoding knows no character, and counts, in
	// place of making a bad row of it.
	Replace bool

	// Cores is how many cores may convert this one file's rows, besides the one
	// that reads ahead; 0 is all there are. With several conversions at a time
	// more than 1 costs memory and gains nothing.
	Cores int

	replaced   *atomic.Int64
	sequential bool // one record after the other, to compare with
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	switch o.Format {
	case FormatAuto, FormatCSV, FormatXML, FormatXMLElement, FormatXMLAttribute, FormatJSON, FormatXLSX:
	default:
		return fmt.Errorf("format %q: unknown, want csv, xml-element, xml-attribute, xml, json or xlsx", o.Format)
	}
	if o.Delimiter != 0 && !separates(o.Delimiter) {
		return fmt.Errorf("delimiter %q: want one character but no line end, NUL, U+FFFD or U+FEFF", o.Delimiter)
	}
	if o.Quote != 0 && !separates(o.Quote) {
		return fmt.Errorf("quote %q: want one character but no line end, NUL, U+FFFD or U+FEFF", o.Quote)
	}
	if !o.NoQuote && o.Delimiter == o.withDefaults().Quote {
		return fmt.Errorf("delimiter %q: is the quote too", o.Delimiter)
	}
	if o.MaxRecord < 0 {
		return fmt.Errorf("longest record %d: want a number of bytes", o.MaxRecord)
	}
	if o.Cores < 0 {
		return fmt.Errorf("cores %d: want a number of cores, 0 for all", o.Cores)
	}
	for _, path := range slices.Concat(o.Children, o.Records) {
		if err := validateChild(path); err != nil {
			return err
		}
	}
	for _, name := range []string{o.Encoding, o.Fallback} {
		if name == "" {
			continue
		}
		if _, _, err := lookupEncoding(name); err != nil {
			return err
		}
	}
	if name, _, err := lookupEncoding(o.Fallback); err == nil && (name == nameUTF16LE || name == nameUTF16BE) {
		return fmt.Errorf("fallback %q: want an encoding that holds ASCII unchanged", o.Fallback)
	}
	return nil
}

// separates says whether c can be a delimiter or a quote: any character but
// CR and LF, which end rows; NUL, which is in no text; U+FFFD, which stands for
// what could not be read; and U+FEFF, which at the start of a file is a mark.
func separates(c rune) bool {
	switch c {
	case 0, '\n', '\r', utf8.RuneError, '\ufeff':
		return false
	}
	return utf8.ValidRune(c)
}

func (o Options) withDefaults() Options {
	if o.Quote == 0 {
		o.Quote = '"'
	}
	if o.Fallback == "" {
		o.Fallback = DefaultFallback
	}
	if o.MaxRecord == 0 {
		o.MaxRecord = DefaultMaxRecord
	}
	if all := runtime.GOMAXPROCS(0); o.Cores == 0 || o.Cores > all {
		o.Cores = all
	}
	return o
}

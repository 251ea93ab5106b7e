// Package convert turns one data file into JSON Lines: CSV, XML, XLSX and JSON
// as FinOps writes them come in as a stream, and blocks of complete lines go
// out to a Sink, one JSON object a row.
//
//	source ─▶ text ─▶ ahead ─┬─▶ window ─▶ csv | xml | json ─▶ emitter ─▶ Sink
//	bytes     UTF-8   blocks │   whole     one row at a        blocks of
//	counted   only           │   records   time                whole lines
//	   │                     │                                    ▲  ▲
//	   └▶ spool ─▶ workbook ─┼─▶ sheet ───────────────────────────┘  │
//	                         └─▶ cut ─▶ workers ─▶ in order ─────────┘
//	                             guess   csv only,    a block counts when the one
//	                                     a core each  before it ended where it begins
//
// source, text and ahead run in one goroutine, each worker in one of its own, all
// the rest in the caller's. What fits into the first 64 KB needs none of them.
// CSV takes the lower way. Its blocks are cut where a row probably ends, and the
// sequential reader above, which alone decides what a file means, takes over
// where that turns out wrong, up to the next place where both agree; see
// csvBlocks. The outcome is the same wherever blocks end.
//
// What is guaranteed:
//
//   - No byte of a value changes. 007 stays 007, trailing blanks stay, a CR LF
//     inside quotes stays CR LF, a JSON number keeps its spelling. What XML
//     itself prescribes (line ends become LF, white space in attribute values
//     becomes blanks) is the only exception.
//   - Nothing is dropped in silence. A record that cannot be a row goes to
//     Sink.BadRow with its place and its source bytes, and reading goes on.
//   - Memory does not grow with the file: a dozen blocks of 192 KB and the lines
//     of four, at most 1 MB each, in CSV; less in the others. Only a record
//     longer than a block makes it more, up to Options.MaxRecord and what that
//     becomes as JSON. CSV takes no heap allocation per field, row or block.
//
// # CSV
//
// A field is quoted when the quote is its very first character; a doubled quote
// inside stands for one. Delimiter and quote may be any two characters, of ASCII
// or not: ¦ is A6 in a file in windows-1252, C2 A6 in UTF-8. Without
// Options.Delimiter it is , ; tab or |, whichever gives the records the same
// number of fields; or a colon, if none of these separates, the header is names
// alone, and each row at hand has as many fields. Those of ASCII are read eight
// bytes at a time, others byte by byte. Rows end with LF or CR LF; a lone CR is text, except
// that a header with one is refused, since the file then probably ends its rows
// with CR and would otherwise pass as a header without rows.
//
// Two things are odd and yet have one plain reading. A quote inside an unquoted
// field is text: 5" pipe. After a closing quote the field goes on as if it were
// unquoted, up to the next delimiter or line end, so its value is what was
// quoted followed by that: "5" pipe gives 5 pipe, and "a"b"c" gives ab"c". A
// blank is such text too. Such fields are kept and counted, each once, and the
// first twenty places are named in Result.Oddities. With Options.Strict their
// record is a bad row, the fault at the place of the quote or of the text after
// it. Fields of bad rows are not counted. When quotes are off nothing is odd.
//
// Bad rows either way: more bytes than Options.MaxRecord, of which as many are
// kept and the rest is passed over, too few or too many fields, a quote still open at the
// end of the file, NUL, bytes that the encoding does not know, and an empty line
// in a file of several columns. One empty line at the very end of such a file is
// no row and is passed over. In a file of one column each line is a row, an empty
// one too. A quote that stays open for as many bytes as a record may have, in a
// record that has as many, ends the conversion: where that record ends is not
// clear then.
//
// Names of columns: the header's, byte for byte. The first bearer of a name
// keeps it; the next is NAME_2, then NAME_3. An empty name becomes COLUMNn, n
// its place from 1. A name that would collide moves on to the next free number.
//
// # XML
//
// Each child element of the root is a row. Its attributes (XML-Attribute) and
// its child elements (XML-Element) become keys, in that order; one reader
// serves both forms, so a mixture loses nothing. An element of text alone is a
// string, or null if it is empty and says so with xsi:nil="true". One with child
// elements or other attributes of its own, as the lines of a composite entity,
// is a record: an object, its attributes under "@name", its text, unless it is
// only white space, under "#text". Records stand in an array at the place of the
// first, also when there is one only; an element of text becomes an array when
// its name repeats. An absent element of text has no key: a
// row keeps what it has. What is declared in Options.Children is an array in each
// row, [] at the end of the row where it is absent; of strings, if the element
// is text alone.
//
// Records need no declaration. Where one was met, it is known for all that
// follows, by its path: it is an array in each row or record that may hold it, and
// of objects alone, {} or {"#text": ...} where it is empty or text. Rows
// within 64 KB of the first one are read again if they lack a record that comes
// later among them. What else went out before is the caller's to make good, by a
// second conversion; see Options.Repeat and Result.Uneven. Paths of 256 records or
// 32 KB are kept; see Result.MoreRecords.
//
// Names keep their prefix as written; namespace declarations are no data and are
// left out. A row element with another name than the first one's is a bad row.
//
// The document must be well-formed (XML 1.0, fifth edition) to the last byte:
// what a processor must refuse ends the conversion with an exporter.RecordError
// that has its line and column, an encoding declaration that contradicts the
// document among it. Rows before the fault are out by then. A document type
// declaration is refused before anything in it is read, so no entity expands and
// nothing is fetched. Refused too, though well-formed: text right below the root,
// elements nested more than 100 deep, references longer than 64 bytes. Whether
// prefixes are bound is not checked.
//
// Rows and records that look like those before them are read by comparing their
// markup, all others, and whatever has a fault, by the reader that knows all of
// XML; the outcome is the same. Neither takes a heap allocation per field.
//
// # JSON
//
// An array of objects, objects one after the other (JSON Lines), or an envelope:
// one object around one array of objects, with nothing beside it or only
// metadata, which is left out. Metadata are members whose names begin with "@",
// "$" or "odata.", or are count, next, nextLink, skip, top or total, in any
// case. An object with any other member is a row, and its arrays stay in it; so
// {"id":7,"lines":[{"x":1}]} is one row. Where such a member shows only after
// the first 64 KB, an exporter.RecordError ends the conversion.
//
// White space between tokens goes, everything else stays as it was, repeated
// keys too. An element that is no object is a bad row.
//
// In JSON Lines a line that is no object is one bad row, and the next line goes
// on: a line with a fault in it, one that lacks its end, as the last one of a
// file that was cut off, and one longer than Options.MaxRecord, of which as much
// is kept and the rest passed over. Its Raw has no line end and no white space
// around it. A file is JSON Lines when its first line is an object and nothing
// else, and the second, if there is one, begins with none of , : ] and }; or
// when the first line has a fault that no further line can mend and the second
// is an object and nothing else. Any other document with a fault is refused at
// its place as one: it may be an object spread over lines, or an array that
// lost a bracket, and its lines would be so many bad rows. Several objects on a
// line, and one on several, are rows all the same as long as nothing is wrong
// with them.
//
// # XLSX
//
// One sheet of a workbook is the data file: Options.Sheet, else the only
// visible sheet, else the one that FinOps would name after Options.Entity (its
// label with _ for blanks, cut to 31 characters, a $ at the end). With none or
// several of that name an exporter.RecordError names the sheets there are. The
// first row that is not blank names the columns, by the rules of CSV.
//
// Every value is a string. A text is what the cell shows, shared or inline,
// its runs of formatting joined. A number has the characters that the file
// stores, however many: 0.1, 1E-7. A number that its format shows as a date
// becomes ISO 8601: 2026-03-02 when it is whole, else 2026-03-02T09:15:42, or
// 2026-03-02T09:15:42.050 when it has milliseconds, in both date systems; below
// 1 in a format of hours it is a time, 09:15:42. A length of time ([h]:mm), and
// a number that is no day (60, which would be 29 February 1900), stay numbers.
// Booleans are TRUE and FALSE, errors their name, #N/A. A formula gives the
// value that was stored with it. Of merged cells the first has the value.
//
// Excel stores no blank cells at the end of a row, so short rows are filled up
// with "". Bad rows: a cell beyond the last column, a formula without a stored
// value, a text number that the workbook does not have, a type of cell that is
// not known, and blank rows between others, a run of which is one bad row.
// Blank rows at the top and at the end are no rows. Places are sheet row and
// column; Raw is the row's values as a JSON array, which is all of the source
// that can be shown.
//
// A zip is read from its end, so a workbook is kept aside first: in memory up
// to 4 MB, in a temporary file (Options.TempFolder) up to 4 GB. So are the
// shared texts. Neither they nor the sheet ever lie in memory as a whole; 8
// bytes for each shared text do. A sheet that is cut off or has a wrong
// checksum ends the conversion with an error, like an XML document, and so does a
// document type declaration in one of its parts. Strict and transitional files
// are read alike, and parts in UTF-16, with their mark, as those in UTF-8. A
// workbook with a password is exporter.ErrEncrypted, one of the format before
// (XLS) exporter.ErrUnsupported.
//
// # Shape
//
// A Shaper is a Sink in front of another that types columns, renames, selects
// or drops them, adds constants and runs a jq program on each row. It stands
// there only when it is asked for: rows without it go straight to the sink. It
// reads the lines again, which costs about what reading the file has cost; a jq
// program costs ten times as much. Only a program takes heap allocations per
// value or row. Its bad rows have a place in the source
// like those of the readers: that of the value that does not fit in CSV and
// XLSX, that of the beginning of the record in XML and JSON and for a program.
// Readers keep what is needed for that with each block, for a Shaper alone, and
// find the place when it is asked for.
//
// # Encodings
//
// A byte order mark decides, then Options.Encoding, then a UTF-16 pattern of
// NULs in the first line or tag, then the XML declaration, which must not contradict the
// first and third. XML and JSON are UTF-8 otherwise. In CSV the
// first byte outside ASCII, wherever it stands, decides between UTF-8 and
// Options.Fallback, by the 64 KB that begin with it: UTF-8 when it has more
// characters of several bytes there than bytes that are none; that the fallback
// was taken is a guess, and Result.Guessed says so. A byte that the
// encoding does not know makes a bad row in CSV and JSON, and is refused in XML;
// with Options.Replace each becomes U+FFFD, is counted, and stops nothing.
package convert

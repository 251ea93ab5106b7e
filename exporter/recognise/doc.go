// Package recognise tells the data file of an export from everything else that
// a server may answer with 200: a proxy's page, an error document, a sentence,
// half of a file.
//
// It looks at the beginning and the end of a text and knows nothing of flows:
// whether a file came whole must not depend on how its rows are to be read.
// Zips are not its business; their directory and checksums say more than any
// look at them could (package unpack).
//
//	Export     a table with a header, an XML data document, rows of JSON
//	NoExport   a page, an error document, a sentence, nothing: however often it comes, it
//	           is not the file
//	Broken     an export's beginning without its end
//	Unknown    none of these: it may be an export in a form that nobody foresaw
//
// The first two are decided on purpose with a gap between them. What is called
// Export may be acknowledged to FinOps at once, which then forgets it; what is
// called NoExport never is. A wrong Unknown costs a second download.
package recognise

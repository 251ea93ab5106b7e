// Package recognise tells the data file of an export from everything else that
// a server may answer with 200: a proxy's page, an error document, a sentence,
// half of a file.
//
// It looks at a text and knows nothing of flows: whether a file came whole must
// not depend on how its rows are to be read. Zips are not its business; their
// directory and checksums say more than any look at them could (package unpack).
//
//	Export     what FinOps writes, by positive signs alone: a table whose header names
//	           columns and whose rows fit, a <Document> that ends, JSON rows to the last
//	           byte of the document
//	Broken     an export's beginning without its end
//	Unknown    has the bones of data, in a form that FinOps is not known to write: odd
//	           delimiters, another root, a binary file
//	Unclear    too little, or too much like an answer in words, to be data for sure
//	NoExport   a page, an error document, a sentence, nothing
//
// What is called Export may be acknowledged to FinOps at once, which then forgets
// it. Broken and Unknown are the same each time they are downloaded, and coming
// twice proves them; so is a proxy's answer, and coming twice proves nothing
// about what is Unclear or NoExport. Both are kept apart on purpose: of what is
// Unclear a person may say that it is the file.
package recognise

// Package unpack turns a raw file into one stream for each data file in it.
//
// What a file is, its content says; names and extensions lie (FinOps cuts blob
// names to ten characters, and a link may carry any extension):
//
//	bare      anything that is no zip: the data file itself
//	package   a zip with Manifest.xml or PackageHeader.xml: a data package
//	zip       any other zip: each member is a data file
//	workbook  a zip that is an Excel workbook: the data file itself
//
// A member may be a workbook too. Any other archive inside an archive is not
// opened: it has exporter.ErrUnsupported, as have members that were packed with
// another method than store and deflate. Deflate64, which Windows uses for
// files of more than 2 GB, is such a one.
//
// # What is safe here
//
// The archive comes over a link out of an event, so it is hostile until proved
// otherwise. Nothing is ever written to disk: a member's name is looked at and
// its bytes are streamed. A member that must not be opened (its name leaves its
// folder, it is a bomb, it is encrypted, it shares its bytes with another) has
// the reason in Err, and the others are opened as if it were not there. The
// whole file is refused only when its directory cannot be read or is larger
// than the limits.
//
// Sizes stated in the directory are limits too: a member that holds more than
// it states ends with exporter.ErrDamaged and never gives more bytes than it
// stated, so the limits checked at Open hold while reading.
package unpack

// Package exporter is the vocabulary of the road from a link to durable JSON.
// The work itself is in the packages below it, in the order bytes meet them:
//
//	fetch      link in, raw file out: resumable, verified, durable
//	recognise  raw file in, out whether it is an export at all
//	unpack     raw file in, one stream for each data file out
//	convert    stream in, blocks of complete JSON Lines and the column list out
//	outputs    blocks in, durable files and their manifests out
//
// Those packages do not know each other, the ledger or the configuration.
// They share only the errors in this package, so that the order of work
// (package flows) can tell "this record is bad" from "this package is not to
// be opened" without knowing which of them said so.
package exporter

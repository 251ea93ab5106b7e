// Package dmf speaks the Data Management Framework's protocols: business
// events and the data package format; the REST protocols come later.
//
// FinOps' own words are kept. An entity is named by its label ("Customer
// groups"), a company is a legal entity ("usmf"), a data project and a
// definition group are one thing, and one run of it has an execution ID. Those
// that could be swapped for one another have string types of their own.
//
// Two readers stand in the way of bytes that strangers send and are built for
// it: [DecodeBusinessEvents] for the body of a notification, and
// [DecodeManifest] with [DecodePackageHeader] for the two XML files of a data
// package. Both take what has been seen in the wild, keep what they do not
// know, and say in words what they could not read. The writers
// ([EncodeManifest], [EncodePackageHeader], [FileName]) give the bytes FinOps
// itself gives; the simulator uses them.
//
// Nothing here waits, logs or touches the network. All functions may be called
// concurrently.
package dmf

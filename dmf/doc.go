// Package dmf speaks the Data Management Framework's protocols: business
// events, the data package format, and over REST recurring integrations, the
// package API and the execution history, with the sign-in they need.
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
// Three clients' worth of REST stand beside them, all on [Client], which speaks
// to one environment with the tokens of a [TokenSource]:
//
//	recurring integrations   Dequeue ─▶ OpenDownload ─▶ Ack
//	package API              ExportToPackage ─▶ ExecutionStatus ─▶ ExportedPackageURL
//	history                  History
//
// Guarantees of the client:
//
//   - The token goes to the environment's own scheme, host and port, whatever
//     an answer of FinOps says. Redirects are never followed.
//   - What changes something in FinOps (a dequeue hides a message for half an
//     hour) is sent once. When its answer is lost, the error says ErrMaybeDone.
//   - Nothing waits for FinOps to recover. There is one quick retry, for
//     downloads and history; every longer wait is the caller's, by
//     [APIError].RetryAfter. All calls of a Client share one throttle budget
//     and one circuit, which closes by itself.
//   - No secret, token or link signature is in an error or a log line.
//
// The functions without a Client touch neither network nor clock. All
// functions and methods may be called concurrently.
package dmf

// Package fetch brings the bytes behind a link to the disk: whole, verified
// and durable, or it says in the server's own words why not.
//
// Vocabulary:
//
//	Source    one blob, opened for reading at an offset
//	Client    makes Sources out of SAS links; holds what is allowed
//	Download  the loop that turns a Source into a file
//	Mark      how far a download is known to be on disk, and of which blob
//
// One download's way:
//
//	Open(offset, etag) ─▶ check ETag, start, total ─▶ PATH.part ─▶ length, MD5 ─▶ fsync ─▶ rename ─▶ fsync folder
//	       ▲                        │                      │            │
//	       │                        └──── other blob ──────┼────────────┴──▶ from the start, at most twice
//	       └────────── cut body: from the last byte on ────┘
//	                                                       └─ each 16 MiB: fdatasync, then OnMark
//
// Guarantees:
//
//   - A file called PATH came to its end. It appears by rename, after its bytes
//     are durable and its length (and MD5, when the server states one) is
//     right. A body that ends only with its connection becomes PATH.unframed:
//     nobody can say that it is whole.
//   - The bytes stored are the blob's: what is packed on the way is unpacked.
//   - Two blobs are never spliced. Bytes are appended only to the blob whose
//     ETag they carry, asked for with If-Match and checked again in the answer.
//   - A Mark never promises bytes that are not on disk; before a part file is
//     thrown away, its Mark is taken back.
//   - A link comes out of an event's body and is hostile until proved
//     otherwise: scheme, host and the address really connected to are checked,
//     redirects are not followed, no credentials are sent.
//   - Only the server declares a link dead. Nothing here looks at our clock
//     before asking.
//   - The signature of a link is in no error, no log line and no Mark.
//
// Waiting in place is limited to MaxPatience for a whole Download; a longer
// wait is returned to the caller as a *LinkError with RetryAfter.
package fetch

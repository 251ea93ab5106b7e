// Package outputs puts rows where other programs find them: whole, durable,
// and under a name that follows from what FinOps sent.
//
// An [Output] is a named place. For each export it hands out a [Writer], which
// takes blocks of JSON Lines and shows nothing to anybody until
// [Writer.Commit] returns. What became visible is described by a manifest, and
// the manifest is the commit mark: a data file without one beside it is an
// attempt that did not end, whatever it holds.
//
// # The file output
//
// [Files] writes three names into one folder, here for the data file D:
//
//	D                  the rows: JSON Lines, or one JSON array
//	D.bad-rows         rows set aside, one JSON line each; only if there are any
//	D.manifest.json    a Manifest; what it says about D is true, or it is absent
//
// While an attempt runs, its files stand in the same folder as .NAME.HASH.tmp,
// so that the last step is a rename inside one folder, which cannot be half
// done. HASH follows from output and export, so a repeat finds and discards
// what a killed attempt left behind; [Files.Sweep] finds the rest.
//
// # The place
//
// A folder is known by the [Marker] in it, .finrelay-output-NAME, and not by
// its path: where a disk is not mounted, an empty folder has the same path, and
// what landed there would vanish when the disk comes back. Once marked, a place
// is never made again. Everything that writes or removes looks at the marker
// first, through the handle that it then works with, and Commit looks again, by
// the path, before its first rename. Several outputs may share a folder.
//
// # Same input, same files
//
// Paths come from a [Template] and an [Export]; neither holds our clock, a
// counter or a random number, and no manifest field does. (The id in a marker
// is random: it is about the place and not about an export.) So a repeat after a
// crash, or from a restored ledger, writes the same bytes to the same place.
//
// # Names
//
// Labels are free text typed by people. Each becomes exactly one path element
// that Linux and Windows accept; see [Template]. Names that differ only in
// letter case are different on Linux and the same file on most Windows and
// macOS disks. Telling them apart would take knowledge of the other name, and
// a name must not depend on what else has arrived. {export_id} in the
// template, which the default has, keeps such files apart; without it the
// second one is refused with [ErrPathTaken], never overwritten.
package outputs

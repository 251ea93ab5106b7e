// Package canon says whether two files of JSON Lines hold the same rows,
// whatever the order of keys and the manner of escaping.
//
// A row's digest is the SHA-256 of its keys, sorted, and values; a file's
// fingerprint is the SHA-256 of its rows' digests, in order. Text and numbers
// stay apart ("7" is not 7), and numbers keep their spelling.
//
// Files are read as streams: memory holds one row and eight bytes for each row
// read, which is what Diff counts missing rows with.
package canon

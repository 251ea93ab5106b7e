// Package config reads finrelay's one YAML file into plain values.
//
// The way of a file:
//
//	text ─▶ parse ─▶ decode ──────────────▶ fill ─────────▶ validate
//	        goccy    strict; ${ENV} inside   defaults,       names, references,
//	                 each scalar; secrets    paths made      templates, jq, TLS
//	                 from their files        relative to
//	                                         the file
//
// Three rules hold everywhere:
//
//   - A fault is an *Error with file, line, column, field and hint. The decoder
//     reports all its faults at once, and so does Validate after it: an operator
//     who mends them one restart at a time is losing links meanwhile.
//   - Variables are expanded in scalars that were already parsed, never in the
//     text of the file: a value cannot add keys, lists or comments.
//   - Secrets, and values that came out of a variable, appear in no message,
//     excerpt or dump. Messages show the ${NAME} that was written instead, and
//     of the line at fault what is known to be none (shown.go). What may be an
//     address or a connection string counts as a secret (doubt.go).
//
// The decoder walks the YAML library's syntax tree itself. The library's own
// strict decoding stops at the first fault, knows nothing of variables in a
// number or a switch, and quotes whole source lines in its messages, which
// would print a key standing on the same line.
//
// Of finrelay's other packages it imports flows/cadence, which reads the text of
// a cadence, and dmf, for the forms of an environment's address and of an
// activity id; the command converts what is read here into what the others take.
package config

// Package customers makes up exports of an entity like Customers V3: 60
// columns, CSV (UTF-8 with byte order mark, CRLF) or XML as FinOps writes them,
// bare or in a data package.
//
// The same format, size and seed always give the same bytes. About one row in
// two hundred holds a line break inside a value; quotes, commas, backslashes,
// characters outside ASCII and empty values are common, because a converter
// that is fast only on tidy data is of no use.
package customers

// Command obvious is the program one writes in an afternoon: archive/zip,
// encoding/csv or encoding/xml, a map, encoding/json, fsync. It is what finrelay
// has to beat in speed and must equal, value for value, on data that
// encoding/csv reads faithfully.
//
//	obvious FILE OUT    FILE is a CSV or XML file, or a zip with one in it
//
// It stays as plain as it is: a baseline that someone tunes measures nothing.
package main

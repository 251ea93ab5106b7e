// Package doors receives events over HTTP, one file for each sender's dialect.
//
// A door checks the key, reads the body, turns it into flows.Arrival values
// and answers after they are on disk. It refuses only what was not said by
// somebody we know (401), to us (404, 405), whole (400) and in reason (413):
// FinOps tries three times in about three seconds and then gives up, so
// whatever else is refused is lost. What cannot be read is kept and listed;
// what is refused leaves a line in the log.
package doors

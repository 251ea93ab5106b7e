// Package cadence knows when a flow's next export is due: so often, while a
// calendar of days and hours is open. It is arithmetic on times and nothing
// else, so that the configuration can check a cadence with the very code that
// will keep it.
package cadence

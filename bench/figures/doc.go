// Package figures turns measurements into what a report shows: medians,
// percentiles, ratios, Markdown tables, and a description of the machine.
package figures

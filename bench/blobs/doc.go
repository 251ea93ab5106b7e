// Package blobs is the blob store of the benchmarks: small enough to cost next
// to nothing beside the server that is measured. For a store that behaves like
// Azure in everything see package dmf/sim.
package blobs

// Package load posts data-export events, each with an identity of its own, over
// a fixed number of connections for a fixed time, and remembers which of them
// were answered with a 2xx: those a server has promised to keep.
//
// It speaks plain HTTP/1.1 over sockets of its own. On a machine of two cores a
// heavier client would be what is measured.
package load

// Package web is finrelay's faces: the HTTP API that the command line speaks,
// and its client.
//
// The API listens on a unix socket in the state folder, mode 0600: who may
// read the ledger's file may use it, nobody else, and no key is needed. When
// no server runs, the command opens the ledger itself and calls the same
// handler in its own process (Local), so that both ways give the same answers.
//
// Handlers call the verbs of package flows and the reads of package state,
// nothing else. Everything they give carries its whereabouts: where the rows
// are now, and what to do next.
package web

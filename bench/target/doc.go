// Package target starts and stops the servers that are measured, as processes
// of their own: finrelay and the peer it is compared with. It watches what they
// cost while they run: CPU time, anonymous memory, syncs.
//
// Linux only, as it reads /proc.
package target

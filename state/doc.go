// Package state is the ledger: which events arrived, where each shipment's
// bytes are, which exports came out of them, which outputs have their rows.
//
// It lives in one SQLite file that one process holds at a time (see LockFile). All
// times are UTC; in the file they are int64 milliseconds. Ids are TEXT and
// come from what FinOps sent (see NewID), so that a ledger restored from an
// old copy gives the same ids, and so the same file names, again.
//
// # Transitions
//
// The exported methods of DB are transitions: Accept, ClaimFetches, Fetched,
// Opened, Delivered, Park… Each is one transaction that checks the arrow below,
// changes the rows and appends one journal row for each arrow it takes (an
// accepted event and its shipment arrive with one row, the shipment's). No
// transaction object leaves the package, so nobody can do half of one.
//
//	shipment
//
//	           ┌──────────────── waiting ◀───────┐
//	           ▼                                 │
//	(new) ▶ pending ──────────▶ fetching ────────┼──▶ fetched ──▶ settled
//	           ▲ ▲                 │ │           │       │
//	           │ └── interrupted ──┘ ├──▶ expired        │
//	           │                     └──▶ parked ◀───────┘
//	           └── fresher link, rerun ◀── expired, parked, waiting
//	                                          │        │
//	                                          └────────┴──▶ settled (skipped by a person,
//	                                                        or its rows came another way)
//
//	export     (new) ▶ open ──▶ landed          delivery   (new) ▶ ready ──▶ running ──▶ delivered
//	                    │ ▲                                          ▲          ├──▶ waiting
//	                    ▼ │ rerun                                    └──────────┼── due, released
//	                  parked ──▶ skipped                                        └──▶ parked
//
//	           skipped as a copy ──▶ parked (its original did not land)
//
//	event      (new) ▶ accepted | ignored | unreadable ──▶ accepted | ignored (read again, skipped)
//	           ignored, without a link ──▶ accepted (came again, its link found)
//
//	cadence    (new) ▶ punctual ◀──▶ quiet ◀──▶ late ──▶ punctual; of one entity (new) ▶ quiet, late
//
//	output     (new) ▶ placed ▶ placed (another folder, or another marker that a person adopted)
//
// Messages of a queue and executions have machines of their own.
//
// The arrows stand in one table, in machine.go; a transition that is not in it
// is refused with a *TransitionError and changes nothing.
//
// A shipment is settled when each of its exports has come to rest: landed,
// skipped, or parked on a list that a person sees. Its link's signature is
// deleted then. Its raw file stays: until the retention time after the last
// thing that needed it, and always while one of its exports is open or parked.
//
// # Proof
//
// A queue's message is acked, and so forgotten by FinOps, when its shipment's
// proof says why the file is the export (proof.go). What a download brought and
// is not proved is kept, and the shipment waits or is parked; FinOps hands the
// message out again.
//
// # Durability
//
// One goroutine writes. It takes every transition that is waiting at that
// moment, commits them together with synchronous=FULL and only then answers
// them; when one of them fails, the others go again, with a savepoint each. A
// transition that nobody waits beside commits at once: there is no timer. A
// method that returned nil has its effect on disk.
//
// # Claims
//
// Work is claimed before it starts: the claim commits the attempt, its owner
// and a lease. A process that ends without finishing leaves the claim behind;
// Recover gives such work back, counts the interruption, and parks what was
// interrupted three times, so that one poisonous file cannot stop the rest for
// ever.
package state

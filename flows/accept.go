package flows

import (
	"context"

	"finrelay/state"
)

// Receipt says what became of one arrival.
type Receipt = state.Receipt

// Accept stores arrivals. When it returns nil they are on disk, and an answer
// of 2xx is true. It waits for nothing but that commit: the fetch is started
// by the commit's signal.
func (r *Relay) Accept(ctx context.Context, arrivals []Arrival) ([]Receipt, error) {
	entries := make([]state.Arrival, len(arrivals))
	for i, a := range arrivals {
		entries[i] = a.ledgerEntry()
	}
	r.cfg.Trace("accept")
	receipts, err := r.db.Accept(ctx, entries)
	if err != nil {
		return nil, err
	}
	r.cfg.Trace("accepted")
	for i, a := range arrivals {
		if !receipts[i].Duplicate {
			receipts[i].Reason = entries[i].Reason // the ledger tells it of duplicates only
		}
		if receipts[i].State == state.Unreadable && a.Event != nil {
			r.log.Warn("no link found in an event, kept on the list", keyEnvironment, a.Environment, "event", receipts[i].EventID, keyEntity, entries[i].Entity)
		}
		if a.Event == nil {
			r.log.Warn("event not readable, kept on the list", keyEnvironment, a.Environment, "event", receipts[i].EventID, keyError, a.Problem)
		}
	}
	return receipts, nil
}

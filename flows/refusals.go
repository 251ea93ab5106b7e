package flows

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"finrelay/state"
)

const (
	// refusalsEvery bounds how often refusals are written: a storm of them must
	// not keep the ledger from the events that are taken.
	refusalsEvery = 5 * time.Second
	// mostRefusals is how many kinds are kept in memory, whoever knocks.
	mostRefusals = 100
	refusalText  = 300 // bytes of why
)

// refusals are what doors turned away and the ledger does not know of yet: a
// disk that is full refuses both an event and the note of it.
type refusals struct {
	saving sync.Mutex // one writes at a time, or it would be counted twice

	mu    sync.Mutex
	kept  map[refusalKind]state.Refusal
	added chan struct{} // of one: there is something to write
}

type refusalKind struct {
	environment string
	status      int
}

// Refused notes an event that a door turned away or could not store, with the
// sender's address. It waits for nothing; what is noted is written to the ledger
// when that can be, and is seen in Refusals until then and after.
func (r *Relay) Refused(environment string, status int, why, remote string) {
	if !r.Configured(environment) {
		environment = ""
	}
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	if len(why) > refusalText {
		why = strings.ToValidUTF8(why[:refusalText], "")
	}
	now := r.db.Now()
	r.refused.add(state.Refusal{Environment: environment, Status: status, Why: why, Count: 1, Since: now, Last: now, Remotes: []string{remote}})
}

// Configured says whether the configuration names an environment. Without any,
// events for every name are taken; but the names that strangers try are theirs.
func (r *Relay) Configured(environment string) bool {
	_, ok := r.cfg.Environments[environment]
	return ok
}

func (n *refusals) add(one state.Refusal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	kind := refusalKind{one.Environment, one.Status}
	if _, known := n.kept[kind]; !known && len(n.kept) >= mostRefusals {
		one.Environment, kind.environment = "", ""
	}
	if was, known := n.kept[kind]; known {
		one = was.And(one)
	}
	n.kept[kind] = one
	select {
	case n.added <- struct{}{}:
	default:
	}
}

func (n *refusals) all() []state.Refusal {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []state.Refusal
	for _, one := range n.kept {
		all = append(all, one)
	}
	return all
}

// written takes off what is in the ledger now, and leaves what came meanwhile.
func (n *refusals) written(all []state.Refusal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, one := range all {
		kind := refusalKind{one.Environment, one.Status}
		now := n.kept[kind]
		if now.Count -= one.Count; now.Count <= 0 {
			delete(n.kept, kind)
			continue
		}
		now.Since = one.Last
		n.kept[kind] = now
	}
}

// SaveRefusals writes what is noted to the ledger. What cannot be written stays noted.
func (r *Relay) SaveRefusals(ctx context.Context) error {
	r.refused.saving.Lock()
	defer r.refused.saving.Unlock()
	all := r.refused.all()
	if len(all) == 0 {
		return nil
	}
	if err := r.db.AddRefusals(ctx, all); err != nil {
		return err
	}
	r.refused.written(all)
	return nil
}

// keepRefusals writes refusals soon after they came, and tries again what could
// not be written.
func (r *Relay) keepRefusals(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.refused.added:
		}
		failed := r.SaveRefusals(ctx) != nil // it is logged as an event that was not stored
		select {
		case <-ctx.Done():
			return
		case <-time.After(refusalsEvery):
		}
		if failed {
			select {
			case r.refused.added <- struct{}{}:
			default:
			}
		}
	}
}

// Refusals are the events of an environment, or of all, that were turned away or
// not stored within state.RefusalMemory, the last first.
func (r *Relay) Refusals(ctx context.Context, environment string) ([]state.Refusal, error) {
	all, err := r.db.Refusals(ctx, environment)
	if err != nil {
		return nil, err
	}
	for _, noted := range r.refused.all() {
		if environment != "" && noted.Environment != "" && noted.Environment != environment {
			continue
		}
		at := slices.IndexFunc(all, func(x state.Refusal) bool { return x.Environment == noted.Environment && x.Status == noted.Status })
		if at < 0 {
			all = append(all, noted)
			continue
		}
		all[at] = all[at].And(noted)
	}
	oldest := r.db.Now().Add(-state.RefusalMemory)
	all = slices.DeleteFunc(all, func(x state.Refusal) bool { return x.Last.Before(oldest) })
	slices.SortFunc(all, func(a, b state.Refusal) int { return b.Last.Compare(a.Last) })
	return all, nil
}

// RefusalAdvice says what to do about an answer of a door.
func RefusalAdvice(status int) string {
	return refusalAdvice[status] + "; then Resend on the Errors tab of FinOps' business events; finrelay reconcile ENVIRONMENT finds what never came"
}

var refusalAdvice = map[int]string{
	400: "the connection broke while the event was sent: look at proxies and firewalls between",
	401: "correct the key that the sender uses, in FinOps the Key Vault secret behind the endpoint; if the address is a stranger's, keep it from the listener",
	404: "the last part of the address is the environment's name: correct the endpoint in FinOps, or environments of the configuration",
	413: "look at what was sent; raise doors.finops.max_body if it is an event",
	503: "the ledger could not be written: see that the state folder's disk is there, writable and not full",
}

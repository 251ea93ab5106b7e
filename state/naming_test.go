package state

import "testing"

func init() {
	transitions["name an export"] = func(l *ledger, s subject) error {
		return l.NameExport(bg, s.export, "Customer groups V2", "demf")
	}
}

// An export bears the name that its flow gives it as long as nobody can have
// read its rows under another.
func TestNameExport(t *testing.T) {
	parked := func(l *ledger) string {
		id := l.opened("a", "one", "two")
		l.running()
		for _, o := range []string{"one", "two"} {
			l.must(l.ParkDelivery(bg, DeliveryKey{id, o}, ReasonBadRows, "line 7", Counts{}))
		}
		return id
	}
	for _, c := range []struct {
		name  string
		build func(*ledger) string
		named bool
	}{
		{"parked", parked, true},
		{"parked, and landed in one output", func(l *ledger) string {
			id := l.opened("a", "one", "two")
			l.running()
			l.deliver(id, "one", 5)
			l.must(l.ParkDelivery(bg, DeliveryKey{id, "two"}, ReasonBadRows, "line 7", Counts{}))
			return id
		}, false},
		{"open", func(l *ledger) string { return l.opened("a", "one") }, false},
		{"landed", func(l *ledger) string { return l.landed("a", 5) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			id := c.build(l)
			was, entries := l.export(id), len(l.journal())
			l.must(l.NameExport(bg, id, "Units", "demf"))
			l.must(l.NameExport(bg, id, "Units", "demf"))
			want, told := was, 0
			if c.named {
				want.Entity, want.LegalEntity, told = "Units", "demf", 1
			}
			if got := l.export(id); got.Entity != want.Entity || got.LegalEntity != want.LegalEntity || got.State != was.State {
				t.Errorf("%+v; want %q of %q", got, want.Entity, want.LegalEntity)
			}
			if n := len(l.journal()) - entries; n != told {
				t.Errorf("%d entries in the journal, want %d", n, told)
			}
			checkInvariants(t, l.DB, c.name)
		})
	}
}

package state

import (
	"testing"
	"time"
)

// A claim that is kept alive is nobody else's, however long the work takes; one
// whose process is gone is taken up when its lease ends.
func TestRenewalLease(t *testing.T) {
	l := newLedger(t)
	id := l.expired("a")
	claims := func(busy ...string) int {
		claimed, err := l.ClaimRenewals(bg, 9, busy...)
		l.must(err)
		return len(claimed)
	}
	if n := claims(); n != 1 {
		t.Fatalf("%d claims of what expired; want 1", n)
	}
	for range 10 {
		l.pass(RenewalLease * 2 / 3)
		l.must(l.KeepRenewal(bg, id))
		if n := claims(); n != 0 {
			t.Fatal("a second worker takes what the first keeps")
		}
	}
	l.pass(RenewalLease + time.Second)
	if n := claims(id); n != 0 {
		t.Error("the process takes a second time what it is at work on")
	}
	if r := l.shipment(id).Renewals; r != 1 {
		t.Errorf("%d attempts are counted; want 1", r)
	}
	if n := claims(); n != 1 {
		t.Error("nobody takes what was let go")
	}
	// What has been given up, or goes on another way, is not kept.
	l.must(l.WaitRenewal(bg, l.shipment(id), time.Time{}, "no way"))
	l.must(l.KeepRenewal(bg, id))
	if at := l.shipment(id).RenewAt; !at.IsZero() {
		t.Errorf("given up, it is due again at %v", at)
	}
}

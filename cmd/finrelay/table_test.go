package main

import (
	"regexp"
	"testing"
	"time"
)

// A moment that never was is no "- ago", and one that is over is not to come.
func TestMomentsInSentences(t *testing.T) {
	now := time.Now()
	for _, c := range []struct{ got, want string }{
		{agoOrNever(time.Time{}), `^never$`},
		{agoOrNever(now.Add(-5*time.Minute - time.Second)), `^5m ago$`},
		{ago(time.Time{}), `^-$`},
		{ago(now.Add(-72*time.Hour - time.Second)), `^3d$`},
		{ahead(now.Add(-time.Second)), `^now$`},
		{ahead(now.Add(4*time.Minute + 30*time.Second)), `^in 4m \(20.*Z\)$`},
		{plural(1, "link waits", "links wait"), `^1 link waits$`},
		{plural(0, "link waits", "links wait"), `^0 links wait$`},
	} {
		if !regexp.MustCompile(c.want).MatchString(c.got) {
			t.Errorf("%q, want %s", c.got, c.want)
		}
	}
}

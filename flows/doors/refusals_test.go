package doors

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFloodOfRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		var l refusals
		refuse := func(environment string, known bool, status int) {
			r := httptest.NewRequest(http.MethodPost, "/in/finops/x?code=SECRET", nil)
			r.SetPathValue("environment", environment)
			l.log(log, r, known, status, "for a reason")
		}
		lines := func() (all []string) {
			all = strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			out.Reset()
			return all
		}
		for n := range 1000 {
			refuse("prod", true, 401)
			refuse(fmt.Sprint("invented", n), false, 401)
		}
		refuse("prod", true, 413)
		refuse("uat", true, 401)
		if got := lines(); len(got) != 4 || strings.Contains(strings.Join(got, ""), "left_out") {
			t.Errorf("within a second: %q, want prod 401, invented0 401, prod 413, uat 401", got)
		}
		if len(l.seen) != 4 {
			t.Errorf("%d kinds are kept in memory, want 4", len(l.seen))
		}
		time.Sleep(refusalEvery)
		refuse("prod", true, 401)
		refuse("prod", true, 401)
		refuse("uat", true, 401)
		got := lines()
		if len(got) != 2 || !strings.HasSuffix(got[0], "left_out=999") || strings.Contains(got[1], "left_out") {
			t.Errorf("a second later: %q, want prod with left_out=999 and uat without", got)
		}
		time.Sleep(refusalEvery)
		refuse("prod", true, 401)
		if got := lines(); len(got) != 1 || !strings.HasSuffix(got[0], "left_out=1") {
			t.Errorf("the count did not begin anew: %q", got)
		}
	})
}

func TestPlainName(t *testing.T) {
	long := strings.Repeat("n", maxNameShown)
	for name, want := range map[string]string{
		"prod": "prod", "": "", "eu-west_1.test": "eu-west_1.test",
		"prod?code=SECRET": "prod...", "prod&sig=SECRET": "prod...", "pröd": "pr...", "a\nb": "a...",
		long: long, long + "n": long + "...",
	} {
		if got := plainName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

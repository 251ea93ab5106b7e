package doors_test

import (
	"fmt"
	"strings"
	"testing"
)

// Each refusal leaves a line by which its sender is found, without what it sent.
func TestRefusalsAreLogged(t *testing.T) {
	for _, c := range []struct {
		name      string
		send      func(d *door) int
		status    int
		shownName string
	}{
		{"wrong key", func(d *door) int {
			return d.do("POST", d.url+"?code=WRONGSECRET&x=QUERYSECRET", strings.NewReader(event("1")), "x-functions-key", "HEADERSECRET").status
		}, 401, "prod"},
		{"the query's start escaped", func(d *door) int {
			return d.do("POST", d.url+"%3Fcode=PATHSECRET", strings.NewReader(event("1"))).status
		}, 401, "prod..."},
		{"unknown environment", func(d *door) int {
			return d.do("POST", strings.TrimSuffix(d.url, "prod")+"uat?code="+key, strings.NewReader(event("1"))).status
		}, 404, "uat"},
		{"GET", func(d *door) int { return d.do("GET", d.url+"?code="+key, nil).status }, 405, "prod"},
		{"too large", func(d *door) int {
			return d.do("POST", d.url+"?code="+key, strings.NewReader(strings.Repeat("BODYSECRET", 1000))).status
		}, 413, "prod"},
		{"cut", func(d *door) int {
			return d.raw(fmt.Sprintf("POST /in/finops/prod?code=%s HTTP/1.1\r\nHost: HOST\r\nContent-Length: 50\r\n\r\nBODYSECRET", key), false)
		}, 400, "prod"},
	} {
		d := newDoor(t, 1000)
		if got := c.send(d); got != c.status {
			t.Errorf("%s: %d, want %d", c.name, got, c.status)
		}
		logged := d.logged.String()
		want := fmt.Sprintf(`level=WARN msg="event refused" environment=%s remote=127.0.0.1:`, c.shownName)
		if strings.Count(logged, "\n") != 1 || !strings.Contains(logged, want) || !strings.Contains(logged, fmt.Sprintf(" status=%d why=", c.status)) {
			t.Errorf("%s: logged %q, want one line with %s", c.name, logged, want)
		}
		noted := d.refusals()
		switch {
		case c.status == 405: // a browser, and no event
			if len(noted) > 0 {
				t.Errorf("%s: noted as refused: %+v", c.name, noted)
			}
		case len(noted) != 1 || noted[0].Status != c.status || noted[0].Count != 1 || noted[0].Remotes[0] != "127.0.0.1" || (noted[0].Environment == "prod") != (c.shownName == "prod"):
			t.Errorf("%s: noted %+v", c.name, noted)
		case strings.Contains(noted[0].Why, "SECRET") || strings.Contains(noted[0].Why, key):
			t.Errorf("%s: noted with what was sent: %s", c.name, noted[0].Why)
		}
		if strings.Contains(logged, "SECRET") || strings.Contains(logged, key) {
			t.Errorf("%s: the line holds what was sent: %s", c.name, logged)
		}
	}
}

func TestWhatIsTakenIsNoRefusal(t *testing.T) {
	d := newDoor(t, 0)
	d.post(event("1"))
	d.post("nonsense")
	if logged := d.logged.String(); strings.Contains(logged, "refused") || len(d.refusals()) > 0 {
		t.Errorf("logged %q, noted %+v", logged, d.refusals())
	}
}

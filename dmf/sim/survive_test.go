package sim_test

import (
	"net/http"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

// A client that does no more than ask again gets through the flaky scenario:
// every message acked, every file whole. What a scenario does to a client must
// not be more than a good client can bear.
func TestFlakyQueueCanBeDrained(t *testing.T) {
	s, _ := play(t, "flaky", sim.Target{})
	c := calling(t, s)
	again := func(method, path, body string) (answer, bool) {
		for range 10 {
			a, err := c.exchange(method, s.BaseURL()+path, body)
			if err == nil && a.err == nil && a.status/100 == 2 {
				return a, true
			}
		}
		return answer{}, false
	}
	got := make(map[string]string)
	for {
		a, ok := again(http.MethodGet, dequeuePath, "")
		if !ok {
			t.Fatal("dequeue does not recover")
		}
		if a.status == 204 {
			break
		}
		file, ok := again(http.MethodGet, a.location(t), "")
		if !ok {
			t.Fatal("download does not recover")
		}
		id, _ := a.fields(t)["CorrelationId"].(string)
		got[id] = file.body
		again(http.MethodPost, ackPath, a.body) // a lost answer: the second try is refused, and that is well
	}
	all := s.Messages(queue)
	if len(s.Acked()) != len(all) || len(all) != 12 {
		t.Errorf("%d acked of %d", len(s.Acked()), len(all))
	}
	for i, m := range all {
		if got[m.CorrelationID] != string(m.Blob.Bytes()) || m.Dequeues() != 1 {
			t.Errorf("message %d: %d bytes, %d dequeues", i, len(got[m.CorrelationID]), m.Dequeues())
		}
	}
}

// The package API of the flaky scenario: a start whose answer is lost, an
// execution found late with a late link, one that never started, one that is
// only partly good.
func TestFlakyExecutions(t *testing.T) {
	sc := scenario(t, "flaky")
	s := started(t, sc.Options(sim.Options{Clock: sim.NewClock(morning)}))
	s.Setup(sc)
	c := calling(t, s)
	start := func(id string) (answer, error) {
		return c.exchange(http.MethodPost, s.BaseURL()+actionPath+"ExportToPackage",
			paramsOf(t, "definitionGroupId", "Contoso sales orders", "executionId", id, "legalEntityId", "usmf"))
	}
	if a, err := start("1"); err == nil {
		t.Fatalf("first start answered %d", a.status)
	}
	empty := 0
	for s.Executions()[0].Ended.IsZero() {
		c.status("1")
	}
	for c.link("1") == "" {
		empty++
	}
	if empty != 3 {
		t.Errorf("the link was empty %d times, want 3", empty)
	}
	a, err := start("2")
	if err != nil || a.value(t) != "00000000-0000-0000-0000-000000000000" {
		t.Errorf("second start: %v %s", err, a.body)
	}
	if a, err = start("3"); err != nil || a.value(t) != "3" || c.status("3")+c.status("3") != "ExecutingPartiallySucceeded" {
		t.Errorf("third start: %v %s", err, a.body)
	}
}

// A file that went another way is still there as a package: a fresh link by the
// execution id works for events of bare files, with the age of the run.
func TestFreshLinkForABatchRun(t *testing.T) {
	s, all := play(t, "calm", sim.Target{})
	p := all[0]
	if p.Event == nil || p.ExecutionID == "" {
		t.Fatalf("played %+v", p)
	}
	c := calling(t, s)
	a := get(t, c.link(p.ExecutionID))
	if names := memberNames(t, []byte(a.body)); len(names) != 4 {
		t.Errorf("package holds %q", names)
	}
	if created := a.header.Get("X-Ms-Creation-Time"); created != p.Time.Format(http.TimeFormat) {
		t.Errorf("created %s, the run was at %v", created, p.Time)
	}
	s.Clock().Set(p.Time.Add(sim.DefaultRetention))
	if a := get(t, calling(t, s).link(p.ExecutionID)); a.status != 404 {
		t.Errorf("7 days after the run: %d", a.status)
	}
	if e := s.Executions()[0]; e.Status != sim.StatusSucceeded || e.Ended.Sub(e.Started) > time.Second {
		t.Errorf("execution %+v", e)
	}
}

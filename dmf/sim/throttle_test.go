package sim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

// requestTo makes one good request to a route.
func requestTo(t *testing.T, c caller, route string) answer {
	t.Helper()
	m := c.s.Messages(queue)[0]
	switch route {
	case sim.RouteToken:
		return signIn(t, c.s, v2, good(c.s)...)
	case sim.RouteDiscovery:
		return c.get("/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration")
	case sim.RouteSignIn:
		return c.get("/contoso.onmicrosoft.com/oauth2/authorize")
	case sim.RouteDequeue, sim.RouteJobStatus:
		return c.get("/api/connector/" + route + "/" + queue)
	case sim.RouteDownload:
		return c.get("/api/connector/download/" + queue + "?correlation-id=" + m.CorrelationID)
	case sim.RouteAck, sim.RouteEnqueue:
		return c.post("/api/connector/"+route+"/"+queue, "{}")
	case sim.RouteExport:
		return c.start("y")
	case sim.RouteStatus:
		return c.action("GetExecutionSummaryStatus", "executionId", "x")
	case sim.RouteURL:
		return c.action("GetExportedPackageUrl", "executionId", "x")
	case sim.RouteErrors:
		return c.action("GetExecutionErrors", "executionId", "x")
	case sim.RouteAction:
		return c.action("InitializeDataManagement")
	case sim.RouteHistory:
		return c.get("/data/DataManagementExecutionJobDetails")
	case sim.RouteProjects:
		return c.get("/data/DataManagementDefinitionGroups")
	}
	return get(t, c.s.Link(m.Blob, sim.LinkOptions{}))
}

// Every route can be throttled by its name, and only the named one is.
func TestThrottlingPerRoute(t *testing.T) {
	c := projected(t, sim.Project{})
	c.s.AddActivity(queue, sim.ActivityOptions{Visibility: -1})
	c.s.Enqueue(queue, []byte(hundred), sim.MessageOptions{})
	c.start("x")
	for _, route := range sim.Routes() {
		c.s.ClearFaults()
		c.s.ForgetRequests()
		for _, other := range sim.Routes() {
			if other != route {
				c.s.Fault(sim.Fault{Route: other, Status: 418, Times: sim.Always})
			}
		}
		c.s.Fault(sim.Fault{Route: route, Status: 429, RetryAfter: 30 * time.Second})
		a, next := requestTo(t, c, route), requestTo(t, c, route)
		if a.status != 429 || a.header.Get("Retry-After") != "30" || next.status == 429 || next.status == 418 {
			t.Errorf("%s: %d with Retry-After %q, then %d", route, a.status, a.header.Get("Retry-After"), next.status)
		}
		if all := c.s.Requests(); len(all) != 2 || all[0].Route != route || !all[0].Fault || all[1].Fault {
			t.Errorf("%s: journal %+v", route, all)
		}
	}
}

func TestRetryAfterForms(t *testing.T) {
	cases := []struct {
		name  string
		fault sim.Fault
		want  string // of three requests
	}{
		{"seconds", sim.Fault{RetryAfter: 1500 * time.Millisecond}, "2|2|2"},
		{"missing", sim.Fault{}, "||"},
		{"date", sim.Fault{RetryAfter: 30 * time.Second, RetryAfterDate: true}, "Mon, 02 Mar 2026 09:16:12 GMT|Mon, 02 Mar 2026 09:16:12 GMT|Mon, 02 Mar 2026 09:16:12 GMT"},
		{"growing", sim.Fault{RetryAfter: 5 * time.Second, RetryAfterGrow: 10 * time.Second}, "5|15|25"},
	}
	for _, k := range cases {
		c := projected(t, sim.Project{})
		k.fault.Status, k.fault.Times, k.fault.Route = http.StatusTooManyRequests, sim.Always, sim.RouteHistory
		c.s.Fault(k.fault)
		var got []string
		for range 3 {
			a := c.get("/data/DataManagementExecutionJobDetails")
			if a.status != 429 || !strings.Contains(a.inner(t), "high resource utilization") {
				t.Errorf("%s: %d %s", k.name, a.status, a.body)
			}
			got = append(got, a.header.Get("Retry-After"))
		}
		if strings.Join(got, "|") != k.want {
			t.Errorf("%s: %q", k.name, got)
		}
	}
}

// Faults have their time on the clock and their subject.
func TestFaultWindowAndSubject(t *testing.T) {
	atOnce := sim.ExecutionScript{Statuses: []string{sim.StatusSucceeded}}
	c := projected(t, sim.Project{Script: atOnce})
	c.s.AddProject(sim.Project{Name: "Another", Script: atOnce})
	c.s.Fault(sim.Fault{Route: sim.RouteExport, Subject: "Contoso*", Status: 503, Times: sim.Always,
		From: morning.Add(time.Minute), Until: morning.Add(2 * time.Minute)})
	var seen []int
	for range 3 {
		seen = append(seen, c.start("").status, c.action("ExportToPackage", "definitionGroupId", "Another").status)
		c.s.Clock().Advance(time.Minute)
	}
	if want := []int{200, 200, 503, 200, 200, 200}; !slices.Equal(seen, want) {
		t.Errorf("statuses %v, want %v", seen, want)
	}
}

// Throttling goes by priorities of apps: one waits while another is served.
func TestThrottlingPerClient(t *testing.T) {
	c := projected(t, sim.Project{})
	c.s.SetApp(sim.App{ClientID: "nightly"})
	c.s.Fault(sim.Fault{Client: "NIGHTLY", Status: 429, Times: sim.Always})
	low := caller{t, c.s, c.s.Token("nightly")}
	const path = "/data/DataManagementDefinitionGroups"
	if a, b := low.get(path), c.get(path); a.status != 429 || b.status != 200 {
		t.Errorf("low priority %d, the other %d", a.status, b.status)
	}
	if all := c.s.Requests(); all[0].Client != "nightly" || all[1].Client != sim.DefaultClientID {
		t.Errorf("journal: %q and %q", all[0].Client, all[1].Client)
	}
}

// The same seed and calls give the same bytes, whatever the listener.
func TestAPIIsDeterministic(t *testing.T) {
	play := func() string {
		s := sim.New(sim.Options{Seed: 7, Clock: sim.NewClock(morning)})
		s.SetBaseURL("https://fin.example")
		s.AddProject(sim.Project{Name: project, Entities: []sim.ProjectEntity{{Label: "Customers V3", Rows: 9}}})
		s.AddActivity(queue, sim.ActivityOptions{})
		e := s.RunProject(project, "usmf")
		m := s.Enqueue(queue, nil, sim.MessageOptions{Blob: e.Blob, ExecutionID: e.ID})
		return e.ID + m.CorrelationID + string(e.Blob.Bytes()) + s.Token(sim.DefaultClientID) + s.Link(e.Blob, sim.LinkOptions{})
	}
	if first, second := play(), play(); first != second {
		t.Error("two plays differ")
	}
}

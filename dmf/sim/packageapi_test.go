package sim_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

const project = "Contoso nightly customers"

// projected returns a simulator with one project, and a caller.
func projected(t *testing.T, p sim.Project) caller {
	t.Helper()
	s := started(t, sim.Options{})
	p.Name = project
	if p.Entities == nil {
		p.Entities = []sim.ProjectEntity{{Label: "Customer groups", Rows: 10}, {Label: "Vendors V2", Rows: 4}}
	}
	s.AddProject(p)
	return calling(t, s)
}

func (c caller) start(id string) answer {
	c.t.Helper()
	return c.action("ExportToPackage", "definitionGroupId", project, "packageName", "p", "executionId", id, "reExecute", false, "legalEntityId", "USMF")
}

// status asks once; a 400 comes back as "400" when its text is the usual one.
func (c caller) status(id string) string {
	c.t.Helper()
	a := c.action("GetExecutionSummaryStatus", "executionId", id)
	if a.status == 400 && strings.Contains(a.inner(c.t), "Execution details were not found for execution id: "+id) {
		return "400"
	}
	return a.value(c.t)
}

func (c caller) link(id string) string {
	c.t.Helper()
	return c.action("GetExportedPackageUrl", "executionId", id).value(c.t)
}

// finish polls until the script is used up and the link is there.
func (c caller) finish(id string) string {
	c.t.Helper()
	for range 8 {
		c.status(id)
	}
	c.link(id)
	return c.link(id)
}

// memberNames lists a package's members in their order.
func memberNames(t *testing.T, data []byte) (names []string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	return names
}

func TestExportSequence(t *testing.T) {
	c := projected(t, sim.Project{})
	if got := c.start("run-1").value(t); got != "run-1" {
		t.Fatalf("start: %q", got)
	}
	if got := c.link("run-1"); got != "" {
		t.Error("a link before the end")
	}
	var seen []string
	for range 7 {
		seen = append(seen, c.status("run-1"))
	}
	if got, want := strings.Join(seen, " "), "400 NotRun Executing Executing Executing Succeeded Succeeded"; got != want {
		t.Errorf("statuses %s, want %s", got, want)
	}
	if got := c.link("run-1"); got != "" {
		t.Error("the first link after the end is not empty")
	}
	first := c.link("run-1")
	c.s.Clock().Advance(time.Minute)
	second := c.link("run-1")
	if first == second || withoutQuery(first) != withoutQuery(second) {
		t.Errorf("two links, to %s and %s; want fresh ones to one blob", withoutQuery(first), withoutQuery(second))
	}
	a, b := get(t, first), get(t, second)
	if a.status != 200 || a.body != b.body || a.header.Get("Etag") != b.header.Get("Etag") {
		t.Errorf("downloads: %d and %d, %d and %d bytes", a.status, b.status, len(a.body), len(b.body))
	}
	if names := memberNames(t, []byte(a.body)); strings.Join(names, ", ") != "Manifest.xml, PackageHeader.xml, Customer groups.csv, Vendors V2.csv" {
		t.Errorf("package holds %q", names)
	}
	e := c.s.Executions()[0]
	if e.Links != 2 || e.Status != sim.StatusSucceeded || e.Rows() != 14 || e.LegalEntity != "USMF" || e.Ended.IsZero() || e.Blob == nil {
		t.Errorf("execution %+v", e)
	}
}

func TestExecutionScripts(t *testing.T) {
	cases := []struct {
		name   string
		script sim.ExecutionScript
		seen   string // of 6 requests
		link   bool
		errors string
	}{
		{"at once", sim.ExecutionScript{Statuses: []string{sim.StatusSucceeded}}, "Succeeded Succeeded Succeeded Succeeded Succeeded Succeeded", true, "[]"},
		{"not found twice", sim.ExecutionScript{Statuses: sim.Polls(2, 0, 1, sim.StatusSucceeded)}, "400 400 Executing Succeeded Succeeded Succeeded", true, "[]"},
		{"stuck", sim.ExecutionScript{Statuses: []string{sim.StatusExecuting}}, "Executing Executing Executing Executing Executing Executing", false, "[]"},
		{"partly", sim.ExecutionScript{Statuses: sim.Polls(0, 1, 1, sim.StatusPartiallySucceeded)}, "NotRun Executing PartiallySucceeded PartiallySucceeded PartiallySucceeded PartiallySucceeded", true, "Value '40'"},
		{"failed", sim.ExecutionScript{Statuses: sim.Polls(0, 0, 1, sim.StatusFailed)}, "Executing Failed Failed Failed Failed Failed", false, "Value '40'"},
		{"canceled", sim.ExecutionScript{Statuses: []string{sim.StatusCanceled}}, "Canceled Canceled Canceled Canceled Canceled Canceled", false, "[]"},
		{"unknown for a while", sim.ExecutionScript{Statuses: []string{"Unknown", "Unknown", "Succeeded"}}, "Unknown Unknown Succeeded Succeeded Succeeded Succeeded", true, "[]"},
		{"own errors", sim.ExecutionScript{Statuses: []string{"Failed"}, Errors: "[oops"}, "Failed Failed Failed Failed Failed Failed", false, "[oops"},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			c := projected(t, sim.Project{Script: k.script})
			c.start("x")
			var seen []string
			for range 6 {
				seen = append(seen, c.status("x"))
			}
			if got := strings.Join(seen, " "); got != k.seen {
				t.Errorf("statuses %s", got)
			}
			c.link("x")
			if got := c.link("x"); (got != "") != k.link {
				t.Errorf("link: %t, want %t", got != "", k.link)
			}
			if got := c.action("GetExecutionErrors", "executionId", "x").value(t); !strings.Contains(got, k.errors) || k.errors == "[]" && got != "[]" {
				t.Errorf("errors %s", got)
			}
		})
	}
}

func TestExecutionErrorsJSON(t *testing.T) {
	for _, invalid := range []bool{false, true} {
		c := projected(t, sim.Project{Script: sim.ExecutionScript{Statuses: []string{"PartiallySucceeded"}, InvalidErrors: invalid}})
		c.start("x")
		c.status("x")
		text := c.action("GetExecutionErrors", "executionId", "x").value(t)
		if json.Valid([]byte(text)) == invalid || !strings.Contains(text, `"RecordId":"4"`) {
			t.Errorf("invalid %t: %s", invalid, text)
		}
	}
}

// An execution lasts on the clock if it is told to, and one that nobody asks
// about is over some time.
func TestExecutionsOnTheClock(t *testing.T) {
	c := projected(t, sim.Project{})
	c.s.ScriptNext(project, sim.ExecutionScript{Statuses: sim.Polls(0, 0, 1, "Succeeded"), Lasts: 20 * time.Minute, URLEmpty: -1})
	c.start("long")
	for range 5 {
		if got := c.status("long"); got != "Executing" {
			t.Fatalf("during: %s", got)
		}
	}
	c.s.Clock().Advance(20 * time.Minute)
	if got := c.status("long"); got != "Succeeded" || c.link("long") == "" {
		t.Errorf("after: %s", got)
	}
	c.start("left alone")
	if got := c.start("next"); got.status != 400 {
		t.Errorf("while the other runs: %d", got.status)
	}
	c.s.Clock().Advance(10 * time.Minute)
	if got := c.start("next").value(t); got != "next" {
		t.Errorf("after 10 minutes: %s", got)
	}
}

func TestStarts(t *testing.T) {
	c := projected(t, sim.Project{LegalEntities: []string{"usmf", "DEMF"}})
	refused := func(what, want string, a answer) {
		t.Helper()
		if text := a.inner(t); a.status != 400 || !strings.Contains(text, want) || !strings.HasPrefix(text, "Exception occurred while executing action ExportToPackage on Entity DataManagementDefinitionGroup: ") {
			t.Errorf("%s: %d %s", what, a.status, text)
		}
	}
	refused("unknown project", "The data project 'x' does not exist.", c.action("ExportToPackage", "definitionGroupId", "x"))
	refused("unknown company", "The company frrt does not exist.", c.action("ExportToPackage", "definitionGroupId", project, "legalEntityId", "frrt"))
	c.s.ScriptNext(project, sim.ExecutionScript{EmptyGUID: true}, sim.ExecutionScript{Refuse: "BOX API can't be used from non-interactive sessions"})
	if got := c.start("first").value(t); got != "00000000-0000-0000-0000-000000000000" || len(c.s.Executions()) != 0 {
		t.Errorf("empty GUID: %s, %d executions", got, len(c.s.Executions()))
	}
	refused("refused", "BOX API", c.start("first"))
	if got := c.start("first").value(t); got != "first" {
		t.Errorf("then: %s", got)
	}
	refused("while it runs", "Deadlock", c.start("second"))
	c.finish("first")
	refused("same id", "The execution id 'FIRST' already exists.", c.start("FIRST"))
	if got := c.action("ExportToPackage", "definitionGroupId", project, "executionId", "first", "reExecute", true, "legalEntityId", "usmf").value(t); got != "first" {
		t.Errorf("rerun: %s", got)
	}
	if got := c.start("").value(t); got != "ExportPackage-03/02/2026 09:15:42 am" {
		t.Errorf("made by the server: %q", got)
	}
	if n := len(c.s.Executions()); n != 2 {
		t.Errorf("%d executions", n)
	}
}

// A start whose answer is lost has started; a second one must not be blind.
func TestLostStart(t *testing.T) {
	c := projected(t, sim.Project{})
	c.s.Fault(sim.Fault{Route: sim.RouteExport, Subject: project, Lost: true})
	body := paramsOf(t, "definitionGroupId", project, "executionId", "mine", "legalEntityId", "usmf")
	if a, err := c.exchange(http.MethodPost, c.s.BaseURL()+actionPath+"ExportToPackage", body); err == nil {
		t.Fatalf("answered %d", a.status)
	}
	if got := c.status("mine") + " " + c.status("mine"); got != "400 NotRun" {
		t.Errorf("statuses %s", got)
	}
	if last := c.s.Requests()[0]; last.Route != sim.RouteExport || last.Subject != project || last.Execution != "mine" || last.Status != 0 || !last.Fault {
		t.Errorf("journal: %+v", last)
	}
}

func TestNestedValues(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		s := started(t, sim.Options{NestedValues: everywhere})
		s.AddProject(sim.Project{Name: project, Script: sim.ExecutionScript{Nested: !everywhere}})
		a := calling(t, s).start("x")
		m, _ := a.fields(t)["value"].(map[string]any)
		if a.status != 200 || m["value"] != "x" {
			t.Errorf("everywhere %t: %s", everywhere, a.body)
		}
	}
}

func TestODataHeaders(t *testing.T) {
	c := projected(t, sim.Project{})
	for _, a := range []answer{c.action("GetExecutionSummaryStatus", "executionId", "x"), c.start("y"), c.get("/data/DataManagementExecutionJobDetails")} {
		for _, h := range []string{"Odata-Version", "Ms-Dyn-Tenant", "Ms-Dyn-Namespace", "Ms-Dyn-Role", "Ms-Dyn-Fqhn", "Ms-Dyn-Aid", "X-Content-Type-Options"} {
			if a.header.Get(h) == "" {
				t.Errorf("status %d: no %s", a.status, h)
			}
		}
		if got := a.header.Get("Content-Type"); got != "application/json; odata.metadata=minimal" {
			t.Errorf("status %d: %s", a.status, got)
		}
	}
}

func TestOtherActions(t *testing.T) {
	c := projected(t, sim.Project{})
	c.s.AddActivity(queue, sim.ActivityOptions{})
	m := c.s.Enqueue(queue, nil, sim.MessageOptions{ExecutionID: "of the batch"})
	c.start("x")
	for name, k := range map[string]struct {
		params []any
		want   string
	}{
		"GetExecutionSummaryPageUrl":    {[]any{"executionId", "x"}, c.s.BaseURL() + "/?cmp=USMF&mi="},
		"GetMessageStatus":              {[]any{"messageId", "{" + strings.ToUpper(m.CorrelationID) + "}"}, "Enqueued"},
		"GetExecutionIdByMessageId":     {[]any{"_messageId", m.CorrelationID}, "of the batch"},
		"InitializeDataManagement":      {nil, ""},
		"InitializeDataManagementAsync": {nil, ""},
	} {
		if got := c.action(name, k.params...).value(t); !strings.HasPrefix(got, k.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, status := range map[string]int{"GetMessageStatus": 400, "GetExecutionIdByMessageId": 400, "GetExecutionErrors": 400, "GetExportedPackageUrl": 400, "ResetVersionToken": 400, "ExportEntities": 404} {
		if a := c.action(name, "executionId", "?"); a.status != status {
			t.Errorf("%s of nothing: %d", name, a.status)
		}
	}
	if a := c.post(actionPath+"GetExecutionErrors", "executionId=x"); a.status != 400 {
		t.Errorf("a form: %d", a.status)
	}
	if a := c.get(actionPath + "GetExecutionErrors"); a.status != 405 {
		t.Errorf("GET: %d", a.status)
	}
}

// A message names the run that made its file, whether it was told which or its
// file is that run's package, and the empty GUID where nobody knows.
func TestExecutionOfMessage(t *testing.T) {
	c := projected(t, sim.Project{})
	c.s.AddActivity(queue, sim.ActivityOptions{})
	run := c.s.RunProject(project, "usmf")
	for name, k := range map[string]struct {
		opt  sim.MessageOptions
		want string
	}{
		"told":               {sim.MessageOptions{ExecutionID: "of the batch"}, "of the batch"},
		"a run's package":    {sim.MessageOptions{Blob: run.Blob}, run.ID},
		"nobody knows":       {sim.MessageOptions{}, "00000000-0000-0000-0000-000000000000"},
		"a run without rows": {sim.MessageOptions{NoFile: true, ExecutionID: run.ID}, run.ID},
		"no file, no more":   {sim.MessageOptions{NoFile: true}, "00000000-0000-0000-0000-000000000000"},
	} {
		m := c.s.Enqueue(queue, []byte("x"), k.opt)
		if got := c.action("GetExecutionIdByMessageId", "_messageId", "{"+strings.ToUpper(m.CorrelationID)+"}").value(t); got != k.want {
			t.Errorf("%s: %q, want %q", name, got, k.want)
		}
	}
	if a := c.action("GetExecutionIdByMessageId", "_messageId", "00000000-0000-4000-8000-000000000001"); a.status != 400 {
		t.Errorf("no such message: %d", a.status)
	}
}

// exported returns the rows of each execution so far, first entity.
func exported(s *sim.Sim) string {
	var all []string
	for _, e := range s.Executions() {
		all = append(all, fmt.Sprint(len(e.Tables[0].Rows)))
	}
	return strings.Join(all, " ")
}

// An incremental run moves on whether its file is fetched or not; the rows are
// those that came since.
func TestIncremental(t *testing.T) {
	c := projected(t, sim.Project{Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customers V3", Rows: 5}, {Label: "Exchange rates", Rows: 2, Shared: true}}})
	s := c.s
	s.RunProject(project, "usmf") // 5, never fetched
	s.Grow(project, "Customers V3", 3)
	run := s.RunProject(project, "USMF") // 3
	if run.Status != sim.StatusSucceeded || !strings.HasPrefix(run.ID, project+"-2026-03-02T09:15:42-") || len(run.Tables[1].Rows) != 0 {
		t.Errorf("run %+v", run)
	}
	whole := s.SampleEntity("Customers V3", 8)
	if got, want := fmt.Sprint(run.Tables[0].Rows), fmt.Sprint(whole.Rows[5:]); got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	other := s.RunProject(project, "demf") // 8 of another company, but the shared entity is known
	if len(other.Tables[1].Rows) != 0 || slices.Equal(other.Tables[0].Rows[0], whole.Rows[0]) {
		t.Errorf("another company: %d shared rows, the same customers", len(other.Tables[1].Rows))
	}
	s.Grow(project, "Customers V3", 1)
	s.ScriptNext(project, sim.ExecutionScript{Statuses: []string{"Failed"}})
	c.start("failed") // 1, but the marker stays
	c.finish("failed")
	c.start("again") // 1
	c.finish("again")
	s.RunProject(project, "usmf") // 0
	reset := c.action("ResetVersionToken", "definitionGroupId", project, "entityName", "Customers V3", "sourceName", "CSV")
	if reset.fields(t)["value"] != true || !strings.Contains(reset.body, "#Edm.Boolean") {
		t.Errorf("reset: %s", reset.body)
	}
	s.RunProject(project, "usmf") // 9
	if got := exported(s); got != "5 3 8 1 1 0 9" {
		t.Errorf("rows of the runs: %s", got)
	}
}

func TestFullPushAndDeltas(t *testing.T) {
	c := projected(t, sim.Project{})
	c.start("full")
	c.finish("full")
	c.start("full again")
	c.finish("full again")
	c.s.Grow(project, "Customer groups", 2)
	for i, params := range [][]any{{"ExportToPackageDelta"}, {"ExportToPackagePreview", "count", 3}, {"ExportToPackagePreviewAsync", "exportPreviewCount", 4}, {"ExportToPackageAsync", "entityList", "Vendors V2"}} {
		id := fmt.Sprint(i)
		c.action(params[0].(string), append(params[1:], "definitionGroupId", project, "executionId", id)...).value(t)
		c.finish(id)
	}
	if got := exported(c.s); got != "10 10 12 3 4 4" {
		t.Errorf("rows of the runs: %s", got)
	}
}

// The history: filters, pages, and what a running or failed entity looks like.
func TestHistory(t *testing.T) {
	s := started(t, sim.Options{HistoryPage: 3})
	s.AddProject(sim.Project{Name: project, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 10}, {Label: "Vendors V2", Rows: 4}}})
	s.AddProject(sim.Project{Name: "It's another", Entities: []sim.ProjectEntity{{Label: "Exchange rates", Rows: 1}}})
	c := calling(t, s)
	for range 3 {
		s.RunProject(project, "usmf")
		s.Clock().Advance(10 * time.Minute)
	}
	s.RunProject("It's another", "usmf")
	s.ScriptNext(project, sim.ExecutionScript{Statuses: sim.Polls(1, 0, 1, "PartiallySucceeded")})
	c.start("api")

	jobs := func(query string) (n, pages int, rows []map[string]any) {
		t.Helper()
		next := s.BaseURL() + "/data/DataManagementExecutionJobDetails?" + strings.ReplaceAll(strings.ReplaceAll(query, " ", "%20"), "'", "%27")
		for next != "" {
			pages++
			a, err := c.exchange("GET", next, "")
			if err != nil {
				t.Fatal(err)
			}
			var doc struct {
				Value []map[string]any
				Next  string `json:"@odata.nextLink"`
			}
			if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.status != 200 || doc.Value == nil {
				t.Fatalf("%s: %d, %v: %s", query, a.status, err, a.body)
			}
			rows, next = append(rows, doc.Value...), doc.Next
		}
		return len(rows), pages, rows
	}
	first := s.Executions()[0].ID
	cases := []struct {
		query    string
		n, pages int
	}{
		{"", 7, 3},
		{"$filter=JobId eq '" + first + "'", 2, 1},
		{"$filter=JobId eq '" + strings.ToUpper(first) + "' and EntityName eq 'Vendors V2'", 1, 1},
		{"$filter=DefinitionGroupId eq '" + project + "'", 6, 2},
		{"$filter=DefinitionGroupId eq 'It''s another'", 1, 1},
		{"$filter=(DefinitionGroupId eq '" + project + "' and StagingStartDateTime ge 2026-03-02T09:25:42Z)", 4, 2},
		{"$filter=StagingStartDateTime gt 2026-03-02T09:25:42Z", 3, 1},
		{"$filter=TargetRecordsCreatedCount eq 10", 3, 1},
		{"$filter=JobId eq 'api'", 0, 1}, // its record does not exist yet
		{"$top=5", 5, 2},
		{"$skip=6", 1, 1},
		{"cross-company=true&$orderby=StagingStartDateTime desc&$top=1", 1, 1},
	}
	for _, k := range cases {
		if n, pages, _ := jobs(k.query); n != k.n || pages != k.pages {
			t.Errorf("%s: %d rows on %d pages, want %d on %d", k.query, n, pages, k.n, k.pages)
		}
	}
	states := func() (all []any) {
		_, _, rows := jobs("$filter=JobId eq 'api'&$select=EntityName,StagingStatus,StagingRecordsCreatedCount,StagingEndDateTime")
		for _, r := range rows {
			if len(r) != 4 {
				t.Errorf("selected %v", r)
			}
			all = append(all, r["StagingStatus"], r["StagingRecordsCreatedCount"], r["StagingEndDateTime"])
		}
		return all
	}
	c.status("api")
	if got, want := fmt.Sprint(states()), "[Executing 0 1900-01-01T00:00:00Z Executing 0 1900-01-01T00:00:00Z]"; got != want {
		t.Errorf("running: %s", got)
	}
	c.finish("api")
	if got, want := fmt.Sprint(states()), "[Error 0 2026-03-02T09:45:42Z Finished 4 2026-03-02T09:45:42Z]"; got != want {
		t.Errorf("done: %s", got)
	}
	_, _, newest := jobs("$orderby=StagingStartDateTime desc&$top=1")
	if newest[0]["StagingStartDateTime"] != "2026-03-02T09:45:42Z" {
		t.Errorf("newest: %v", newest[0])
	}
	for _, bad := range []string{"JobId like 'x'", "Nothing eq 'x'", "StagingStartDateTime ge 'x'", "TargetRecordsCreatedCount eq 'ten'", "JobId eq 'x"} {
		if a := c.get("/data/DataManagementExecutionJobDetails?$filter=" + url.QueryEscape(bad)); a.status != 400 || a.inner(t) == "" {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	if a := c.get("/data/DataManagementExecutionJobDetails?$orderby=Nothing"); a.status != 400 {
		t.Errorf("order by nothing: %d", a.status)
	}
}

func TestProjectSets(t *testing.T) {
	c := projected(t, sim.Project{Incremental: true})
	groups := c.get("/data/DataManagementDefinitionGroups?$filter=Name%20eq%20%27" + url.PathEscape(project) + "%27&$count=true")
	if m := groups.fields(t); m["@odata.count"] != 1.0 || !strings.Contains(groups.body, `"OperationType":"Export"`) {
		t.Errorf("groups: %s", groups.body)
	}
	details := c.get("/data/DataManagementDefinitionGroupDetails")
	if strings.Count(details.body, `"DefaultRefreshType":"Incremental"`) != 2 || !strings.Contains(details.body, `"SourceFormat":"CSV-Unicode"`) {
		t.Errorf("details: %s", details.body)
	}
	if a := c.get("/data/DataManagementNothing"); a.status != 404 {
		t.Errorf("no such set: %d", a.status)
	}
	if a := c.post("/data/DataManagementDefinitionGroups", "{}"); a.status != 405 {
		t.Errorf("create: %d", a.status)
	}
}

// The file goes after 7 days; the link is still handed out.
func TestOldPackage(t *testing.T) {
	c := projected(t, sim.Project{})
	c.start("x")
	c.finish("x")
	c.s.Clock().Advance(7 * 24 * time.Hour)
	c = calling(t, c.s)
	if a := get(t, c.link("x")); a.status != 404 || a.code() != "BlobNotFound" {
		t.Errorf("%d %s", a.status, a.code())
	}
}

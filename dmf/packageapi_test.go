package dmf

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestExportToPackage(t *testing.T) {
	var sent map[string]any
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		answer200(`{"@odata.context":"x/$metadata#Edm.String","value":"id-1"}`)(w, r)
	})
	c := f.connect(t, ClientOptions{OnPremises: true})
	id, err := c.ExportToPackage(t.Context(), ExportRequest{DefinitionGroup: "Customers & <groups>", ExecutionID: "id-1", LegalEntity: "USMF"})
	if err != nil || id != "id-1" {
		t.Fatalf("got %q, %v", id, err)
	}
	want := map[string]any{"definitionGroupId": "Customers & <groups>", "packageName": "id-1", "executionId": "id-1", "reExecute": false, "legalEntityId": "USMF"}
	if len(sent) != len(want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
	for name, value := range want {
		if sent[name] != value {
			t.Errorf("sent %s = %v, want %v", name, sent[name], value)
		}
	}
	if want := "POST /namespaces/AXSF/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ExportToPackage"; f.requests[0] != want {
		t.Errorf("asked for %s, want %s", f.requests[0], want)
	}
}

func TestExportToPackageAnswers(t *testing.T) {
	for _, c := range []struct {
		name, own, body string
		want            ExecutionID
		err             error
	}{
		{"as asked", "mine", `{"value":"mine"}`, "mine", nil},
		{"another id", "mine", `{"value":"ExportPackage-11/15/2018 02:57:10 pm"}`, "ExportPackage-11/15/2018 02:57:10 pm", nil},
		{"nested, as documented", "mine", `{"value":{"value":"mine"}}`, "mine", nil},
		{"no value of its own", "mine", `{"value":""}`, "mine", nil},
		{"empty GUID", "mine", `{"value":"00000000-0000-0000-0000-000000000000"}`, "", ErrNotStarted},
		{"empty GUID in braces", "mine", `{"value":"{00000000-0000-0000-0000-000000000000}"}`, "", ErrNotStarted},
		{"no id at all", "", `{"value":null}`, "", ErrNotStarted},
		{"a page", "mine", `<html>`, "", ErrUnreadable},
		{"no value", "mine", `{}`, "", ErrUnreadable},
	} {
		f := startFinOps(t, answer200(c.body))
		got, err := f.ExportToPackage(t.Context(), ExportRequest{DefinitionGroup: "p", ExecutionID: ExecutionID(c.own)})
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

// TestExportNotRepeated: a second start would be a second export.
func TestExportNotRepeated(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{"hung up": hangUp, "502": answerStatus(502, ""), "504": answerStatus(504, "")} {
		f := startFinOps(t, answer)
		_, err := f.ExportToPackage(t.Context(), ExportRequest{DefinitionGroup: "p", ExecutionID: "x"})
		if !errors.Is(err, ErrMaybeDone) || f.count() != 1 {
			t.Errorf("%s: got %v after %d requests, want ErrMaybeDone after one", name, err, f.count())
		}
	}
	f := startFinOps(t, answerStatus(400, `{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"Deadlock, where one or more users"}}}`, "ms-dyn-aid", "aid-1"))
	_, err := f.ExportToPackage(t.Context(), ExportRequest{DefinitionGroup: "p", ExecutionID: "x"})
	api, ok := errors.AsType[*APIError](err)
	if !ok || errors.Is(err, ErrMaybeDone) || api.Message != "Deadlock, where one or more users" || api.RequestID != "aid-1" {
		t.Errorf("got %v, want the inner message and the activity id", err)
	}
}

func TestExecutionStatus(t *testing.T) {
	const early = `{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"Exception occurred while executing action GetExecutionSummaryStatus on Entity DataManagementDefinitionGroup: Execution details were not found for execution id: demo-1"}}}`
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   Status
		err    error
	}{
		{"plain", 200, `{"value":"Executing"}`, StatusExecuting, nil},
		{"other case", 200, `{"value":" succeeded "}`, StatusSucceeded, nil},
		{"British", 200, `{"value":"Cancelled"}`, StatusCanceled, nil},
		{"not documented", 200, `{"value":"Queued"}`, StatusQueued, nil},
		{"new to us", 200, `{"value":"Hibernating"}`, "Hibernating", nil},
		{"too early", 400, early, "", ErrExecutionNotFound},
		{"too early, as 500", 500, early, "", ErrExecutionNotFound},
		{"too early, in other words", 400, `{"Message":"The records were not found"}`, "", ErrExecutionNotFound},
		{"Bad request as a status", 200, `{"value":"Bad request"}`, "", ErrExecutionNotFound},
		{"Bad request as text", 400, "Bad Request", "", ErrExecutionNotFound},
		{"400 without a word", 400, "", "", ErrExecutionNotFound},
	} {
		f := startFinOps(t, answerStatus(c.status, c.body))
		got, err := f.ExecutionStatus(t.Context(), "demo-1")
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
		if c.err != nil {
			if api, ok := errors.AsType[*APIError](err); !ok || !api.Temporary() {
				t.Errorf("%s: got %v, want a temporary *APIError", c.name, err)
			}
		}
	}
	f := startFinOps(t, answerStatus(400, `{"error":{"message":"The data project does not exist"}}`))
	_, err := f.ExecutionStatus(t.Context(), "x")
	if api, ok := errors.AsType[*APIError](err); !ok || errors.Is(err, ErrExecutionNotFound) || api.Temporary() {
		t.Errorf("another 400: got %v, want a lasting *APIError", err)
	}
}

func TestStatusMeaning(t *testing.T) {
	for s, want := range map[Status][2]bool{ // final, has package
		StatusUnknown: {false, false}, StatusNotRun: {false, false}, StatusQueued: {false, false}, StatusExecuting: {false, false},
		StatusSucceeded: {true, true}, StatusPartiallySucceeded: {true, true}, StatusFailed: {true, false}, StatusCanceled: {true, false},
		"Hibernating": {false, false},
	} {
		if got := [2]bool{s.Final(), s.HasPackage()}; got != want {
			t.Errorf("%s: final, has package = %v, want %v", s, got, want)
		}
	}
}

func TestExportedPackageURL(t *testing.T) {
	const link = "https://contosodmf.blob.core.windows.net/dmf/x.zip?sig=abc"
	for name, c := range map[string]struct{ body, want string }{
		"ready":  {`{"value":"` + link + `"}`, link},
		"nested": {`{"value":{"value":"` + link + `"}}`, link},
		"empty":  {`{"value":""}`, ""},
		"null":   {`{"value":null}`, ""},
		"blank":  {`{"value":" "}`, ""},
	} {
		f := startFinOps(t, answer200(c.body))
		if got, err := f.ExportedPackageURL(t.Context(), "x"); got != c.want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
	f := startFinOps(t, answer200(`{"value":"no link sig=abc"}`))
	if _, err := f.ExportedPackageURL(t.Context(), "x"); !errors.Is(err, ErrUnreadable) || strings.Contains(err.Error(), "abc") {
		t.Errorf("no link: got %v, want ErrUnreadable without the value", err)
	}
	if _, err := f.ExportedPackageURL(t.Context(), ""); err == nil || f.count() != 1 {
		t.Errorf("without an id: %v, %d requests", err, f.count())
	}
	f = startFinOps(t, answer200(`{"value":"https://x.example/?mi=DM_DMFExecutionSummary"}`))
	if got, err := f.ExecutionSummaryPageURL(t.Context(), "x"); err != nil || !strings.HasPrefix(got, "https://x.example/") {
		t.Errorf("page: %q, %v", got, err)
	}
}

func TestMessageStatus(t *testing.T) {
	for in, want := range map[string]MessageState{
		`"Acked"`: MessageAcked, `"acked"`: MessageAcked, `3`: MessageAcked, `"InProcess"`: MessageProcessing, `9`: MessagePreprocessing,
		`"PreProcessing"`: MessagePreprocessing, `"PostProcessError"`: MessagePostProcessingFailed, `"Vanished"`: "Vanished",
	} {
		var body string
		f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			body = string(got)
			answer200(`{"value":`+in+`}`)(w, r)
		})
		if got, err := f.MessageStatus(t.Context(), "m-1"); got != want || err != nil || body != `{"messageId":"m-1"}` {
			t.Errorf("%s: got %q, %v after %s; want %q", in, got, err, body, want)
		}
	}
}

func TestExecutionOfMessage(t *testing.T) {
	const id = "Contoso nightly-2026-03-02T09:15:42-6B0E5A1C"
	for name, c := range map[string]struct {
		status int
		body   string
		want   ExecutionID
		failed bool
	}{
		"told":                  {200, `{"value":"` + id + `"}`, id, false},
		"told, with space":      {200, `{"value":" ` + id + ` "}`, id, false},
		"nested":                {200, `{"value":{"value":"` + id + `"}}`, id, false},
		"empty":                 {200, `{"value":""}`, "", false},
		"null":                  {200, `{"value":null}`, "", false},
		"not worked on yet":     {200, `{"value":"00000000-0000-0000-0000-000000000000"}`, "", false},
		"the same, in braces":   {200, `{"value":"{00000000-0000-0000-0000-000000000000}"}`, "", false},
		"no such message":       {400, `{"error":{"message":"x","innererror":{"message":"The message does not exist"}}}`, "", true},
		"a page, not an answer": {200, `<html>`, "", true},
	} {
		var body string
		f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			body = string(got)
			answerStatus(c.status, c.body)(w, r)
		})
		got, err := f.ExecutionOfMessage(t.Context(), "m-1")
		if got != c.want || (err != nil) != c.failed || body != `{"_messageId":"m-1"}` {
			t.Errorf("%s: got %q, %v after %s; want %q, failed %t", name, got, err, body, c.want, c.failed)
		}
		if _, ok := errors.AsType[*APIError](err); c.failed && !ok {
			t.Errorf("%s: got %v, want an *APIError", name, err)
		}
	}
	f := startFinOps(t, answer200(`{"value":"x"}`))
	if _, err := f.ExecutionOfMessage(t.Context(), ""); err == nil || f.count() != 0 {
		t.Errorf("without an id: %v, %d requests", err, f.count())
	}
}

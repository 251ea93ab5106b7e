package web

import (
	"context"
	"encoding/json"
	"net/http"

	"finrelay/flows"
	"finrelay/state"
)

// ExecutionView is a run of a data project that finrelay asked for.
type ExecutionView struct {
	state.Execution
	Next  string               `json:"next,omitempty"`
	Story []state.JournalEntry `json:"story,omitempty"`
}

// Requested are the runs that an export became.
type Requested struct {
	IDs []string `json:"ids"`
}

func (a *API) export(r *http.Request) (any, error) {
	var q flows.ExportRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	q.By = by(q.By)
	ids, err := a.Relay.Export(r.Context(), q)
	return Requested{IDs: ids}, err
}

func (a *API) executionView(x state.Execution) ExecutionView {
	return ExecutionView{Execution: x, Next: a.Relay.ExecutionWhereabouts(x).Next}
}

func (a *API) listExecutions(r *http.Request) (any, error) {
	f, err := filter(r, ExecutionStates)
	if err != nil {
		return nil, err
	}
	executions, err := a.DB.Executions(r.Context(), f)
	views := make([]ExecutionView, 0, len(executions))
	for _, x := range executions {
		views = append(views, a.executionView(x))
	}
	return views, err
}

func (a *API) showExecution(r *http.Request) (any, error) {
	id, err := a.DB.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	x, err := a.DB.Execution(r.Context(), id)
	if err != nil {
		return nil, err
	}
	v := a.executionView(x)
	v.Story, err = a.DB.Story(r.Context(), id)
	return v, err
}

// RunExport asks for runs of a data project.
func (c *Client) RunExport(ctx context.Context, q flows.ExportRequest) (Requested, error) {
	return call[Requested](ctx, c, "POST", "export", nil, q)
}

// Executions lists runs of data projects, newest first.
func (c *Client) Executions(ctx context.Context, f state.Filter) ([]ExecutionView, error) {
	return call[[]ExecutionView](ctx, c, "GET", "executions", FilterQuery(f), nil)
}

// Execution shows one run with its story.
func (c *Client) Execution(ctx context.Context, id string) (ExecutionView, error) {
	return call[ExecutionView](ctx, c, "GET", "executions/"+id, nil, nil)
}

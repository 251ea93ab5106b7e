package flows

import (
	"context"
	"errors"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// messageSource opens the file of a queue's message. FinOps' connector is not
// known to serve ranges, so every opening starts at the beginning.
type messageSource struct {
	client   *dmf.Client
	activity dmf.ActivityID
	message  dmf.Message
}

// Open ignores offset and etag, and says so by a Body that starts at 0.
func (m *messageSource) Open(ctx context.Context, _ int64, _ string) (*fetch.Body, error) {
	d, err := m.client.OpenDownload(ctx, m.activity, m.message)
	if err != nil {
		return nil, asLinkError(err)
	}
	return &fetch.Body{ReadCloser: d, Size: d.Size, ContentType: d.ContentType}, nil
}

// asLinkError gives a failure of FinOps the form that the download loop and
// judge know. A sign-in that fails is no fault of the message: it passes as it is.
func asLinkError(err error) error {
	api, ok := errors.AsType[*dmf.APIError](err)
	if _, signIn := errors.AsType[*dmf.SignInError](err); signIn || !ok {
		return err
	}
	kind := fetch.KindNetwork
	if api.StatusCode != 0 {
		kind = fetch.KindBusy // the connector answers 500 now and then, and serves the same file a moment later
	}
	return &fetch.LinkError{Kind: kind, StatusCode: api.StatusCode, RetryAfter: api.RetryAfter, Err: err}
}

// source gives what a claimed shipment is downloaded from.
func (r *Relay) source(ctx context.Context, job state.FetchJob) (fetch.Source, error) {
	s := job.Shipment
	if s.Source != "queue" {
		return r.client(s.Environment).Link(job.Link)
	}
	client := r.cfg.Environments[s.Environment].FinOps
	if client == nil {
		return nil, errors.New("environment " + s.Environment + " has no sign_in any more")
	}
	activity, body, err := r.db.MessageBody(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	m, err := dmf.DecodeMessage(body)
	if err != nil {
		return nil, err
	}
	return &messageSource{client: client, activity: dmf.ActivityID(activity), message: m}, nil
}

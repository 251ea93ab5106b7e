package flows

import (
	"context"
	"errors"
	"net/http"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// messageSource opens the file of a queue's message. FinOps' connector is not
// known to serve ranges, so every opening starts at the beginning.
type messageSource struct {
	client   *dmf.Client
	links    *fetch.Client
	activity dmf.ActivityID
	message  dmf.Message
}

// Open ignores offset and etag, and says so by a Body that starts at 0.
func (m *messageSource) Open(ctx context.Context, _ int64, _ string) (*fetch.Body, error) {
	d, err := m.client.OpenDownload(ctx, m.activity, m.message)
	if redirect, ok := errors.AsType[*dmf.RedirectError](err); ok {
		return m.follow(ctx, redirect)
	}
	if err != nil {
		return nil, asLinkError(err)
	}
	return &fetch.Body{ReadCloser: d, Size: d.Size, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, Framed: d.Framed}, nil
}

// follow opens the storage link that FinOps sends a download on to, as any link
// is opened: to hosts of link_hosts only, and without the token. Each try is
// sent on anew, so what is said of this link is not said of the message.
func (m *messageSource) follow(ctx context.Context, redirect *dmf.RedirectError) (*fetch.Body, error) {
	refused := func(why string) error {
		return &fetch.LinkError{Kind: fetch.KindRedirected, Detail: "FinOps sends the download on to " + redirect.Host() + ", " + why}
	}
	if !redirect.Signed() {
		return nil, refused("which is no link to a file, since it carries no signature")
	}
	src, err := m.links.Link(redirect.Location)
	if err != nil {
		return nil, refused("which is not one of the environment's link_hosts")
	}
	body, err := src.Open(ctx, 0, "")
	if link, ok := errors.AsType[*fetch.LinkError](err); ok {
		switch link.Kind {
		case fetch.KindExpired, fetch.KindNotYetValid:
			link.Kind = fetch.KindBusy
		case fetch.KindRefused, fetch.KindHostile:
			link.Kind = fetch.KindRedirected
		case fetch.KindGone:
			link.Kind = fetch.KindMissing
		}
		return nil, link
	}
	if err != nil {
		return nil, err
	}
	body.ETag = "" // the next try is another link
	return body, nil
}

// asLinkError gives a failure of FinOps the form that the download loop and
// judge know. A sign-in that fails is no fault of the message: it passes as it is.
func asLinkError(err error) error {
	api, ok := errors.AsType[*dmf.APIError](err)
	if _, signIn := errors.AsType[*dmf.SignInError](err); signIn || !ok {
		return err
	}
	kind := fetch.KindNetwork
	switch {
	case errors.Is(err, dmf.ErrNoFile):
		kind = fetch.KindNoFile
	case api.StatusCode == http.StatusNotFound || api.StatusCode == http.StatusGone:
		kind = fetch.KindMissing
	case refusesRequest(api.StatusCode):
		kind = fetch.KindNoFile
	case api.StatusCode != 0:
		kind = fetch.KindBusy // the connector answers 500 now and then, and serves the same file a moment later
	}
	return &fetch.LinkError{Kind: kind, StatusCode: api.StatusCode, RetryAfter: api.RetryAfter, Err: err}
}

// refusesRequest says whether a status is about the request, which is the same
// next time, and not about the moment or the sign-in.
func refusesRequest(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// removedEnvironmentError is a download for which the configuration has not
// what it needs any more.
type removedEnvironmentError struct{ environment, what string }

func (e *removedEnvironmentError) Error() string {
	return "environment " + e.environment + " " + e.what
}

// source gives what a claimed shipment is downloaded from.
func (r *Relay) source(ctx context.Context, job state.FetchJob) (fetch.Source, error) {
	s := job.Shipment
	if !r.KnowsEnvironment(s.Environment) {
		return nil, &removedEnvironmentError{s.Environment, "is not in the configuration any more"}
	}
	if s.Source != "queue" {
		return r.client(s.Environment).Link(job.Link)
	}
	client := r.cfg.Environments[s.Environment].FinOps
	if client == nil {
		return nil, &removedEnvironmentError{s.Environment, "has no sign_in"}
	}
	activity, body, err := r.db.MessageBody(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	m, err := dmf.DecodeMessage(body)
	if err != nil {
		return nil, err
	}
	return &messageSource{client: client, links: r.client(s.Environment), activity: dmf.ActivityID(activity), message: m}, nil
}

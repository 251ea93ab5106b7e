package dmf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// unanswered is the error of a request to which no answer came.
func (c *Client) unanswered(caller, ctx context.Context, r request, err error, sent bool, token string) error {
	maybe := error(nil)
	if sent && r.changes {
		maybe = ErrMaybeDone
	}
	if caller.Err() != nil {
		return fmt.Errorf("%s: %w", r.op, errors.Join(ctxCause(caller), maybe))
	}
	said := withoutURL(err)
	if cause := context.Cause(ctx); errors.Is(cause, errSlow) {
		said = fmt.Errorf("%w (%s)", errSlow, r.timeout)
	}
	reason := &networkError{host: c.base.Host, text: cleanText(once(said.Error(), c.base.Host), 300, token), err: said}
	if maybe != nil {
		return &APIError{Op: r.op, Err: fmt.Errorf("%w: %w", reason, maybe)}
	}
	return &APIError{Op: r.op, Err: reason}
}

// networkError keeps the cause for errors.As and a clean text for people.
type networkError struct {
	host, text string
	err        error
}

func (e *networkError) Error() string { return "reach " + e.host + ": " + e.text }
func (e *networkError) Unwrap() error { return e.err }

// refusal reads an answer other than 2xx, closes it, and says what it tells
// about the environment's health.
func (c *Client) refusal(r request, resp *http.Response, token string) (*APIError, outcome) {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what came is what can be told
	text, own := serverText(body)
	e := &APIError{
		Op:         r.op,
		StatusCode: resp.StatusCode,
		RetryAfter: retryAfter(resp.Header, c.now()),
		RequestID:  requestID(resp.Header),
		Message:    cleanText(text, maxMessage, token),
	}
	c.noteAccess(resp.StatusCode, r.data)
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests:
		e.RetryAfter = c.gate.throttled(c.now(), e.RetryAfter)
		return e, healthy
	case status >= 300 && status < 400:
		e.Message = ""
		e.Err = c.redirected(r, resp)
	case status == http.StatusUnauthorized:
		e.Err = c.notLetIn(r, status)
	case status == http.StatusForbidden:
		e.Err = &SignInError{Code: CodeNoRights, Status: status, Hint: "FinOps knows the application, but the user it is mapped to may not do this: " +
			"give that user's security role the rights for data management (System administration > Setup > Microsoft Entra applications shows the user)"}
	case status >= 500 && !own:
		if r.changes {
			// A gateway's answer says nothing about the request behind it.
			e.Err = ErrMaybeDone
		}
		return e, failed
	}
	return e, healthy
}

// redirected explains a 3xx, naming only the host it points to. Only a download
// can be sent on to where its file is; every other call that is sent on is sent
// to where people sign in.
func (c *Client) redirected(r request, resp *http.Response) error {
	to := ""
	u, err := resp.Location()
	if err == nil && u.Host != "" {
		to = " to " + clipText(u.Hostname(), 100)
	}
	switch {
	case r.raw && resp.StatusCode == http.StatusNotModified:
		return ErrNoFile
	case r.raw && err != nil:
		return &RedirectError{Status: resp.StatusCode}
	case r.raw && (signedLink(u) || !signInPage(u)):
		return &RedirectError{Status: resp.StatusCode, Location: u.String()}
	}
	return &SignInError{Code: CodeRedirected, Status: resp.StatusCode, Hint: "FinOps sends this call on" + to + " instead of answering, as it does to a browser that has not signed in: " +
		"check the environment's URL, and whether it is on-premises, where the queue does not exist"}
}

// signInPage reports whether an address is one that browsers are sent to for
// signing in.
//
// Source: Microsoft Learn, "OAuth 2.0 authorization code flow" and AD FS'
// endpoints: /oauth2/authorize, /adfs/ls. Observed: scheduler issues 49 and 56.
func signInPage(u *url.URL) bool {
	if host := strings.ToLower(u.Hostname()); strings.HasPrefix(host, "login.") || strings.HasPrefix(host, "sts.") || strings.HasPrefix(host, "adfs.") {
		return true
	}
	for _, part := range strings.Split(strings.ToLower(u.Path), "/") {
		switch strings.TrimSuffix(strings.TrimSuffix(part, ".aspx"), ".html") {
		case "login", "signin", "sign-in", "logon", "adfs", "oauth2", "account", "sso", "saml2":
			return true
		}
	}
	return false
}

// notLetIn explains a 401 that a fresh token did not cure.
//
// Source: Microsoft Learn, "Recurring integrations" and "Troubleshoot service
// authentication": FinOps keeps one list of applications, and each recurring
// job has a second one that counts for /api/connector only.
func (c *Client) notLetIn(r request, status int) error {
	const list = "System administration > Setup > Microsoft Entra applications"
	const job = "Data management > Manage scheduled data jobs > the job > Set up authorization policy"
	if r.data {
		return &SignInError{Code: CodeNotRegistered, Status: status, Hint: "FinOps does not know the application: add its client id under " + list +
			", and check that the environment's URL and tenant are the ones signed in for"}
	}
	if c.knownToData() {
		return &SignInError{Code: CodeNotOnJob, Status: status, Hint: "the application is not on the list of this recurring data job: add its client id under " + job}
	}
	return &SignInError{Code: CodeNotOnJob, Status: status, Hint: "the application is not on the list of this recurring data job: add its client id under " + job +
		"; if other calls are refused too, it is missing under " + list}
}

package dmf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// authority makes tokens for one SignIn.
type authority struct {
	signIn    SignIn
	userAgent string
	http      *http.Client
}

// ownForm reports whether the token comes by the small form of this file.
// azidentity reaches neither the v1 endpoint nor AD FS, and refuses an
// authority without TLS, such as a simulator on loopback.
func (a authority) ownForm() bool {
	switch a.signIn.Method {
	case MethodV1, MethodADFS:
		return true
	case MethodSecret:
		return strings.HasPrefix(a.signIn.AuthorityHost, "http://")
	}
	return false
}

// form gives the address and the body of a token request.
//
// Source: Microsoft Learn, "Service endpoints overview": client credentials
// with resource on v1 and scope on v2. Observed: peterdx.com on-premises: AD FS
// takes the v1 form at /adfs/oauth2/token, with the AOS URL without the
// namespace as resource.
func (a authority) form(secret string) (string, url.Values) {
	s := a.signIn
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {s.ClientID},
		"client_secret": {secret},
	}
	switch s.Method {
	case MethodADFS:
		form.Set("resource", s.Resource)
		return s.AuthorityHost + "/adfs/oauth2/token", form
	case MethodV1:
		form.Set("resource", s.Resource)
		return s.AuthorityHost + "/" + s.TenantID + "/oauth2/token", form
	}
	form.Set("scope", s.Resource+"/.default")
	return s.AuthorityHost + "/" + s.TenantID + "/oauth2/v2.0/token", form
}

// fromForm signs in with a form of our own. The form has no cache, so every
// token is fresh.
func (a authority) fromForm(ctx context.Context, _ bool) (issued, error) {
	secret, err := a.secret()
	if err != nil {
		return issued{}, err
	}
	address, form := a.form(secret)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return issued{}, fmt.Errorf("sign in: make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", a.userAgent)
	resp, err := a.http.Do(req)
	if err != nil {
		return issued{}, a.fault(reply{err: err}, secret)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil {
		return issued{}, a.fault(reply{err: err}, secret)
	}
	got := reply{status: resp.StatusCode, header: resp.Header, body: body}
	if resp.StatusCode != http.StatusOK {
		return issued{}, a.fault(got, secret)
	}
	token, err := parseToken(body, time.Now())
	if err != nil {
		return issued{}, &SignInError{Status: resp.StatusCode, Hint: "the authority's answer holds no token: check the authority host", Err: err}
	}
	return token, nil
}

func (a authority) secret() (string, error) {
	secret, err := a.signIn.Secret()
	if err != nil {
		return "", &SignInError{Hint: "the secret cannot be read", Err: fmt.Errorf("%w: %w", errLocal, err)}
	}
	if secret = strings.TrimSpace(secret); secret == "" {
		return "", &SignInError{Hint: "the secret is empty", Err: errLocal}
	}
	return secret, nil
}

// unstatedLife is assumed of a token that does not say how long it lives.
const unstatedLife = 10 * time.Minute

// parseToken reads the answer of a token endpoint. wall is the real time, for
// answers that give only a moment of expiry.
//
// Source: Microsoft Learn, "OAuth 2.0 client credentials flow": v1 gives
// numbers as strings, v2 as numbers. The life must be read: Entra hands out 60
// to 90 minutes.
func parseToken(body []byte, wall time.Time) (issued, error) {
	var said struct {
		AccessToken string          `json:"access_token"`
		TokenType   string          `json:"token_type"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
		ExpiresOn   json.RawMessage `json:"expires_on"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")), &said); err != nil {
		// The decoder's error can quote the body, and the body is a secret.
		return issued{}, fmt.Errorf("%w: not the JSON of a token", ErrUnreadable)
	}
	if said.AccessToken == "" {
		return issued{}, fmt.Errorf("%w: no access_token", ErrUnreadable)
	}
	if said.TokenType != "" && !strings.EqualFold(said.TokenType, "Bearer") {
		return issued{}, fmt.Errorf("%w: the token is not a bearer token", ErrUnreadable)
	}
	life := unstatedLife
	if seconds, ok := looseNumber(said.ExpiresIn); ok {
		life = time.Duration(seconds * float64(time.Second))
	} else if unix, ok := looseNumber(said.ExpiresOn); ok {
		life = time.Unix(int64(unix), 0).Sub(wall)
	}
	if life <= 0 {
		return issued{}, fmt.Errorf("%w: the token has expired already; check this machine's clock", ErrUnreadable)
	}
	return issued{token: said.AccessToken, life: min(life, 24*time.Hour)}, nil
}

// looseNumber reads 3599, "3599" and 3599.0.
func looseNumber(raw json.RawMessage) (float64, bool) {
	text := strings.Trim(strings.TrimSpace(string(raw)), `"`)
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n, err == nil && n < 1e15 && n > -1e15
}

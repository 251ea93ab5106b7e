package dmf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// fromEntra signs in by azidentity. Each sign-in makes a credential of its
// own: it reads a rotated secret or certificate, and its cache starts empty, so
// a token that FinOps refused does not come back out of it.
func (a authority) fromEntra(ctx context.Context, fresh bool) (issued, error) {
	wire := &recorder{http: a.http}
	credential, secret, err := a.credential(wire)
	if err != nil {
		return issued{}, err
	}
	ask := policy.TokenRequestOptions{Scopes: []string{a.signIn.Resource + "/.default"}}
	if fresh && a.signIn.Method == MethodManagedIdentity {
		// The cache of managed identity belongs to the process; claims pass it by.
		ask.Claims = `{"access_token":{}}`
	}
	token, err := credential.GetToken(ctx, ask)
	if err == nil {
		return issued{token: token.Token, life: time.Until(token.ExpiresOn)}, nil
	}
	if last := wire.last; last.err != nil || last.status >= 300 {
		return issued{}, a.fault(last, secret, a.signIn.CertificatePassword)
	}
	// No refusal on the wire: azidentity itself did not like something.
	text := cleanText(err.Error(), 300, secret, a.signIn.CertificatePassword)
	return issued{}, &SignInError{Hint: "no token could be made", Err: fmt.Errorf("%w: %s", errLocal, text)}
}

func (a authority) credential(wire policy.Transporter) (credential azcore.TokenCredential, secret string, err error) {
	s := a.signIn
	opt := a.clientOptions(wire)
	switch s.Method {
	case MethodSecret:
		if secret, err = a.secret(); err != nil {
			return nil, "", err
		}
		credential, err = azidentity.NewClientSecretCredential(s.TenantID, s.ClientID, secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: opt, DisableInstanceDiscovery: true})
	case MethodCertificate:
		credential, err = a.certificate(opt)
	case MethodManagedIdentity:
		mi := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: opt}
		if s.ClientID != "" {
			mi.ID = azidentity.ClientID(s.ClientID)
		}
		credential, err = azidentity.NewManagedIdentityCredential(mi)
	default:
		credential, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: opt, DisableInstanceDiscovery: true,
			ClientID: s.ClientID, TenantID: s.TenantID, TokenFilePath: s.TokenFile})
	}
	if err == nil {
		return credential, secret, nil
	}
	if _, ok := errors.AsType[*SignInError](err); ok {
		return nil, "", err
	}
	text := cleanText(err.Error(), 300, secret, s.CertificatePassword)
	return nil, "", &SignInError{Hint: "the settings for " + s.Method + " do not work", Err: fmt.Errorf("%w: %s", errLocal, text)}
}

// clientOptions point azidentity at our authority and transport. It makes one
// request and no retry: waiting belongs to the caller. Instance discovery, off
// in every credential, would ask the public cloud about a private authority.
func (a authority) clientOptions(wire policy.Transporter) azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: a.signIn.AuthorityHost},
		Transport: wire,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}
}

func (a authority) certificate(opt azcore.ClientOptions) (azcore.TokenCredential, error) {
	s := a.signIn
	data, err := os.ReadFile(s.CertificateFile)
	if err != nil {
		return nil, &SignInError{Hint: "the certificate cannot be read", Err: fmt.Errorf("%w: %w", errLocal, err)}
	}
	var password []byte
	if s.CertificatePassword != "" {
		password = []byte(s.CertificatePassword)
	}
	certs, key, err := azidentity.ParseCertificates(data, password)
	if err != nil {
		text := cleanText(err.Error(), 300, s.CertificatePassword)
		return nil, &SignInError{Hint: "the certificate " + s.CertificateFile + " cannot be used: it must be PEM, or PKCS#12 with its password, and hold certificate and key",
			Err: fmt.Errorf("%w: %s", errLocal, text)}
	}
	return azidentity.NewClientCertificateCredential(s.TenantID, s.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: opt, DisableInstanceDiscovery: true, SendCertificateChain: true})
}

// recorder keeps the last answer of a sign-in: azidentity turns it into a page
// of text that cannot be taken apart again. It serves one sign-in.
type recorder struct {
	http *http.Client
	last reply
}

// Do implements policy.Transporter.
func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	resp, err := r.http.Do(req)
	if err != nil {
		r.last = reply{err: err}
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil {
		r.last = reply{err: err}
		return nil, err
	}
	r.last = reply{status: resp.StatusCode, header: resp.Header, body: body}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

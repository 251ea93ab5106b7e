package sim

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// claims is what is read of a token, ours or a client's assertion.
type claims struct {
	Audience   string `json:"aud"`
	Issuer     string `json:"iss"`
	Subject    string `json:"sub"`
	Issued     int64  `json:"iat,omitempty"`
	NotBefore  int64  `json:"nbf,omitempty"`
	Expires    int64  `json:"exp"`
	AppID      string `json:"appid,omitempty"`
	ObjectID   string `json:"oid,omitempty"`
	TenantID   string `json:"tid,omitempty"`
	Version    string `json:"ver,omitempty"`
	Generation int    `json:"generation,omitempty"` // ours: see RevokeTokens
}

// token makes a bearer token and says how long it lives, in seconds. Real ones
// are signed with a key pair; nobody but us reads these, so one key does.
func (id *identity) token(clientID, audience, tenant string) (token string, seconds int64) {
	a, known := id.app(clientID)
	now := id.clock.Now()
	id.mu.Lock()
	defer id.mu.Unlock()
	c := claims{
		Audience:   audience,
		Issuer:     "https://sts.windows.net/" + tenant + "/",
		Issued:     now.Unix(),
		NotBefore:  now.Unix(),
		Expires:    now.Add(id.life).Unix(),
		AppID:      strings.ToLower(clientID),
		TenantID:   tenant,
		Version:    "1.0",
		Generation: id.generation,
	}
	if !known || !a.NoPrincipal {
		h := sha256.Sum256([]byte(c.AppID))
		c.ObjectID = fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	}
	c.Subject = c.ObjectID
	body, err := json.Marshal(c)
	if err != nil {
		panic("sim: marshal token: " + err.Error()) // strings and numbers cannot fail
	}
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + enc.EncodeToString(body)
	return signed + "." + enc.EncodeToString(id.mac(signed)), int64(id.life / time.Second)
}

func (id *identity) mac(text string) []byte {
	m := hmac.New(sha256.New, id.key[:])
	_, _ = m.Write([]byte(text))
	return m.Sum(nil)
}

// check says what FinOps has against a bearer token; nil is a good one.
//
// Source: Microsoft Learn, "Troubleshoot service authentication": aud, tid and
// oid are checked, and that the app is listed.
func (id *identity) check(token, audience string) (claims, error) {
	c, signed, signature, _, err := splitToken(token)
	if err != nil {
		return c, err
	}
	id.mu.Lock()
	generation := id.generation
	id.mu.Unlock()
	now := id.clock.Now()
	switch {
	case !hmac.Equal(signature, id.mac(signed)):
		return c, errors.New("signature is not ours")
	case now.Unix() >= c.Expires || now.Unix() < c.NotBefore:
		return c, errors.New("outside its life")
	case c.Generation != generation:
		return c, errors.New("revoked")
	case c.Audience != audience:
		return c, fmt.Errorf("audience %q, want %q", c.Audience, audience)
	case c.TenantID != id.opt.TenantID:
		return c, fmt.Errorf("tenant %q", c.TenantID)
	case c.ObjectID == "":
		return c, errors.New("no oid: the app has no service principal in the tenant")
	}
	return c, nil
}

// splitToken decodes a token without looking at its signature.
func splitToken(token string) (c claims, signed string, signature []byte, alg string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, "", nil, "", errors.New("not a token of three parts")
	}
	var header struct {
		Alg string `json:"alg"`
	}
	enc := base64.RawURLEncoding
	for i, into := range []any{&header, &c} {
		text, err := enc.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return c, "", nil, "", fmt.Errorf("read token: %w", err)
		}
	}
	signature, err = enc.DecodeString(parts[2])
	return c, parts[0] + "." + parts[1], signature, header.Alg, err
}

// checkAssertion verifies what a client signed with its certificate's key.
//
// Source: Microsoft Learn, "Certificate credentials": RS256 or PS256, iss and
// sub are the client id, aud is the token endpoint.
func checkAssertion(assertion, clientID string, cert *x509.Certificate, now time.Time) error {
	c, signed, signature, alg, err := splitToken(assertion)
	if err != nil {
		return err
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("certificate without an RSA key")
	}
	sum := sha256.Sum256([]byte(signed))
	switch alg {
	case "PS256":
		err = rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil)
	case "RS256":
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	default:
		err = fmt.Errorf("algorithm %q", alg)
	}
	switch {
	case err != nil:
		return fmt.Errorf("verify signature: %w", err)
	case !strings.EqualFold(c.Issuer, clientID) || !strings.EqualFold(c.Subject, clientID):
		return errors.New("iss and sub are not the client id")
	case now.Unix() >= c.Expires:
		return errors.New("expired")
	}
	return nil
}

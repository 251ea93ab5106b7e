package sim

import (
	"bytes"
	"crypto/hmac"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const authenticationFailed = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."

// authorize checks a request's SAS as Azure does, at the start of the request:
// a response that has begun outlives its link. It returns nil or the refusal.
//
// Assumed: the order of the checks. Observed by many: an expired link says so
// even when nothing else is wrong with it. A capture of a link that is wrong in
// two ways at once would show the order.
func (s *Sim) authorize(r *http.Request, container, blob string) *refusal {
	// Source: Azure Storage, "Common REST API error codes", InvalidAuthenticationInfo;
	// field reports of clients that sent FinOps' token to the blob host.
	if r.Header.Get("Authorization") != "" {
		return refuse(http.StatusBadRequest, "InvalidAuthenticationInfo", "")
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, "InvalidQueryParameterValue", "")
	}
	if !q.Has("sig") {
		if s.opt.PublicAccessRefused {
			return refuse(http.StatusConflict, "PublicAccessNotPermitted", "")
		}
		return refuse(http.StatusNotFound, "ResourceNotFound", "")
	}
	if no := s.checkTime(q); no != nil {
		return no
	}
	if no := s.checkSignature(r, container, blob, q); no != nil {
		return no
	}
	return checkUse(r, q)
}

// checkTime refuses a link outside its time frame.
func (s *Sim) checkTime(q url.Values) *refusal {
	start, errStart := parseSASTime(q.Get("st"))
	expiry, errExpiry := parseSASTime(q.Get("se"))
	if errStart != nil || errExpiry != nil || expiry.IsZero() || q.Get("sv") == "" || q.Get("sr") == "" || q.Get("sp") == "" {
		return refuse(http.StatusForbidden, "AuthenticationFailed", "Signature fields not well formed.")
	}
	now := s.clock.Now()
	if now.Before(start) || !now.Before(expiry) {
		return refuse(http.StatusForbidden, "AuthenticationFailed", fmt.Sprintf(
			"Signature not valid in the specified time frame: Start [%s] - Expiry [%s] - Current [%s]",
			start.Format(http.TimeFormat), expiry.Format(http.TimeFormat), now.Format(http.TimeFormat)))
	}
	return nil
}

// parseSASTime reads a time as SAS allows it; "" gives the zero time.
func parseSASTime(v string) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{sasTime, "2006-01-02T15:04Z", "2006-01-02", "2006-01-02T15:04:05.0000000Z"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q", v)
}

func (s *Sim) checkSignature(r *http.Request, container, blob string, q url.Values) *refusal {
	want := s.sign(container, blob, q)
	if hmac.Equal([]byte(q.Get("sig")), []byte(want)) && (!s.opt.VerbatimLinks || s.verbatim(r)) {
		return nil
	}
	// Azure prints the string it signed, which holds no secret: the key is
	// missing from it.
	return refuse(http.StatusForbidden, "AuthenticationFailed", fmt.Sprintf(
		"Signature did not match. String to sign used was %s", stringToSign(s.opt.Account, container, blob, q)))
}

// checkUse refuses what a valid link does not allow: protocol, address, verb.
func checkUse(r *http.Request, q url.Values) *refusal {
	if spr := q.Get("spr"); spr == "https" && r.TLS == nil {
		return refuse(http.StatusForbidden, "AuthorizationProtocolMismatch", "")
	}
	if sip := q.Get("sip"); sip != "" && !addressAllowed(r.RemoteAddr, sip) {
		return refuse(http.StatusForbidden, "AuthorizationSourceIPMismatch", "")
	}
	if !strings.Contains(q.Get("sp"), "r") {
		return refuse(http.StatusForbidden, "AuthorizationPermissionMismatch", "")
	}
	return nil
}

// addressAllowed reports whether a remote "host:port" is the signed address or
// within the signed range "low-high".
func addressAllowed(remote, signed string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	low, high, isRange := strings.Cut(signed, "-")
	if !isRange {
		high = low
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	from, errFrom := netip.ParseAddr(low)
	to, errTo := netip.ParseAddr(high)
	if errFrom != nil || errTo != nil {
		return false
	}
	a, f, t := addr.Unmap().As16(), from.Unmap().As16(), to.Unmap().As16()
	return bytes.Compare(f[:], a[:]) <= 0 && bytes.Compare(a[:], t[:]) <= 0
}

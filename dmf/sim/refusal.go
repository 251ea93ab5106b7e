package sim

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// refusal is an error in the blob store's words.
type refusal struct {
	status int
	code   string // x-ms-error-code
	detail string // AuthenticationErrorDetail; "" = none
}

func refuse(status int, code, detail string) *refusal {
	return &refusal{status: status, code: code, detail: detail}
}

// messages are the first lines of Azure's error texts.
//
// Source: Azure Storage, "Common REST API error codes" and "Blob service error
// codes".
var messages = map[string]string{
	"AuthenticationFailed":            authenticationFailed,
	"AuthorizationFailure":            "This request is not authorized to perform this operation.",
	"AuthorizationPermissionMismatch": "This request is not authorized to perform this operation using this permission.",
	"AuthorizationProtocolMismatch":   "This request is not authorized to perform this operation using this protocol.",
	"AuthorizationSourceIPMismatch":   "This request is not authorized to perform this operation using this source IP.",
	"BlobNotFound":                    "The specified blob does not exist.",
	"ConditionNotMet":                 "The condition specified using HTTP conditional header(s) is not met.",
	"ContainerNotFound":               "The specified container does not exist.",
	"InternalError":                   "The server encountered an internal error. Please retry the request.",
	"InvalidAuthenticationInfo":       "Authentication information is not given in the correct format. Check the value of Authorization header.",
	"InvalidHeaderValue":              "The value for one of the HTTP headers is not in the correct format.",
	"InvalidQueryParameterValue":      "Value for one of the query parameters specified in the request URI is invalid.",
	"InvalidRange":                    "The range specified is invalid for the current size of the resource.",
	"OperationTimedOut":               "Operation could not be completed within the specified time.",
	"PublicAccessNotPermitted":        "Public access is not permitted on this storage account.",
	"ResourceNotFound":                "The specified resource does not exist.",
	"ServerBusy":                      "The server is busy.",
	"UnsupportedHttpVerb":             "The resource doesn't support specified Http Verb.",
}

// usualCode is the code a scripted fault means when it names only a status.
var usualCode = map[int]string{
	http.StatusBadRequest:                   "InvalidQueryParameterValue",
	http.StatusForbidden:                    "AuthenticationFailed",
	http.StatusNotFound:                     "BlobNotFound",
	http.StatusConflict:                     "PublicAccessNotPermitted",
	http.StatusPreconditionFailed:           "ConditionNotMet",
	http.StatusRequestedRangeNotSatisfiable: "InvalidRange",
	http.StatusInternalServerError:          "InternalError",
	http.StatusServiceUnavailable:           "ServerBusy",
}

// errorBody is Azure's error document.
type errorBody struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
	Detail  string `xml:"AuthenticationErrorDetail,omitempty"`
}

// writeRefusal answers with Azure's XML. message "" is the code's usual text.
func (s *Sim) writeRefusal(w http.ResponseWriter, r *http.Request, no *refusal, message string) {
	if message == "" {
		message = orElse(messages[no.code], no.code)
	}
	h := w.Header()
	id := s.azureHeaders(h, r)
	h.Set("X-Ms-Error-Code", no.code)
	body, err := xml.Marshal(errorBody{
		Code:    no.code,
		Message: fmt.Sprintf("%s\nRequestId:%s\nTime:%s", message, id, s.clock.Now().Format("2006-01-02T15:04:05.0000000Z")),
		Detail:  no.detail,
	})
	if err != nil {
		panic("sim: marshal error body: " + err.Error()) // three strings cannot fail
	}
	if r.Method == http.MethodHead || no.status == http.StatusNotModified {
		w.WriteHeader(no.status)
		return
	}
	// Line breaks go out bare, as Azure writes them; encoding/xml escapes them.
	text := "\ufeff" + `<?xml version="1.0" encoding="utf-8"?>` + strings.ReplaceAll(string(body), "&#xA;", "\n")
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(no.status)
	_, _ = w.Write([]byte(text)) // the client went away: nothing to do
}

// azureHeaders sets what every answer of the blob service carries and returns
// the request id.
func (s *Sim) azureHeaders(h http.Header, r *http.Request) string {
	g := strings.ToLower(s.ids.guid("request"))
	id := g[:9] + "001e-00" + g[16:24] + g[24:30] + "000000" // Source: the shape of Azure's ids, which end in six zeros
	h.Set("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
	h.Set("X-Ms-Request-Id", id)
	h.Set("X-Ms-Version", orElse(r.URL.Query().Get("sv"), DefaultVersion))
	// The simulator's clock, not the machine's: a client may measure skew here.
	h.Set("Date", s.clock.Now().Format(http.TimeFormat))
	return id
}

// refuseBlob answers a scripted refusal of the blob route.
func (s *Sim) refuseBlob(w http.ResponseWriter, r *http.Request, f Fault) {
	code := orElse(f.Code, orElse(usualCode[f.Status], "InternalError"))
	no := refuse(f.Status, code, f.Detail)
	s.retryAfter(w.Header(), f)
	s.writeRefusal(w, r, no, f.Message)
}

// retryAfter sets the header a fault asks for.
func (s *Sim) retryAfter(h http.Header, f Fault) {
	if f.RetryAfter <= 0 {
		return
	}
	seconds := (f.RetryAfter + time.Second - 1) / time.Second
	if f.RetryAfterDate {
		h.Set("Retry-After", s.clock.Now().Add(seconds*time.Second).Format(http.TimeFormat))
		return
	}
	h.Set("Retry-After", fmt.Sprint(int64(seconds)))
}

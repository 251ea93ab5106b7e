package fetch

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"finrelay/dmf"
)

// read turns a response into a Body, or into the reason why there is none.
func (l *link) read(resp *http.Response, offset int64, etag string) (*Body, error) {
	switch resp.StatusCode {
	case http.StatusOK, http.StatusPartialContent:
		if detail := l.foreign(resp); detail != "" {
			return nil, l.refusal(resp, KindNotAzure, detail)
		}
		if resp.StatusCode == http.StatusPartialContent {
			return l.partial(resp, offset, etag)
		}
		return l.whole(resp), nil
	}
	return nil, l.classify(resp, etag != "")
}

// foreign says why a good answer is not Azure's, "" when it may be. The
// sign-in or warning page of a proxy comes with 200, as HTML, text or JSON, and
// would land as rows. Servers that lack Azure's headers have to be named in
// ClientOptions.PlainHosts; of theirs only a web page is foreign.
//
// Source: Microsoft Learn, "Get Blob", Response headers: x-ms-request-id stands
// in each answer, x-ms-version in those to requests of 2009-09-19 and later.
func (l *link) foreign(resp *http.Response) string {
	switch {
	case hasAzureHeader(resp.Header):
		return ""
	case strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "text/html"):
		return "a web page instead of a file"
	case l.plain:
		return ""
	}
	return "no x-ms- header in the answer; if " + l.info.Host + " is a file server of yours, name it in the environment's plain_hosts"
}

func (l *link) whole(resp *http.Response) *Body {
	sum := md5Header(resp.Header.Get("Content-MD5"))
	if sum == nil {
		sum = md5Header(resp.Header.Get("X-Ms-Blob-Content-Md5"))
	}
	return &Body{
		ReadCloser:  resp.Body,
		Size:        resp.ContentLength,
		ETag:        strongETag(resp.Header),
		MD5:         sum,
		ContentType: resp.Header.Get("Content-Type"), ContentEncoding: resp.Header.Get("Content-Encoding"),
		Framed: dmf.Framed(resp), Vouched: hasAzureHeader(resp.Header),
		host: l.info.Host,
	}
}

// partial checks that the range is the one asked for, of the blob asked for.
// A server that ignores If-Match would otherwise splice two files.
//
// Source: Microsoft Learn, "Get Blob": the hash of the whole blob stands in
// x-ms-blob-content-md5; Content-MD5 is then about the range.
func (l *link) partial(resp *http.Response, offset int64, etag string) (*Body, error) {
	start, end, total, ok := parseContentRange(resp.Header.Get("Content-Range"))
	got := strongETag(resp.Header)
	switch {
	case !ok:
		return nil, l.refusal(resp, KindChanged, "a range without a readable Content-Range")
	case start != offset || end != total-1:
		return nil, l.refusal(resp, KindChanged, fmt.Sprintf("asked for bytes from %d, got %d-%d of %d", offset, start, end, total))
	case resp.ContentLength >= 0 && resp.ContentLength != total-start:
		return nil, l.refusal(resp, KindChanged, fmt.Sprintf("Content-Length %d does not fit bytes %d-%d", resp.ContentLength, start, end))
	case resp.Header.Get("Content-Encoding") != "" && !strings.EqualFold(resp.Header.Get("Content-Encoding"), "identity"):
		return nil, l.refusal(resp, KindChanged, "a range of other bytes than before: it is encoded as "+clipped(resp.Header.Get("Content-Encoding"), 40))
	case offset > 0 && got != etag:
		return nil, l.refusal(resp, KindChanged, fmt.Sprintf("asked for ETag %s, got %q", etag, got))
	}
	return &Body{
		ReadCloser:  resp.Body,
		Offset:      start,
		Size:        total,
		ETag:        got,
		MD5:         md5Header(resp.Header.Get("X-Ms-Blob-Content-Md5")),
		ContentType: resp.Header.Get("Content-Type"),
		Framed:      dmf.Framed(resp),
		Vouched:     hasAzureHeader(resp.Header),
		host:        l.info.Host,
	}, nil
}

// parseContentRange reads "bytes START-END/TOTAL"; a total of "*" is no use
// here and not ok. END may be START-1.
//
// Observed: Azurite 3.35.0 answers a range at the very end of a blob with 206
// and 0 bytes, where Azure says 416.
func parseContentRange(header string) (start, end, total int64, ok bool) {
	spec, found := strings.CutPrefix(header, "bytes ")
	span, size, found2 := strings.Cut(spec, "/")
	from, to, found3 := strings.Cut(span, "-")
	if !found || !found2 || !found3 {
		return 0, 0, 0, false
	}
	var errs [3]error
	start, errs[0] = strconv.ParseInt(from, 10, 64)
	end, errs[1] = strconv.ParseInt(to, 10, 64)
	total, errs[2] = strconv.ParseInt(size, 10, 64)
	if errs != [3]error{} || start < 0 || end < start-1 || total <= end {
		return 0, 0, 0, false
	}
	return start, end, total, true
}

// strongETag leaves out weak ones: they never satisfy If-Match.
// Source: RFC 9110, section 13.1.1.
func strongETag(h http.Header) string {
	etag := h.Get("ETag")
	if strings.HasPrefix(etag, "W/") {
		return ""
	}
	return etag
}

func md5Header(text string) []byte {
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sum) != 16 {
		return nil
	}
	return sum
}

package sim_test

import (
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

const hundred = "0123456789" + "0123456789" + "0123456789" + "0123456789" + "0123456789" +
	"0123456789" + "0123456789" + "0123456789" + "0123456789" + "0123456789"

func md5Of(v string) string {
	sum := md5.Sum([]byte(v))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestWholeBlob(t *testing.T) {
	s := started(t, sim.Options{})
	b := s.PutBlob("Customer g{D1A2}.csv", []byte(hundred), sim.BlobOptions{MD5: true})
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		a := fetch(t, method, s.Link(b, sim.LinkOptions{}))
		if a.status != http.StatusOK {
			t.Fatalf("%s: status %d, %s", method, a.status, a.body)
		}
		want := map[string]string{
			"Content-Length":        "100",
			"Content-Type":          "application/octet-stream",
			"Content-Md5":           md5Of(hundred),
			"Last-Modified":         "Mon, 02 Mar 2026 09:15:42 GMT",
			"Date":                  "Mon, 02 Mar 2026 09:15:42 GMT",
			"Accept-Ranges":         "bytes",
			"Etag":                  b.ETag(),
			"X-Ms-Version":          "2021-12-02",
			"X-Ms-Blob-Type":        "BlockBlob",
			"X-Ms-Creation-Time":    "Mon, 02 Mar 2026 09:15:42 GMT",
			"X-Ms-Lease-Status":     "unlocked",
			"X-Ms-Lease-State":      "available",
			"X-Ms-Server-Encrypted": "true",
			"Server":                "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
		}
		for k, v := range want {
			if got := a.header.Get(k); got != v {
				t.Errorf("%s: %s is %q, want %q", method, k, got, v)
			}
		}
		if !regexp.MustCompile(`^"0x8D[0-9A-F]{13}"$`).MatchString(a.header.Get("Etag")) {
			t.Errorf("ETag %s is not of Azure's shape", a.header.Get("Etag"))
		}
		if !regexp.MustCompile(`^[0-9a-f]{8}-001e-00[0-9a-f]{2}-[0-9a-f]{4}-[0-9a-f]{6}000000$`).MatchString(a.header.Get("X-Ms-Request-Id")) {
			t.Errorf("request id %s is not of Azure's shape", a.header.Get("X-Ms-Request-Id"))
		}
		wantBody := hundred
		if method == http.MethodHead {
			wantBody = ""
		}
		if a.body != wantBody {
			t.Errorf("%s: body %q", method, a.body)
		}
	}
}

// TestAnswers is the table of what the store answers to a valid link.
func TestAnswers(t *testing.T) {
	const later = "Mon, 02 Mar 2026 09:15:43 GMT"
	const earlier = "Mon, 02 Mar 2026 09:15:41 GMT"
	cases := []struct {
		name         string
		method       string
		header       []string
		status       int
		code         string
		body         string // of a success
		contentRange string
	}{
		{"range to the end", "GET", []string{"Range", "bytes=90-"}, 206, "", hundred[90:], "bytes 90-99/100"},
		{"range", "GET", []string{"Range", "bytes=10-19"}, 206, "", hundred[10:20], "bytes 10-19/100"},
		{"range past the end is cut", "GET", []string{"Range", "bytes=95-200"}, 206, "", hundred[95:], "bytes 95-99/100"},
		{"range of everything is partial", "GET", []string{"Range", "bytes=0-"}, 206, "", hundred, "bytes 0-99/100"},
		{"x-ms-range goes first", "GET", []string{"Range", "bytes=0-1", "X-Ms-Range", "bytes=98-"}, 206, "", hundred[98:], "bytes 98-99/100"},
		{"offset at the end", "GET", []string{"Range", "bytes=100-"}, 416, "InvalidRange", "", "bytes */100"},
		{"offset past the end", "GET", []string{"Range", "bytes=4000000000-"}, 416, "InvalidRange", "", "bytes */100"},
		{"suffix range is none", "GET", []string{"Range", "bytes=-5"}, 200, "", hundred, ""},
		{"two ranges are none", "GET", []string{"Range", "bytes=0-1,4-5"}, 200, "", hundred, ""},
		{"backward range is none", "GET", []string{"Range", "bytes=9-5"}, 200, "", hundred, ""},
		{"HEAD knows no range", "HEAD", []string{"Range", "bytes=10-19"}, 200, "", "", ""},
		{"If-Match", "GET", []string{"Range", "bytes=10-", "If-Match", "ETAG"}, 206, "", hundred[10:], "bytes 10-99/100"},
		{"If-Match star", "GET", []string{"If-Match", "*"}, 200, "", hundred, ""},
		{"If-Match of another", "GET", []string{"Range", "bytes=10-", "If-Match", `"0x8D0"`}, 412, "ConditionNotMet", "", ""},
		{"If-Match goes before the range", "GET", []string{"Range", "bytes=100-", "If-Match", `"0x8D0"`}, 412, "ConditionNotMet", "", ""},
		{"If-Range is ignored", "GET", []string{"Range", "bytes=10-", "If-Range", `"0x8D0"`}, 206, "", hundred[10:], "bytes 10-99/100"},
		{"If-None-Match", "GET", []string{"If-None-Match", "ETAG"}, 304, "ConditionNotMet", "", ""},
		{"If-None-Match of another", "GET", []string{"If-None-Match", `"0x8D0"`}, 200, "", hundred, ""},
		{"If-Unmodified-Since before", "GET", []string{"If-Unmodified-Since", earlier}, 412, "ConditionNotMet", "", ""},
		{"If-Unmodified-Since after", "GET", []string{"If-Unmodified-Since", later}, 200, "", hundred, ""},
		{"If-Modified-Since after", "GET", []string{"If-Modified-Since", later}, 304, "ConditionNotMet", "", ""},
		{"If-Modified-Since before", "GET", []string{"If-Modified-Since", earlier}, 200, "", hundred, ""},
		{"a token beside the link", "GET", []string{"Authorization", "Bearer x"}, 400, "InvalidAuthenticationInfo", "", ""},
		{"another verb", "DELETE", nil, 405, "UnsupportedHttpVerb", "", ""},
		{"range hash without range", "GET", []string{"X-Ms-Range-Get-Content-Md5", "true"}, 400, "InvalidHeaderValue", "", ""},
	}
	s := started(t, sim.Options{})
	b := s.PutBlob("data.csv", []byte(hundred), sim.BlobOptions{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			header := append([]string(nil), c.header...)
			for i := range header {
				header[i] = strings.ReplaceAll(header[i], "ETAG", b.ETag())
			}
			a := fetch(t, c.method, s.Link(b, sim.LinkOptions{}), header...)
			if a.status != c.status || a.code() != c.code || a.header.Get("Content-Range") != c.contentRange {
				t.Fatalf("status %d, code %q, Content-Range %q; want %d, %q, %q",
					a.status, a.code(), a.header.Get("Content-Range"), c.status, c.code, c.contentRange)
			}
			if c.code == "" || c.status == 304 {
				if a.body != c.body {
					t.Errorf("body %q, want %q", a.body, c.body)
				}
				if got := a.header.Get("Etag"); got != b.ETag() {
					t.Errorf("ETag %s, want %s", got, b.ETag())
				}
				return
			}
			code, message, _ := a.azureError(t)
			if code != c.code || !strings.Contains(message, "\nRequestId:"+a.header.Get("X-Ms-Request-Id")+"\nTime:2026-03-02T09:15:42.0000000Z") {
				t.Errorf("error document says %q, %q", code, message)
			}
		})
	}
}

// TestMD5 holds the rules for hashes: Content-MD5 is of the whole blob on a
// whole read only.
func TestMD5(t *testing.T) {
	s := started(t, sim.Options{})
	cases := []struct {
		name           string
		opt            sim.BlobOptions
		header         []string
		content, blobs string
		wantOtherThan  string
	}{
		{"none stored, whole", sim.BlobOptions{}, nil, "", "", ""},
		{"stored, whole", sim.BlobOptions{MD5: true}, nil, md5Of(hundred), "", ""},
		{"stored, range", sim.BlobOptions{MD5: true}, []string{"Range", "bytes=10-19"}, "", md5Of(hundred), ""},
		{"stored, range hashed", sim.BlobOptions{MD5: true}, []string{"Range", "bytes=10-19", "X-Ms-Range-Get-Content-Md5", "true"},
			md5Of(hundred[10:20]), md5Of(hundred), ""},
		{"none stored, range hashed", sim.BlobOptions{}, []string{"Range", "bytes=10-19", "X-Ms-Range-Get-Content-Md5", "true"},
			md5Of(hundred[10:20]), "", ""},
		{"wrong", sim.BlobOptions{WrongMD5: true}, nil, md5Of("something else" + hundred), "", md5Of(hundred)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := s.PutBlob(c.name, []byte(hundred), c.opt)
			a := get(t, s.Link(b, sim.LinkOptions{}), c.header...)
			if got := a.header.Get("Content-Md5"); got != c.content || got == c.wantOtherThan && got != "" {
				t.Errorf("Content-MD5 %q, want %q", got, c.content)
			}
			if got := a.header.Get("X-Ms-Blob-Content-Md5"); got != c.blobs {
				t.Errorf("x-ms-blob-content-md5 %q, want %q", got, c.blobs)
			}
		})
	}
	big := s.PutBlob("big", make([]byte, 4<<20+1), sim.BlobOptions{})
	a := get(t, s.Link(big, sim.LinkOptions{}), "Range", "bytes=0-", "X-Ms-Range-Get-Content-Md5", "true")
	if a.status != http.StatusBadRequest {
		t.Errorf("hash of a range above 4 MiB: status %d, want 400", a.status)
	}
}

func TestEmptyBlob(t *testing.T) {
	s := started(t, sim.Options{})
	b := s.PutBlob("empty", nil, sim.BlobOptions{})
	if a := get(t, s.Link(b, sim.LinkOptions{})); a.status != 200 || a.body != "" || a.header.Get("Content-Length") != "0" {
		t.Errorf("whole: status %d, length %s", a.status, a.header.Get("Content-Length"))
	}
	if a := get(t, s.Link(b, sim.LinkOptions{}), "Range", "bytes=0-"); a.status != 416 || a.header.Get("Content-Range") != "bytes */0" {
		t.Errorf("range: status %d, Content-Range %q", a.status, a.header.Get("Content-Range"))
	}
}

func TestReplaceChangesETag(t *testing.T) {
	s := started(t, sim.Options{})
	b := s.PutBlob("data", []byte("old"), sim.BlobOptions{})
	link, old := s.Link(b, sim.LinkOptions{}), b.ETag()
	s.Clock().Advance(time.Minute)
	b.Replace([]byte("newer"))
	if b.ETag() == old || b.Size() != 5 || string(b.Bytes()) != "newer" {
		t.Errorf("after Replace: ETag %s was %s, %d bytes %q", b.ETag(), old, b.Size(), b.Bytes())
	}
	if a := get(t, link, "If-Match", old); a.status != http.StatusPreconditionFailed {
		t.Errorf("old ETag: status %d, want 412", a.status)
	}
	a := get(t, link)
	if a.body != "newer" || a.header.Get("Last-Modified") != "Mon, 02 Mar 2026 09:16:42 GMT" {
		t.Errorf("the link shows %q of %s", a.body, a.header.Get("Last-Modified"))
	}
}

func TestGone(t *testing.T) {
	s := started(t, sim.Options{})
	old := s.PutBlob("old", []byte("x"), sim.BlobOptions{})
	s.Clock().Advance(7*24*time.Hour - time.Second)
	if a := get(t, s.Link(old, sim.LinkOptions{})); a.status != 200 {
		t.Errorf("a second before the retention ends: status %d", a.status)
	}
	s.Clock().Advance(time.Second)
	deleted := s.PutBlob("deleted", []byte("x"), sim.BlobOptions{})
	deleted.Delete()
	cases := []struct {
		name string
		blob *sim.Blob
		opt  sim.LinkOptions
		code string
	}{
		{"after 7 days", old, sim.LinkOptions{}, "BlobNotFound"},
		{"deleted", deleted, sim.LinkOptions{}, "BlobNotFound"},
		{"other container", old, sim.LinkOptions{Container: "elsewhere"}, "ContainerNotFound"},
	}
	for _, c := range cases {
		if a := get(t, s.Link(c.blob, c.opt)); a.status != 404 || a.code() != c.code {
			t.Errorf("%s: status %d, code %s; want 404, %s", c.name, a.status, a.code(), c.code)
		}
	}
}

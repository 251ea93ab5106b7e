package sim

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxRangeMD5 is the longest range Azure hashes on request.
// Source: Microsoft Learn, "Get Blob", x-ms-range-get-content-md5.
const maxRangeMD5 = 4 << 20 // bytes

// serveBlob answers GET and HEAD of /<container>/<blob>?<sas>.
func (s *Sim) serveBlob(w http.ResponseWriter, r *http.Request) {
	container, name := splitBlobPath(r.URL.Path)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.writeRefusal(w, r, refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", ""), "")
		return
	}
	if no := s.authorize(r, container, name); no != nil {
		s.writeRefusal(w, r, no, "")
		return
	}
	if container != Container {
		s.writeRefusal(w, r, refuse(http.StatusNotFound, "ContainerNotFound", ""), "")
		return
	}
	c, ok := s.store.open(name)
	if !ok {
		s.writeRefusal(w, r, refuse(http.StatusNotFound, "BlobNotFound", ""), "")
		return
	}
	if status := conditions(r, c); status != 0 {
		contentHeaders(w.Header(), c)
		s.writeRefusal(w, r, refuse(status, "ConditionNotMet", ""), "")
		return
	}
	s.sendContent(w, r, c)
}

// sendContent answers 200 or 206 with the content, or refuses the range.
func (s *Sim) sendContent(w http.ResponseWriter, r *http.Request, c content) {
	h := w.Header()
	rng, partial := byteRange{0, c.size}, false
	if r.Method == http.MethodGet { // Source: "Get Blob Properties" knows no range
		rng, partial = parseRange(rangeHeader(r.Header), c.size)
	}
	if partial && rng.start >= c.size {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", c.size))
		s.writeRefusal(w, r, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", ""), "")
		return
	}
	wantMD5 := r.Header.Get("X-Ms-Range-Get-Content-Md5") == "true"
	if wantMD5 && (!partial || rng.length() > maxRangeMD5) {
		// Source: "Get Blob": without a range, or with one above 4 MiB, 400.
		// Assumed: the code.
		s.writeRefusal(w, r, refuse(http.StatusBadRequest, "InvalidHeaderValue", ""), "")
		return
	}
	s.azureHeaders(h, r)
	contentHeaders(h, c)
	h.Set("Content-Type", c.mime)
	h.Set("Content-Length", strconv.FormatInt(rng.length(), 10))
	section := io.NewSectionReader(c.data, rng.start, rng.length())
	status := http.StatusOK
	switch {
	case !partial && c.md5 != "":
		h.Set("Content-Md5", c.md5)
	case partial:
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", rng.start, rng.end-1, c.size))
		if c.md5 != "" {
			h.Set("X-Ms-Blob-Content-Md5", c.md5)
		}
		if wantMD5 {
			h.Set("Content-Md5", rangeMD5(section))
		}
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	// The buffer hides ReaderFrom on purpose: a fault counts every byte.
	_, _ = io.CopyBuffer(struct{ io.Writer }{w}, section, make([]byte, 256<<10))
}

func rangeMD5(section *io.SectionReader) string {
	h := md5.New()
	if _, err := io.Copy(h, section); err != nil {
		panic("sim: read blob data: " + err.Error())
	}
	_, _ = section.Seek(0, io.SeekStart)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// contentHeaders sets the headers that describe the blob.
func contentHeaders(h http.Header, c content) {
	h.Set("Etag", c.etag)
	h.Set("Last-Modified", c.modified.Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("X-Ms-Blob-Type", "BlockBlob")
	h.Set("X-Ms-Creation-Time", c.created.Format(http.TimeFormat))
	h.Set("X-Ms-Lease-Status", "unlocked")
	h.Set("X-Ms-Lease-State", "available")
	h.Set("X-Ms-Server-Encrypted", "true")
}

// conditions returns 0, or the status of the condition that is not met.
// If-Range is not looked at: a client that relies on it splices two files.
//
// Source: Microsoft Learn, "Specifying conditional headers for Blob service
// operations": If-Match, If-None-Match and the two dates; If-Range is not among
// them.
func conditions(r *http.Request, c content) int {
	if m := r.Header.Get("If-Match"); m != "" && m != "*" && m != c.etag {
		return http.StatusPreconditionFailed
	}
	modified := c.modified.Truncate(time.Second)
	if t, err := http.ParseTime(r.Header.Get("If-Unmodified-Since")); err == nil && modified.After(t) {
		return http.StatusPreconditionFailed
	}
	if m := r.Header.Get("If-None-Match"); m != "" {
		if m == "*" || m == c.etag {
			return http.StatusNotModified
		}
		return 0
	}
	if t, err := http.ParseTime(r.Header.Get("If-Modified-Since")); err == nil && !modified.After(t) {
		return http.StatusNotModified
	}
	return 0
}

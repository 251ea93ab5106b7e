package sim

import (
	"net/http"
	"strconv"
	"strings"
)

// byteRange is the half-open range [start, end) of a blob.
type byteRange struct{ start, end int64 }

func (r byteRange) length() int64 { return r.end - r.start }

// rangeHeader returns the range a request asks for. x-ms-range goes before
// Range. Source: Microsoft Learn, "Specifying the range header".
func rangeHeader(h http.Header) string {
	if v := h.Get("X-Ms-Range"); v != "" {
		return v
	}
	return h.Get("Range")
}

// parseRange reads "bytes=N-" and "bytes=N-M", the only forms the blob service
// knows, and cuts M to the size. N may lie past the end: the caller refuses
// that. Anything else is no range at all and gives the whole blob.
//
// Assumed: that suffix ranges ("bytes=-5") and lists of ranges are ignored and
// not refused. A capture of Azure's answer to one would show it.
func parseRange(v string, size int64) (r byteRange, partial bool) {
	whole := byteRange{0, size}
	spec, ok := strings.CutPrefix(v, "bytes=")
	if !ok {
		return whole, false
	}
	from, to, ok := strings.Cut(spec, "-")
	if !ok {
		return whole, false
	}
	start, err := strconv.ParseUint(from, 10, 63)
	if err != nil {
		return whole, false
	}
	r = byteRange{int64(start), size}
	if to != "" {
		last, err := strconv.ParseUint(to, 10, 62)
		if err != nil || last < start {
			return whole, false
		}
		r.end = min(size, int64(last)+1)
	}
	return r, true
}

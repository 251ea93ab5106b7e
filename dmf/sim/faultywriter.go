package sim

import (
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// faultyWriter spoils an answer on its way out. It counts body bytes, knows
// nothing about blobs, and so serves every route.
type faultyWriter struct {
	http.ResponseWriter
	r       *http.Request
	fault   Fault
	replace func() // nil once done, or when there is nothing to replace
	sent    int64  // body bytes
	status  int    // 0 = headers not written
}

// Unwrap lets http.ResponseController find Flush and Hijack.
func (w *faultyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *faultyWriter) WriteHeader(status int) {
	w.status = status
	if w.fault.Lost {
		w.cut()
	}
	if status == http.StatusOK || status == http.StatusPartialContent {
		w.spoilHeaders()
	}
	w.ResponseWriter.WriteHeader(status)
	if w.fault.CutAfter < 0 {
		w.cut()
	}
	if w.fault.HangAfter < 0 {
		w.hang()
	}
}

func (w *faultyWriter) spoilHeaders() {
	h := w.Header()
	if w.fault.WrongETag && h.Get("Etag") != "" {
		h.Set("Etag", `"0x8D0000000000BAD"`)
	}
	if w.fault.WrongContentRange {
		var from, to, size int64
		if _, err := fmt.Sscanf(h.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &size); err == nil {
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from+1, to, size))
		}
	}
	if w.fault.WrongLength {
		if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil {
			// The server closes the connection when a handler keeps less than it promised.
			h.Set("Content-Length", strconv.FormatInt(n+100, 10))
		}
	}
	if w.fault.NoLength {
		h.Del("Content-Length")
		h.Set("Transfer-Encoding", "identity") // net/http's way to end a body with the connection
	}
}

// Write sends p in pieces that end at the fault's marks.
func (w *faultyWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	total := 0
	for len(p) > 0 {
		piece := w.piece(len(p))
		n, err := w.ResponseWriter.Write(p[:piece])
		total += n
		w.sent += int64(n)
		if err != nil {
			return total, err
		}
		p = p[piece:]
		w.atMark()
		if !w.drip(piece) {
			return total, w.r.Context().Err()
		}
	}
	return total, nil
}

// piece returns how many of n bytes go out before something happens.
func (w *faultyWriter) piece(n int) int {
	for _, mark := range []int64{w.fault.CutAfter, w.fault.HangAfter, w.fault.ReplaceBlobAfterBytes} {
		if left := mark - w.sent; left > 0 {
			n = int(min(int64(n), left))
		}
	}
	if rate := w.fault.DripBytesPerSec; rate > 0 {
		n = min(n, max(1, rate/20))
	}
	return n
}

func (w *faultyWriter) atMark() {
	if w.replace != nil && w.sent >= w.fault.ReplaceBlobAfterBytes {
		w.replace()
		w.replace = nil
	}
	if w.fault.CutAfter > 0 && w.sent >= w.fault.CutAfter {
		w.cut()
	}
	if w.fault.HangAfter > 0 && w.sent >= w.fault.HangAfter {
		w.hang()
	}
}

// hang says nothing more until the client or Close has had enough. It does not
// return.
func (w *faultyWriter) hang() {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	<-w.r.Context().Done()
	panic(http.ErrAbortHandler)
}

// drip waits as long as n bytes take at the fault's rate.
func (w *faultyWriter) drip(n int) bool {
	rate := w.fault.DripBytesPerSec
	if rate <= 0 {
		return true
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	return pause(w.r.Context(), time.Duration(n)*time.Second/time.Duration(rate))
}

// cut ends the connection here and now. It does not return.
func (w *faultyWriter) cut() {
	rc := http.NewResponseController(w.ResponseWriter)
	if !w.fault.Lost {
		// What was written so far must really go out, or the client sees less.
		_ = rc.Flush()
	}
	if w.fault.Reset {
		if conn, _, err := rc.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = conn.Close()
		}
	}
	panic(http.ErrAbortHandler) // net/http's own way to drop a connection without a word
}

// gzipWriter packs an answer that is one.
type gzipWriter struct {
	http.ResponseWriter
	pack *gzip.Writer // nil before the headers, and for a refusal
	told bool         // the headers are written
}

func (w *gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *gzipWriter) WriteHeader(status int) {
	w.told = true
	if status == http.StatusOK {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Del("Content-Length")
		w.pack = gzip.NewWriter(w.ResponseWriter)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *gzipWriter) Write(p []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusOK)
	}
	if w.pack == nil {
		return w.ResponseWriter.Write(p)
	}
	return w.pack.Write(p)
}

// close ends the packed body.
func (w *gzipWriter) close() {
	if w.pack != nil {
		_ = w.pack.Close() // the client went away: nothing to do
	}
}

// pause waits in real time; false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package fetch

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// closing answers with a body that ends only with its connection, whole or cut
// after so many bytes: nobody who reads it can tell which.
func closing(content string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(out, "HTTP/1.1 200 OK\r\nX-Ms-Request-Id: 1\r\nConnection: close\r\n"+strings.Join(headers, "\r\n"))
		if len(headers) > 0 {
			io.WriteString(out, "\r\n")
		}
		io.WriteString(out, "\r\n"+content)
		out.Flush()
	}
}

func packedWith(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, content)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestUnframedHasAnotherName: what ends with its connection may be half of a
// file, and nothing that looks for the file may find it.
func TestUnframedHasAnotherName(t *testing.T) {
	a := newAzure(t, nil)
	a.then(closing("ID,NAME\n1,a\n"))
	path := filepath.Join(t.TempDir(), "raw")
	res, err := Download(t.Context(), a.source(t), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if res.Framed || res.Path != path+UnframedSuffix || res.Bytes != 12 {
		t.Errorf("%+v, want it unframed, at %s", res, path+UnframedSuffix)
	}
	if _, there, err := Existing(path); there || err != nil {
		t.Errorf("Existing(%s) = %v, %v; want none", path, there, err)
	}
	if got, err := os.ReadFile(res.Path); string(got) != "ID,NAME\n1,a\n" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// TestFramed: a length, or chunks, tell where a body ends.
func TestFramed(t *testing.T) {
	chunked := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ms-Request-Id", "1")
		io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		io.WriteString(w, "two")
	}
	for name, answer := range map[string]http.HandlerFunc{"chunks": chunked, "a length": raw(200, "onetwo", "X-Ms-Request-Id", "1", "Content-Length", "6")} {
		a := newAzure(t, nil)
		a.then(answer)
		path := filepath.Join(t.TempDir(), "raw")
		res, err := Download(t.Context(), a.source(t), path, Options{})
		if err != nil || !res.Framed || res.Path != path || res.Bytes != 6 {
			t.Errorf("%s: %+v, %v; want 6 bytes, framed", name, res, err)
		}
	}
}

// TestPackedOnTheWay: gzip that nobody asked for is undone before a byte is
// stored, is not continued in the middle when it was cut, and what only claims
// to be packed is stored as it is.
func TestPackedOnTheWay(t *testing.T) {
	const content = "ID,NAME\n1,a\n2,b\n"
	gz := packedWith(t, content)
	for _, tt := range []struct {
		name     string
		answers  []http.HandlerFunc
		want     string
		requests int
	}{
		{"gzip", []http.HandlerFunc{raw(200, gz, "X-Ms-Request-Id", "1", "Content-Encoding", "gzip", "ETag", `"1"`)}, content, 1},
		{"x-gzip in chunks", []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Ms-Request-Id", "1")
			w.Header().Set("Content-Encoding", "X-GZIP")
			io.WriteString(w, gz[:9])
			w.(http.Flusher).Flush()
			io.WriteString(w, gz[9:])
		}}, content, 1},
		{"cut, then whole", []http.HandlerFunc{
			closing(gz[:len(gz)-9], "Content-Encoding: gzip", `ETag: "1"`),
			raw(200, gz, "X-Ms-Request-Id", "1", "Content-Encoding", "gzip", "ETag", `"1"`),
		}, content, 2},
		{"packed in name only", []http.HandlerFunc{raw(200, content, "X-Ms-Request-Id", "1", "Content-Encoding", "gzip")}, content, 1},
		{"identity", []http.HandlerFunc{raw(200, content, "X-Ms-Request-Id", "1", "Content-Encoding", "identity")}, content, 1},
		{"empty", []http.HandlerFunc{raw(200, "", "X-Ms-Request-Id", "1", "Content-Encoding", "gzip")}, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAzure(t, nil)
			a.then(tt.answers...)
			path := filepath.Join(t.TempDir(), "raw")
			res, err := Download(t.Context(), a.source(t), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); string(got) != tt.want || err != nil || res.Bytes != int64(len(tt.want)) || !res.Framed {
				t.Errorf("stored %q, %v, %+v; want %q", got, err, res, tt.want)
			}
			for i, seen := range a.seen() {
				if seen != "" {
					t.Errorf("request %d asked for %q, want the whole", i+1, seen)
				}
			}
			if n := len(a.seen()); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
		})
	}
	a := newAzure(t, nil)
	a.then(raw(200, "\x8b\x02", "X-Ms-Request-Id", "1", "Content-Encoding", "br"))
	_, err := Download(t.Context(), a.source(t), filepath.Join(t.TempDir(), "raw"), Options{})
	if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindNoFile || !strings.Contains(err.Error(), `"br"`) {
		t.Errorf("br: %v, want KindNoFile", err)
	}
}

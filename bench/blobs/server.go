package blobs

import (
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// Server is a blob store on loopback. Close it.
type Server struct {
	URL    string // scheme, host and port
	server *http.Server
	done   chan error
}

func serve(h http.HandlerFunc) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + l.Addr().String(), server: &http.Server{Handler: h}, done: make(chan error, 1)}
	go func() { s.done <- s.server.Serve(l) }()
	return s, nil
}

// Close cuts all connections.
func (s *Server) Close() error {
	err := s.server.Close()
	if ended := <-s.done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// Silent is a store that takes every request and answers none, until the client
// gives up or the store is closed.
func Silent() (*Server, error) {
	return serve(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// File is a store with one file under every name, with an ETag, ranges and
// conditions.
func File(name string) (*Server, error) {
	if _, err := os.Stat(name); err != nil {
		return nil, err
	}
	return serve(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(name)
		if err != nil {
			http.Error(w, "the benchmark's file is gone", http.StatusInternalServerError)
			return
		}
		defer f.Close()
		w.Header().Set("ETag", `"0x8DBENCH"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("x-ms-request-id", "bench")
		http.ServeContent(w, r, "", time.Time{}, f)
	})
}

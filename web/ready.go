package web

import (
	"fmt"
	"net/http"

	"finrelay/flows"
)

// Ready says to whoever asks whether events can be accepted now: 200, or 503 with
// a line for each reason. It stands on a listener that strangers reach, so it
// names no path and no error.
func Ready(relay *flows.Relay) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		troubles := relay.Troubles()
		if len(troubles) == 0 {
			fmt.Fprintln(w, "ready")
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		for _, t := range troubles {
			fmt.Fprintln(w, t.What)
		}
	})
}

package sim_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"finrelay/dmf/sim"
)

// A receiver under test gets an event, and the download it leads to is cut.
func Example() {
	s := sim.New(sim.Options{Seed: 1, Clock: sim.NewClock(time.Date(2026, 3, 2, 9, 15, 42, 0, time.UTC))})
	if _, err := s.Start(""); err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
	}))
	defer receiver.Close()

	event, blob := s.Export(sim.ExportSpec{Entity: "Customer groups", Format: sim.CSVUTF16LE, Rows: 8})
	delivery := s.Send(context.Background(), receiver.URL, s.Payload(event))
	fmt.Println("delivered:", delivery.Delivered, "tries:", len(delivery.Tries))

	s.Fault(sim.Fault{Blob: blob.Name(), CutAfter: 100})
	show(event.DownloadURL)
	show(event.DownloadURL)
	s.Clock().Advance(2 * time.Hour)
	show(event.DownloadURL)
	// Output:
	// delivered: true tries: 1
	// 200 OK, 100 bytes, unexpected EOF
	// 200 OK, 1324 bytes, <nil>
	// 403 Forbidden, 544 bytes, <nil>
}

func show(link string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(link)
	if err != nil {
		fmt.Println("no answer")
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%s, %d bytes, %v\n", resp.Status, len(body), err)
}

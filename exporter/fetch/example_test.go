package fetch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"finrelay/exporter/fetch"
)

// A link is parsed for its deadline, checked, and downloaded. What has been
// marked would go to the ledger, so that a later process can go on from there.
func ExampleDownload() {
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"0x8DC0000000000A"`)
		fmt.Fprint(w, "CUSTOMERGROUPID,DESCRIPTION\n10,Wholesale\n")
	}))
	defer storage.Close()
	link := storage.URL + "/exports/Customer%20groups.csv?se=2026-03-02T10%3A15%3A42Z&sig=..."

	info, err := fetch.ParseLink(link)
	if err != nil {
		panic(err)
	}
	client := fetch.NewClient(fetch.ClientOptions{Loopback: true, PlainHosts: []string{"127.0.0.1"}})
	defer client.Close()
	src, err := client.Link(link)
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "fetch")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	res, err := fetch.Download(context.Background(), src, filepath.Join(dir, "raw"), fetch.Options{
		OnMark: func(m fetch.Mark) error { return nil },
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(info.Expiry.Format("15:04:05"), res.Bytes, res.SHA256[:8], res.ETag)
	// Output: 10:15:42 41 85f23867 "0x8DC0000000000A"
}

package unpack_test

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"finrelay/exporter/unpack"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	raw := filepath.Join(dir, "raw")
	pack(raw, "Customer groups.csv", "../../etc/passwd")

	c, err := unpack.Open(raw, unpack.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for _, m := range c.Members {
		if m.Err != nil {
			fmt.Println("parked:", m.Err)
			continue
		}
		r, err := c.Open(m)
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := io.ReadAll(r)
		fmt.Printf("%s: %q %v\n", m.Entity, text, err)
		r.Close()
	}
	// Output:
	// Customer groups: "ID\r\n10\r\n" <nil>
	// parked: "../../etc/passwd": unsafe path in archive: the name climbs out of its folder
}

func pack(path string, names ...string) {
	f, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for _, name := range names {
		m, err := w.Create(name)
		if err != nil {
			panic(err)
		}
		if _, err := io.WriteString(m, "ID\r\n10\r\n"); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"finrelay/bench/customers"
	"finrelay/bench/figures"
)

func main() {
	size := figures.Bytes(100e6)
	flag.Var(&size, "size", "bytes of the data file before packing (KB, MB, GB are powers of ten)")
	format := flag.String("format", string(customers.CSV), "csv, xml-element or xml-attribute")
	pack := flag.Bool("package", false, "write a data package instead of the bare file")
	seed := flag.Uint64("seed", 1, "another seed, other data")
	out := flag.String("o", "", "file to write (required)")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	rows, err := write(*out, customers.Format(*format), int64(size), *seed, *pack)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d rows\n", *out, rows)
}

func write(name string, format customers.Format, size int64, seed uint64, pack bool) (rows int, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if pack {
		return customers.WritePackage(f, format, size, seed)
	}
	return customers.Write(f, format, size, seed)
}

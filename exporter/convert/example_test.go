package convert_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"finrelay/exporter/convert"
)

// printer is a Sink that writes rows to standard output.
type printer struct{}

func (printer) Block(lines []byte, _ int) error {
	_, err := os.Stdout.Write(lines)
	return err
}

func (printer) BadRow(b convert.BadRow) error {
	_, err := fmt.Printf("line %d, column %d: %v: %q\n", b.Line, b.Column, b.Err, b.Raw)
	return err
}

func ExampleConvert() {
	file := strings.NewReader("CUSTOMERGROUPID;DESCRIPTION\r\n" +
		"010;\"Wholesale; \"\"major\"\"\"\r\n" +
		"020;Retail;?\r\n" +
		"030;5\" pipe\r\n")
	res, err := convert.Convert(context.Background(), file, "Customer groups.csv", convert.Options{}, printer{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d rows, %d bad, %s in %s between %q\n", res.Rows, res.BadRows, res.Format, res.Encoding, res.Delimiter)
	// Output:
	// {"CUSTOMERGROUPID":"010","DESCRIPTION":"Wholesale; \"major\""}
	// line 3, column 1: 3 fields, want 2: "020;Retail;?\r\n"
	// {"CUSTOMERGROUPID":"030","DESCRIPTION":"5\" pipe"}
	// 2 rows, 1 bad, csv in utf-8 between ';'
}

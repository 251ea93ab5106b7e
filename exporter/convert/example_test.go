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

func ExampleNewShaper() {
	ctx := context.Background()
	file := strings.NewReader("ITEM,QTY,AT\nA1,007.50,2026-03-02 09:15:42\nB2,many,\nC3,0,\n")
	shaper, err := convert.NewShaper(ctx, "Orders.csv", convert.Shape{
		Columns: []convert.Column{
			{Name: "QTY", Type: convert.TypeDecimal, Rename: "quantity"},
			{Name: "AT", Type: convert.TypeTime, Zone: "Europe/Berlin", OmitEmpty: true},
		},
		Transform: "select(.quantity > 0)",
	}, printer{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := convert.Convert(ctx, file, "Orders.csv", convert.Options{}, shaper); err != nil {
		fmt.Println(err)
		return
	}
	st := shaper.Stats()
	fmt.Printf("%d rows in, %d out, %d dropped, %d bad, columns %q\n", st.RowsIn, st.RowsOut, st.Dropped, st.BadRows, shaper.Columns())
	// Output:
	// {"ITEM":"A1","quantity":7.50,"AT":"2026-03-02T09:15:42+01:00"}
	// line 3, column 4: column QTY: "many": no number: "B2,many,\n"
	// 3 rows in, 1 out, 1 dropped, 1 bad, columns ["ITEM" "quantity" "AT"]
}

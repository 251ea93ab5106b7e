// Command gen writes benchmark data to a file.
//
//	go run ./bench/gen -size 100MB -o customers.csv
//	go run ./bench/gen -size 1GB -package -o customers.zip
//	go run ./bench/gen -size 20MB -format xml-element -o customers.xml
//
// The same flags always write the same bytes; see package customers.
package main

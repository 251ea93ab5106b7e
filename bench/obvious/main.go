package main

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: obvious FILE OUT")
		os.Exit(2)
	}
	if err := convert(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "obvious:", err)
		os.Exit(1)
	}
}

func convert(in, out string) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriter(f)
	enc := json.NewEncoder(buffered)
	enc.SetEscapeHTML(false)
	if strings.HasSuffix(in, ".zip") {
		err = convertZip(in, enc)
	} else {
		err = convertFile(in, enc)
	}
	if err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

func convertFile(name string, enc *json.Encoder) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return convertData(name, f, enc)
}

func convertZip(name string, enc *json.Encoder) error {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, member := range archive.File {
		if member.Name == "Manifest.xml" || member.Name == "PackageHeader.xml" {
			continue
		}
		r, err := member.Open()
		if err != nil {
			return err
		}
		if err := errors.Join(convertData(member.Name, r, enc), r.Close()); err != nil {
			return err
		}
	}
	return nil
}

func convertData(name string, r io.Reader, enc *json.Encoder) error {
	if path.Ext(name) == ".xml" {
		return convertXML(r, enc)
	}
	return convertCSV(r, enc)
}

func convertCSV(r io.Reader, enc *json.Encoder) error {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	records := csv.NewReader(buffered)
	header, err := records.Read()
	if err != nil {
		return err
	}
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		row := make(map[string]string, len(header))
		for i, name := range header {
			row[name] = record[i]
		}
		if err := enc.Encode(row); err != nil {
			return err
		}
	}
}

// convertXML takes the children of the root for rows, and their attributes and
// children for values.
func convertXML(r io.Reader, enc *json.Encoder) error {
	var (
		tokens = xml.NewDecoder(r)
		depth  int
		row    map[string]string
		value  strings.Builder
	)
	for {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			value.Reset()
			if depth == 2 {
				row = make(map[string]string, len(token.Attr))
				for _, a := range token.Attr {
					row[a.Name.Local] = a.Value
				}
			}
		case xml.CharData:
			if depth == 3 {
				value.Write(token)
			}
		case xml.EndElement:
			switch depth {
			case 3:
				row[token.Name.Local] = value.String()
			case 2:
				if err := enc.Encode(row); err != nil {
					return err
				}
			}
			depth--
		}
	}
}

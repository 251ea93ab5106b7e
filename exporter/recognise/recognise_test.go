package recognise

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"finrelay/dmf/sim"
)

func found(t *testing.T, body []byte, contentType string) Found {
	t.Helper()
	f, err := Text(bytes.NewReader(body), int64(len(body)), contentType)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestText(t *testing.T) {
	const page = `<html><head><title>Web filter</title><meta name="x"/></head><body><p>Please log on</p></body></html>`
	rows := strings.Repeat("10,Wholesale\r\n", 9000) // beyond the head
	for _, c := range []struct {
		name, body, contentType string
		is                      Is
		ends                    bool
	}{
		// Tables.
		{"table", "ID,NAME\r\n1,a\r\n2,b\r\n", "", Export, false},
		{"long table", "ID,NAME\r\n" + rows, "", Export, false},
		{"table with its mark", "\xEF\xBB\xBFID,NAME\r\n1,a\r\n", "", Export, false},
		{"table, cut in a row", "ID,NAME\n1,a\n2", "", Export, false},
		{"header alone", "CUSTOMERGROUPID,DESCRIPTION\r\n", "", Export, false},
		{"header alone, lower case", "id,name,city\n", "", Export, false},
		{"header alone without a line end", "ID;NAME", "", Export, false},
		{"quoted header", "\"ID\";\"NAME\"\n\"1\";\"a;b\"\n", "", Export, false},
		{"names of several words", "Account name,City of birth\nx,y\nz,w\n", "", Export, false},
		{"tabs", "ID\tNAME\n1\ta\n", "", Export, false},
		{"bars", "ID|NAME\n1|a\n", "", Export, false},
		{"colons", "ID:NAME\n1:a\n", "", Export, false},
		{"line break in a field", "ID,NAME\n1,\"a\nb\"\n2,c\n", "", Export, false},
		{"windows-1252", "ID,STRA\xDFE\n1,M\xFCnchen\n", "", Export, false},
		{"sep line", "sep=;\nID;NAME\n1;a\n", "", Export, false},
		{"lone returns", "ID,NAME\r1,a\r2,b\r", "", Export, false},
		{"one column", "ID\n1\n2\n", "", Unknown, false},
		{"one column, values with commas", "NAME\na, b\nc\n", "", Unknown, false},
		{"no header", "1,2\n3,4\n", "", Unknown, false},
		{"title lines", "Customer groups\n\nID,NAME\n1,a\n", "", Unknown, false},
		{"fixed width", "ID        NAME      \n1         a         \n", "", Unknown, false},

		// Sentences.
		{"one line of text", "Service temporarily unavailable", "text/plain", NoExport, false},
		{"a comma in it", "Access denied, contact your administrator\n", "text/plain", NoExport, false},
		{"several commas", "Sorry, this page, which you asked for, is blocked\nBye, now, then, or\n", "", NoExport, false},
		{"with a code", "Error: upstream timed out\nCode: 504\n", "", NoExport, false},
		{"one word", "OK", "", NoExport, false},
		{"one column of no rows", "ACCOUNT\r\n", "", Unknown, false},
		{"a colon", "Error:timeout", "", NoExport, false},
		{"nothing", "", "", NoExport, false},
		{"blanks", "\r\n \r\n", "", Unknown, false},
		{"zeros", "\x00\x00\x00\x00\x00", "", Unknown, false},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "", Unknown, false},

		// Markup.
		{"page without doctype", page, "", NoExport, false},
		{"page with one", "<!DOCTYPE html>\n" + page, "", NoExport, false},
		{"page behind a comment", "<!-- sorry -->\r\n<HTML><BODY>no</BODY></HTML>", "", NoExport, false},
		{"XHTML", `<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head/></html>`, "", NoExport, false},
		{"page that is not well-formed", "<!doctype html><meta charset=utf-8><title>x</title><p>y<br><a href=z>", "", NoExport, false},
		{"piece of a page", "<h1>502 Bad Gateway</h1>\nserver", "", NoExport, false},
		{"type of a page", "ID,NAME\n1,a\n", "text/html; charset=utf-8", NoExport, false},
		{"storage error", "\xEF\xBB\xBF" + `<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>Busy</Message></Error>`, "application/xml", NoExport, false},
		{"OData error in XML", `<m:error xmlns:m="x"><m:code/><m:message>no</m:message></m:error>`, "", NoExport, false},
		{"SOAP fault", `<s:Envelope xmlns:s="x"><s:Body><s:Fault><faultcode>a</faultcode></s:Fault></s:Body></s:Envelope>`, "", NoExport, false},
		{"error one level down", `<response><error><code>1</code></error></response>`, "", NoExport, false},
		{"XML-Element", `<?xml version="1.0" encoding="utf-8"?><Document><GROUP><ID>1</ID></GROUP></Document>`, "", Export, true},
		{"XML-Attribute", "<Document>\n<GROUP ID=\"1\" NAME=\"a\"/>\n</Document>\n", "", Export, true},
		{"XML without rows", `<?xml version="1.0"?><Document></Document>`, "", Export, true},
		{"XML without rows, short", `<Document/>`, "", Export, true},
		{"comment at the end", "<Document><G><A>1</A></G></Document><!-- done -->\n", "", Export, true},
		{"other root with records", `<rows><row><a>1</a></row></rows>`, "", Export, true},
		{"other root without", `<rows><a>1</a></rows>`, "", Unknown, false},
		{"XML cut", `<Document><GROUP><ID>1</ID></GROUP><GROUP><I`, "", Broken, false},
		{"XML cut between records", `<Document><GROUP><ID>1</ID></GROUP>`, "", Broken, false},
		{"long XML", "<Document>" + strings.Repeat("<G><ID>1</ID></G>", 9000) + "</Document>", "", Export, true},
		{"long XML cut", "<Document>" + strings.Repeat("<G><ID>1</ID></G>", 9000), "", Broken, false},
		{"a field called message", `<Document><G><MESSAGE>no</MESSAGE></G></Document>`, "", Export, true},

		// JSON.
		{"array", `[{"A":1},{"A":2}]`, "application/json", Export, true},
		{"array of no rows", ` [ ]`, "", Export, true},
		{"array cut", `[{"A":1},{"A":2}`, "", Broken, false},
		{"long array cut", "[" + strings.Repeat(`{"A":1},`, 9000), "", Broken, false},
		{"object with rows", `{"@odata.context":"x","value":[{"A":1}]}`, "", Export, true},
		{"lines", "{\"A\":1}\n{\"A\":2}\n", "", Export, false},
		{"lines called message", "{\"MESSAGE\":\"a\"}\n{\"MESSAGE\":\"b\"}\n", "", Export, false},
		{"lines cut", "{\"A\":1}\n{\"A\":", "", Broken, false},
		{"a row longer than the head", `[{"A":"` + strings.Repeat("x", 90000) + `"}]`, "", Export, true},
		{"ASP.NET error", `{"Message":"An error has occurred."}`, "application/json", NoExport, false},
		{"OData error", `{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"x"}}}`, "", NoExport, false},
		{"OAuth error", `{"error":"invalid_client","error_description":"AADSTS7000215","error_codes":[7000215],"timestamp":"t","trace_id":"a","correlation_id":"b"}`, "", NoExport, false},
		{"problem", `{"type":"about:blank","title":"Not found","status":404,"detail":"x"}`, "", NoExport, false},
		{"problem by its type", `{"a":[{"b":1}]}`, "application/problem+json", NoExport, false},
		{"list of errors", `{"errors":[{"code":1,"message":"x"}]}`, "", NoExport, false},
		{"array with an error", `[{"errorCode":"BUSY","message":"x"}]`, "", NoExport, false},
		{"two rows with such keys", `[{"code":"A","message":"x"},{"code":"B","message":"y"}]`, "", Export, true},
		{"other object", `{"A":1}`, "", Unknown, false},
		{"array of numbers", `[1,2]`, "", Unknown, false},
		{"no JSON", "{{", "", Unknown, false},
	} {
		f := found(t, []byte(c.body), c.contentType)
		if f.Is != c.is || f.Ends != c.ends || f.What == "" {
			t.Errorf("%s: %+v, want %s, ends %v", c.name, f, c.is, c.ends)
		}
		if len(f.What) > 300 || strings.ContainsAny(f.What, "\r\n\x00") {
			t.Errorf("%s: %q is not fit for a line", c.name, f.What)
		}
		if c.is == Unknown || c.contentType != "" || c.body == "" || !isASCII(c.body) {
			continue
		}
		for name, order := range map[string]unicode.Endianness{"little": unicode.LittleEndian, "big": unicode.BigEndian} {
			for mark, policy := range map[string]unicode.BOMPolicy{"with": unicode.UseBOM, "without": unicode.IgnoreBOM} {
				wide, err := unicode.UTF16(order, policy).NewEncoder().String(c.body)
				if err != nil {
					t.Fatal(err)
				}
				if f := found(t, []byte(wide), ""); f.Is != c.is {
					t.Errorf("%s, UTF-16 %s endian %s its mark: %+v, want %s", c.name, name, mark, f, c.is)
				}
			}
		}
	}
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }) < 0 }

// TestWhatFinOpsWrites: no export of the simulator's, nor a real one, needs a
// second download to be known.
func TestWhatFinOpsWrites(t *testing.T) {
	s := sim.New(sim.Options{Seed: 1})
	for _, format := range sim.Formats() {
		for _, rows := range []int{0, 1, 50} {
			m := s.Member(format, s.SampleEntity("Customers V3", rows))
			if bytes.HasPrefix(m.Data, []byte("PK")) || format == sim.JSONLines && rows < 2 {
				continue // a workbook is a zip; one object alone may be anything
			}
			if f := found(t, m.Data, "application/octet-stream"); f.Is != Export {
				t.Errorf("%v with %d rows: %+v\n%.200q", format, rows, f, m.Data)
			}
		}
	}
	real := 0
	err := filepath.WalkDir("../../testdata/real", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(".csv.xml.json", filepath.Ext(path)) {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		real++
		if f := found(t, body, ""); f.Is != Export {
			t.Errorf("%s: %+v", path, f)
		}
		return nil
	})
	if err != nil || real == 0 {
		t.Errorf("%d real files, %v", real, err)
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"ID,NAME\n1,a\n", "<Document><G A=\"1\"/></Document>", `[{"A":1}]`, `{"error":"x"}`, "\xFF\xFE<\x00a\x00", "<html>", "sep=;\nA;B\n"} {
		f.Add([]byte(seed), "text/plain")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		got, err := Text(bytes.NewReader(body), int64(len(body)), contentType)
		if err != nil || got.What == "" || got.Ends && got.Is != Export {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

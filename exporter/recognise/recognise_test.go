package recognise

import (
	"bytes"
	"compress/gzip"
	"errors"
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
		{"colons", "ID:NAME\n1:a\n", "", Unknown, false},
		{"line break in a field", "ID,NAME\n1,\"a\nb\"\n2,c\n", "", Export, false},
		{"windows-1252", "ID,STRA\xDFE\n1,M\xFCnchen\n", "", Export, false},
		{"sep line", "sep=;\nID;NAME\n1;a\n", "", Export, false},
		{"lone returns", "ID,NAME\r1,a\r2,b\r", "", Export, false},
		{"one column", "ID\n1\n2\n", "", Unknown, false},
		{"one column, values with commas", "NAME\na, b\nc\n", "", Unknown, false},
		{"no header", "1,2\n3,4\n", "", Unknown, false},
		{"title lines", "Customer groups\n\nID,NAME\n1,a\n", "", Unclear, false},
		{"fixed width", "ID        NAME      \n1         a         \n", "", Unknown, false},

		// Sentences.
		{"one line of text", "Service temporarily unavailable", "text/plain", NoExport, false},
		{"a comma in it", "Access denied, contact your administrator\n", "text/plain", NoExport, false},
		{"several commas", "Sorry, this page, which you asked for, is blocked\nBye, now, then, or\n", "", Unclear, false},
		{"with a code", "Error: upstream timed out\nCode: 504\n", "", Unclear, false},
		{"one word", "OK", "", NoExport, false},
		{"one column of no rows", "ACCOUNT\r\n", "", Unclear, false},
		{"a colon", "Error:timeout", "", Unclear, false},
		{"nothing", "", "", NoExport, false},
		{"blanks", "\r\n \r\n", "", NoExport, false},
		{"zeros", "\x00\x00\x00\x00\x00", "", NoExport, false},
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
		{"other root with records", `<rows><row><x>1</x></row><row><x>2</x></row></rows>`, "", Unknown, true},
		{"other root with records, cut", `<rows><row><x>1</x></row><row><x>2</x></row>`, "", Broken, false},
		{"other root with a record", `<rows><row><x>1</x></row></rows>`, "", Unclear, true},
		{"other root without", `<rows><x>1</x></rows>`, "", Unclear, true},
		{"XML cut", `<Document><GROUP><ID>1</ID></GROUP><GROUP><I`, "", Broken, false},
		{"XML cut between records", `<Document><GROUP><ID>1</ID></GROUP>`, "", Broken, false},
		{"long XML", "<Document>" + strings.Repeat("<G><ID>1</ID></G>", 9000) + "</Document>", "", Export, true},
		{"long XML cut", "<Document>" + strings.Repeat("<G><ID>1</ID></G>", 9000), "", Broken, false},
		{"a field called message", `<Document><G><MESSAGE>no</MESSAGE></G></Document>`, "", Export, true},

		// JSON.
		{"array", `[{"A":1},{"A":2}]`, "application/json", Export, true},
		{"array of no rows", ` [ ]`, "", Unknown, true},
		{"array cut", `[{"A":1},{"A":2}`, "", Broken, false},
		{"long array cut", "[" + strings.Repeat(`{"A":1},`, 9000), "", Broken, false},
		{"object with rows", `{"@odata.context":"x","value":[{"A":1}]}`, "", Export, true},
		{"lines", "{\"A\":1}\n{\"A\":2}\n", "", Export, false},
		{"lines called message", "{\"MESSAGE\":\"a\"}\n{\"MESSAGE\":\"b\"}\n", "", Unclear, true},
		{"lines cut", "{\"A\":1}\n{\"A\":", "", Broken, false},
		{"a row longer than the head", `[{"A":"` + strings.Repeat("x", 90000) + `"}]`, "", Export, true},
		{"ASP.NET error", `{"Message":"An error has occurred."}`, "application/json", NoExport, false},
		{"OData error", `{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"x"}}}`, "", NoExport, false},
		{"OAuth error", `{"error":"invalid_client","error_description":"AADSTS7000215","error_codes":[7000215],"timestamp":"t","trace_id":"a","correlation_id":"b"}`, "", NoExport, false},
		{"problem", `{"type":"about:blank","title":"Not found","status":404,"detail":"x"}`, "", NoExport, false},
		{"problem by its type", `{"a":[{"b":1}]}`, "application/problem+json", NoExport, false},
		{"list of errors", `{"errors":[{"code":1,"message":"x"}]}`, "", NoExport, false},
		{"array with an error", `[{"errorCode":"BUSY","message":"x"}]`, "", Unclear, true},
		{"two rows with such keys", `[{"code":"A","message":"x"},{"code":"B","message":"y"}]`, "", Unclear, true},
		{"other object", `{"A":1}`, "", Unclear, true},
		{"array of numbers", `[1,2]`, "", Unclear, true},
		{"no JSON", "{{", "", Unclear, false},
	} {
		f := found(t, []byte(c.body), c.contentType)
		if f.Is != c.is || f.Ends != c.ends || f.What == "" {
			t.Errorf("%s: %+v, want %s, ends %v", c.name, f, c.is, c.ends)
		}
		if len(f.What) > 300 || strings.ContainsAny(f.What, "\r\n\x00") {
			t.Errorf("%s: %q is not fit for a line", c.name, f.What)
		}
		if c.is == Unknown && !c.ends || c.contentType != "" || c.body == "" || !isASCII(c.body) {
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

// TestAnswers are what servers, proxies and gateways answer with 200 in place of
// a file: none of it may be acked for coming twice.
func TestAnswers(t *testing.T) {
	page := "<html><head><title>x</title></head><body>y</body></html>"
	for _, body := range []string{
		// JSON, with arrays beside the error.
		`{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[],"result":null}`,
		`{"errors":[{"message":"x"}],"data":[]}`, `{"errors":[{"message":"x"}],"data":null}`, `{"status":"failed","message":"backend down","items":[]}`,
		`[{"error":"busy","retry":30}]`, `[{"error":"a"},{"error":"b"}]`, `{"level":"error","msg":"x"}` + "\n" + `{"level":"error","msg":"y"}`,
		`{"message":"Not Found","documentation_url":"https://x"}`, `{"kind":"Status","status":"Failure","message":"x","code":503}`,
		`{"error":{"code":"x"},"retryAfter":30}`, `{"statusCode":503}`, `{"__type":"ThrottlingException"}`, `["x"]`, `{}`, `null`, `"Service unavailable"`, `0`,
		`{"message":"x","rows":[{"A":1}]}`,
		// Tables of sorts.
		"Error: timeout\nCode: 504\n", "Status: error\nReason: timeout\nRetry: later\n", "Error,Message\n503,busy\n", "error;description\ninvalid_token;x\n",
		"Error\tRetry-After\nbusy\t30", "ERROR|BUSY\n", "error,timeout\n",
		"Access denied, please contact your administrator\nUser: jdoe, group: finance\nTime: 10 o'clock, host: proxy01\n",
		"(function(){var a=1, b=2;\nvar c=a, d=b;\nreturn [a, b];})();\n",
		// Words.
		"404 page not found\n", "503 Service Unavailable", "Forbidden\n", "OK\r\n", "(503) Service Unavailable", "*** ACCESS DENIED ***", "--- maintenance ---",
		"\"Access denied\"", "Access  denied by  policy", "服务不可用\n", "サービスは利用できません\n", "ERROR: 503\r\nThe requested URL could not be retrieved\r\n",
		"HTTP/1.1 503 Service Unavailable\r\nServer: x\r\n\r\n" + page, "Warning: fopen() failed in x.php on line 3\n" + page,
		strings.Repeat("The service is not available now. Please try again later.\n", 200),
		// Pages, and what is like them.
		"\f" + page, "\u00a0" + page, "\x00" + page, "\uFEFF\uFEFF" + page, "<!-- " + strings.Repeat("x", 80000) + " -->" + page, packed(page),
		"<b>x</b>", "<h3>x</h3>", `<a href="x">y</a>`, `<iframe src="x"/>`, "<pre>Service Unavailable</pre>",
		`<form method="post" action="https://login.example/x"><input type="hidden" name="SAMLRequest"/></form>`,
		`<section><p class="x">y</p></section>`, `<ul><li><b>x</b></li></ul>`, `<svg><g/></svg>`, `<rss><channel><title>x</title></channel></rss>`,
		`<ServiceResponse><Result Code="503" Text="busy"/></ServiceResponse>`, `<OperationResult><Failure><Code>503</Code></Failure></OperationResult>`,
		`<apiResponse><errorMessage>x</errorMessage></apiResponse>`, `<AccessDenied/>`, `<am:faultResponse xmlns:am="x"><am:code>1</am:code></am:faultResponse>`,
	} {
		if f := found(t, []byte(body), "application/octet-stream"); f.Is != NoExport && f.Is != Unclear {
			t.Errorf("%.80q: %+v", body, f)
		}
	}
	for _, kind := range []string{"image/png", "application/javascript", "text/css", "font/woff2"} {
		if f := found(t, []byte("ID,NAME\n1,a\n"), kind); f.Is != NoExport {
			t.Errorf("%s: %+v", kind, f)
		}
	}
}

func packed(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(s))
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

// TestExportsOfOtherShops: forms that FinOps can be told to write. Some need a
// second download to be known; none may be called a page.
func TestExportsOfOtherShops(t *testing.T) {
	for _, c := range []struct {
		body string
		is   Is
	}{
		{"Account name,City of birth\r\nAdam Smith,New York\r\n", Unknown},
		{"Account name,City of birth\r\nAdam Smith,New York\r\nEve Jones,Rome\r\n", Export},
		{"Customer account,Customer name,City\r\n", Unknown},
		{"Customer name\r\nJohn Smith\r\nEve Jones\r\n", Unclear},
		{"id,name", Unknown}, {"id,name\r\n", Export}, {"Id;Name\r\n", Export}, {"ACCOUNT\r\nA1\r\nA2\r\n", Unknown},
		{"ID,NAME,X\r\n1,a\r\n2\r\n", Export}, {"A^B\n1^2\n", Unknown}, {"A~B\n1~2\n", Unknown}, {"A\x1fB\n1\x1f2\n", Unknown},
		{"ID,NAME,\n1,a,\n2,b,\n", Export}, {"No.,Name\n1,a\n2,b\n", Export}, {"#,Name\n1,a\n2,b\n", Export}, {",NAME\n1,a\n2,b\n", Unknown}, {"1,2\n3,4\n", Unknown},
		{"ID,TEXT\n1,<html><body>x</body></html>\n2,b\n", Export}, {"ID,NAME\n1,a\x00b\n" + strings.Repeat("2,c\n", 200), Export},
		{"ERRORCODE,ERRORTEXT,ACCOUNT,NAME,CITY\n1,a,b,c,d\n", Export},
		{`[{"STATUS":"a","MESSAGE":"b","CODE":"c"}]`, Unclear}, {`{"CUSTOMERACCOUNT":"1","NAME":"a"}`, Export}, {"{\"A\":1,\"B\":\"<html>\"}\n{\"A\":2,\"B\":\"\"}\n", Export},
		{`[{"CODE":"a","ERROR":"b","ACCOUNT":"c","NAME":"d","CITY":"e"}]`, Export},
		{`<Export><Row><Text><![CDATA[<html><body>x</body></html>]]></Text></Row><Row><Text>y</Text></Row></Export>`, Unknown},
		{`<Document><STATUS><CODE>1</CODE></STATUS></Document>`, Export},
		// Cut: not whole, whatever stands at the end.
		{`{"value":[{"A":1},{"A":2}`, Broken}, {`[{"A":[1,2]},{"A":[3]`, Broken}, {`[{"A":1}] trailing ]`, Broken}, {`<Document><G><A>1</A></G></Document><G>`, Broken},
	} {
		if f := found(t, []byte(c.body), "application/octet-stream"); f.Is != c.is {
			t.Errorf("%.80q: %+v, want %s", c.body, f, c.is)
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
			if bytes.HasPrefix(m.Data, []byte("PK")) || format == sim.JSON && rows == 0 || format == sim.JSONLines && rows == 0 {
				continue // a workbook is a zip; [] and nothing may be anything
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
		if err != nil || got.What == "" || got.Ends && got.Is == Broken {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

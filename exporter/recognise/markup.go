package recognise

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
)

// Elements that no export has for its root.
//
// Source: HTML; Azure Storage, "Status and error codes" (Error); OData, SOAP and
// RFC 9457 for the other errors. Assumed: no data document of a shop's own is
// called so; one that is waits for a person, and nothing is lost.
var (
	pageRoots  = words("html head body title script style meta div p h1 h2 center frameset table font span main noscript")
	errorRoots = words("error errors fault envelope exception problem errorresponse serviceexception serviceexceptionreport apierror message status")
)

// documentRoot is the root of FinOps' own data files.
// Source: protocol notes, XML-Element and XML-Attribute files.
const documentRoot = "document"

func words(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

var (
	pageTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	pageMarks = regexp.MustCompile(`(?i)<(!doctype\s+html|html|head|body|meta|script)[\s>/]`)
)

// markup tells data documents from pages and error documents by their root.
func (t text) markup(start []byte) Found {
	root, rows, fault := t.outline(start)
	switch {
	case pageRoots[root], root == "" && pageMarks.Match(start):
		return Found{Is: NoExport, What: titled("a web page", start)}
	case errorRoots[root], fault:
		return Found{Is: NoExport, What: "an error document: " + snippet(start)}
	case root == "":
		return Found{Is: Unknown, What: "markup without an element: " + snippet(start)}
	case pageMarks.Match(start) && root != documentRoot:
		return Found{Is: NoExport, What: titled("a web page", start)}
	case root != documentRoot && !rows:
		return Found{Is: Unknown, What: "an XML document <" + root + "> that holds no records"}
	case !t.closed(root):
		return Found{Is: Broken, What: "an XML document that breaks off: its end, </" + root + ">, is missing"}
	}
	return Found{Is: Export, What: "an XML document", Ends: true}
}

func titled(what string, page []byte) string {
	if m := pageTitle.FindSubmatch(page); m != nil {
		return what + ": " + snippet(m[1])
	}
	return what
}

// outline reads as much of the head as is well-formed. root is in lower case
// and without its prefix. rows says that an element below the root has elements
// or attributes of its own; fault that the first of them is an error's.
func (t text) outline(start []byte) (root string, rows, fault bool) {
	d := xml.NewDecoder(bytes.NewReader(start))
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded already, or ASCII will do
	for depth := 0; ; {
		token, err := d.RawToken()
		if err != nil {
			return root, rows, fault
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := strings.ToLower(e.Name.Local)
			depth++
			switch {
			case depth == 1:
				root = name
			case depth == 2:
				fault = fault || !rows && errorRoots[name] && root != documentRoot
				rows = rows || len(e.Attr) > 0
			default:
				return root, true, fault
			}
		case xml.EndElement:
			depth--
		}
	}
}

var afterRoot = regexp.MustCompile(`(?s)^\s*(<!--.*?-->\s*|<\?.*?\?>\s*)*$`)

// closed says whether the root's end stands at the end of the file.
func (t text) closed(root string) bool {
	tail := t.tail
	if t.whole {
		tail = t.head
	}
	end := regexp.MustCompile(`(?i)</([\w.-]+:)?` + regexp.QuoteMeta(root) + `\s*>`)
	if at := end.FindAllIndex(tail, -1); len(at) > 0 {
		return afterRoot.Match(tail[at[len(at)-1][1]:])
	}
	// <Document/> is an export of no rows.
	return t.whole && regexp.MustCompile(`(?is)<([\w.-]+:)?`+regexp.QuoteMeta(root)+`\b[^<>]*/>\s*$`).Match(tail)
}

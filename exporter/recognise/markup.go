package recognise

import (
	"bufio"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
)

// documentRoot is the root of FinOps' own data files.
// Source: protocol notes, XML-Element and XML-Attribute files.
const documentRoot = "Document"

// pageElements are HTML's, as far as no data document calls its records so.
var pageElements = words(`html head body script style meta div p h1 h2 h3 h4 h5 h6 center frameset frame iframe tr td th font span noscript
	input ul ol li em strong br hr img pre button rss feed svg`)

var (
	pageTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	pageMarks = regexp.MustCompile(`(?i)<(!doctype\s+html|html|head|body|meta|script)[\s>/]`)
)

// outline is what an XML document is made of.
type outline struct {
	root    string
	page    bool // the root or an element near it is HTML's
	trouble bool // the root or an element near it is an error's
	child   string
	records int  // elements below the root of one name, with elements or attributes of their own
	other   bool // there are such of other names
	closed  bool // the root's end came, and nothing behind it
}

// markup tells data documents from pages and error documents. All of the
// document is read, since only its end says that nothing of it is missing.
func (t text) markup(all io.Reader) Found {
	o := readOutline(all)
	switch {
	case o.root == documentRoot && o.closed:
		return Found{Is: Export, What: "an XML document", Ends: true}
	case o.root == documentRoot:
		return Found{Is: Broken, What: "an XML document that breaks off: its end, </Document>, is missing"}
	case o.page, o.root == "" && pageMarks.Match(t.head):
		return Found{Is: NoExport, What: titled("a web page", t.head)}
	case o.trouble:
		return Found{Is: NoExport, What: "an error document: " + snippet(t.head)}
	case o.root == "":
		return Found{Is: Unclear, What: "markup without an element: " + snippet(t.head)}
	case o.records < 2 || o.other:
		return Found{Is: Unclear, What: "an XML document <" + snippet([]byte(o.root)) + "> that may be an answer in words", Ends: o.closed}
	case !o.closed:
		return Found{Is: Broken, What: "an XML document that breaks off: its end, </" + snippet([]byte(o.root)) + ">, is missing"}
	}
	return Found{Is: Unknown, What: "an XML document <" + snippet([]byte(o.root)) + ">, which is none of FinOps' own", Ends: true}
}

func titled(what string, page []byte) string {
	if m := pageTitle.FindSubmatch(page); m != nil {
		return what + ": " + snippet(m[1])
	}
	return what
}

// nearRoot is how many elements below the root are looked at for their names.
const nearRoot = 50

func readOutline(all io.Reader) outline {
	var o outline
	in := bufio.NewReader(all)
	skipStart(in)
	d := xml.NewDecoder(in)
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded already, or ASCII will do
	elements, depth, record := 0, 0, ""
	for {
		token, err := d.RawToken()
		if err != nil {
			o.closed = o.closed && err == io.EOF && depth == 0
			return o
		}
		switch e := token.(type) {
		case xml.StartElement:
			o.closed = false
			depth++
			elements++
			o.begins(e, depth, elements, &record)
		case xml.EndElement:
			depth--
			o.closed = depth == 0 && e.Name.Local == o.root
			if depth == 1 {
				record = ""
			}
		case xml.CharData:
			if depth == 0 && len(trimStart(e)) > 0 {
				o.closed = false
				if o.root != "" {
					return o
				}
			}
		}
	}
}

// begins takes an element. record is the name of the one below the root that it
// stands in, "" when that is counted already.
func (o *outline) begins(e xml.StartElement, depth, elements int, record *string) {
	name := strings.ToLower(e.Name.Local)
	if depth == 1 && o.root == "" {
		o.root = e.Name.Local
	}
	if elements <= nearRoot {
		o.page = o.page || depth <= 2 && pageElements[name] || depth == 1 && len(name) == 1
		o.trouble = o.trouble || depth <= 3 && troubles[name]
	}
	if depth == 2 {
		*record = e.Name.Local
	}
	if *record == "" || depth == 2 && len(e.Attr) == 0 || depth > 3 {
		return
	}
	if o.child == "" {
		o.child = *record
	}
	if *record == o.child {
		o.records++
	} else {
		o.other = true
	}
	*record = ""
}

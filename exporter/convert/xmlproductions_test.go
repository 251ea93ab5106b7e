package convert

import (
	"errors"
	"strings"
	"testing"

	"finrelay/exporter"
)

// Productions and constraints of XML 1.0, fifth edition, that our own cases
// are about. The W3C's suite tests many of them only inside a DTD.
var notWellFormed = map[string][]string{
	"[1] document":               {" ", "<a/>\x00", "<a/><a/>", "<a></a></a>", "x<a/>", "<a/>x", "<a/>&#32;", "<a/><![CDATA[]]>", "<![CDATA[]]><a/>", "&#32;<a/>", "<a/>]]>", "<a/>\ufeff", "<!-- -->", "<?a?>", "<a/></a>", "</a>"},
	"[2] Char":                   {"<a>\x01</a>", "<a>\x08</a>", "<a>\x0b</a>", "<a>\x0c</a>", "<a>\x1f</a>", "<a>\uffff</a>", "<a>\ufffe</a>", "<a>\xed\xa0\x80</a>", "<a>\xc0\x80</a>", "<a>\xf4\x90\x80\x80</a>", "<a>\xff</a>", "<a b='\x01'/>", "<a b='\uffff'/>", "<!--\x01--><a/>", "<?a \x01?><a/>", "<a><![CDATA[\x01]]></a>", "<a>\x00</a>", "<a/>\x1b", "\x0c<a/>", "<a><!--\ufffe--></a>", "<a><?b \uffff?></a>", "<a><![CDATA[\xff]]></a>", "<a\x00/>"},
	"[3] S":                      {"<a\u00a0b='1'/>", "<a\x0bb='1'/>", "<a\u2003/>", "<a\u0085/>"},
	"[4] NameStartChar":          {"<1/>", "<-a/>", "<.a/>", "<a 1='x'/>", "<a -b=''/>", "< a/>", "<a></ a>", "<\u00b7/>", "<\u0300/>", "<\u00d7/>", "<\u037e/>", "<\u200b/>", "<\U000f0000/>", "<?1?><a/>", "<? a?><a/>", "<a><?.a?></a>", "</>", "<>", "<a><></a>"},
	"[4a] NameChar":              {"<a*/>", "<a\u00d7/>", "<a\u2000/>", "<a b@='1'/>", "<a b,c='1'/>", "<?a+ b?><a/>", "<a\xff/>"},
	"[10] AttValue":              {"<a b='<'/>", `<a b="x/>`, "<a b='x\"/>", "<a b=x/>", "<a b/>", "<a b=/>", "<a b='&'/>", "<a b='&x;'/>", "<a b='& '/>", "<a b=''''/>", "<a b='a'b/>"},
	"[14] CharData":              {"<a>]]></a>", "<a>]]]></a>", "<a>]]>]]></a>", "<a>x]]>y</a>", "<a><b/>]]></a>", "<a>&</a>", "<a>&&</a>", "<a>a & b</a>", "<a><</a>", "<a>a < b</a>"},
	"[15] Comment":               {"<!-- -- --><a/>", "<!-----><a/>", "<!--a---><a/>", "<!-- a", "<!- a --><a/>", "<!--><a/>", "<!---><a/>", "<a><!-- --- --></a>", "<a><!--</a>", "<a/><!-- -- -->", "<a/><!-- --", "<! -- a --><a/>", "<a <!-- x -->/>"},
	"[16] PI":                    {"<??><a/>", "<?a><a/>", "<?a ?", "<a><?b></a>", "<a><?b ? ></a>", "<a/><?b", "<?a!?><a/>"},
	"[17] PITarget":              {"<?xml?><a/>", "<?XML version='1.0'?><a/>", "<?Xml a?><a/>", "<a><?xml version='1.0'?></a>", "<a/><?xml version='1.0'?>", "<a><?xMl?></a>", "<!-- --><?xml version='1.0'?><a/>", "\n<?xml version='1.0'?><a/>"},
	"[18] CDSect":                {"<a><![CDATA[</a>", "<a><![CDATA[]]</a>", "<a><![CDATA []]></a>", "<a><![cdata[]]></a>", "<a><! [CDATA[]]></a>", "<a><![CDATA[]]]</a>", "<a><![CDATA[ ]] ></a>", "<a b='1' <![CDATA[]]>/>", "<a><![CDATA[<![CDATA[]]>]]></a>"},
	"[23] XMLDecl":               {"<?xml version='1.0'><a/>", "<?xml version='1.0' ", "<?xml encoding='utf-8'?><a/>", "<?xml standalone='yes'?><a/>", "<?xml version='1.0' encoding='utf-8' version='1.0'?><a/>", "<?xml version='1.0' standalone='yes' encoding='utf-8'?><a/>", "<?xml version='1.0'encoding='utf-8'?><a/>", "<?xml version='1.0' x='y'?><a/>", "<?xml version='1.0'?><?xml version='1.0'?><a/>", "<?xml\u00a0version='1.0'?><a/>"},
	"[24] VersionInfo":           {"<?xml version=1.0?><a/>", "<?xml version='1.0\"?><a/>", "<?xml version '1.0'?><a/>", "<?xml VERSION='1.0'?><a/>", "<?xml version=''?><a/>", "<?xml version?><a/>"},
	"[26] VersionNum":            {"<?xml version='2.0'?><a/>", "<?xml version='1'?><a/>", "<?xml version='1.'?><a/>", "<?xml version='1.0 '?><a/>", "<?xml version=' 1.0'?><a/>", "<?xml version='1.x'?><a/>", "<?xml version='01.0'?><a/>", "<?xml version='1.0.1'?><a/>"},
	"[32] SDDecl":                {"<?xml version='1.0' standalone='YES'?><a/>", "<?xml version='1.0' standalone='maybe'?><a/>", "<?xml version='1.0' standalone=yes?><a/>", "<?xml version='1.0' standalone=' yes'?><a/>", "<?xml version='1.0' standalone='yes\"?><a/>"},
	"[39] element":               {"<a>", "<a", "<a/", "<a / >", "<a><b></a></b>", "<a></A>", "<a></b>", "<a></a", "<a></a b='1'>", "<a></a/>", "<a><b/></a", "<a><b></b>"},
	"[40] STag":                  {"<a b='1'c='2'></a>", "<a b='1',c='2'/>", "<a =''/>", "<a b = '1' c/>", "<a b='1' /b>", "<a\"b\"/>", "<a 'b'='1'/>", "<a b:='1'=''/>"},
	"[41] Attribute":             {"<a b '1'/>", "<a b==''/>", "<a b=\u201c1\u201d/>", "<a b='1' b='2'/>", "<a b='1' c='2' b='1'/>", "<a xmlns='x' xmlns='y'/>", "<a><r xmlns:p='x' xmlns:p='y'/></a>", "<a b='1' b=\"\"/>"},
	"[43] content":               {"<a><!DOCTYPE a></a>", "<a><!ELEMENT a ANY></a>", "<a><!></a>", "<a><!a></a>", "<a>%x;<!ENTITY x ''></a>", "<a><![INCLUDE[]]></a>"},
	"[66] CharRef":               {"<a>&#;</a>", "<a>&#x;</a>", "<a>&#xg;</a>", "<a>&#a;</a>", "<a>&#0;</a>", "<a>&#8;</a>", "<a>&#x1F;</a>", "<a>&#xD800;</a>", "<a>&#xDFFF;</a>", "<a>&#xFFFE;</a>", "<a>&#xFFFF;</a>", "<a>&#x110000;</a>", "<a>&#X41;</a>", "<a>&#65</a>", "<a>& #65;</a>", "<a>&#6 5;</a>", "<a>&#-1;</a>", "<a>&#xFFFFFFFFFF41;</a>", "<a>&#4294967361;</a>", "<a b='&#0;'/>", "<a>&#x 41;</a>", "<a>&#+65;</a>", "<a>&#:;</a>", "<a>&#x`;</a>"},
	"[68] EntityRef":             {"<a>&lt</a>", "<a>&LT;</a>", "<a>&nbsp;</a>", "<a>&;</a>", "<a>& lt;</a>", "<a>&lt ;</a>", "<a b='&copy;'/>", "<a>&amp</a>", "<a>&amp&lt;</a>", "<a>&1;</a>"},
	"[81] EncName":               {"<?xml version='1.0' encoding=''?><a/>", "<?xml version='1.0' encoding='1utf'?><a/>", "<?xml version='1.0' encoding='utf 8'?><a/>", "<?xml version='1.0' encoding=' utf-8'?><a/>", "<?xml version='1.0' encoding=utf-8?><a/>", "<?xml version='1.0' encoding='a/b'?><a/>", "<?xml version='1.0' encoding='_utf'?><a/>", "<?xml version='1.0' Encoding='utf-8'?><a/>"},
	"4.3.3 encoding contradicts": {"<?xml version='1.0' encoding='utf-16'?><a/>", "\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?><a/>", "\xff\xfe<\x00a\x00/\x00>\x00\x00\xd8", "<?xml version='1.0' encoding='utf-8'?><a>caf\xe9</a>"},
}

// wellFormed are cases that a reader which is too strict would refuse.
var wellFormed = map[string][]string{
	"[1] document":      {"<a/>", "<a></a>", "<a/>\n", "\n<a/>", "<?a?><!----><a/><!----><?a?>\r\n", "\ufeff<a/>"},
	"[2] Char":          {"<a>\x7f\u0080\u009f\u2028\ufffd\U0010ffff\U0001fffe</a>", "<a>\t\r\n</a>", "<a b='\x7f\u0085'/>"},
	"[4] NameStartChar": {"<:/>", "<_/>", "<a:b/>", "<\u00c0/>", "<\u200c/>", "<\ufffd/>", "<\U000effff/>", "<a:b:c/>", "<é é='1'/>"},
	"[4a] NameChar":     {"<a-.9\u00b7\u0300\u203f/>", "<a><b9/></a>"},
	"[10] AttValue":     {"<a b='\"' c=\"'\"/>", "<a b='>'/>", "<a b=']]>'/>", "<a b='\n\t\r'/>", "<a\nb\t=\r'1'\n/>", "<a b=''></a >"},
	"[14] CharData":     {"<a>></a>", "<a>]]</a>", "<a>]></a>", "<a>]] ></a>", "<a>]]&gt;</a>", "<a>\"'</a>"},
	"[15] Comment":      {"<!----><a/>", "<!-- - --><a/>", "<!-- <a> & ]]> <![CDATA[ --><a/>", "<a><!-- ->--></a>"},
	"[16] PI":           {"<?a?><b/>", "<?a ?><b/>", "<?a ??><b/>", "<?a > & < -- ]]>?><b/>", "<?xmla?><b/>", "<?xml-stylesheet a?><b/>", "<?xm?><b/>"},
	"[18] CDSect":       {"<a><![CDATA[]]></a>", "<a><![CDATA[]]]]></a>", "<a><![CDATA[]]]></a>", "<a><![CDATA[<a>&amp;</a>]]></a>", "<a><![CDATA[]>]]></a>", "<a><![CDATA[<![CDATA[]]></a>"},
	"[23] XMLDecl":      {"<?xml version='1.0'?><a/>", "<?xml version=\"1.0\" ?><a/>", "<?xml\nversion\n=\n'1.9999'\nencoding\n=\n\"UTF-8\"\nstandalone = 'no'\n?><a/>", "<?xml version='1.0' standalone='yes'?><a/>", "<?xml version='1.0' encoding='US-ASCII'?><a/>"},
	"[66] CharRef":      {"<a>&#65;&#x41;&#x0000000041;&#9;&#xA;&#13;&#x10FFFF;&#xD7FF;&#xE000;&#xFFFD;</a>", "<a b='&#60;&#x3c;'/>", "<a>&#xaBcD;</a>"},
	"[68] EntityRef":    {"<a>&lt;&gt;&amp;&quot;&apos;</a>", "<a b='&lt;&gt;&amp;&quot;&apos;'/>", "<a>&amp;lt;&amp;#60;</a>"},
}

func TestXMLProductions(t *testing.T) {
	var refused, taken int
	for about, docs := range notWellFormed {
		for _, doc := range docs {
			err := judge([]byte(doc))
			at, ok := errors.AsType[*exporter.RecordError](err)
			if !ok || at.Line < 1 || at.Column < 1 {
				t.Errorf("%s: %q: got %v, want it refused with its place", about, doc, err)
			}
			refused++
			// Whatever stands behind rows must be found by those who read rows fast.
			if row, ok := strings.CutPrefix(doc, "<a"); ok && strings.HasSuffix(row, "a>") {
				rows := "<D><a>x</a><a>y</a><a" + row + "<a>z</a></D>"
				if err := judge([]byte(rows)); err == nil {
					t.Errorf("%s: %q is taken", about, rows)
				}
			}
		}
	}
	for about, docs := range wellFormed {
		for _, doc := range docs {
			if err := judge([]byte(doc)); err != nil {
				t.Errorf("%s: %q is refused: %v", about, doc, err)
			}
			taken++
		}
	}
	t.Logf("%d refused, %d taken", refused, taken)
}

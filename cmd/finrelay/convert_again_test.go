package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// orders is a composite of some MB; its nth order, from 0, alone has lines. A
// bad row stands before them.
func orders(n, of int) []byte {
	var b strings.Builder
	b.WriteString("<Document>")
	for i := range of {
		lines := ""
		if i == n {
			lines = "<LINE><ITEM>a</ITEM><CHARGE><CODE>F</CODE></CHARGE></LINE><LINE><ITEM>b</ITEM></LINE>"
		}
		fmt.Fprintf(&b, "<O><ID>%07d</ID><NOTE>%s</NOTE>%s</O>\n", i, strings.Repeat("text ", 20), lines)
		if i == 5 {
			b.WriteString("<X/>")
		}
	}
	return []byte(b.String() + "</Document>")
}

// wantOrders are the rows of orders, as all of them should be.
func wantOrders(n, of int) string {
	var b strings.Builder
	for i := range of {
		lines := "[]"
		if i == n {
			lines = `[{"ITEM":"a","CHARGE":[{"CODE":"F"}]},{"ITEM":"b","CHARGE":[]}]`
		}
		fmt.Fprintf(&b, `{"ID":"%07d","NOTE":"%s","LINE":%s}`+"\n", i, strings.Repeat("text ", 20), lines)
	}
	return b.String()
}

// TestConvertLateRecords: wherever a file is read from and whatever is made of
// it, all rows have the same records; a bad row is named once, nothing is left
// behind, and standard error has a word to say only of a stream.
func TestConvertLateRecords(t *testing.T) {
	const of = 30_000
	named := "finrelay: FILE:7:1: element X among rows named O\nfinrelay: 1 record could not be read as a row and was left out\n"
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	path := func(name string) string { return filepath.Join(folder, name) }
	late, early := orders(of-1, of), orders(3, of)
	for name, data := range map[string][]byte{"late.xml": late, "early.xml": early, "late.zip": zipOf(t, "late.xml", late)} {
		if err := os.WriteFile(path(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		args   []string
		stdin  []byte
		last   bool // the order with lines is the last
		stream bool
	}{
		"file to file":            {args: []string{path("late.xml"), "-o", "OUT"}, last: true},
		"stream to file":          {args: []string{"-", "-o", "OUT"}, stdin: late, last: true},
		"package to file":         {args: []string{path("late.zip"), "-o", "OUT"}, last: true},
		"package, stream to file": {args: []string{"-", "-o", "OUT"}, stdin: zipOf(t, "late.xml", late), last: true},
		"file to output":          {args: []string{path("early.xml")}},
		"package to output":       {args: []string{path("late.zip"), "--child", "LINE/CHARGE"}, last: true},
		"declared stream":         {args: []string{"-", "--child", "LINE", "--child", "LINE/CHARGE"}, stdin: late, last: true},
		"file to output, late":    {args: []string{path("late.xml")}, last: true, stream: true},
		"stream to output, early": {args: []string{"-"}, stdin: early},
		"stream to output":        {args: []string{"-"}, stdin: late, last: true, stream: true},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			args := append([]string{"convert"}, c.args...)
			for i, arg := range args {
				if arg == "OUT" {
					args[i] = path("out.jsonl")
				}
			}
			code := run(t.Context(), args, bytes.NewReader(c.stdin), &out, &errs)
			got := out.String()
			if data, err := os.ReadFile(path("out.jsonl")); err == nil {
				got += string(data)
				os.Remove(path("out.jsonl"))
			}
			at := 3
			if c.last {
				at = of - 1
			}
			want, said := wantOrders(at, of), named
			if c.stream {
				want = strings.ReplaceAll(want, `,"LINE":[]}`, "}")
				said = strings.Replace(said, "\n", "\nfinrelay: FILE: rows before the first record of a kind lack its array; with --out to a file all rows have it, or with --child LINE --child LINE/CHARGE\n", 1)
			}
			in := filepath.Base(c.args[0])
			switch {
			case c.args[0] == "-" && bytes.HasPrefix(c.stdin, []byte("<")):
				in = "standard input"
			case in != "early.xml":
				in = "late.xml"
			}
			if said := strings.ReplaceAll(said, "FILE", in); code != exitParked || errs.String() != said {
				t.Errorf("exit code %d; it said %q, want %q", code, &errs, said)
			}
			if got != want {
				t.Errorf("%d bytes, want %d: %.200s ... %s", len(got), len(want), got, got[max(0, len(got)-200):])
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) != 3 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func zipOf(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestConvertBrokenComposite: of a document with a fault standard output gets
// what stands before it, in a composite too, and a file nothing.
func TestConvertBrokenComposite(t *testing.T) {
	folder := t.TempDir()
	source, target := filepath.Join(folder, "in.xml"), filepath.Join(folder, "out.jsonl")
	if err := os.WriteFile(source, []byte("<D><R><A>1</A></R><R><A>2</A><L k='1'/></R><R><A>3"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"convert", source}, nil, &out, &errs); code != 1 || out.String() != "{\"A\":\"1\",\"L\":[]}\n{\"A\":\"2\",\"L\":[{\"@k\":\"1\"}]}\n" {
		t.Errorf("exit code %d, got %q; it said %q", code, &out, &errs)
	}
	if code := run(t.Context(), []string{"convert", source, "-o", target}, nil, io.Discard, io.Discard); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestConvertSchemaOfComposite: the columns are those of the rows as they are
// written, of a stream too.
func TestConvertSchemaOfComposite(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"convert", "-", "--schema", "--stats"}, bytes.NewReader(orders(2999, 3000)), &out, &errs)
	lines := strings.Split(out.String(), "\n")
	if code != exitParked || !strings.HasPrefix(lines[3], "LINE    nested  3000    0      0 ") {
		t.Errorf("exit code %d\n%s\n%s", code, &out, &errs)
	}
	if stats := errs.String(); strings.Count(stats, "among rows") != 1 || !strings.Contains(stats, "standard input  3000  1    411.1 kB") {
		t.Errorf("it said %s", stats)
	}
}

// TestMaybeXML: whatever may be XML is kept, and only that.
func TestMaybeXML(t *testing.T) {
	for head, want := range map[string]bool{
		"<?xm": true, "\xef\xbb\xbf<": true, "\xff\xfe<\x00": true, "\xfe\xff\x00<": true, "<\x00?\x00": true, "\x00<\x00?": true, " \r\n<": true, "\n\n\n\n": true, "": true,
		"A,B\n": false, "[{\"A": false, "\xef\xbb\xbfA": false, "\xff\xfeA\x00": false, "\"<a>": false,
	} {
		if got := maybeXML([]byte(head)); got != want {
			t.Errorf("%q: got %v", head, got)
		}
	}
}

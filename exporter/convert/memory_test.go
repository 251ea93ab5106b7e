package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"finrelay/exporter"
)

// endless gives rows for ever and calls hook before each Read.
type endless struct {
	rows []byte
	hook func()
	at   int
}

func newEndless(row string, hook func()) *endless {
	return &endless{rows: bytes.Repeat([]byte(row), 64<<10/len(row)), hook: hook}
}

func (e *endless) Read(p []byte) (int, error) {
	e.hook()
	n := copy(p, e.rows[e.at:])
	e.at = (e.at + n) % len(e.rows)
	return n, nil
}

// TestMemoryIsFlat reads 4 MB of each format, in blocks so small that all there
// are of them take a part of it. What is alive on the heap must not grow with
// what was read.
func TestMemoryIsFlat(t *testing.T) {
	setBlockSize(t, 8<<10)
	const size, most = 4 << 20, 3 << 19
	utf16 := string(utf16Codec{}.encode([]byte("\xff\xfe"), []byte("A,B\n")))
	inputs := map[string]struct{ head, row string }{
		"csv":      {"A,B\n", "some text,and more\n"},
		"csv 1252": {"A,B\n", "caf\xe9 \xe9\xe8,and more\n"},
		"utf-16":   {utf16, string(utf16Codec{}.encode(nil, []byte("café,and more\n")))},
		"xml":      {"<D>", "<R><A>some text</A><B>and more</B></R>\n"},
		"records":  {"<D><R><A>1</A></R>", "<R><A>some text</A><L><B>1</B></L></R>\n"},
		"json":     {"[{}\n", `, {"A": "some text", "B": 12}`},
		"envelope": {`{"value": [{}`, `, {"A": "some text", "B": 12}`},
		"comments": {"<D>", "<!-- nothing of value -->"},
		"blanks":   {"[", "     \n"},
	}
	for name, in := range inputs {
		t.Run(name, func(t *testing.T) {
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var peak uint64
			reads := 0
			r := newEndless(in.row, func() {
				if reads++; reads%64 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&now)
					peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
				}
			})
			src := io.MultiReader(strings.NewReader(in.head), io.LimitReader(r, size))
			res, err := Convert(t.Context(), src, "f", Options{}, &discard{})
			if _, ok := errors.AsType[*exporter.RecordError](err); err != nil && !ok {
				t.Fatal(err) // XML and JSON are cut off, and say so
			}
			if res.Bytes < size || peak > most {
				t.Errorf("%d bytes read, heap grew by %d KB, want all and less than %d", res.Bytes, peak>>10, most>>10)
			}
		})
	}
}

// TestAllocationsDoNotGrow compares a file with one ten times as long.
func TestAllocationsDoNotGrow(t *testing.T) {
	for _, file := range []struct{ head, row, end string }{
		{"A,B,C\n", "1,\"a \"\"quoted\"\" text\",é\n", ""},
		{"<D>", "<R><A>1</A><B>&lt;é&gt;</B><C/></R>\n", "</D>"},
		{"<D>", "<R A=\"1\" B=\"&lt;é&gt;\" C=\"\"/>\n", "</D>"},
		{"<D>", "<R>" + strings.Repeat("<A x='1'/>", 20) + "<L a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n='' o='' p='' q='' r=''>x</L></R>\n", "</D>"},
		{"<D>", "<R><A>1</A><L x=\"1\"><B>2</B></L><L x=\"2\"/>text</R>\n", "</D>"},
	} {
		allocs := func(rows int) float64 {
			in := []byte(file.head + strings.Repeat(file.row, rows) + file.end)
			return testing.AllocsPerRun(3, func() {
				if _, err := Convert(context.Background(), bytes.NewReader(in), "f", Options{}, &discard{}); err != nil {
					t.Fatal(err)
				}
			})
		}
		short, long := allocs(10_000), allocs(100_000)
		if long > short+100 { // the runtime itself allocates a few
			t.Errorf("%s: %v allocations for 10,000 rows, %v for 100,000: want no more", file.row, short, long)
		}
	}
}

func TestLongRecords(t *testing.T) {
	long := strings.Repeat("0123456789", 100_000)
	for name, in := range map[string]string{
		"csv":        "A,B\n1," + long + "\n2,3\n",
		"csv quoted": "A,B\n1,\"" + long + "\"\n2,3\n",
		"xml":        "<D><R><A>1</A><B>" + long + "</B></R><R><A>2</A><B>3</B></R></D>",
		"json":       `[{"A":"1","B":"` + long + `"},{"A":"2","B":"3"}]`,
		"json lines": `{"A":"1","B":"` + long + "\"}\n" + `{"A":"2","B":"3"}`,
	} {
		got, _ := run(t, strings.NewReader(in), Options{})
		want := fmt.Sprintf(`{"A":"1","B":"%s"}`+"\n"+`{"A":"2","B":"3"}`+"\n", long)
		if got.lines != want {
			t.Errorf("%s: got %d bytes (%s), want %d", name, len(got.lines), got.result, len(want))
		}
		_, res := run(t, strings.NewReader(in), Options{MaxRecord: 1 << 19})
		wanted := int64(0)
		if name == "csv" {
			wanted = 1 // where the long one ends is clear
		}
		if res.Rows != wanted || res.BadRows != wanted {
			t.Errorf("%s: %d rows, %d bad with a limit below the first row's length", name, res.Rows, res.BadRows)
		}
	}
}

// TestAllocationsStayFew: a file costs its set-up, however long it is and
// whatever is odd about its rows.
func TestAllocationsStayFew(t *testing.T) {
	const most = 2000
	row := "1,2,é,5\" pipe,\"2\" x\n" // the readers of the usual and of the odd
	for _, size := range []int{1 << 20, 20 << 20} {
		rows := strings.Repeat("1,\"a \"\"quoted\"\" text\",é,,2\n", 20) + row
		in := []byte("A,B,C,D,E\n" + strings.Repeat(rows, size/len(rows)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Convert(context.Background(), bytes.NewReader(in), "f", Options{}, &discard{}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > most {
			t.Errorf("%d MB cost %d heap allocations, want %d at most", size>>20, n, most)
		}
	}
}

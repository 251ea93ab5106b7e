package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"finrelay/exporter"
)

// slowLines reads JSON Lines in the most obvious way: all of it in memory, with
// encoding/json. A line is taken when what begins on it is values, the last of
// which ends a line. It shares no code with the reader.
func slowLines(in string) (rows, bad string) {
	var good, wrong strings.Builder
	records := 0
	const space = " \t\r\n"
	for at := 0; ; {
		at = len(in) - len(strings.TrimLeft(in[at:], space))
		if at == len(in) {
			return good.String(), wrong.String()
		}
		note := func(raw string, fault int) {
			fmt.Fprintf(&wrong, "%d record %d: %q\n", strings.Count(in[:at+fault], "\n")+1, records, raw)
		}
		values := slowValues(in[at:])
		if values == nil {
			line, _, _ := strings.Cut(in[at:], "\n")
			records++
			note(strings.TrimRight(line, space), 0)
			at += len(line)
			continue
		}
		for _, v := range values {
			records++
			at += strings.Index(in[at:], v)
			if broken := firstInvalid(v); broken < len(v) {
				note(v, broken)
				at += len(v)
				continue
			} else if v[0] != '{' {
				note(v, 0)
				at += len(v)
				continue
			}
			at += len(v)
			var line bytes.Buffer
			_ = json.Compact(&line, []byte(v))
			good.WriteString(line.String() + "\n")
		}
	}
}

// slowValues gives the values at the beginning of in, up to the first that ends
// a line; nil when there is anything wrong with them.
func slowValues(in string) (values []string) {
	dec := json.NewDecoder(strings.NewReader(in))
	for {
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return nil
		}
		values = append(values, string(v))
		line, _, _ := strings.Cut(in[dec.InputOffset():], "\n")
		if strings.Trim(line, " \t\r") == "" {
			return values
		}
		if strings.TrimPrefix(string(v), "-") == "0" && strings.Contains("0123456789", line[:1]) {
			return nil // the decoder takes 01 for two numbers
		}
	}
}

var hardLines = []string{
	"{\"A\":oops}\n{\"A\":1}\n",
	"{\"A\":1\n{\"A\":2}\n\n  {\"B\":\"x\"} \r\n",
	"{\"A\":[\n{\"B\":1}\n{\"B\":2}\n]}\n",
	"{\"A\":[\n{\"B\":1},\n{\"B\":2}\n]} {\"C\":3}\n",
	"{\"A\":1} {\"A\":2}\n{\"A\":3}x{\"A\":4}\n5 6\n\"x\" nul\ntrue",
	"{\"A\":\"\xff\"}\n\xff\n{\"A\":\"\\u00e9\\/\",\"é\":-1.50e+2}\r\n",
	"{\"A\":\"a\nb\"}\n{\"A\":\"\x00\"}\n\x00{}\n",
	"]\n}\n,\n:\n{}\n",
	"{\"A\":tr",
	"{\"A\":1",
	"12\n-\n0",
}

// FuzzJSONLinesEqualReference compares with slowLines: rows, and bad rows with
// their lines, numbers and bytes, in blocks of every size.
func FuzzJSONLinesEqualReference(f *testing.F) {
	for i, in := range hardLines {
		f.Add(in, uint8(i))
		f.Add(in, uint8(63-i))
	}
	f.Fuzz(func(t *testing.T, body string, block uint8) {
		if next := strings.TrimLeft(body, " \t\r\n"); next != "" && strings.Contains(",:]}", next[:1]) {
			return // no JSON Lines: see isLines
		}
		if strings.Count(body, "[")+strings.Count(body, "{") > maxJSONDepth {
			return // encoding/json goes deeper
		}
		in := "{\"first\":0}\n" + body
		rows, bad := slowLines(in)
		inBlocksOf(t, int(block%64)+1)
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)),
		} {
			got, _ := run(t, r, Options{Format: FormatJSON, Encoding: "utf-8"})
			compare(t, fmt.Sprintf("%q in blocks of %d, read %s", in, blockSize, name),
				outcome{got.lines, withoutReasons(t, got.bad), got.result}, outcome{rows, bad, got.result})
			if strings.Contains(got.result, "\nerror ") {
				t.Errorf("%q: %s", in, got.result)
			}
		}
	})
}

// withoutReasons takes columns and reasons away from what record wrote.
func withoutReasons(t *testing.T, bad string) string {
	var b strings.Builder
	for line := range strings.Lines(bad) {
		place, rest, ok := strings.Cut(line, " record ")
		number, _, ok2 := strings.Cut(rest, ": ")
		from := rawIn(line)
		if !ok || !ok2 || from < 0 {
			t.Fatalf("not a bad row: %q", line)
		}
		place, _, _ = strings.Cut(place, ":")
		fmt.Fprintf(&b, "%s record %s: %s", place, number, line[from:])
	}
	return b.String()
}

// rawIn finds the quoted bytes that a line of bad rows ends with.
func rawIn(line string) int {
	end := len(line) - 2 // its quote
	for i := end - 1; i > 0; i-- {
		if line[i] != '"' {
			continue
		}
		slashes := len(line[:i]) - len(strings.TrimRight(line[:i], `\`))
		if slashes%2 == 0 {
			return i
		}
	}
	return -1
}

func TestJSONLinesInBlocksOfEverySize(t *testing.T) {
	for size := 1; size <= 64; size++ {
		for _, in := range hardLines {
			for _, opt := range []Options{{}, {MaxRecord: 9}} {
				in := "{\"a\":0}\n" + in
				setBlockSize(t, 1<<17)
				want, _ := run(t, strings.NewReader(in), opt)
				inBlocksOf(t, size)
				got, _ := run(t, iotest.OneByteReader(strings.NewReader(in)), opt)
				sampleSize = 64 << 10
				compare(t, fmt.Sprintf("%q in blocks of %d, %d bytes at most", in, size, opt.MaxRecord), got, want)
			}
		}
	}
}

// TestLongRecordsAreStreamed: one line among others costs no more memory than
// the longest record, however long it is, and the next is a row.
func TestLongRecordsAreStreamed(t *testing.T) {
	setBlockSize(t, 8<<10)
	const size, longest = 8 << 20, 64 << 10
	for name, in := range map[string]struct {
		format           Format
		head, text, tail string
	}{
		"one text":   {FormatJSON, "{\"A\":1}\n{\"A\":\"", "more and more ", "\"}\n{\"A\":\"2\"}\n"},
		"many":       {FormatJSON, "{\"A\":1}\n", "{\"B\":1} ", "\n{\"A\":\"2\"}\n"},
		"nonsense":   {FormatJSON, "{\"A\":1}\n", "no JSON ", "\n{\"A\":\"2\"}\n"},
		"broken off": {FormatJSON, "{\"A\":\"2\"}\n{\"A\":[\"", "é", ""},
		"csv, text":  {FormatCSV, "A\n1\n", "more and more ", "\n2\n"},
		"csv, cells": {FormatCSV, "A\n1\n", "é,", ",\"\n\",\"\"\"\"\r\n2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var peak uint64
			var stats runtime.MemStats
			reads := 0
			r := newEndless(in.text, func() {
				if reads++; reads%64 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&stats)
					peak = max(peak, stats.HeapAlloc)
				}
			})
			runtime.GC()
			runtime.ReadMemStats(&stats)
			before := stats.HeapAlloc
			src := io.MultiReader(strings.NewReader(in.head), io.LimitReader(r, size), strings.NewReader(in.tail))
			var rec record
			_, err := Convert(t.Context(), src, "f", Options{Format: in.format, Delimiter: ',', Encoding: "utf-8", MaxRecord: longest}, &rec)
			if err != nil || rec.nbad != 1 || !strings.HasSuffix(rec.lines.String(), "{\"A\":\"2\"}\n") {
				t.Errorf("%v, %d bad rows, rows %q; want one bad row and a good one behind or before it", err, rec.nbad, rec.lines.String())
			}
			if n := rec.bad.Len(); n < longest || n > 2*longest+1000 {
				t.Errorf("bad row of %d bytes, want about %d", n, longest)
			}
			if grown := peak - min(peak, before); grown > 24*longest {
				t.Errorf("heap grew by %d KB", grown>>10)
			}
		})
	}
}

// TestJSONDocumentsAreRefusedAsOne: what is no JSON Lines is not a thousand bad
// rows.
func TestJSONDocumentsAreRefusedAsOne(t *testing.T) {
	object := "{\n" + strings.Repeat("  \"A\": {\"B\": 1},\n", 1000) + "  \"C\": oops\n}\n"
	for name, in := range map[string]string{
		"a pretty-printed object":     object,
		"several of them":             "{\n\"A\": 1\n}\n" + object,
		"an array of lines":           "[\n" + strings.Repeat("{\"A\": 1}\n", 1000) + "]",
		"an envelope of lines":        "{\"value\": [\n" + strings.Repeat("{\"A\": 1}\n", 1000) + "]}",
		"an array without its start":  strings.Repeat("{\"A\": 1},\n", 1000) + "]",
		"with its commas in front":    "{\"A\": 1}\n" + strings.Repeat(",{\"A\": 1}\n", 1000) + "]",
		"an envelope that breaks off": "{\"value\": [" + strings.Repeat("{\"A\": 1},\n", 1000),
		"without line ends":           strings.Repeat("{\"A\": 1} ", 1000) + "oops\n" + strings.Repeat("oops\n", 1000),
	} {
		for _, size := range []int{1, 64, 128 << 10} {
			setBlockSize(t, size)
			var rec record
			_, err := Convert(t.Context(), strings.NewReader(in), "f", Options{}, &rec)
			if _, ok := errors.AsType[*exporter.RecordError](err); !ok || rec.nbad > 0 {
				t.Errorf("%s in blocks of %d: %v, %d bad rows; want one *exporter.RecordError and none", name, size, err, rec.nbad)
			}
		}
	}
}

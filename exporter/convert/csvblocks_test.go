package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"finrelay/exporter"
)

// inBlocksOf sets the size of blocks, and samples so little that the rest is
// read in blocks.
func inBlocksOf(t testing.TB, size int) {
	oldBlock, oldSample := blockSize, sampleSize
	blockSize, sampleSize = size, 1
	t.Cleanup(func() { blockSize, sampleSize = oldBlock, oldSample })
}

// FuzzFastEqualsSequential reads CSV in blocks and record after record, with
// the same outcome: rows, bad rows and their places, columns, counts.
func FuzzFastEqualsSequential(f *testing.F) {
	for _, g := range goldens(f) {
		if g.opt.Format == FormatCSV || g.opt.Format == FormatAuto {
			f.Add(g.input, ',', '"', uint8(7), uint16(0))
			f.Add(g.input, g.opt.Delimiter, g.opt.Quote, uint8(3), uint16(0))
		}
	}
	for _, in := range hardCSV {
		f.Add([]byte(in), ',', '"', uint8(1), uint16(0))
		f.Add([]byte(in), ',', '"', uint8(15), uint16(40))
		for _, c := range otherCharacters {
			f.Add([]byte(c.rewrite(in)), c.delimiter, c.quote, uint8(1), uint16(0))
			f.Add([]byte(c.rewrite(in)), c.delimiter, c.quote, uint8(15), uint16(40))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, delimiter, quote rune, block uint8, maxRecord uint16) {
		opt := Options{
			Format: FormatCSV, Delimiter: delimiter, Quote: quote, NoQuote: quote == 0, MaxRecord: int(maxRecord),
			NoHeader: block&64 != 0, Strict: block&128 != 0,
		}
		if opt.Validate() != nil {
			return
		}
		inBlocksOf(t, int(block&63)+1)
		sameInBlocks(t, in, opt)
	})
}

// sameInBlocks compares the two readers. The encoding of a file that was not
// read to its end is what the reader has seen of it, and they see differently far.
func sameInBlocks(t *testing.T, in []byte, opt Options) {
	t.Helper()
	opt.sequential = true
	want, wantRes := run(t, bytes.NewReader(in), opt)
	opt.sequential = false
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(in), "byte by byte": iotest.OneByteReader(bytes.NewReader(in)),
	} {
		got, res := run(t, r, opt)
		if strings.Contains(want.result, "\nerror ") {
			want.result = strings.Replace(want.result, wantRes.Encoding, res.Encoding, 1)
			wantRes.Encoding = res.Encoding
		}
		compare(t, fmt.Sprintf("%.200q in blocks of %d, read %s", in, blockSize, name), got, want)
	}
}

// hardCSV is where a guess about records goes wrong.
var hardCSV = []string{
	"A,B\n1,5\" pipe\n2,\"x\n3,y\"\n4,z\n",
	"A,B\n1,5\" pipe\n2,\"x\"\n3,\"y\"\n4,\"z\"\n5,\"a\nb\"\n",
	"A,B\n\"1\"x,\"2\n\"\n3,4\n",
	"A,B\n1,2\n3\n4,5,6\n7,8\n\n9,10\n\n",
	"A,B\r\n1,\"a\r\nb\"\r\n\r\n2,c\rd\r\n\r\n",
	"A,B\n1,a\x00b\n2,\xff\n3,c\n",
	"A,B\n" + strings.Repeat("1,\"a \"\"quoted\"\" text\n of lines\"\n", 20),
	"A,B\n1," + strings.Repeat("long", 100) + "\n2,x\n",
	"A,B\n1,\"" + strings.Repeat("l\n", 200) + "\"\n2,x\n",
	"A,B\n1,2\n3,\"never closed\n4,5\n6,7\n",
	"A\n1\n\n2\n\n",
	"A,B\n" + strings.Repeat("1,x\n", 50) + "2,caf\xe9\n" + strings.Repeat("3,\x00\n", 5),
	"LONGNAMEOFACOLUMN,B\n" + strings.Repeat(",\n", 100),
	"A,B\n1,2\n3,4\r",
	"A,B\n1,2\n3,4\"",
}

func TestBlocksOfEverySize(t *testing.T) {
	for size := 1; size <= 64; size++ {
		inBlocksOf(t, size)
		for i, in := range hardCSV {
			sameInBlocks(t, []byte(in), Options{Format: FormatCSV, Delimiter: ','})
			sameInBlocks(t, []byte(in), Options{Format: FormatCSV, Delimiter: ',', MaxRecord: 20, Strict: true})
			c := otherCharacters[(size+i)%len(otherCharacters)]
			sameInBlocks(t, []byte(c.rewrite(in)), Options{Format: FormatCSV, Delimiter: c.delimiter, Quote: c.quote})
			sameInBlocks(t, []byte(c.rewrite(in)), Options{Format: FormatCSV, Delimiter: c.delimiter, Quote: c.quote, MaxRecord: 20, Strict: true})
		}
	}
}

// TestBlocksOnOneCore: without workers the outcome is the same.
func TestBlocksOnOneCore(t *testing.T) {
	for _, size := range []int{1, 7, 64} {
		inBlocksOf(t, size)
		for _, in := range hardCSV {
			sameInBlocks(t, []byte(in), Options{Format: FormatCSV, Delimiter: ',', Cores: 1})
		}
	}
}

// failing is a source that gives rows for ever, or until it fails or panics.
type failing struct {
	rows  io.Reader
	after int64
	how   func() error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.after <= 0 {
		return 0, f.how()
	}
	n, err := f.rows.Read(p[:min(int64(len(p)), f.after)])
	f.after -= int64(n)
	return n, err
}

var errDisk = errors.New("disk on fire")

// TestEndsLeaveNothingRunning ends conversions in every way; TestMain looks
// whether a goroutine is left.
func TestEndsLeaveNothingRunning(t *testing.T) {
	rows := func() io.Reader { return newEndless("some text,\"and\nmore\"\n", func() {}) }
	ctx, cancel := context.WithCancelCause(t.Context())
	for name, tt := range map[string]struct {
		source *failing
		block  func([]byte, int) error
		want   error
	}{
		"the source ends":   {&failing{rows(), 1 << 20, func() error { return io.EOF }}, nil, nil},
		"the source fails":  {&failing{rows(), 1 << 20, func() error { return errDisk }}, nil, errDisk},
		"the sink fails":    {&failing{rows(), 1 << 40, nil}, func([]byte, int) error { return errDisk }, errDisk},
		"a long record":     {&failing{io.MultiReader(strings.NewReader(strings.Repeat("1,2\n", 1<<18)+"1,\""), newEndless("x\n", func() {})), 1 << 40, nil}, nil, errTooLongForTest},
		"somebody stops it": {&failing{rows(), 1 << 40, nil}, func([]byte, int) error { cancel(errDisk); return nil }, errDisk},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.block == nil {
				tt.block = func([]byte, int) error { return nil }
			}
			_, err := Convert(ctx, io.MultiReader(strings.NewReader("A,B\n"), tt.source), "f", Options{MaxRecord: 1 << 18}, blockFunc(tt.block))
			_, isRecord := errors.AsType[*exporter.RecordError](err)
			if tt.want == errTooLongForTest && isRecord {
				return
			}
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
		})
		if name == "somebody stops it" {
			ctx, cancel = context.WithCancelCause(t.Context())
		}
	}
	cancel(nil)
}

var errTooLongForTest = errors.New("any RecordError")

// TestPanicsComeOutWhereConvertWasCalled: those who call can guard against a
// panic of their reader, also when another goroutine reads.
func TestPanicsComeOutWhereConvertWasCalled(t *testing.T) {
	for _, in := range []string{"A,B\n", "<D>", "["} {
		row := map[byte]string{'A': "1,2\n", '<': "<R><A>1</A></R>", '[': `{"A":1},`}[in[0]]
		source := &failing{newEndless(row, func() {}), 1 << 20, func() error { panic("no such sector") }}
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "no such sector") {
					t.Errorf("%s: recovered %v, want the source's panic", in, p)
				}
			}()
			_, err := Convert(t.Context(), io.MultiReader(strings.NewReader(in), source), "f", Options{}, &discard{})
			t.Errorf("%s: no panic, %v", in, err)
		}()
	}
}

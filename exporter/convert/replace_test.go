package convert

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
)

// What an encoding does not know is replaced and counted, in every format and
// whatever block it falls into; everything else stays as it is.
func TestReplace(t *testing.T) {
	long := strings.Repeat("é", 100)
	for _, c := range []struct {
		name, in, want string
		opt            Options
		count          int64
	}{
		{"a byte in UTF-8", "A,B\n\"x\xffy\",é\n", `{"A":"x` + "\uFFFD" + `y","B":"é"}`, Options{Encoding: "utf-8"}, 1},
		{"half a character at the end of a field and of the file", "A\né\n\xe2\x82\n" + long + "\n\xe2", `{"A":"é"}` + "\n" + `{"A":"` + "\uFFFD\uFFFD" + `"}` + "\n" + `{"A":"` + long + `"}` + "\n" + `{"A":"` + "\uFFFD" + `"}`, Options{}, 3},
		{"a code page's hole", "A\nx\xaay\n", `{"A":"x` + "\uFFFD" + `y"}`, Options{Encoding: "windows-1253"}, 1},
		{"a lone surrogate", "\xff\xfeA\x00\n\x00x\x00\x00\xd8y\x00\n\x00", `{"A":"x` + "\uFFFD", Options{}, 1},
		{"XML", "<D><R><A>x\xffy</A></R></D>", `{"A":"x` + "\uFFFD" + `y"}`, Options{}, 1},
		{"JSON", "[{\"A\":\"x\xffy\"}]", `{"A":"x` + "\uFFFD" + `y"}`, Options{}, 1},
		{"nothing to replace", "A\n\uFFFD\n", `{"A":"` + "\uFFFD" + `"}`, Options{}, 0},
	} {
		for size := 1; size <= 40; size++ {
			setBlockSize(t, size)
			c.opt.Replace = true
			var got record
			res, err := Convert(t.Context(), iotest.OneByteReader(bytes.NewReader([]byte(c.in))), "in", c.opt, &got)
			if err != nil || got.nbad > 0 {
				t.Fatalf("%s, blocks of %d: %v, bad %s", c.name, size, err, got.bad.String())
			}
			if !strings.HasPrefix(got.lines.String(), c.want) || (c.count > 0) != (res.Replaced > 0) || c.count == 3 && res.Replaced != 3 {
				t.Fatalf("%s, blocks of %d: %q, %d replaced; want %q, %d", c.name, size, got.lines.String(), res.Replaced, c.want, c.count)
			}
		}
	}
}

// Replacing gives rows where none is without it, and no other rows.
func FuzzReplace(f *testing.F) {
	f.Add([]byte("A,B\nx,\xff\n\"\xe2\x82\",é\n"), uint8(3))
	f.Add([]byte("A\n\xc3\x28\n"), uint8(0))
	f.Fuzz(func(t *testing.T, in []byte, block uint8) {
		opt := Options{Format: FormatCSV, Encoding: "utf-8", Delimiter: ','}
		clean := bytes.ToValidUTF8(in, []byte("\uFFFD"))
		want, _ := run(t, bytes.NewReader(clean), opt)
		opt.Replace = true
		setBlockSize(t, int(block)+1)
		got, res := run(t, bytes.NewReader(clean), opt)
		if res.Replaced != 0 || got != want {
			t.Fatalf("of what is UTF-8 %d were replaced: %+v; want %+v", res.Replaced, got, want)
		}
		if _, res := run(t, iotest.OneByteReader(bytes.NewReader(in)), opt); !bytes.Equal(in, clean) != (res.Replaced > 0) && len(bytes.TrimPrefix(in, []byte("\xEF\xBB\xBF"))) > 0 && !utf16Mark(in) {
			t.Fatalf("%d replaced of %q", res.Replaced, in)
		}
	})
}

func utf16Mark(in []byte) bool {
	return bytes.HasPrefix(in, []byte{0xFF, 0xFE}) || bytes.HasPrefix(in, []byte{0xFE, 0xFF})
}

// A code page that was named is none that was guessed: nor is Unicode, and what
// is ASCII to its end reads the same whatever it is.
func TestGuessIsSaid(t *testing.T) {
	horse := "A,B\r\n1,\x8eluk\xfd k\xf9\xf2\r\n" // Žluký kůň in windows-1250
	long := "A,B\r\n" + strings.Repeat("1,2\r\n", 100_000) + "1,\xf9\r\n"
	for _, c := range []struct {
		name, in string
		opt      Options
		want     string // the row's text; "" for any
		guessed  bool
	}{
		{"fallen back", horse, Options{}, "Žluký kùò", true},
		{"to another one", horse, Options{Fallback: "windows-1250"}, "Žluký kůň", true},
		{"named", horse, Options{Encoding: "windows-1250"}, "Žluký kůň", false},
		{"read ahead", long, Options{}, "", true},
		{"UTF-8", "A,B\r\n1,Řluký\r\n", Options{}, "Řluký", false},
		{"mostly UTF-8", "A,B\r\n1,Řluký\r\n2,\xf9\r\n", Options{}, "Řluký", false},
		{"ASCII", "A,B\r\n1,kun\r\n", Options{}, "kun", false},
		{"a mark", "\xef\xbb\xbfA,B\r\n1,\xf9\r\n", Options{}, "", false},
	} {
		got, res := run(t, strings.NewReader(c.in), c.opt)
		if res.Guessed != c.guessed || !strings.Contains(got.lines, c.want) {
			t.Errorf("%s: guessed %t, %.100s; want %t, %s", c.name, res.Guessed, got.lines, c.guessed, c.want)
		}
		if said := res.GuessedText("--encoding"); (said != "") != c.guessed || c.guessed && !strings.Contains(said, res.Encoding) {
			t.Errorf("%s: %q", c.name, said)
		}
	}
}

package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// unruly is a Source in memory that cuts, lies and changes as rapid draws.
type unruly struct {
	t       *rapid.T
	content []byte
	version int
	md5     bool
}

func (u *unruly) etag() string { return fmt.Sprintf(`"v%d"`, u.version) }

func (u *unruly) Open(_ context.Context, offset int64, etag string) (*Body, error) {
	if rapid.IntRange(0, 9).Draw(u.t, "replaced") == 0 {
		u.version++
		u.content = noise(rapid.IntRange(0, 5000).Draw(u.t, "new size"), byte(u.version))
	}
	switch rapid.IntRange(0, 7).Draw(u.t, "answer") {
	case 0:
		return nil, &LinkError{Kind: KindBusy, RetryAfter: MaxPatience * 2}
	case 1: // ignores the range
		offset, etag = 0, ""
	case 2: // ignores the condition
		etag = u.etag()
	}
	if etag == "" {
		offset = 0
	} else if etag != u.etag() || offset > int64(len(u.content)) {
		return nil, &LinkError{Kind: KindChanged, StatusCode: 412}
	}
	rest := u.content[offset:]
	var body io.Reader = bytes.NewReader(rest)
	if rapid.Bool().Draw(u.t, "cut") {
		n := rapid.IntRange(0, len(rest)).Draw(u.t, "after")
		body = io.MultiReader(bytes.NewReader(rest[:n]), broken{})
	}
	b := &Body{ReadCloser: io.NopCloser(body), Offset: offset, Size: int64(len(u.content)), ETag: u.etag(), Framed: true}
	if u.md5 {
		b.MD5 = md5Of(u.content)
	}
	return b, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestAnyWeatherGivesTheBlob: however often the source misbehaves and the
// machine loses power, a file that appears holds one version of the blob,
// whole. Power loss keeps the recorded Mark and the bytes under it; what lies
// behind the Mark becomes anything at all.
func TestAnyWeatherGivesTheBlob(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		path := filepath.Join(dir, fmt.Sprint(round))
		src := &unruly{t: rt, content: noise(rapid.IntRange(0, 5000).Draw(rt, "size"), 0), md5: rapid.Bool().Draw(rt, "md5")}
		var ledger Mark
		power := errors.New("power lost")
		for range 30 {
			marksLeft := rapid.IntRange(1, 6).Draw(rt, "marks until power is lost")
			opt := Options{Mark: ledger, MarkEvery: int64(rapid.IntRange(1, 2000).Draw(rt, "mark every")), OnMark: func(m Mark) error {
				if marksLeft--; marksLeft == 0 {
					return power
				}
				ledger = m
				return nil
			}}
			// No patience: waiting is not what this test is about.
			res, err := downloadWith(context.Background(), src, path, opt.orDefaults(), patience{})
			if err == nil {
				got, rerr := os.ReadFile(path)
				if rerr != nil || !bytes.Equal(got, src.content) || res.ETag != src.etag() {
					rt.Fatalf("file of %d bytes, %v, want the %d of %s (Result %+v)", len(got), rerr, len(src.content), src.etag(), res)
				}
				return
			}
			if _, serr := os.Stat(path); serr == nil {
				rt.Fatalf("a file appeared beside the error %v", err)
			}
			tearTail(rt, path+partSuffix, ledger.Offset)
		}
	})
}

// tearTail does to the bytes behind the mark what a power failure may do.
func tearTail(t *rapid.T, path string, mark int64) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		if mark > 0 {
			t.Fatalf("no part file under a mark of %d", mark)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() < mark {
		t.Fatalf("part file of %d bytes under a mark of %d, %v", info.Size(), mark, err)
	}
	length := rapid.Int64Range(mark, mark+6000).Draw(t, "length after power failure")
	if err := errors.Join(file.Truncate(mark), file.Truncate(length)); err != nil {
		t.Fatal(err)
	}
}

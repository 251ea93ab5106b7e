package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const mib = 1 << 20

// checkFile wants path to hold content, res to describe it, and no part file.
func checkFile(t *testing.T, path string, content []byte, res Result) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, content) {
		t.Errorf("file holds %d bytes that are not the %d wanted", len(got), len(content))
	}
	sum := sha256.Sum256(content)
	if res.Bytes != int64(len(content)) || res.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("Result is %+v, want %d bytes and SHA-256 %x", res, len(content), sum)
	}
	if _, err := os.Stat(path + partSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("part file: %v, want it gone", err)
	}
}

// marks collects what a ledger would.
type marks struct{ list []Mark }

func (m *marks) on(mark Mark) error { m.list = append(m.list, mark); return nil }
func (m *marks) last() Mark {
	if len(m.list) == 0 {
		return Mark{}
	}
	return m.list[len(m.list)-1]
}

func TestDownload(t *testing.T) {
	for _, size := range []int{0, 1, bufferSize - 1, bufferSize, bufferSize + 1, 3*mib + 17} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			a := newAzure(t, noise(size, 1))
			a.md5 = md5Of(a.content)
			path := filepath.Join(t.TempDir(), "raw")
			var m marks
			var last int64
			res, err := Download(context.Background(), a.source(t), path, Options{
				OnMark: m.on, MarkEvery: mib,
				Progress: func(done, total int64) {
					if done <= last || total != int64(size) {
						t.Errorf("Progress(%d, %d) after %d", done, total, last)
					}
					last = done
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			checkFile(t, path, a.content, res)
			if res.ETag != a.etag || res.Resumed != 0 || last != int64(size) {
				t.Errorf("Result %+v, progress to %d", res, last)
			}
			var want []Mark
			for offset := int64(mib); offset < int64(size); offset += mib {
				want = append(want, Mark{a.etag, offset})
			}
			if !slices.Equal(m.list, want) {
				t.Errorf("marks %v, want %v", m.list, want)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
			}
		})
	}
}

// TestScripts runs the loop against a server that misbehaves by script. Each
// case says which requests it may make of it.
func TestScripts(t *testing.T) {
	content := noise(mib+5, 2)
	other := noise(mib+9, 3)
	const tag, tag2 = `"0x8DC0000000000A"`, `"0x8DC0000000000B"`
	wrongRange := func(contentRange, etag string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", contentRange)
			w.Header().Set("ETag", etag)
			w.WriteHeader(206)
			w.Write(body)
		}
	}
	tests := []struct {
		name    string
		prepare func(a *azure)
		seen    []string // Range and If-Match of each request
		content []byte   // nil: kind tells the error
		kind    Kind
		resumed int
	}{
		{"cut twice", func(a *azure) { a.then(a.serve(300_000), a.serve(300_000)) },
			[]string{"", "bytes=300000- " + tag, "bytes=600000- " + tag}, content, "", 2},
		{"cut before the first byte, then busy", func(a *azure) { a.then(a.serve(0), raw(503, ""), raw(503, "")) },
			[]string{"", tag, tag, tag}, content, "", 0},
		{"cut and replaced: 412, from the start", func(a *azure) {
			a.then(a.serve(300_000), func(w http.ResponseWriter, r *http.Request) { a.replace(other, tag2); a.serve(-1)(w, r) })
		}, []string{"", "bytes=300000- " + tag, ""}, other, "", 0},
		{"If-Match ignored, other blob: not spliced", func(a *azure) {
			a.then(a.serve(300_000), wrongRange("bytes 300000-1048584/1048585", tag2, other[300_000:]))
		}, []string{"", "bytes=300000- " + tag, ""}, content, "", 0},
		{"206 without an ETag", func(a *azure) {
			a.then(a.serve(300_000), wrongRange("bytes 300000-1048580/1048581", "", content[300_000:]))
		}, []string{"", "bytes=300000- " + tag, ""}, content, "", 0},
		{"range from elsewhere", func(a *azure) {
			a.then(a.serve(300_000), wrongRange("bytes 299999-1048580/1048581", tag, content[299_999:]))
		}, []string{"", "bytes=300000- " + tag, ""}, content, "", 0},
		{"range of another total", func(a *azure) {
			a.then(a.serve(300_000), wrongRange("bytes 300000-1048581/1048582", tag, append(content[300_000:len(content):len(content)], 'x')))
		}, []string{"", "bytes=300000- " + tag, ""}, content, "", 0},
		{"range of unknown total", func(a *azure) {
			a.then(a.serve(300_000), wrongRange("bytes 300000-1048580/*", tag, content[300_000:]))
		}, []string{"", "bytes=300000- " + tag, ""}, content, "", 0},
		{"range shorter than its Content-Length", func(a *azure) {
			a.then(a.serve(300_000), func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "100000")
				wrongRange("bytes 300000-1048580/1048581", tag, content[300_000:400_000])(w, r)
			})
		}, []string{"", "bytes=300000- " + tag, ""}, content, "", 0},
		{"range that just ends early", func(a *azure) {
			a.then(a.serve(300_000), wrongRange("bytes 300000-1048580/1048581", tag, content[300_000:400_000]))
		}, []string{"", "bytes=300000- " + tag, "bytes=400000- " + tag}, content, "", 2},
		{"416", func(a *azure) { a.then(a.serve(300_000), refuse(416, "InvalidRange", "m", "")) },
			[]string{"", "bytes=300000- " + tag, ""}, content, "", 0},
		{"Range ignored", func(a *azure) {
			a.then(a.serve(300_000), func(w http.ResponseWriter, r *http.Request) { r.Header.Del("Range"); a.serve(-1)(w, r) })
		}, []string{"", " " + tag}, content, "", 0},
		{"no ETag: cut means from the start", func(a *azure) { a.etag = ""; a.then(a.serve(300_000)) },
			[]string{"", ""}, content, "", 0},
		{"weak ETag counts as none", func(a *azure) { a.etag = "W/" + tag; a.then(a.serve(300_000)) },
			[]string{"", ""}, content, "", 0},
		{"no ETag, cut for ever", func(a *azure) { a.etag = ""; a.then(a.serve(300_000), a.serve(300_000), a.serve(300_000)) },
			[]string{"", "", ""}, nil, KindNetwork, 0},
		{"MD5 right after a resume", func(a *azure) { a.md5 = md5Of(content); a.then(a.serve(300_000)) },
			[]string{"", "bytes=300000- " + tag}, content, "", 1},
		{"MD5 wrong once", func(a *azure) {
			a.md5 = md5Of(content)
			bad := bytes.Clone(content)
			bad[77]++
			a.then(func(w http.ResponseWriter, r *http.Request) {
				a.replace(bad, tag)
				a.serve(-1)(w, r)
				a.replace(content, tag)
			})
		}, []string{"", ""}, content, "", 0},
		{"MD5 wrong always", func(a *azure) { a.md5 = md5Of(other) },
			[]string{"", "", ""}, nil, KindMismatch, 0},
		{"changes under each attempt", func(a *azure) {
			cut := a.serve(300_000)
			gone := refuse(412, "ConditionNotMet", "m", "")
			a.then(cut, gone, cut, gone, cut, gone)
		}, []string{"", "bytes=300000- " + tag, "", "bytes=300000- " + tag, "", "bytes=300000- " + tag}, nil, KindChanged, 0},
		{"expires in the middle", func(a *azure) {
			a.then(a.serve(300_000), refuse(403, "AuthenticationFailed", authFailed, "Signature not valid in the specified time frame: Start [] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 10:20:00 GMT]"))
		}, []string{"", "bytes=300000- " + tag}, nil, KindExpired, 0},
		{"no progress", func(a *azure) { a.then(a.serve(100), a.serve(100), a.serve(100), a.serve(100)) },
			[]string{"", "bytes=100- " + tag, "bytes=200- " + tag, "bytes=300- " + tag}, nil, KindNetwork, 3},
		{"busy for longer than patience", func(a *azure) { a.then(a.serve(300_000), raw(503, "", "Retry-After", "3")) },
			[]string{"", "bytes=300000- " + tag}, nil, KindBusy, 0},
		{"busy, with a short wait stated", func(a *azure) { a.then(raw(429, "", "Retry-After", "1")) },
			[]string{"", ""}, content, "", 0},
		{"busy without end", func(a *azure) {
			for range 8 {
				a.then(refuse(500, "InternalError", "m", ""))
			}
		}, []string{"", "", "", "", "", "", "", ""}, nil, KindBusy, 0},
		{"too large, as stated", func(a *azure) { a.replace(make([]byte, 2*mib+1), tag) },
			[]string{""}, nil, KindTooLarge, 0},
		{"too large, length not stated", func(a *azure) {
			a.then(func(w http.ResponseWriter, _ *http.Request) {
				w.(http.Flusher).Flush()
				w.Write(make([]byte, 2*mib+1))
			})
		}, []string{""}, nil, KindTooLarge, 0},
		{"length not stated", func(a *azure) {
			a.then(func(w http.ResponseWriter, _ *http.Request) {
				w.(http.Flusher).Flush()
				w.Write(content)
			})
		}, []string{""}, content, "", 0},
		{"length not stated, cut", func(a *azure) {
			a.then(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", tag)
				w.(http.Flusher).Flush()
				send(w, content, 300_000)
			})
		}, []string{"", "bytes=300000- " + tag}, content, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAzure(t, content)
			tt.prepare(a)
			path := filepath.Join(t.TempDir(), "raw")
			begin := time.Now()
			var m marks
			res, err := Download(context.Background(), a.source(t), path, Options{MaxBytes: 2 * mib, MarkEvery: 1 << 40, OnMark: m.on})
			if slept := time.Since(begin); slept > 2*MaxPatience {
				t.Errorf("took %v, patience is %v", slept, MaxPatience)
			}
			for i := range tt.seen {
				tt.seen[i] = strings.TrimSpace(tt.seen[i])
			}
			if got := a.seen(); !slices.Equal(got, tt.seen) {
				t.Errorf("requests %q\nwant     %q", got, tt.seen)
			}
			if tt.content != nil {
				if err != nil {
					t.Fatal(err)
				}
				checkFile(t, path, tt.content, res)
				if res.Resumed != tt.resumed {
					t.Errorf("Resumed = %d, want %d", res.Resumed, tt.resumed)
				}
				return
			}
			link, ok := errors.AsType[*LinkError](err)
			if !ok || link.Kind != tt.kind || link.Host == "" {
				t.Fatalf("Download = %v, want kind %q with a host", err, tt.kind)
			}
			wantNoSecret(t, err.Error())
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("final file: %v, want none", err)
			}
			info, err := os.Stat(path + partSuffix)
			if useless := tt.kind == KindTooLarge || tt.kind == KindMismatch; useless != errors.Is(err, os.ErrNotExist) {
				t.Errorf("part file: %v, %v; useless %v", info, err, useless)
			}
			if mark := m.last(); mark.Offset > 0 && (info == nil || info.Size() < mark.Offset) {
				t.Errorf("mark %v promises more than the part file holds: %v", mark, info)
			}
		})
	}
}

// TestResumeAfterRestart: a second Download, as another process would run it,
// with another link to the same blob.
func TestResumeAfterRestart(t *testing.T) {
	content := noise(3*mib, 4)
	const tag = `"0x8DC0000000000A"`
	sum := md5Of(content)
	tests := []struct {
		name    string
		mark    Mark
		part    []byte
		md5     []byte
		seen    []string
		mark0   bool // the mark is taken back
		resumed int
	}{
		{"at its mark, torn tail behind it", Mark{tag, mib}, append(bytes.Clone(content[:mib]), make([]byte, 1000)...), sum,
			[]string{"bytes=1048576- " + tag}, false, 1},
		{"no MD5 stated", Mark{tag, 2 * mib}, content[:2*mib], nil, []string{"bytes=2097152- " + tag}, false, 1},
		{"part shorter than the mark", Mark{tag, 2 * mib}, content[:mib], sum, []string{""}, true, 0},
		{"no part", Mark{tag, mib}, nil, sum, []string{""}, true, 0},
		{"no mark", Mark{}, noise(mib, 9), sum, []string{""}, false, 0},
		{"mark without ETag", Mark{"", mib}, content[:mib], sum, []string{""}, true, 0},
		{"mark of another blob", Mark{`"0xOLD"`, mib}, noise(mib, 9), sum, []string{`bytes=1048576- "0xOLD"`, ""}, true, 0},
		{"mark at the very end", Mark{tag, 3 * mib}, content, sum, []string{"bytes=3145728- " + tag, ""}, true, 0},
		{"part damaged under its mark", Mark{tag, mib}, noise(mib, 9), sum, []string{"bytes=1048576- " + tag, ""}, true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAzure(t, content)
			a.md5 = tt.md5
			path := filepath.Join(t.TempDir(), "raw")
			if tt.part != nil {
				if err := os.WriteFile(path+partSuffix, tt.part, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var m marks
			res, err := Download(context.Background(), a.source(t), path, Options{Mark: tt.mark, OnMark: m.on})
			if err != nil {
				t.Fatal(err)
			}
			checkFile(t, path, content, res)
			if got := a.seen(); !slices.Equal(got, tt.seen) {
				t.Errorf("requests %q, want %q", got, tt.seen)
			}
			if back := slices.Contains(m.list, Mark{}); back != tt.mark0 {
				t.Errorf("marks %v, taken back: %v, want %v", m.list, back, tt.mark0)
			}
			if res.Resumed != tt.resumed {
				t.Errorf("Resumed = %d, want %d", res.Resumed, tt.resumed)
			}
		})
	}
}

// TestStopAndGoOn ends a Download in the middle and finishes it with the mark
// it left.
func TestStopAndGoOn(t *testing.T) {
	content := noise(2*mib, 5)
	a := newAzure(t, content)
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	a.then(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", a.etag)
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.Write(content[:mib+100])
		w.(http.Flusher).Flush()
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	path := filepath.Join(t.TempDir(), "raw")
	stopping := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(context.Background())
	var m marks
	_, err := Download(ctx, a.source(t), path, Options{OnMark: m.on, Progress: func(done, _ int64) {
		if done == mib {
			cancel(stopping)
		}
	}})
	if _, isLink := errors.AsType[*LinkError](err); isLink || !errors.Is(err, stopping) {
		t.Fatalf("Download = %v, want the cause and no *LinkError", err)
	}
	if mark := m.last(); mark.ETag != a.etag || mark.Offset < mib {
		t.Fatalf("mark %v, want at least 1 MiB of %s", mark, a.etag)
	}
	res, err := Download(context.Background(), a.source(t), path, Options{Mark: m.last(), OnMark: m.on})
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, content, res)
	if res.Resumed != 1 {
		t.Errorf("Resumed = %d, want 1", res.Resumed)
	}
}

// TestLocalTrouble comes back as it is: it says nothing about the link.
func TestLocalTrouble(t *testing.T) {
	ledger := errors.New("ledger closed")
	a := newAzure(t, noise(mib, 6))
	dir := t.TempDir()
	tests := []struct {
		name string
		path string
		opt  Options
		want error
	}{
		{"no folder", filepath.Join(dir, "none", "raw"), Options{}, os.ErrNotExist},
		{"mark not recorded", filepath.Join(dir, "a"), Options{MarkEvery: 1, OnMark: func(Mark) error { return ledger }}, ledger},
		{"mark not taken back", filepath.Join(dir, "b"), Options{Mark: Mark{"x", 5}, OnMark: func(Mark) error { return ledger }}, ledger},
	}
	for _, tt := range tests {
		_, err := Download(context.Background(), a.source(t), tt.path, tt.opt)
		if _, isLink := errors.AsType[*LinkError](err); isLink || !errors.Is(err, tt.want) {
			t.Errorf("%s: Download = %v, want %v and no *LinkError", tt.name, err, tt.want)
		}
	}
}

// TestFullDisk: a write that the disk refuses is the disk's trouble.
func TestFullDisk(t *testing.T) {
	file, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("SKIPPED: no /dev/full here, ENOSPC not shown: %v", err)
	}
	defer file.Close()
	p := &part{file: file, buffer: make([]byte, 10)}
	err = p.write(10)
	if _, ok := errors.AsType[*diskError](err); !ok || !errors.Is(err, syscall.ENOSPC) || p.offset != 0 {
		t.Errorf("write = %v at %d, want ENOSPC of the disk and no progress", err, p.offset)
	}
}

func TestExisting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raw")
	if res, ok, err := Existing(path); ok || err != nil || res != (Result{}) {
		t.Errorf("Existing of nothing = %+v, %v, %v", res, ok, err)
	}
	content := noise(mib+1, 7)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	res, ok, err := Existing(path)
	if !ok || err != nil {
		t.Fatalf("Existing = %v, %v", ok, err)
	}
	checkFile(t, path, content, res)
	if _, _, err := Existing(filepath.Dir(path)); err == nil {
		t.Error("Existing of a folder is no error")
	}
}

// TestMemoryStaysFlat: what a Download allocates does not grow with the blob.
func TestMemoryStaysFlat(t *testing.T) {
	cost := func(size int) uint64 {
		src := blob(noise(size, 8))
		path := filepath.Join(t.TempDir(), "raw")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Download(context.Background(), src, path, Options{MarkEvery: mib}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := cost(mib), cost(48*mib)
	if large > small+128<<10 {
		t.Errorf("1 MiB allocates %d bytes, 48 MiB %d", small, large)
	}
}

// blob is a Source in memory.
type blob []byte

func (b blob) Open(_ context.Context, offset int64, etag string) (*Body, error) {
	if etag == "" {
		offset = 0
	}
	return &Body{ReadCloser: io.NopCloser(bytes.NewReader(b[offset:])), Offset: offset, Size: int64(len(b)), ETag: `"blob"`, Framed: true}, nil
}

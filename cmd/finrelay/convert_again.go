package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"finrelay/exporter"
	"finrelay/exporter/convert"
)

// repeatError ends a first pass: a second one, with what the first has learned,
// gives every row of a composite the same child records.
type repeatError struct {
	res   convert.Result
	named int64 // bad rows of which was spoken already
}

func (e *repeatError) Error() string { return "the records of a composite came late" }

// again says whether the pass that gave res is worth nothing but what it has
// learned. What can be read of a broken document goes to standard output, so a
// pass that kept it back is repeated too.
func (s *badRows) again(res convert.Result, err error, can convert.Repeat) error {
	if !res.Repeat {
		return nil
	}
	at, broken := errors.AsType[*exporter.RecordError](err)
	if err != nil && (can != convert.RepeatUnseen || !broken || at.Line == 0) {
		return nil
	}
	s.cv.progress.add(-res.Bytes, -s.rows)
	return &repeatError{res, s.bad}
}

// twice pours a stream, at most twice. can says what can be done about what the
// first time has written.
func (cv *conversion) twice(from data, opt convert.Options, can convert.Repeat, pour func(data, convert.Options) error) error {
	if from.again == nil {
		return pour(from, opt)
	}
	from.began = time.Now()
	opt.Repeat = can
	err := pour(from, opt)
	first, ok := errors.AsType[*repeatError](err)
	if !ok {
		return err
	}
	r, err := from.again()
	if err != nil {
		return err
	}
	from.Reader, from.named = r, first.named
	return errors.Join(pour(from, opt.Again(first.res)), r.Close())
}

// pourFile pours into a file, which is emptied before each pass and durable after
// the last.
func (cv *conversion) pourFile(ctx context.Context, from data, f *os.File, opt convert.Options) error {
	return cv.twice(from, opt, convert.RepeatAfresh, func(from data, opt convert.Options) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		w := &flusher{file: f}
		defer w.stop()
		if err := cv.pour(ctx, from, w, opt); err != nil {
			return err
		}
		return w.Sync()
	})
}

// keepPipe makes a pipe that may hold XML one that can be read again, where its
// rows go to a file. The caller calls forget. That the copy cannot be made counts
// only when it is needed.
func (cv *conversion) keepPipe(from data, head []byte) (_ data, forget func() error) {
	if from.again != nil || !cv.schema && !becomesFile(cv.target.out) || !maybeXML(head) {
		return from, func() error { return nil }
	}
	kept := &keptPipe{Reader: from.Reader, name: from.name}
	from.Reader, from.again = kept, kept.again
	return from, kept.forget
}

// keptPipe keeps what is read from a pipe in a temporary file.
type keptPipe struct {
	io.Reader
	name   string
	file   *os.File // nil before the first Read, and after err
	remove func()
	size   int64
	err    error // why there is no copy
}

func (k *keptPipe) Read(p []byte) (int, error) {
	n, err := k.Reader.Read(p)
	if k.file == nil && k.err == nil {
		k.file, k.remove, k.err = tempFile()
	}
	if k.err == nil {
		_, k.err = k.file.Write(p[:n])
		k.size += int64(n)
	}
	return n, err
}

func (k *keptPipe) again() (io.ReadCloser, error) {
	if k.err != nil {
		return nil, fmt.Errorf("read %s again, as a composite whose records come late wants it: no copy was kept: %w; convert it from a file, or name its records with --child", k.name, k.err)
	}
	return io.NopCloser(io.NewSectionReader(k.file, 0, k.size)), nil
}

func (k *keptPipe) forget() error {
	if k.file == nil {
		return nil
	}
	defer k.remove()
	return k.file.Close()
}

// tempFile makes a temporary file. Where the system allows that it has no name any
// more, so that nothing is left of it even when the process is killed; the
// caller closes it and then calls remove.
func tempFile() (f *os.File, remove func(), err error) {
	f, err = os.CreateTemp("", "finrelay-convert-")
	if err != nil {
		return nil, nil, err
	}
	_ = os.Remove(f.Name()) // most systems let this
	return f, func() { _ = os.Remove(f.Name()) }, nil
}

// maybeXML looks at the first bytes of a stream, whatever its encoding.
func maybeXML(head []byte) bool {
	head = bytes.TrimLeft(head, "\x00\xef\xbb\xbf\xfe\xff \t\r\n")
	return len(head) == 0 || head[0] == '<'
}

// becomesFile says whether --out makes a file, rather than feeds a pipe.
func becomesFile(out string) bool {
	if out == "" {
		return false
	}
	info, err := os.Stat(out)
	return err != nil || info.IsDir() || info.Mode().IsRegular()
}

// mostChildren is how many flags a note spells out.
const mostChildren = 20

// unevenText says what to do about rows that lack arrays which others have; ""
// when none does.
func unevenText(res convert.Result) string {
	if !res.Uneven {
		return ""
	}
	text := "rows before the first record of a kind lack its array; with --out to a file all rows have it"
	if len(res.Records) <= mostChildren {
		text += ", or with --child " + strings.Join(res.Records, " --child ")
	}
	return text
}

// noteRecords says what of the shape of a composite is not the same in all rows.
func (cv *conversion) noteRecords(from data, res convert.Result) {
	for _, text := range []string{unevenText(res), res.RecordsText()} {
		if text != "" {
			cv.note(fmt.Sprintf("%s: %s", from.name, text))
		}
	}
}

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"finrelay/exporter/convert"
)

// one converts one stream to a file, or to standard output when out is empty.
func (cv *conversion) one(ctx context.Context, from data, out string, opt convert.Options) error {
	if cv.trying != nil {
		return cv.try(ctx, from, out)
	}
	pourTo := func(w io.Writer, can convert.Repeat) error {
		return cv.twice(from, opt, can, func(from data, opt convert.Options) error { return cv.pour(ctx, from, w, opt) })
	}
	switch {
	case cv.schema:
		return pourTo(cv.app.stdout, convert.RepeatAfresh)
	case out == "":
		return pourTo(cv.app.stdout, convert.RepeatUnseen)
	}
	// A pipe or device takes the rows itself: a file must not stand in its place.
	if info, err := os.Stat(out); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(out, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(pourTo(f, convert.RepeatUnseen), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*.tmp")
	if err != nil {
		return err
	}
	err = cv.pourFile(ctx, from, f, opt)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// target is where the rows of one input go.
type target struct {
	out    string // --out; "" is standard output
	format string // jsonl or json; the files' extension too
	stem   string // of one of several inputs: what its file or folder in out is called; else ""
}

// file is where the rows of the only data file go, which is called name: into
// --out when that is a folder already.
func (t target) file(name string) string {
	switch info, err := os.Stat(t.out); {
	case t.out == "":
		return ""
	case t.stem != "":
		return filepath.Join(t.out, t.stem+"."+t.format)
	case err != nil || !info.IsDir():
		return t.out
	}
	return filepath.Join(t.out, newOutNames(t.format).claim(name)+"."+t.format)
}

// folder is where the rows of several data files go.
func (t target) folder() string { return filepath.Join(t.out, t.stem) }

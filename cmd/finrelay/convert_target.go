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
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// single is where the rows of the only data file go, which is called name: into
// --out when that is a folder already.
func (cv *conversion) single(name string) string {
	if info, err := os.Stat(cv.out); cv.out == "" || err != nil || !info.IsDir() {
		return cv.out
	}
	return filepath.Join(cv.out, distinct(map[string]bool{}, name)+"."+cv.format)
}

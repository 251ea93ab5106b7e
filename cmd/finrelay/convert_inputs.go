package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finrelay/exporter/convert"
)

// inputs converts several files: to files named after them in the folder --out,
// some at once, or one after the other to standard output.
func (cv *conversion) inputs(ctx context.Context, names []string, opt convert.Options) error {
	if err := cv.checkInputs(names); err != nil {
		return usage(err)
	}
	if cv.target.out != "" {
		if err := os.MkdirAll(cv.target.out, 0o755); err != nil {
			return err
		}
	}
	atOnce := 1
	if cv.target.out != "" || cv.schema {
		atOnce = inputsAtOnce()
		opt.Cores = coresOfPart(atOnce)
	}
	cv.progress.ofInputs(names)
	var parts []*part
	outs := newOutNames(cv.target.format)
	for _, name := range names {
		p := cv.part(func(ctx context.Context, p *part) error {
			defer p.progress.inputDone()
			p.progress.openInput(name)
			return p.convertFile(ctx, name, name, opt)
		})
		p.target.stem = outs.claim(name)
		parts = append(parts, p)
	}
	if err := cv.overwritesInput(names, parts); err != nil {
		return usage(err)
	}
	refused, partly, err := cv.runParts(ctx, parts, atOnce)
	if err != nil {
		return err
	}
	return cv.judge(refused, partly, len(names), "files", cv.target.folder())
}

// inputsAtOnce is how many inputs are converted at a time: one more than
// partsAtOnce, since one is always waiting for the disk.
func inputsAtOnce() int { return partsAtOnce() + 1 }

func (cv *conversion) checkInputs(names []string) error {
	if slices.Contains(names, "-") {
		return errors.New("standard input (-) cannot be one of several inputs")
	}
	for _, name := range names {
		if isPipe(name) {
			return fmt.Errorf("%s is a pipe, which cannot be one of several inputs", name)
		}
	}
	if cv.target.out == "" {
		if cv.target.format == "json" && !cv.schema {
			return fmt.Errorf("--format json makes one array of each input: name a folder with --out")
		}
		return nil
	}
	if info, err := os.Stat(cv.target.out); err == nil && !info.IsDir() {
		return fmt.Errorf("--out %s is a file: the rows of %d inputs go into a folder", cv.target.out, len(names))
	}
	return nil
}

// overwritesInput refuses outputs that would take the place of an input: its
// file, or one in a package's folder that holds inputs.
func (cv *conversion) overwritesInput(names []string, parts []*part) error {
	if cv.target.out == "" || cv.schema {
		return nil
	}
	out, err := os.Stat(cv.target.out)
	if err != nil {
		return err
	}
	// What stands in --out, or in a folder in it, in lower case.
	files, folders := map[string]string{}, map[string]string{}
	here := map[string]bool{} // whether a folder, as it is spelled, is --out
	for _, name := range names {
		folder := filepath.Dir(name)
		is, known := here[folder]
		if !known {
			info, err := os.Stat(folder)
			is = err == nil && os.SameFile(info, out)
			here[folder] = is
		}
		if is {
			files[strings.ToLower(filepath.Base(name))] = name
		} else if below, err := filepath.Rel(cv.target.out, folder); err == nil {
			folders[strings.ToLower(below)] = folder
		}
	}
	for _, p := range parts {
		stem := strings.ToLower(p.target.stem)
		if name := files[stem+"."+p.target.format]; name != "" {
			return fmt.Errorf("%s is an input, and the rows of another would take its place: name another folder with --out", name)
		}
		if folder := folders[stem]; folder != "" {
			return fmt.Errorf("%s holds inputs, and rows of a package may take their place: name another folder with --out", folder)
		}
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"finrelay/exporter/convert"
	"finrelay/exporter/unpack"
)

// members writes each member that can be written to the folder, whatever is
// wrong with its neighbours.
func (cv *conversion) members(ctx context.Context, contents *unpack.Contents, members []unpack.Member, name string, opt convert.Options) error {
	folder := cv.target.folder()
	if !cv.schema {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	var total int64
	for _, m := range members {
		total += m.Size
	}
	cv.progress.begin(total)
	atOnce := partsAtOnce()
	if cv.inPart {
		atOnce = 1 // the other cores have inputs of their own
	}
	if opt.Cores == 0 && len(members) > 1 {
		opt.Cores = coresOfPart(atOnce)
	}
	var parts []*part
	names := newOutNames(cv.target.format)
	for _, m := range members {
		out := ""
		if !cv.schema {
			out = filepath.Join(folder, names.claim(m.Name)+"."+cv.target.format)
		}
		parts = append(parts, cv.part(func(ctx context.Context, p *part) error {
			return p.member(ctx, contents, m, name, out, opt)
		}))
	}
	refused, partly, err := cv.runParts(ctx, parts, atOnce)
	if err != nil {
		return err
	}
	return cv.judge(refused, partly, len(members), "data files", folder)
}

func (cv *conversion) pick(contents *unpack.Contents, name string) ([]unpack.Member, error) {
	var picked []unpack.Member
	for _, m := range contents.Members {
		if cv.entity == "" || m.Name == "" || strings.EqualFold(m.Entity, cv.entity) {
			picked = append(picked, m)
		}
	}
	if cv.trying != nil && cv.entity == "" {
		picked = cv.takenBy(picked, name)
	}
	if len(picked) == 0 && len(contents.Members) > 0 && cv.trying != nil && cv.entity == "" {
		return nil, fmt.Errorf("flow %s takes no data file of %s", cv.flow, name)
	}
	if len(picked) == 0 && len(contents.Members) > 0 {
		return nil, fmt.Errorf("%s holds no entity %q; it holds %s", name, cv.entity, strings.Join(entities(contents.Members), ", "))
	}
	if len(picked) == 0 {
		return nil, fmt.Errorf("%s holds no data file", name)
	}
	return picked, nil
}

// lacking names the data files that a package declares and does not hold, as
// far as they were asked for; the others are only noted.
func (cv *conversion) lacking(contents *unpack.Contents, name string) error {
	var lacking []error
	for _, m := range contents.Missing {
		err := fmt.Errorf("%s: the manifest names %s for %s, but the package does not hold it", name, m.File, m.Entity)
		if cv.entity != "" && !strings.EqualFold(m.Entity, cv.entity) {
			cv.note(err.Error())
			continue
		}
		lacking = append(lacking, err)
	}
	return errors.Join(lacking...)
}

// beside puts what a package lacks beside what became of the rest of it. A part
// that was never there counts as one that cannot be read.
func (cv *conversion) beside(lacking, err error) error {
	switch {
	case lacking == nil:
		return err
	case err == nil && cv.badRows > 0 && !cv.inPart:
		lacking = fmt.Errorf("%w; %s", lacking, leftOut(cv.badRows))
	}
	if !cv.strict && (err == nil || exitCode(err) == exitParked) {
		return &codedError{exitParked, errors.Join(lacking, err)}
	}
	return errors.Join(lacking, err)
}

// nameOf is what to call a data file of the input called name.
func (cv *conversion) nameOf(m unpack.Member, name string) string {
	if cv.target.stem != "" && m.Name != "" {
		return name + "/" + m.Name // of several inputs
	}
	return cmp.Or(m.Name, name) // a bare file is no member and has no name of its own
}

func entities(members []unpack.Member) []string {
	var names []string
	for _, m := range members {
		names = append(names, m.Entity)
	}
	return names
}

func (cv *conversion) member(ctx context.Context, contents *unpack.Contents, m unpack.Member, name, out string, opt convert.Options) (err error) {
	if m.Err != nil {
		return m.Err
	}
	r, err := contents.Open(m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if opt.Entity = m.Entity; m.Name == "" && cv.entity != "" {
		opt.Entity = cv.entity // of a workbook: it names the sheet
	}
	from := data{Reader: r, name: cv.nameOf(m, name), entity: m.Entity, target: m.TargetEntity, size: m.Size}
	if cv.trying != nil {
		from.entity = opt.Entity
	}
	from.again = func() (io.ReadCloser, error) { return contents.Open(m) }
	return cv.one(ctx, from, out, opt)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finrelay/exporter/convert"
	"finrelay/exporter/unpack"
)

// members writes each member that can be written to the folder, whatever is
// wrong with its neighbours.
func (cv *conversion) members(ctx context.Context, contents *unpack.Contents, members []unpack.Member, name string, opt convert.Options) error {
	if !cv.schema {
		if err := os.MkdirAll(cv.out, 0o755); err != nil {
			return err
		}
	}
	var refused []error
	taken := map[string]bool{}
	for _, m := range members {
		out := ""
		if !cv.schema {
			out = filepath.Join(cv.out, distinct(taken, m.Name)+"."+cv.format)
		}
		err := cv.member(ctx, contents, m, name, out, opt)
		if err != nil && (ctx.Err() != nil || ofDisk(err)) {
			return errors.Join(append(refused, err)...)
		}
		if err != nil {
			refused = append(refused, err)
		}
	}
	err := errors.Join(refused...)
	// --strict is for those who want a failure, not a part.
	if err == nil || len(refused) == len(members) || cv.strict {
		return err
	}
	where := "the others are in " + cv.out
	if cv.schema {
		where = "the others were read"
	}
	err = fmt.Errorf("%w\n%d of %d data files were refused, %s", err, len(refused), len(members), where)
	if cv.badRows > 0 {
		err = fmt.Errorf("%w; %s", err, leftOut(cv.badRows))
	}
	return &codedError{exitParked, err}
}

// ofDisk says whether files failed us, not the data: then the next member
// would fare no better.
func ofDisk(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	return path || link
}

// distinct names the file of a member: its own name without folder and
// extension, with a number where another member has that already, whatever the
// letter case.
func distinct(taken map[string]bool, member string) string {
	base := filepath.Base(member)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	name := stem
	for n := 2; taken[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s (%d)", stem, n)
	}
	taken[strings.ToLower(name)] = true
	return name
}

func (cv *conversion) pick(contents *unpack.Contents, name string) ([]unpack.Member, error) {
	var picked []unpack.Member
	for _, m := range contents.Members {
		if cv.entity == "" || m.Name == "" || strings.EqualFold(m.Entity, cv.entity) {
			picked = append(picked, m)
		}
	}
	if len(picked) == 0 && len(contents.Members) > 0 {
		return nil, fmt.Errorf("%s holds no entity %q; it holds %s", name, cv.entity, strings.Join(entities(contents.Members), ", "))
	}
	if len(picked) == 0 {
		return nil, fmt.Errorf("%s holds no data file", name)
	}
	return picked, nil
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
	from := data{Reader: r, name: cmp.Or(m.Name, name), entity: m.Entity, size: m.Size} // a bare file is no member and has no name of its own
	return cv.one(ctx, from, out, opt)
}

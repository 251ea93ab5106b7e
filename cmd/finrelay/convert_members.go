package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"finrelay/exporter/convert"
	"finrelay/exporter/unpack"
)

// membersAtOnce is how many data files of a package are converted at a time.
// Each keeps more than one core busy, and each has some megabytes in hand.
func membersAtOnce() int { return min(2, runtime.GOMAXPROCS(0)) }

// report is what is to be said of one data file.
type report struct{ bad, notes []string }

// part is the conversion of one of several data files.
type part struct {
	conversion
	member unpack.Member
	path   string
	err    error
	done   chan struct{} // closed when err is known
}

// members writes each member that can be written to the folder, whatever is
// wrong with its neighbours. Several are converted at once; what they have to
// say comes in the order of the package.
func (cv *conversion) members(ctx context.Context, contents *unpack.Contents, members []unpack.Member, name string, opt convert.Options) error {
	if !cv.schema {
		if err := os.MkdirAll(cv.out, 0o755); err != nil {
			return err
		}
	}
	var total int64
	for _, m := range members {
		total += m.Size
	}
	cv.progress.begin(total)
	parts := cv.parts(members)
	ctx, stop := context.WithCancelCause(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop(errOtherFailed)
	var next atomic.Int64
	for range membersAtOnce() {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(parts)); i = next.Add(1) - 1 {
				parts[i].run(ctx, contents, name, opt)
			}
		})
	}
	var refused []error
	for _, p := range parts {
		<-p.done
		cv.take(p)
		if p.err != nil {
			refused = append(refused, p.err)
		}
		if p.err != nil && (ctx.Err() != nil || ofDisk(p.err)) {
			return errors.Join(refused...)
		}
	}
	return cv.partly(refused, len(members))
}

// errOtherFailed ends the conversions beside one that met an error of the disk.
var errOtherFailed = errors.New("another data file could not be written")

func (cv *conversion) parts(members []unpack.Member) []*part {
	taken := map[string]bool{}
	parts := make([]*part, len(members))
	for i, m := range members {
		p := &part{conversion: *cv, member: m, done: make(chan struct{})}
		if !cv.schema {
			p.path = filepath.Join(cv.out, distinct(taken, m.Name)+"."+cv.format)
		}
		p.files, p.later = nil, new(report)
		parts[i] = p
	}
	return parts
}

func (p *part) run(ctx context.Context, contents *unpack.Contents, name string, opt convert.Options) {
	defer close(p.done)
	if p.err = context.Cause(ctx); p.err == nil {
		p.err = p.conversion.member(ctx, contents, p.member, name, p.path, opt)
	}
}

// take says what the part has to say, and counts what it left out.
func (cv *conversion) take(p *part) {
	for _, line := range p.later.bad {
		cv.showBad(line)
	}
	for _, line := range p.later.notes {
		cv.note(line)
	}
	cv.badRows += p.badRows
	cv.files = append(cv.files, p.files...)
}

// showBad names a bad row, unless many were named already.
func (cv *conversion) showBad(line string) {
	if cv.badShown++; cv.badShown > mostBadShown {
		return
	}
	if cv.later != nil {
		cv.later.bad = append(cv.later.bad, line)
		return
	}
	cv.progress.clear()
	fmt.Fprintln(cv.app.stderr, "finrelay:", line)
}

func (cv *conversion) note(line string) {
	if cv.later != nil {
		cv.later.notes = append(cv.later.notes, line)
		return
	}
	cv.progress.clear()
	fmt.Fprintln(cv.app.stderr, "finrelay:", line)
}

// partly judges a package of which some data files were refused.
func (cv *conversion) partly(refused []error, of int) error {
	err := errors.Join(refused...)
	// --strict is for those who want a failure, not a part.
	if err == nil || len(refused) == of || cv.strict {
		return err
	}
	where := "the others are in " + cv.out
	if cv.schema {
		where = "the others were read"
	}
	err = fmt.Errorf("%w\n%d of %d data files were refused, %s", err, len(refused), of, where)
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
	from.again = func() (io.ReadCloser, error) { return contents.Open(m) }
	return cv.one(ctx, from, out, opt)
}

package outputs

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"strings"
	"sync"
)

// FilesOptions describes a file output.
type FilesOptions struct {
	Name     string // required
	Folder   string // required
	Template string // default: DefaultTemplate
	Format   string // FormatJSONL (default) or FormatJSON
	Envelope bool   // wrap each row with entity, legal entity, order key and export id
}

// Files is the file output: a tree of data files with manifests below one
// folder. Safe for concurrent use.
type Files struct {
	name     string
	folder   string
	template Template
	format   string
	envelope bool
	trace    func(step, name string) error // for tests

	durable durableFolders

	mu   sync.Mutex
	open map[string]*attempt // by export id

	// commits keeps two exports from finding the same path free at the same
	// time. Locks are shared among paths by hash: waiting for a stranger now
	// and then is cheaper than book-keeping for each path.
	commits [64]sync.Mutex
}

var _ Output = (*Files)(nil)

// NewFiles checks the options. It does not touch the disk: a folder that is
// out of reach must not keep the program from taking in events.
func NewFiles(o FilesOptions) (*Files, error) {
	if o.Name == "" {
		return nil, errors.New("a file output needs a name")
	}
	if o.Folder == "" {
		return nil, fmt.Errorf("output %s: needs a folder", o.Name)
	}
	if o.Format == "" {
		o.Format = FormatJSONL
	}
	if o.Format != FormatJSONL && o.Format != FormatJSON {
		return nil, fmt.Errorf("output %s: unknown format %q; use %s or %s", o.Name, o.Format, FormatJSONL, FormatJSON)
	}
	if o.Template == "" {
		o.Template = strings.TrimSuffix(DefaultTemplate, FormatJSONL) + o.Format
	}
	t, err := ParseTemplate(o.Template)
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", o.Name, err)
	}
	return &Files{
		name:     o.Name,
		folder:   filepath.Clean(o.Folder),
		template: t,
		format:   o.Format,
		envelope: o.Envelope,
		open:     map[string]*attempt{},
	}, nil
}

// Name is the output's name in the configuration.
func (f *Files) Name() string { return f.name }

// Begin starts an attempt: it makes the folders below the output's own durable
// and opens the temporary data file. Safe to call while an older attempt of the same export
// is still in another goroutine's hands: that one is discarded, or, if it is
// just committing, waited for.
func (f *Files) Begin(ctx context.Context, marker string, e Export) (Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.ID == "" {
		return nil, fmt.Errorf("begin in output %s: the export has no id", f.name)
	}
	a := &attempt{out: f, marker: marker, export: e}
	a.mu.Lock() // before others can see it: a still younger attempt waits until this one is whole
	defer a.mu.Unlock()

	f.mu.Lock()
	older := f.open[e.ID]
	f.open[e.ID] = a
	f.mu.Unlock()

	if older != nil {
		older.supersede()
	}
	if err := a.start(); err != nil {
		return nil, fmt.Errorf("begin export %s: %w", e.ID, errors.Join(err, a.end(err)))
	}
	return a, nil
}

// forget ends the book-keeping for an attempt, unless a younger one has its
// place already.
func (f *Files) forget(a *attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[a.export.ID] == a {
		delete(f.open, a.export.ID)
	}
}

// commitLock gives the lock for a path. Letter case is folded, for disks that
// take two such paths for one.
func (f *Files) commitLock(path string) *sync.Mutex {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(path)))
	return &f.commits[h.Sum32()%uint32(len(f.commits))]
}

package main

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"
)

// disk replays a recording and knows at each moment what a disk would hold
// after a power cut: what no fsync has covered may be gone.
//
//	data of a file       durable up to the last fsync or fdatasync of that
//	                     file that began after the write ended
//	names in a folder    a journal of changes (create, rename, unlink, mkdir);
//	                     how much of it survives is the question of the models
type disk struct {
	root    string
	top     *inode
	fds     map[int64]*openFile
	journal []*nameChange
	forced  int // changes that a file system with one ordered journal has written
	clock   int

	answered map[string]bool // events whose 2xx has begun to leave the process

	// ignore makes an fsync of the file with this name do nothing: the proof
	// that the test would see it missing.
	ignore func(name string) bool
	began  map[*sysCall]syncBegin
}

// inode is a file or a folder.
type inode struct {
	folder  bool
	name    string // the last one it had, for ignore and messages
	names   map[string]*inode
	live    []byte
	durable []byte
	pending []fileChange
}

// fileChange is a write or, when data is nil, a new length.
type fileChange struct {
	at   int
	off  int64
	data []byte
}

// nameChange is what one call did to the names of folders, all or nothing.
type nameChange struct {
	at      int
	set     []nameSet
	durable bool // the folder was synced since
}

type nameSet struct {
	folder *inode
	name   string
	to     *inode // nil: the name is gone
}

type openFile struct {
	node *inode // nil: not below the root
	pos  int64
}

type syncBegin struct{ at, journal int }

func newDisk(root string) *disk {
	top := &inode{folder: true, names: map[string]*inode{}}
	return &disk{root: root, top: top, fds: map[int64]*openFile{}, answered: map[string]bool{}, began: map[*sysCall]syncBegin{}}
}

// hold puts a durable file in that was there before the recording.
func (d *disk) hold(name string, body []byte) {
	d.change(nameSet{d.top, name, &inode{live: slices.Clone(body), durable: slices.Clone(body)}})
	d.journal[len(d.journal)-1].durable = true
}

// cut is a model of what a power cut leaves.
type cut string

const (
	// strictCut: a name is there only if its folder was synced since.
	strictCut cut = "strict"
	// orderedCut: any fsync forces all changes of names before it, in order,
	// as one journal does; nothing after the last fsync survives.
	orderedCut cut = "ordered"
	// eagerCut: the journal was written a moment before the cut, so all names
	// survive, but no data that was not synced.
	eagerCut cut = "eager"
	// reversedCut: of a folder's names only the newest change since its sync
	// survives, and none before it.
	reversedCut cut = "reversed"
	// scatteredCut: each change since its sync, of names or data, survives or
	// not by the toss of a coin.
	scatteredCut cut = "scattered"
)

var cuts = []cut{strictCut, orderedCut, eagerCut, reversedCut, scatteredCut}

// left gives what the cut leaves. It is kept in memory, because most moments of
// a recording leave what another one left already.
func (d *disk) left(model cut, seed uint64) fstest.MapFS {
	coin := rand.New(rand.NewPCG(seed, 0))
	names := map[*inode]map[string]*inode{}
	newest := map[*inode]*nameChange{}
	for _, change := range d.journal {
		newest[change.set[0].folder] = change
	}
	for i, change := range d.journal {
		keep := change.durable
		switch model {
		case orderedCut:
			keep = keep || i < d.forced
		case eagerCut:
			keep = true
		case reversedCut:
			keep = keep || newest[change.set[0].folder] == change
		case scatteredCut:
			keep = keep || coin.IntN(2) == 0
		}
		if !keep {
			continue
		}
		for _, s := range change.set {
			if names[s.folder] == nil {
				names[s.folder] = map[string]*inode{}
			}
			names[s.folder][s.name] = s.to
		}
	}
	left := fstest.MapFS{}
	leave(left, ".", d.top, names, func(n *inode) []byte { return n.after(model, coin) })
	return left
}

func leave(left fstest.MapFS, at string, n *inode, names map[*inode]map[string]*inode, content func(*inode) []byte) {
	if !n.folder {
		left[at] = &fstest.MapFile{Data: content(n), Mode: 0o600}
		return
	}
	left[at] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
	for _, name := range sortedNames(names[n]) {
		leave(left, path.Join(at, name), names[n][name], names, content)
	}
}

// writeLeft puts what a cut left into a real folder.
func writeLeft(to string, left fstest.MapFS) error {
	for _, name := range slices.Sorted(maps.Keys(left)) { // a folder comes before what is in it
		at, f := filepath.Join(to, name), left[name]
		var err error
		if f.Mode.IsDir() {
			err = os.MkdirAll(at, 0o700)
		} else {
			err = os.WriteFile(at, f.Data, f.Mode)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sortedNames leaves out what is gone. The order is fixed for the coin's sake.
func sortedNames(m map[string]*inode) []string {
	var all []string
	for name, n := range m {
		if n != nil {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// after is the content that a cut leaves.
func (n *inode) after(model cut, coin *rand.Rand) []byte {
	content := slices.Clone(n.durable)
	for _, c := range n.pending {
		length := c.data == nil
		if length && model == eagerCut || model == scatteredCut && coin.IntN(2) == 0 {
			content = c.apply(content)
		}
	}
	return content
}

func (c fileChange) apply(b []byte) []byte {
	if c.data == nil {
		if int(c.off) <= len(b) {
			return b[:c.off:c.off]
		}
		return append(b, make([]byte, int(c.off)-len(b))...)
	}
	if end := int(c.off) + len(c.data); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[c.off:], c.data)
	return b
}

// change notes a change of names that has happened.
func (d *disk) change(set ...nameSet) {
	for _, s := range set {
		if s.to == nil {
			delete(s.folder.names, s.name)
			continue
		}
		s.folder.names[s.name], s.to.name = s.to, s.name
	}
	d.journal = append(d.journal, &nameChange{at: d.clock, set: set})
}

func (d *disk) modify(n *inode, c fileChange) {
	c.at = d.clock
	n.pending = append(n.pending, c)
	n.live = c.apply(n.live)
}

// sync makes durable what had happened to the file or folder when the call began.
func (d *disk) sync(n *inode, begin syncBegin) {
	d.forced = max(d.forced, begin.journal)
	if n.folder {
		for _, c := range d.journal[:begin.journal] {
			for _, s := range c.set {
				c.durable = c.durable || s.folder == n
			}
		}
		return
	}
	for len(n.pending) > 0 && n.pending[0].at < begin.at {
		n.durable = n.pending[0].apply(n.durable)
		n.pending = n.pending[1:]
	}
}

// find resolves a path from an open folder (-1 for the working directory,
// which is the root) to its folder and last name. It gives nil for what is not
// below the root.
func (d *disk) find(fd int64, name string) (folder *inode, last string) {
	at := d.top
	if path.IsAbs(name) {
		rel, ok := strings.CutPrefix(path.Clean(name)+"/", d.root+"/")
		if !ok {
			return nil, ""
		}
		name = rel
	} else if fd >= 0 {
		f := d.fds[fd]
		if f == nil || f.node == nil {
			return nil, ""
		}
		at = f.node
	}
	parts := strings.Split(path.Clean("/"+name), "/")[1:]
	for _, p := range parts[:len(parts)-1] {
		if at = at.names[p]; at == nil || !at.folder {
			return nil, ""
		}
	}
	return at, parts[len(parts)-1]
}

// check compares the live tree with the real one: a call that the replay did
// not understand would show here.
func (d *disk) check(n *inode, at string) error {
	for _, name := range sortedNames(n.names) {
		child := n.names[name]
		if child.folder {
			if err := d.check(child, filepath.Join(at, name)); err != nil {
				return err
			}
			continue
		}
		body, err := os.ReadFile(filepath.Join(at, name))
		if err != nil {
			return err
		}
		if string(body) != string(child.live) {
			return fmt.Errorf("%s: the replay gives other bytes than the folder holds", filepath.Join(at, name))
		}
	}
	entries, err := os.ReadDir(at)
	if err == nil && len(entries) != len(sortedNames(n.names)) {
		err = fmt.Errorf("%s: %d names, the replay gives %q", at, len(entries), sortedNames(n.names))
	}
	return err
}

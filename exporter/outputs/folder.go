package outputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// maxDurable bounds the memory for folders; forgetting one costs a few syncs.
const maxDurable = 4096 // folders

// durableFolders remembers the folders this process has made durable.
//
// That a folder exists says nothing: an attempt killed between creating it and
// syncing its parent leaves one that a power cut can still take away, with all
// the files that were committed into it since. So each folder's parent is
// synced once by this process, whoever created it.
type durableFolders struct {
	mu    sync.Mutex
	known map[string]bool
}

func (k *durableFolders) has(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known[name]
}

func (k *durableFolders) add(names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known)+len(names) > maxDurable {
		k.known = map[string]bool{}
	}
	for _, name := range names {
		k.known[name] = true
	}
}

// openFolder opens a folder below the output's, "." for itself, after making
// it and its parents exist durably. The output's own is opened anew for each
// attempt: a handle kept for ever would go on writing into a folder that was
// replaced, or below a disk that was mounted later.
func (f *Files) openFolder(name, marker string) (*disk, error) {
	root, err := openPlace(f.folder, f.name, marker)
	if err != nil {
		return nil, err
	}
	top := &disk{root: root, at: f.folder, trace: f.trace}
	if name == "." {
		return top, nil
	}
	defer root.Close()
	if err := f.makeFolders(top, name); err != nil {
		return nil, err
	}
	below, err := root.OpenRoot(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", top.path(name), bare(err))
	}
	return &disk{root: below, at: top.path(name), trace: f.trace}, nil
}

// makeFolders creates what is missing of name, then syncs the parents. All
// creating comes before all syncing, because a journalling file system makes
// the whole chain durable in the first sync and has little left to do in the
// others.
func (f *Files) makeFolders(top *disk, name string) error {
	if f.durable.has(name) {
		if _, err := top.root.Stat(filepath.FromSlash(name)); err == nil {
			return nil
		} // an operator removed it meanwhile
	}
	var fresh []string
	for i, r := range name + "/" {
		if r != '/' {
			continue
		}
		made, err := top.mkdir(filepath.FromSlash(name[:i]))
		if err != nil {
			return err
		}
		if made || !f.durable.has(name[:i]) {
			fresh = append(fresh, name[:i])
		}
	}
	for _, folder := range fresh {
		if err := top.syncFolder(filepath.FromSlash(path.Dir(folder))); err != nil {
			return err
		}
	}
	f.durable.add(fresh)
	return nil
}

// makeTop creates an output's own folder if it is missing, and makes its name,
// and those of parents that were missing, durable.
func makeTop(folder string) error {
	var parents []string // of folders that are missing
	for p := folder; ; p = filepath.Dir(p) {
		_, err := os.Stat(p)
		if err == nil || p == filepath.Dir(p) {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		parents = append(parents, filepath.Dir(p))
	}
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return err
	}
	if len(parents) == 0 {
		// Who made it may have been killed before it was durable. A parent that
		// we may not even read is somebody else's work.
		err := syncParent(filepath.Dir(folder))
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return err
	}
	for _, p := range parents {
		if err := syncParent(p); err != nil {
			return err
		}
	}
	return nil
}

func syncParent(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return syncAndClose(f, folder)
}

// splitPath gives folder ("." for none) and name of a slash-separated path.
func splitPath(p string) (folder, name string) {
	folder, name = path.Split(p)
	if folder == "" {
		return ".", name
	}
	return strings.TrimSuffix(folder, "/"), name
}

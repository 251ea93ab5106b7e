package outputs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
)

// tempPattern is the form of our temporary names and, as far as we can tell,
// of nobody else's. No data file's name starts with a dot.
var tempPattern = regexp.MustCompile(`^\..+\.[0-9a-f]{16}\.tmp$`)

func tempName(name, attempt string) string { return "." + name + "." + attempt + ".tmp" }

// Sweep removes the temporary files below the output's folder if the marker is
// in it; nothing with any other name is touched. It walks the whole tree, so
// its time grows with the number of folders.
//
// A second process with the same folder loses its running attempts: its
// Commit fails before anything is visible, and it repeats them.
func (f *Files) Sweep(ctx context.Context, marker string) (removed int, err error) {
	root, err := openPlace(f.folder, f.name, marker)
	if err != nil {
		return 0, fmt.Errorf("sweep output %s: %w", f.name, err)
	}
	defer root.Close()
	d := &disk{root: root, at: f.folder, trace: f.trace}

	var problems []error
	// Looking needs no root, which would open each folder's whole path step by
	// step; removing does.
	walkErr := fs.WalkDir(os.DirFS(f.folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // a folder we may not read; the others still want sweeping
			problems = append(problems, fmt.Errorf("look into %s: %w", d.path(name), bare(err)))
			return nil
		}
		if !entry.Type().IsRegular() || !tempPattern.MatchString(entry.Name()) {
			return nil
		}
		gone, err := d.remove(name)
		if err != nil {
			problems = append(problems, err)
		}
		if gone {
			removed++
		}
		return nil
	})
	if err := errors.Join(append(problems, walkErr)...); err != nil {
		return removed, fmt.Errorf("sweep output %s: %w", f.name, err)
	}
	return removed, nil
}

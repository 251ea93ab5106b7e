package outputs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sight is what an output sees of its place.
type Sight struct {
	// Absent says why there is no such place, in words that follow its name:
	// "does not exist". "" when there is one.
	Absent string
	Marker Marker   // this output's; zero when the place holds none
	Others []Marker // other outputs', read when Marker is zero
	Landed bool     // the manifest that was asked for is there
}

// Below says whether a path is below a place, by their names alone.
func Below(place, path string) bool {
	_, ok := below(place, path)
	return ok
}

func below(place, path string) (rel string, ok bool) {
	rel, err := filepath.Rel(place, path)
	return rel, err == nil && rel != "." && filepath.IsLocal(rel)
}

// Place is the folder that the output's files are below.
func (f *Files) Place() string { return f.folder }

// Check gives ErrMissing unless the folder is there and holds the marker.
func (f *Files) Check(ctx context.Context, marker string) error {
	root, err := openPlace(f.folder, f.name, marker)
	if err != nil {
		return err
	}
	return root.Close()
}

// Look tells what is there under the folder's path.
func (f *Files) Look(ctx context.Context, manifest, exportID string) (s Sight, err error) {
	root, absent, err := openRoot(f.folder)
	if root == nil {
		return Sight{Absent: absent}, err
	}
	defer root.Close()
	s.Landed = foundIn(root, f.folder, manifest, exportID)
	name := markerName(f.name)
	if s.Marker, err = readMarker(root, name); errors.Is(err, fs.ErrNotExist) {
		s.Others, err = otherMarkers(root, name)
	}
	if err != nil {
		return s, fmt.Errorf("look into output folder %s: %w", f.folder, err)
	}
	return s, nil
}

// Make creates the folder if it is missing, durably.
func (f *Files) Make(ctx context.Context) error {
	if err := makeTop(f.folder); err != nil {
		return fmt.Errorf("create output folder %s: %w", f.folder, bareAt(f.folder, err))
	}
	return nil
}

// Mark writes the marker, durably, into a folder that exists. One of the same
// id is made durable: who wrote it may have been killed before it was.
func (f *Files) Mark(ctx context.Context, m Marker) error {
	m.Output = f.name
	name := markerName(f.name)
	root, err := os.OpenRoot(f.folder)
	if err != nil {
		return fmt.Errorf("open output folder %s: %w", f.folder, bare(err))
	}
	defer root.Close()
	d := &disk{root: root, at: f.folder, trace: f.trace}
	switch old, err := readMarker(root, name); {
	case errors.Is(err, fs.ErrNotExist):
		if err := writeMarker(d, name, m); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("look into output folder %s: %w", f.folder, err)
	case old.ID != m.ID:
		return &MissingError{Place: f.folder, Seen: "holds the marker of another place, with id " + old.ID, Want: "none"}
	}
	return d.syncFolder(".")
}

func writeMarker(d *disk, name string, m Marker) error {
	body, err := m.encode()
	if err != nil {
		return err
	}
	s, err := stage(d, name, shortHash(name), smallBuffer)
	if err != nil {
		return err
	}
	defer func() { _ = s.discard() }() // what is left of a failure, the next try clears away
	s.buf.Write(body)
	if err := s.sync(); err != nil {
		return err
	}
	return s.publish()
}

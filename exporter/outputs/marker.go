package outputs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Marker is what an output leaves in its place, once, before anything lands
// there: a folder is known by it and not by its path, which a bare mount point
// has too. It is a JSON contract like [Manifest].
type Marker struct {
	Version      int    `json:"finrelay_output"`
	Output       string `json:"output"`
	Installation string `json:"installation"` // whose ledger knows the place
	// ID of the place. It is random: it names a folder on a disk, and no export.
	ID    string `json:"id"`
	About string `json:"about"` // for the person who finds the file
}

const (
	markerVersion = 1
	// markerPrefix begins the names of markers. A dot file without a data
	// file's extension: no consumer's glob takes it for rows.
	markerPrefix = ".finrelay-output-"
	markerAbout  = "finrelay lands files below this folder only while this file is in it, because a disk that is not mounted " +
		"leaves an empty folder under the same name. Leave it here. Another folder is accepted with: finrelay output adopt "
)

// markerName is the name of an output's marker: outputs may share a folder.
func markerName(output string) string { return markerPrefix + safeValue(output) }

func (m Marker) encode() ([]byte, error) {
	m.Version, m.About = markerVersion, markerAbout+m.Output
	body, err := json.MarshalIndent(m, "", "  ")
	return append(body, '\n'), err
}

// readMarker reads a marker by its name; fs.ErrNotExist when there is none.
func readMarker(root *os.Root, name string) (m Marker, err error) {
	body, err := root.ReadFile(name)
	if err != nil {
		return m, err
	}
	// A newer program's marker has an id too, whatever else it says.
	if err := json.Unmarshal(body, &m); err != nil || m.ID == "" {
		return m, fmt.Errorf("%s is not a marker of finrelay: move it out of the way", name)
	}
	return m, nil
}

// otherMarkers reads the markers in a folder that are not called name.
func otherMarkers(root *os.Root, name string) (others []Marker, err error) {
	folder, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	for {
		names, err := folder.Readdirnames(1000) // a folder may hold a million exports
		for _, other := range names {
			if !strings.HasPrefix(other, markerPrefix) || other == name {
				continue
			}
			m, err := readMarker(root, other)
			if err != nil {
				return nil, err
			}
			others = append(others, m)
		}
		if errors.Is(err, io.EOF) {
			return others, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// openPlace opens an output's folder if the marker with this id is in it, and
// gives ErrMissing otherwise. It creates nothing. The marker is read through
// the root that it returns: whatever is mounted or renamed a moment later, what
// is written through that root goes to where the marker was.
func openPlace(folder, output, id string) (*os.Root, error) {
	missing := func(seen string) error {
		return &MissingError{Place: folder, Seen: seen, Want: fmt.Sprintf("its marker %s with id %s", markerName(output), id)}
	}
	root, absent, err := openRoot(folder)
	if absent != "" {
		return nil, missing(absent)
	}
	if err != nil {
		return nil, err
	}
	m, err := readMarker(root, markerName(output))
	switch {
	case err == nil && m.ID == id:
		return root, nil
	case err == nil:
		err = missing("holds the marker of another place, with id " + m.ID)
	case errors.Is(err, fs.ErrNotExist):
		err = missing("holds no such marker")
	default:
		err = fmt.Errorf("look into output folder %s: %w", folder, err)
	}
	return nil, errors.Join(err, root.Close())
}

// openRoot opens an output's folder. When there is none, absent says why, in
// words that follow its path.
func openRoot(folder string) (root *os.Root, absent string, err error) {
	root, err = os.OpenRoot(folder)
	if err == nil {
		return root, "", nil
	}
	info, statErr := os.Stat(folder)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return nil, "does not exist", nil
	case statErr == nil && !info.IsDir(), errors.Is(statErr, syscall.ENOTDIR):
		return nil, "is not a folder", nil
	}
	return nil, "", fmt.Errorf("open output folder %s: %w", folder, bare(err))
}

// foundIn says whether a folder holds the manifest of an export, by its path.
func foundIn(root *os.Root, folder, manifest, exportID string) bool {
	name, ok := below(folder, manifest)
	if !ok {
		return false
	}
	body, err := root.ReadFile(name)
	if err != nil {
		return false
	}
	owner, err := manifestOwner(body)
	return err == nil && owner == exportID
}

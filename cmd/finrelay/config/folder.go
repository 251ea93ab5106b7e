package config

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

var (
	// folderURL begins an address. Joined to a folder, its two slashes are one.
	folderURL   = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+):/`)
	driveLetter = regexp.MustCompile(`^[A-Za-z]:([\\/]|$)`)
)

const mountIt = "write a folder of this machine; for a place elsewhere, mount it and write where it is mounted"

// folders refuses what is no folder of this machine. The system would make one
// of that name, and rows would be called landed that never left the machine.
func (v *validator) folders() {
	v.folder("state", v.c.State)
	for _, name := range sortedKeys(v.c.Outputs) {
		v.folder("outputs."+name+".folder", v.c.Outputs[name].Folder)
	}
}

func (v *validator) folder(field, folder string) {
	written := v.c.asWritten(folder)
	const made = ": one of that name would be made on this machine, and nothing sent anywhere"
	switch scheme := folderURL.FindStringSubmatch(written); {
	case scheme != nil && strings.EqualFold(scheme[1], "file"):
		v.fail(field, redacted, "leave out file://", "an address (file://…) and no folder"+made)
	case scheme != nil:
		v.fail(field, redacted, mountIt, "an address ("+scheme[1]+"://…) and no folder"+made)
	case runtime.GOOS == "windows":
	case driveLetter.MatchString(written), strings.Contains(written, `\`) && !strings.HasPrefix(written, "/"):
		v.fail(field, written, mountIt, "a path of Windows and no folder of this system"+made)
	}
}

// asWritten takes off what was put in front of a relative path.
func (c *Config) asWritten(folder string) string {
	bases := []string{"."}
	if c.source != nil {
		bases = append(bases, filepath.Dir(c.source.file))
	}
	if wd, err := os.Getwd(); err == nil {
		bases = append(bases, wd)
	}
	for _, base := range bases {
		if rel, err := filepath.Rel(base, folder); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return folder
}

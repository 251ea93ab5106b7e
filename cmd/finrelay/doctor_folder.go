package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"finrelay/state"
)

// folder checks a place that files are written to.
func (d *doctor) folder(what, folder string, holdsLedger bool) {
	at, err := nearestFolder(folder)
	if err != nil {
		d.fail(machine, what, err.Error(), "name a folder that can be reached, or repair the path", exitFailed)
		return
	}
	defer d.disk(what, at, holdsLedger) // whatever comes of the try: it may say why
	if err := tryWrite(at); err != nil {
		seen, do := cannotWrite(at, err)
		d.fail(machine, what, seen, do, exitFailed)
		return
	}
	seen := folder + " can be written"
	if at != folder {
		seen = folder + " does not exist yet; " + at + " can be written"
	}
	d.ok(machine, what, seen)
}

// cannotWrite names what keeps a folder from being written, and what to do.
func cannotWrite(at string, err error) (seen, do string) {
	switch {
	case state.DiskFull(err):
		return fmt.Sprintf("cannot be written, the disk is full: %v", err), "free space on the disk of " + at + ", or raise the quota of the user that runs finrelay"
	case state.ReadOnly(err):
		return fmt.Sprintf("cannot be written, the disk is read-only: %v", err), "look at how the disk of " + at + " is mounted, and at the system's log: a fault makes a disk read-only"
	}
	return fmt.Sprintf("cannot be written: %v", err), "give the user that runs finrelay the right to write in " + at
}

// nearestFolder is a folder, or the folder in which it would be made.
func nearestFolder(folder string) (string, error) {
	for at := folder; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && info.IsDir():
			return at, nil
		case err == nil:
			return "", fmt.Errorf("%s is not a folder", at)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) || at == filepath.Dir(at):
			return "", err
		}
	}
}

// tryWrite makes a file, puts it on the disk and removes it, as landing does.
func tryWrite(folder string) error {
	f, err := os.CreateTemp(folder, ".finrelay-doctor-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("finrelay doctor tries this folder\n")
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// Bounds of free space. The ledger must be able to write when all else is
// full, and one data package can take hundreds of megabytes.
const (
	leastFree    = 1 << 30 // bytes: fail
	leastPercent = 10      // of the disk: warn
)

func (d *doctor) disk(what, folder string, holdsLedger bool) {
	v, err := lookAtVolume(folder)
	if err != nil {
		d.warn(machine, what+" disk", "not checked: "+err.Error(), "")
		return
	}
	d.add(judgeVolume(what, v, holdsLedger))
}

// volume is the file system that a folder is on.
type volume struct {
	free, total uint64 // bytes; free for this user
	network     string // "NFS", "SMB", …; "" when it is local
}

func judgeVolume(what string, v volume, holdsLedger bool) finding {
	f := finding{Level: levelOK, Where: machine, Check: what + " disk"}
	percent := 100.0
	if v.total > 0 {
		percent = 100 * float64(v.free) / float64(v.total)
	}
	f.Seen = fmt.Sprintf("%.1f GiB free, %.0f %%", float64(v.free)/(1<<30), percent)
	switch {
	case holdsLedger && v.network != "":
		f.Level, f.Do = levelFail, "put the state folder on a local disk: locks and fsync cannot be trusted over a network"
	case v.free < leastFree:
		f.Level, f.Do = levelFail, "free space: below 1 GiB a package may not fit, and what arrives cannot be stored"
	case percent < leastPercent:
		f.Level, f.Do = levelWarn, "free space, or shorten retention.raw_files"
	case v.network != "":
		f.Level, f.Do = levelWarn, "landed files are as durable as the server behind it: make sure that it keeps what fsync says"
	}
	if v.network != "" {
		f.Seen += ", on " + v.network
	}
	return f
}

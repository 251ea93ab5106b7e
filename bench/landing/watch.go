//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const manifestSuffix = ".manifest.json"

// watch tells of manifests that get their name in one folder.
type watch struct{ inotify *os.File }

func newWatch(folder string) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", folder, err)
	}
	w := &watch{os.NewFile(uintptr(fd), "inotify")}
	// A manifest is renamed into place, so its name appears when it is whole.
	if _, err := unix.InotifyAddWatch(fd, folder, unix.IN_MOVED_TO); err != nil {
		return nil, errors.Join(fmt.Errorf("watch %s: %w", folder, err), w.Close())
	}
	return w, nil
}

// Close ends the watch.
func (w *watch) Close() error { return w.inotify.Close() }

// next waits for the next manifest.
func (w *watch) next(within time.Duration) error {
	if err := w.inotify.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := w.inotify.Read(buf)
		if err != nil {
			return fmt.Errorf("wait for a manifest: %w", err)
		}
		for rest := buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			length := int(binary.NativeEndian.Uint32(rest[12:])) // of the name, padded
			name := string(bytes.TrimRight(rest[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length], "\x00"))
			if strings.HasSuffix(name, manifestSuffix) {
				return nil
			}
			rest = rest[unix.SizeofInotifyEvent+length:]
		}
	}
}

// awaitManifest looks below folder until a manifest is there and returns its
// path; for the first one, before there is a folder to watch.
func awaitManifest(ctx context.Context, folder string) (string, error) {
	for {
		var found string
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, manifestSuffix) {
				found = path
				return fs.SkipAll
			}
			if errors.Is(err, fs.ErrNotExist) { // not made yet, or a temporary file that is gone
				return nil
			}
			return err
		})
		if found != "" || err != nil {
			return found, err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("wait for a manifest below %s: %w", folder, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

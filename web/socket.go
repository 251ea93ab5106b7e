package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// SocketFile is the control socket's name in the state folder.
const SocketFile = "finrelay.sock"

// longestSocket is what fits into sockaddr_un on Linux and macOS.
const longestSocket = 103

// SocketPath is where the server of a state folder listens.
func SocketPath(folder string) (string, error) {
	path := filepath.Join(folder, SocketFile)
	if len(path) <= longestSocket {
		return path, nil
	}
	// A shorter name of the same place, if the working directory gives one.
	if wd, err := os.Getwd(); err == nil {
		if abs, err := filepath.Abs(path); err == nil {
			if rel, err := filepath.Rel(wd, abs); err == nil && len(rel) <= longestSocket {
				return rel, nil
			}
		}
	}
	return "", fmt.Errorf("state folder %s: the path of its control socket is longer than the %d bytes the system allows; use a shorter folder",
		folder, longestSocket)
}

// Listen opens the control socket, mode 0600. The caller holds the folder's
// lock, so a socket that is there belongs to a process that is gone.
func Listen(folder string) (net.Listener, error) {
	path, err := SocketPath(folder)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// The mode is set by the umask at creation: a chmod afterwards would leave
	// a moment in which others could connect.
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	return l, err
}

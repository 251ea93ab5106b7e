package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var doorAnswer = regexp.MustCompile(`(?s)^HTTP/1\.1 20[02] .*\r\n\r\n\{"events":\[\{"id":"([^"]+)"`)

// play takes one moment of a recording. A change counts from the end of its
// call, and so does what an fsync promises; a promise covers what had ended
// when the fsync began. An answer counts from its beginning.
func (d *disk) play(m moment) error {
	d.clock++
	c := m.call
	if !m.end {
		switch c.name {
		case "write", "writev", "sendto", "sendmsg":
			if f := d.fds[c.number(0)]; f == nil {
				if a := doorAnswer.FindStringSubmatch(c.args[1]); a != nil {
					d.answered[a[1]] = true
				}
			}
		case "fsync", "fdatasync":
			d.began[c] = syncBegin{d.clock, len(d.journal)}
		case "close":
			// Before its end: another thread may get the number meanwhile.
			delete(d.fds, c.number(0))
		}
		return nil
	}
	if c.result < 0 {
		return nil
	}
	switch c.name {
	case "openat":
		return d.open(c.number(0), c.args[1], c.args[2], c.result)
	case "fsync", "fdatasync":
		if f := d.fds[c.number(0)]; f != nil && f.node != nil && (d.ignore == nil || !d.ignore(f.node.name)) {
			d.sync(f.node, d.began[c])
		}
	case "dup", "dup2", "dup3":
		d.alias(c.number(0), c.result)
	case "fcntl":
		if strings.HasPrefix(c.args[1], "F_DUPFD") {
			d.alias(c.number(0), c.result)
		}
	case "close", "sendto", "sendmsg":
	case "lseek", "write", "writev", "pwrite64", "pwritev", "ftruncate":
		return d.content(c)
	default:
		return d.names(c)
	}
	return nil
}

func (d *disk) alias(from, to int64) {
	delete(d.fds, to)
	if f := d.fds[from]; f != nil {
		d.fds[to] = f
	}
}

func (d *disk) open(at int64, name, flags string, fd int64) error {
	delete(d.fds, fd)
	folder, last := d.find(at, name)
	if folder == nil {
		return nil
	}
	if last == "" || last == "." { // the folder itself
		d.fds[fd] = &openFile{node: folder}
		return nil
	}
	n := folder.names[last]
	if n == nil {
		if !strings.Contains(flags, "O_CREAT") {
			return fmt.Errorf("open of %s, which the replay does not have", name)
		}
		n = &inode{}
		d.change(nameSet{folder, last, n})
	} else if strings.Contains(flags, "O_TRUNC") {
		d.modify(n, fileChange{})
	}
	f := &openFile{node: n}
	if strings.Contains(flags, "O_APPEND") {
		f.pos = int64(len(n.live))
	}
	d.fds[fd] = f
	return nil
}

// content plays the calls that change a file's bytes.
func (d *disk) content(c *sysCall) error {
	f := d.fds[c.number(0)]
	if f == nil || f.node == nil {
		return nil
	}
	switch c.name {
	case "lseek":
		f.pos = c.result
	case "ftruncate":
		d.modify(f.node, fileChange{off: c.number(1)})
	case "write", "writev":
		d.modify(f.node, fileChange{off: f.pos, data: []byte(c.args[1][:c.result])})
		f.pos += c.result
	case "pwrite64", "pwritev":
		d.modify(f.node, fileChange{off: c.number(3), data: []byte(c.args[1][:c.result])})
	}
	return nil
}

// names plays the calls that change names, and refuses those it does not know.
func (d *disk) names(c *sysCall) error {
	switch c.name {
	case "mkdir", "mkdirat":
		folder, last := d.pathAt(c, c.name == "mkdirat", 0)
		if folder != nil {
			d.change(nameSet{folder, last, &inode{folder: true, names: map[string]*inode{}}})
		}
	case "unlink", "unlinkat", "rmdir":
		folder, last := d.pathAt(c, c.name == "unlinkat", 0)
		// A socket is made by bind, which is not recorded and holds nothing.
		if folder != nil && folder.names[last] != nil {
			d.change(nameSet{folder, last, nil})
		}
	case "rename", "renameat", "renameat2", "link", "linkat":
		at := strings.Contains(c.name, "at")
		from, old := d.pathAt(c, at, 0)
		to, name := d.pathAt(c, at, 1)
		if from == nil || to == nil {
			return nil
		}
		node := from.names[old]
		if node == nil {
			return fmt.Errorf("%s of %s, which the replay does not have", c.name, old)
		}
		set := []nameSet{{to, name, node}}
		if strings.HasPrefix(c.name, "rename") {
			set = slices.Insert(set, 0, nameSet{from, old, nil})
		}
		d.change(set...)
	case "fallocate", "pwritev2", "copy_file_range", "sendfile", "splice", "truncate", "sync_file_range":
		if f := d.fds[c.number(0)]; f == nil || f.node == nil {
			return nil // a pipe or socket
		}
		return fmt.Errorf("the replay does not know what %s does to a file", c.name)
	default:
		return fmt.Errorf("the replay does not know %s", c.name)
	}
	return nil
}

// pathAt finds the which-th path of a call, in its plain or its "at" form.
func (d *disk) pathAt(c *sysCall, at bool, which int) (*inode, string) {
	if at {
		return d.find(c.number(2*which), c.args[2*which+1])
	}
	return d.find(-1, c.args[which])
}

package state

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkFilesystems are f_type values of statfs(2).
// Source: Linux, include/uapi/linux/magic.h and fs/smb.
var networkFilesystems = map[uint32]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x01021997: "9P",
	0x5346414f: "AFS",
	0x73757245: "Coda",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
	// FUSE carries sshfs, blobfuse and the like; whether it is local cannot be told.
	0x65735546: "FUSE",
}

func checkFilesystem(folder string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return fmt.Errorf("look at the file system of %s: %w", folder, err)
	}
	return judgeFilesystem(folder, uint32(st.Type))
}

// Free gives the bytes that this user may still write where the ledger is; known
// is false where that cannot be asked.
func (db *DB) Free() (bytes uint64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(db.folder, &st); err != nil {
		return 0, false
	}
	return st.Bavail * uint64(st.Frsize), true
}

func judgeFilesystem(folder string, magic uint32) error {
	if name, ok := networkFilesystems[magic]; ok {
		return &FilesystemError{Folder: folder, Type: name}
	}
	return nil
}

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkVolumes are f_type values of statfs(2). The ledger has such a list
// too; this one is for outputs, which may be there.
// Source: Linux, include/uapi/linux/magic.h and fs/smb.
var networkVolumes = map[uint32]string{
	unix.NFS_SUPER_MAGIC:  "NFS",
	unix.SMB_SUPER_MAGIC:  "SMB",
	unix.CIFS_SUPER_MAGIC: "CIFS",
	unix.SMB2_SUPER_MAGIC: "SMB2",
	unix.V9FS_MAGIC:       "9P",
	unix.AFS_SUPER_MAGIC:  "AFS",
	unix.CODA_SUPER_MAGIC: "Coda",
	unix.CEPH_SUPER_MAGIC: "Ceph",
	unix.FUSE_SUPER_MAGIC: "FUSE",
	0x0bd00bd0:            "Lustre",
	0x47504653:            "GPFS",
}

func lookAtVolume(folder string) (volume, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return volume{}, fmt.Errorf("look at the file system of %s: %w", folder, err)
	}
	block := uint64(st.Frsize)
	return volume{free: st.Bavail * block, total: st.Blocks * block, network: networkVolumes[uint32(st.Type)]}, nil
}

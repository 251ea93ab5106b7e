package state

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestNetworkFilesystemsAreRefused(t *testing.T) {
	for magic, name := range map[uint32]string{
		0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB2", 0x65735546: "FUSE", 0x01021997: "9P", 0x00c36400: "Ceph",
		0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: "", 0x794c7630: "", 0x2fc12fc1: "", // ext4, XFS, Btrfs, tmpfs, overlay, ZFS
	} {
		err := judgeFilesystem("/data", magic)
		fe, refused := errors.AsType[*FilesystemError](err)
		switch {
		case name == "" && err != nil:
			t.Errorf("%#x: %v; want it taken", magic, err)
		case name != "" && (!refused || fe.Type != name || !strings.Contains(err.Error(), "/data") || !strings.Contains(err.Error(), "local disk")):
			t.Errorf("%#x: %v; want a refusal that names the folder, %s and the way out", magic, err, name)
		}
	}
	if err := checkFilesystem(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("a folder that is not there was judged")
	}
}

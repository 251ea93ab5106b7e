//go:build linux

package target

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A table as strace -c -w -e trace=fsync,fdatasync writes it.
func TestSyncTime(t *testing.T) {
	const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 75.00    0.300000         300      1000           fsync
 25.00    0.100000         200       500         2 fdatasync
------ ----------- ----------- --------- --------- ----------------
100.00    0.400000         266      1500         2 total
`
	file := filepath.Join(t.TempDir(), "syncs.txt")
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	calls, took, err := SyncTime(file)
	if calls != 1500 || took != 400*time.Millisecond || err != nil {
		t.Errorf("SyncTime = %d, %v, %v; want 1500 in 400ms", calls, took, err)
	}
	if n, err := Syncs(file); n != 1500 || err != nil {
		t.Errorf("Syncs = %d, %v; want 1500", n, err)
	}
}

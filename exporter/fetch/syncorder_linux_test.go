package fetch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// syncFolder makes TestSyncOrder the traced process itself, at work there.
const syncFolder = "FINRELAY_TEST_SYNC_FOLDER"

// TestSyncOrder reads from the kernel's side what becomes durable before
// what. A killed process keeps its writes in the page cache, so that no test
// that kills would miss a sync.
func TestSyncOrder(t *testing.T) {
	if folder := os.Getenv(syncFolder); folder != "" {
		downloadUnderTrace(t, folder)
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("strace is missing; CI has to bring it")
		}
		t.Skip("SKIPPED: strace is missing, the order of syncs is not shown")
	}
	folder := t.TempDir()
	out := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-y", "-qq", "-o", out, "-e", "trace=write,ftruncate,fsync,fdatasync,/^rename,/^mkdir",
		os.Args[0], "-test.run=^TestSyncOrder$")
	cmd.Env = append(os.Environ(), syncFolder+"="+folder)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("traced download: %v\n%s", err, said)
	}
	trace, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"mark 0",           // the old mark is taken back
		"ftruncate part",   // before its bytes go
		"write part",       //
		"fdatasync part",   // bytes
		"fsync folder",     // and, once, their file's name
		"mark 262144",      // before they are promised
		"write part",       //
		"fdatasync part",   //
		"mark 524288",      //
		"write part",       // no mark at the very end
		"fsync part",       // the whole
		"rename part file", // before it has its name
		"fsync folder",     // and the name before Download returns
	}
	if got := steps(string(trace), folder); !slices.Equal(got, want) {
		t.Errorf("the kernel saw\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// downloadUnderTrace begins with a mark that does not fit. A mark shows in the
// trace as a folder.
func downloadUnderTrace(t *testing.T, folder string) {
	_, err := Download(context.Background(), blob(noise(2*bufferSize+1, 1)), filepath.Join(folder, "file"), Options{
		Mark:      Mark{`"old"`, 5},
		MarkEvery: bufferSize,
		OnMark:    func(m Mark) error { return os.Mkdir(filepath.Join(folder, fmt.Sprint("mark ", m.Offset)), 0o700) },
	})
	if err != nil {
		t.Fatal(err)
	}
}

var call = regexp.MustCompile(`^\d+ +([a-z0-9]+)\((.*)`)

// steps boils a trace down to the calls that touch folder, in the order in
// which they began.
func steps(trace, folder string) (list []string) {
	part, file := folder+"/file"+partSuffix, folder+"/file"
	for line := range strings.Lines(trace) {
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name, args := m[1], m[2]
		_, mark, isMark := strings.Cut(args, folder+"/mark ")
		switch {
		case strings.HasPrefix(name, "mkdir") && isMark:
			mark, _, _ = strings.Cut(mark, `"`)
			list = append(list, "mark "+mark)
		case strings.HasPrefix(name, "rename") && strings.Contains(args, `"`+part+`"`) && strings.Contains(args, `"`+file+`"`):
			list = append(list, "rename part file")
		case strings.Contains(args, "<"+part+">"):
			list = append(list, name+" part")
		case strings.Contains(args, "<"+folder+">") && name == "fsync":
			list = append(list, name+" folder")
		}
	}
	return list
}

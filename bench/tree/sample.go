//go:build linux

package tree

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	sampleEvery = 3 * time.Millisecond
	// Looking for children costs a file for each thread, so it is done less
	// often than reading the memory of those that are known.
	lookEvery = 8 // samples
)

// watch samples the memory of the processes added to it and of their
// descendants.
type watch struct {
	mu    sync.Mutex
	roots []int
	main  int // whose own high-water mark counts

	quit, done           chan struct{}
	anon, resident, mark int64 // peaks; read after done
}

func startWatch() *watch {
	w := &watch{quit: make(chan struct{}), done: make(chan struct{})}
	go w.loop()
	return w
}

func (w *watch) add(pid int, main bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.roots = append(w.roots, pid)
	if main {
		w.main = pid
	}
}

// remove forgets processes that have ended: their numbers may be given anew.
func (w *watch) remove(pids []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.roots = slices.DeleteFunc(w.roots, func(pid int) bool { return slices.Contains(pids, pid) })
	w.main = 0
}

func (w *watch) current() (roots []int, main int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.roots), w.main
}

func (w *watch) stop() (anon, resident, mark int64) {
	close(w.quit)
	<-w.done
	return w.anon, w.resident, w.mark
}

func (w *watch) loop() {
	defer close(w.done)
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	var known, all []int
	for n := 0; ; n++ {
		roots, main := w.current()
		if n%lookEvery == 0 || !slices.Equal(roots, known) {
			known, all = roots, descend(roots)
		}
		w.sample(all)
		if main != 0 && n%lookEvery == 0 {
			w.mark = max(w.mark, highWater(main))
		}
		select {
		case <-w.quit:
			return
		case <-ticker.C:
		}
	}
}

func (w *watch) sample(pids []int) {
	var anon, resident int64
	for _, pid := range pids {
		a, r := memory(pid)
		anon, resident = anon+a, resident+r
	}
	w.anon, w.resident = max(w.anon, anon), max(w.resident, resident)
}

var pageSize = int64(os.Getpagesize())

// memory gives what a process holds now, in bytes; nothing when it has ended.
//
// statm has the counters that status prints as RssAnon, RssFile and RssShmem:
// its second field is their sum and its third the last two. It costs a tenth of
// status to read, which matters when the machine has two cores and one of them
// is being measured.
func memory(pid int) (anon, resident int64) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, 0
	}
	var size, pages, shared int64
	if _, err := fmt.Sscan(string(content), &size, &pages, &shared); err != nil {
		return 0, 0
	}
	return (pages - shared) * pageSize, pages * pageSize
}

// highWater gives the most that a process has been resident with, in bytes.
func highWater(pid int) int64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(content, []byte("VmHWM:"))
	var kib int64
	if _, err := fmt.Sscan(string(after), &kib); err != nil {
		return 0
	}
	return kib << 10
}

// descend gives the processes and all that come from them.
func descend(roots []int) []int {
	all := slices.Clone(roots)
	for i := 0; i < len(all); i++ {
		// Any thread may have started a child.
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, file := range files {
			content, _ := os.ReadFile(file) // gone: no children
			for _, field := range strings.Fields(string(content)) {
				if pid, err := strconv.Atoi(field); err == nil && !slices.Contains(all, pid) {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}

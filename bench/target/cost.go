package target

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc on Linux, whatever the kernel's own.
const tick = 10 * time.Millisecond

// CPU is the time the server has spent computing, itself and the kernel for it.
func (p *Process) CPU() (time.Duration, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold anything; what we want stands after it.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", p.PID, len(fields))
	}
	u, err := strconv.ParseInt(fields[user], 10, 64)
	if err != nil {
		return 0, err
	}
	s, err := strconv.ParseInt(fields[system], 10, 64)
	return time.Duration(u+s) * tick, err
}

// Anon is the server's anonymous memory in bytes: what it allocated. Resident
// memory would count the program and every file it reads through the cache.
func (p *Process) Anon() (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(content)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "RssAnon: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no RssAnon", p.PID)
}

// WatchAnon samples the anonymous memory every 10 ms until the returned
// function is called, which gives the highest sample, in bytes.
func (p *Process) WatchAnon() (stop func() int64) {
	quit, peak := make(chan struct{}), make(chan int64)
	go func() {
		var highest int64
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			if now, err := p.Anon(); err == nil {
				highest = max(highest, now)
			}
			select {
			case <-quit:
				peak <- highest
				return
			case <-ticker.C:
			}
		}
	}()
	return func() int64 {
		close(quit)
		return <-peak
	}
}

// Syncs reads how often a traced server called fsync or fdatasync, out of the
// table that strace -c wrote when the server ended.
func Syncs(straceFile string) (int64, error) {
	calls, _, err := SyncTime(straceFile)
	return calls, err
}

// SyncTime is Syncs with the time that the calls took together, from call to
// return. strace adds its own to each.
func SyncTime(straceFile string) (calls int64, took time.Duration, err error) {
	f, err := os.Open(straceFile)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // % time, seconds, usecs/call, calls, [errors], syscall
		if len(fields) < 5 {
			continue
		}
		if name := fields[len(fields)-1]; name != "fsync" && name != "fdatasync" {
			continue
		}
		seconds, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read %s: %w", straceFile, err)
		}
		n, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read %s: %w", straceFile, err)
		}
		calls, took = calls+n, took+time.Duration(seconds*float64(time.Second))
	}
	return calls, took, nil
}

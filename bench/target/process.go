package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startWait = 30 * time.Second
	stopWait  = 60 * time.Second // a server may have work in flight to finish
)

// Process is a running server. Stop or Kill it; it does not end by itself.
type Process struct {
	Name    string
	Addr    string        // host:port it listens on
	PID     int           // of the server itself, also under strace
	Started time.Duration // from exec to the first answer

	cmd     *exec.Cmd
	logFile string
	done    chan error
}

// Command describes a server to start.
type Command struct {
	Name   string
	Args   []string // program first
	Addr   string   // where it will listen
	Log    string   // file for its output
	Strace string   // file for strace's count of syncs; "" = not traced
}

// Start starts the server and waits for its first answer, whatever that is.
func Start(ctx context.Context, c Command) (*Process, error) {
	logFile, err := os.Create(c.Log)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	args := c.Args
	if c.Strace != "" {
		args = append([]string{"strace", "-f", "--seccomp-bpf", "-qq", "-c", "-w", "-e", "trace=fsync,fdatasync", "-o", c.Strace}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	// A group of its own: an interrupt at the terminal is ours to pass on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{Name: c.Name, Addr: c.Addr, PID: cmd.Process.Pid, cmd: cmd, logFile: c.Log, done: make(chan error, 1)}
	go func() { p.done <- cmd.Wait() }()
	if err := p.awaitAnswer(ctx, began); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", c.Name, err), p.Kill(), errors.New(p.logTail()))
	}
	if c.Strace != "" {
		if p.PID, err = onlyChild(cmd.Process.Pid); err != nil {
			return nil, errors.Join(err, p.Kill())
		}
	}
	return p, nil
}

func (p *Process) awaitAnswer(ctx context.Context, began time.Time) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: startWait}
	for {
		resp, err := client.Get("http://" + p.Addr + "/")
		if err == nil {
			p.Started = time.Since(began)
			return resp.Body.Close()
		}
		select {
		case err := <-p.done:
			p.done <- err
			return fmt.Errorf("ended before it answered: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
		if time.Since(began) > startWait {
			return fmt.Errorf("no answer on %s within %s: %w", p.Addr, startWait, err)
		}
	}
}

// Stop asks the server to end and waits for it.
func (p *Process) Stop() error {
	if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	select {
	case err := <-p.done:
		p.done <- err
		if err != nil {
			return fmt.Errorf("stop %s: %w\n%s", p.Name, err, p.logTail())
		}
		return nil
	case <-time.After(stopWait):
		return errors.Join(fmt.Errorf("stop %s: still running after %s", p.Name, stopWait), p.Kill())
	}
}

// Kill ends the server at once, as a power cut would, and waits for it. It may
// be called after Stop.
func (p *Process) Kill() error {
	err := syscall.Kill(p.PID, syscall.SIGKILL)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	ended := <-p.done
	p.done <- ended // for whoever asks again
	return nil
}

// LogNumber finds a whole number that the server logged under this key, in
// text or JSON, the last one if there are several.
func (p *Process) LogNumber(key string) (int64, error) {
	content, err := os.ReadFile(p.logFile)
	if err != nil {
		return 0, err
	}
	all := regexp.MustCompile(`\b`+regexp.QuoteMeta(key)+`"?[=:] *(\d+)`).FindAllSubmatch(content, -1)
	if len(all) == 0 {
		return 0, fmt.Errorf("%s logged no %q", p.Name, key)
	}
	return strconv.ParseInt(string(all[len(all)-1][1]), 10, 64)
}

func (p *Process) logTail() string {
	content, _ := os.ReadFile(p.logFile)
	return string(content[max(0, len(content)-2000):])
}

func onlyChild(pid int) (int, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("find the child of strace: %w", err)
	}
	return child, nil
}

// FreeAddr gives a loopback address that nothing listens on now.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

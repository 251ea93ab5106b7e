package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// serveProcess is a real `finrelay serve` in a process of its own, on a port
// that the system chose.
type serveProcess struct {
	Door string // URL without path
	Key  string // of a sender; "" when the configuration holds the keys

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and its log is whole

	mu  sync.Mutex
	log bytes.Buffer
}

// quickRaceExit keeps a process that was built with the race detector from
// sleeping a second before it exits, which a script pays for each command.
const quickRaceExit = "atexit_sleep_ms=0"

// serveTimeout bounds starting and stopping, far above what either takes.
const serveTimeout = 30 * time.Second

// startServe starts a server in a folder and returns when it can be reached.
func startServe(folder string, env []string, args ...string) (*serveProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &serveProcess{done: make(chan struct{})}
	p.cmd = exec.Command(self, append([]string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	p.cmd.Dir = folder
	p.cmd.Env = append(env, asFinrelay+"=1", "GORACE="+quickRaceExit)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go p.read(stderr, ready)
	select {
	case <-ready:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("serve ended with %s:\n%s", p.cmd.ProcessState, p.Log())
	case <-time.After(serveTimeout):
		return nil, errors.Join(fmt.Errorf("serve does not listen after %s:\n%s", serveTimeout, p.Log()), p.Kill())
	}
}

// read keeps the log and takes door and key out of its first lines.
func (p *serveProcess) read(stderr io.Reader, ready chan struct{}) {
	defer close(p.done)
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	listening := false
	for lines.Scan() {
		p.mu.Lock()
		p.log.Write(append(lines.Bytes(), '\n'))
		p.mu.Unlock()
		var line struct {
			Msg     string
			Events  string
			KeyFile string `json:"key_file"`
		}
		if listening || json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		if line.KeyFile != "" {
			key, _ := os.ReadFile(line.KeyFile)
			p.Key = strings.TrimSpace(string(key))
		}
		if line.Events != "" {
			p.Door, _, _ = strings.Cut(line.Events, "/in/")
			listening = true
			close(ready)
		}
	}
	_ = p.cmd.Wait() // the code is in ProcessState
}

// Log is what the server wrote to standard error so far.
func (p *serveProcess) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Stop asks the server to end as an operator does and gives its exit code.
func (p *serveProcess) Stop() (int, error) {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return -1, err
	}
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(serveTimeout):
		return -1, errors.Join(fmt.Errorf("serve does not stop after %s:\n%s", serveTimeout, p.Log()), p.Kill())
	}
}

// Kill ends the server at once. It may be called after Stop.
func (p *serveProcess) Kill() error {
	err := p.cmd.Process.Kill()
	<-p.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

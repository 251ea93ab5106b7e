package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// README's "Try it" is what a newcomer pastes. Its commands are run as they
// stand, in an empty folder, but for the two fixed ports, which are not ours.
func TestReadmeTryIt(t *testing.T) {
	folder := t.TempDir()
	blocks := indented(section(t, read(t, "README.md"), "Try it, in two terminals"))
	if len(blocks) != 4 || blocks[0] != "finrelay serve\n" {
		t.Fatalf("README's blocks have changed: %q", blocks)
	}
	server, err := startServe(folder, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Kill() }()
	shell := newcomer(t, folder, server.Door)

	stop := shell.start(blocks[1])
	waitLanded(t, shell, 1)
	stop()
	exports, rows, _ := strings.Cut(blocks[2], "\n")
	if out := shell.run(exports); strings.Count(out, "landed here") != 1 {
		t.Errorf("%s: %s", exports, out)
	}
	if out := shell.run(rows); strings.Count(out, "\n{") != 19 || !strings.HasPrefix(out, "{") { // 20 rows, an object each
		t.Errorf("%s: not the 20 rows of the first export:\n%s", rows, out)
	}

	stop = shell.start(blocks[3])
	waitLanded(t, shell, 3)
	stop()
}

// README's configuration is what a reader pastes next. Without the two things
// that README says it needs lint names these and nothing else; with README's own
// commands for them nothing is left to say, and the server starts.
func TestReadmeSample(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	folder := t.TempDir()
	here := strings.NewReplacer("/etc/finrelay", folder, "/var/lib/finrelay", folder+"/state", "/srv/lake", folder+"/lake")
	text := section(t, read(t, "README.md"), "Your own FinOps")
	yaml := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(text)
	blocks := indented(regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, ""))
	if yaml == nil || len(blocks) < 2 || !strings.HasPrefix(blocks[1], "finrelay config lint ") {
		t.Fatalf("README's blocks have changed: %q", blocks)
	}
	if err := os.WriteFile(filepath.Join(folder, "finrelay.yaml"), []byte(here.Replace(yaml[1])), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := newcomer(t, folder, "")
	lint, _, _ := strings.Cut(blocks[1], "\n")

	out, err := shell.command(lint).CombinedOutput()
	found := regexp.MustCompile(`(?m)^\w+: line \d+, ([^:]+): `).FindAllStringSubmatch(string(out), -1)
	if err == nil || len(found) != 2 || found[0][1] != "tls" || found[1][1] != "doors.finops.keys[0]" {
		t.Errorf("lint of the sample alone: %v\n%s", err, out)
	}
	if out := shell.run(here.Replace(blocks[0]) + "exec 2>&1\n" + lint); !strings.HasSuffix(out, "nothing to say\n") {
		t.Errorf("with what README says it needs: %s", out)
	}
	server, err := startServe(folder, append(os.Environ(), "FINRELAY_KEY=correct-horse-battery-staple"))
	if err != nil {
		t.Fatal(err)
	}
	if code, err := server.Stop(); code != exitDone || err != nil {
		t.Errorf("exit code %d, %v: %s", code, err, server.Log())
	}
}

// section is the text below a heading, up to the next one.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, after, found := strings.Cut(page, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("no section %q", heading)
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

// indented gives the blocks of code of a page, without their indentation.
func indented(page string) []string {
	var blocks []string
	inside := false
	for line := range strings.Lines(page) {
		code, ok := strings.CutPrefix(line, "    ")
		switch {
		case ok && inside:
			blocks[len(blocks)-1] += code
		case ok:
			blocks = append(blocks, code)
		}
		inside = ok
	}
	return blocks
}

// person runs commands in a folder where finrelay is on the path.
type person struct {
	t            *testing.T
	folder, door string
}

func newcomer(t *testing.T, folder, door string) *person {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=1 GORACE=%s exec %s \"$@\"\n", asFinrelay, quickRaceExit, shellWord(self))
	if err := os.WriteFile(filepath.Join(bin, "finrelay"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return &person{t, folder, door}
}

func (p *person) command(text string) *exec.Cmd {
	text = strings.ReplaceAll(text, "http://127.0.0.1:8686", p.door)
	text = strings.ReplaceAll(text, "finrelay sim ", "exec finrelay sim --listen 127.0.0.1:0 ")
	c := exec.Command("sh", "-e", "-c", text)
	c.Dir = p.folder
	return c
}

func (p *person) run(text string) string {
	p.t.Helper()
	out, err := p.command(text).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", text, err, out)
	}
	return string(out)
}

// start runs what does not end by itself; stop is the person's Ctrl-C.
func (p *person) start(text string) (stop func()) {
	p.t.Helper()
	c := p.command(text)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = c.Process.Signal(syscall.SIGINT)
		if err := c.Wait(); err != nil {
			p.t.Errorf("%s: %v\n%s", text, err, &out)
		}
	})
	p.t.Cleanup(end)
	return end
}

// waitLanded waits until so many exports have landed, and no other thing has
// become of any.
func waitLanded(t *testing.T, p *person, n int) {
	t.Helper()
	for deadline := time.Now().Add(restTimeout); ; time.Sleep(100 * time.Millisecond) {
		var exports []struct{ State string }
		if err := json.Unmarshal([]byte(p.run("finrelay exports -o json")), &exports); err != nil {
			t.Fatal(err)
		}
		landed := 0
		for _, e := range exports {
			if e.State == "landed" {
				landed++
			}
		}
		if landed >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d exports landed, want %d: %+v\n%s", landed, n, exports, p.run("finrelay status"))
		}
	}
}

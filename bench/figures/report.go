package figures

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// Table is a Markdown table.
type Table struct {
	Head []string
	Rows [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

func (t *Table) String() string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}

// Section is one experiment's part of a report.
type Section struct {
	Name string // of the experiment: its place in the file
	Text string // Markdown below the section's headline
}

// String gives the section with the date, the machine and the command that
// measured it: a number without them is a rumour.
func (s Section) String() string {
	return fmt.Sprintf("## %s\n\n%s\n%s · %s\n\n    go run ./bench/%s\n",
		s.Name, strings.TrimRight(s.Text, "\n")+"\n", time.Now().UTC().Format(time.DateOnly), Machine(), command())
}

// command is how this program was called, without the folders it was in.
func command() string {
	words := []string{os.Args[0][strings.LastIndexByte(os.Args[0], '/')+1:]}
	for _, arg := range os.Args[1:] {
		if filepath.IsAbs(arg) {
			arg = "DIR"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

// Publish prints the section and, when file is not "", puts it there in place
// of the section of the same name, or at the end.
func Publish(file string, s Section) error {
	text := s.String()
	fmt.Print(text)
	if file == "" {
		return nil
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(file, []byte(replaceSection(string(old), s.Name, text)), 0o644)
}

func replaceSection(doc, name, text string) string {
	head := regexp.MustCompile(`(?m)^## ` + regexp.QuoteMeta(name) + `$`).FindStringIndex(doc)
	if head == nil {
		return strings.TrimLeft(strings.TrimRight(doc, "\n")+"\n\n"+text, "\n")
	}
	rest := doc[head[1]:]
	if next := regexp.MustCompile(`(?m)^## `).FindStringIndex(rest); next != nil {
		return doc[:head[0]] + text + "\n" + rest[next[0]:]
	}
	return doc[:head[0]] + text
}

// Machine describes what the figures were measured on, in one line.
func Machine() string {
	parts := []string{
		fmt.Sprintf("%d cores", runtime.NumCPU()),
		field("/proc/cpuinfo", "model name"),
		memory(),
		runtime.GOOS + " " + firstLine("uname", "-r"),
		runtime.Version(),
	}
	return strings.Join(parts, ", ")
}

func memory() string {
	var kib int64
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%d kB", &kib); err != nil {
		return "unknown memory"
	}
	return fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
}

// field reads "name : value" from a file of /proc.
func field(file, name string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(content)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstLine(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

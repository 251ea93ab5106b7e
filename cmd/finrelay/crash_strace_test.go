package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// tracedCalls are the system calls by which a server changes its folder, and
// those that would change it in a way that disk does not know (they fail the
// replay). Writes to a file that is mapped into memory cannot be seen; SQLite
// maps only its -shm, which it makes anew after a crash.
const tracedCalls = "openat,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,sync_file_range," +
	"rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlinkat,mkdir,mkdirat,rmdir,ftruncate,truncate,fallocate," +
	"close,dup,dup2,dup3,fcntl,sendto,sendmsg,copy_file_range,sendfile,splice,sync,syncfs,chdir"

// straceArgs come before the program's own. -D makes the program our child and
// not strace's; -xx writes strings in hex, so that none holds a quote or comma.
func straceArgs(to string) []string {
	return []string{"-D", "-f", "--seccomp-bpf", "-xx", "-s", "16777216", "-e", "signal=none", "-e", "trace=" + tracedCalls, "-o", to}
}

// sysCall is one recorded call.
type sysCall struct {
	name   string
	args   []string // strings decoded
	result int64    // -1 for every error

}

// moment is where a call begins or ends. Calls of several threads overlap, and
// what a crash does depends on which had ended.
type moment struct {
	call *sysCall
	end  bool
}

// readStrace reads what strace wrote.
func readStrace(file string) ([]moment, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var moments []moment
	open := map[string]*sysCall{} // by thread
	lines := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return moments, nil
		}
		if err != nil {
			return nil, err
		}
		thread, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		more, err := readLine(open, thread, strings.TrimLeft(text, " "))
		if err != nil {
			return nil, fmt.Errorf("line %d of the recording: %w", n, err)
		}
		moments = append(moments, more...)
	}
}

// readLine reads one of
//
//	name(args) = result
//	name(args <unfinished ...>
//	<... name resumed>rest) = result
//	+++ exited with 0 +++
//
// by cutting, not with expressions: lines are long, and there are many.
func readLine(open map[string]*sysCall, thread, text string) ([]moment, error) {
	if strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---") {
		return nil, nil
	}
	if begin, ok := strings.CutSuffix(text, "<unfinished ...>"); ok {
		name, args, _ := strings.Cut(begin, "(")
		c, err := newSysCall(name, strings.TrimRight(args, ", "))
		open[thread] = c
		return []moment{{c, false}}, err
	}
	at := strings.LastIndex(text, ") ")
	if at < 0 || !strings.HasPrefix(strings.TrimLeft(text[at+1:], " "), "= ") {
		return nil, fmt.Errorf("not understood: %.120q", text)
	}
	// An error has its name in parentheses behind the result.
	if e := strings.LastIndex(text[:at], ") "); e >= 0 && strings.HasPrefix(strings.TrimLeft(text[e+1:], " "), "= ") {
		at = e
	}
	result := straceResult(strings.Fields(text[at+1:])[1])
	if strings.HasPrefix(text, "<... ") {
		c := open[thread]
		if c == nil {
			return nil, fmt.Errorf("end of a call that has no beginning: %.120q", text)
		}
		delete(open, thread)
		c.result = result
		return []moment{{c, true}}, nil
	}
	name, args, _ := strings.Cut(text[:at], "(")
	c, err := newSysCall(name, args)
	if err != nil {
		return nil, err
	}
	c.result = result
	return []moment{{c, false}, {c, true}}, nil
}

func straceResult(s string) int64 {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		return -1 // "?": the process ended in the call
	}
	return n
}

func newSysCall(name, args string) (*sysCall, error) {
	c := &sysCall{name: name}
	if name == "writev" || name == "pwritev" || name == "pwritev2" {
		// fd, [{iov_base="...", iov_len=...}, ...], count, offset: the strings are the data.
		fd, _, _ := strings.Cut(args, ",")
		var data strings.Builder
		for i, part := range strings.Split(args, `"`) {
			if i%2 == 1 {
				s, err := unhex(part)
				if err != nil {
					return nil, err
				}
				data.WriteString(s)
			}
		}
		tail := strings.Split(args[strings.LastIndex(args, "]")+1:], ", ")
		c.args = append([]string{fd, data.String()}, tail[1:]...)
		return c, nil
	}
	for _, a := range strings.Split(args, ", ") {
		if quoted, ok := strings.CutPrefix(a, `"`); ok {
			quoted, ok = strings.CutSuffix(quoted, `"`)
			s, err := unhex(quoted)
			if err != nil || !ok {
				return nil, fmt.Errorf("%s: a string that was cut or is not hex, %w", name, err)
			}
			a = s
		}
		c.args = append(c.args, a)
	}
	return c, nil
}

// unhex decodes \x41\x42.
func unhex(s string) (string, error) {
	b := make([]byte, len(s)/4)
	for i := range b {
		if n, err := hex.Decode(b[i:i+1], []byte(s[4*i+2:4*i+4])); n != 1 || err != nil {
			return "", err
		}
	}
	return string(b), nil
}

// number is an argument as a number; -1 when it is none, as AT_FDCWD.
func (c *sysCall) number(i int) int64 {
	if i >= len(c.args) {
		return -1
	}
	n, err := strconv.ParseInt(c.args[i], 0, 64)
	if err != nil {
		return -1
	}
	return n
}

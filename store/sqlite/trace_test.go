package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// tracedCalls are the system calls that change what is on a disk.
const tracedCalls = "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,msync,unlink,unlinkat,rename,renameat,renameat2,link,linkat,mkdir,mkdirat"

// A call is the beginning or the end of a system call, as strace saw it.
type call struct {
	run    int    // of strace
	thread string // by its number in the system
	fd     string // the first argument where that is a file descriptor
	name   string
	args   []string // strings decoded; of a file descriptor the path it stands for
	end    bool
	result int64
	failed bool
}

// trace runs the current test once more under strace, and returns the changes
// that it made to files in the order in which they began and ended.
// command begins with strace and may go on with further options.
func trace(t *testing.T, what, dir string, command ...string) []call {
	t.Helper()
	log := t.TempDir() + "/trace"
	command = append(command, "-f", "--seccomp-bpf", "-y", "-xx", "-s", "1048576", "-e", "signal=none", "-e", "trace="+tracedCalls, "-o", log)
	c := child(t, what, dir, command...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("under strace: %v\n%s", err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var calls []call
	begun := map[string]call{} // by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		thread, line, _ := strings.Cut(lines.Text(), " ")
		line = strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
			continue
		case strings.HasSuffix(line, "= ?"):
			continue
		case strings.HasPrefix(line, "<... "):
			c := begun[thread]
			delete(begun, thread)
			name, rest, _ := strings.Cut(strings.TrimPrefix(line, "<... "), " ")
			if c.name != name {
				t.Fatalf("strace: %s ends in thread %s, in which %s had begun", name, thread, c.name)
			}
			calls = append(calls, c.ended(t, rest))
		default:
			c := parseCall(t, line)
			c.thread = thread
			calls = append(calls, c)
			if strings.HasSuffix(line, "<unfinished ...>") {
				begun[thread] = c
			} else {
				calls = append(calls, c.ended(t, line))
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	// The process ended during these. What they wrote is written.
	for _, c := range begun {
		if c.end = true; c.name == "pwrite64" {
			c.result = int64(len(c.args[1]))
			calls = append(calls, c)
		}
	}
	return calls
}

func strace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed: the package strace has it")
	}
	return path
}

// parseCall reads the name and the arguments of a call.
func parseCall(t *testing.T, line string) call {
	t.Helper()
	name, rest, ok := strings.Cut(line, "(")
	if !ok {
		t.Fatalf("strace: %.200q", line)
	}
	c := call{name: name}
	for {
		rest = strings.TrimLeft(rest, ", ")
		switch {
		case rest == "" || rest[0] == ')' || strings.HasPrefix(rest, "<unfinished"):
			return c
		case rest[0] == '"':
			text, after, _ := strings.Cut(rest[1:], `"`)
			if strings.HasPrefix(after, "...") {
				t.Fatal("strace shortened an argument")
			}
			c.args = append(c.args, unhex(t, text))
			rest = after
		default:
			end := strings.IndexAny(rest, ",)<")
			if end < 0 {
				end = len(rest)
			}
			arg := rest[:end]
			if end < len(rest) && rest[end] == '<' && !strings.HasPrefix(rest[end:], "<unfinished") {
				if len(c.args) == 0 {
					c.fd = arg
				}
				path, after, _ := strings.Cut(rest[end+1:], ">")
				arg = path
				if strings.HasPrefix(path, `\x`) {
					arg = unhex(t, path)
				}
				rest = strings.TrimPrefix(after, "(deleted)")
				if rest != after {
					arg = "(deleted)"
				}
			} else {
				rest = rest[end:]
			}
			c.args = append(c.args, strings.TrimSpace(arg))
		}
	}
}

// ended is the end of c with the result that stands last in the line.
func (c call) ended(t *testing.T, line string) call {
	t.Helper()
	c.end = true
	at := strings.LastIndex(line, " = ") // every string is in hexadecimal
	if at < 0 {
		t.Fatalf("strace: no result in %.200q", line)
	}
	result := line[at+len(" = "):]
	if end := strings.IndexAny(result, " <"); end >= 0 {
		result = result[:end]
	}
	n, err := strconv.ParseInt(result, 0, 64)
	if err != nil {
		t.Fatalf("strace: the result %q in %.200q", result, line)
	}
	c.result, c.failed = n, n < 0
	return c
}

// unhex decodes a string of which strace has written every byte as \xNN.
func unhex(t *testing.T, s string) string {
	t.Helper()
	if len(s)%4 != 0 {
		t.Fatalf("strace: %.80q is not in hexadecimal", s)
	}
	b := make([]byte, 0, len(s)/4)
	for i := 0; i < len(s); i += 4 {
		high, low := hexDigit(s[i+2]), hexDigit(s[i+3])
		if s[i:i+2] != `\x` || high < 0 || low < 0 {
			t.Fatalf("strace: %.80q is not in hexadecimal", s)
		}
		b = append(b, byte(high<<4|low))
	}
	return string(b)
}

func (c call) String() string {
	return fmt.Sprintf("%s(%.80q) = %d, end %v", c.name, c.args, c.result, c.end)
}

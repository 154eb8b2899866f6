package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The built-in world of "convene dev", as far as these tests use it.
const (
	contoso = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"

	ann  = "c0ffee00-0001-4a00-8000-000000000002"
	dora = "c0ffee00-0001-4a00-8000-000000000004"

	crm          = "a9900000-0002-4a00-8000-000000000002"
	crmSecret    = "crm-secret"
	portal       = "a9900000-0004-4a00-8000-000000000004"
	annsName     = "ann@contoso.example"
	password     = "convene"
	graphDefault = "https://graph.microsoft.com/.default"
)

// convene is the program under test, and server the one that all tests share.
var (
	convene = filepath.Join("..", "bin", "convene")
	server  *process
)

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// withServer runs the tests while a server is there, and expects of it a clean
// end. Clients trust its certificate authority by configuration alone.
func withServer(run func() int) (code int, err error) {
	if convene, err = filepath.Abs(convene); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "convene-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err = start(dir, "--listen", "localhost:0")
	if err != nil {
		return 1, err
	}
	if err := os.Setenv("SSL_CERT_FILE", filepath.Join(dir, "ca.pem")); err != nil {
		return 1, errors.Join(err, server.stop())
	}
	code = run()
	err = server.stop()
	if code != 0 || err != nil {
		fmt.Fprintf(os.Stderr, "what the server said:\n%s\n", server.log.String())
	}
	return code, err
}

// A process is a running server.
type process struct {
	url, dir string
	cmd      *exec.Cmd
	log      *lockedBuffer
	extra    chan []string // what it printed on standard output after its ready line
}

// start returns a server that is ready, keeping its state in dir.
func start(dir string, args ...string) (*process, error) {
	return startProgram(dir, convene, append([]string{"dev", "--data", dir}, args...)...)
}

func startProgram(dir, program string, args ...string) (*process, error) {
	p := &process{dir: dir, log: newLockedBuffer(), extra: make(chan []string, 1)}
	p.cmd = exec.Command(program, args...)
	p.cmd.Stderr = p.log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build makes it)", err)
	}
	late := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() }) // ends the scan below
	defer late.Stop()
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	url, ready := strings.CutPrefix(lines.Text(), "ready ")
	if !ready {
		_ = p.cmd.Process.Kill() // it may have ended already
		return nil, fmt.Errorf("first line is %q; want ready https://HOST:PORT (ended: %v)\n%s",
			lines.Text(), p.cmd.Wait(), p.log.String())
	}
	p.url = url
	go func() {
		var extra []string
		for lines.Scan() {
			extra = append(extra, lines.Text())
		}
		p.extra <- extra
	}()
	return p, nil
}

// stop asks the server to end, and reports if it does so in any other way than
// promised: status 0, and nothing but the ready line on standard output.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("server ended before it was asked to: %w", errors.Join(err, p.cmd.Wait()))
	}
	late := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	extra := <-p.extra // read to its end before Wait closes the pipe
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("server ended on SIGTERM with %w; want status 0", err)
	}
	if len(extra) > 0 {
		return fmt.Errorf("server printed %q after its ready line; want nothing", extra)
	}
	return nil
}

// kill ends the server as a crash would, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.extra
	_ = p.cmd.Wait() // says that it was killed
}

// approve lets the user say yes to a device code.
func approve(ctx context.Context, code, user string) error {
	out, err := exec.CommandContext(ctx, convene, "device", "approve", code, "--user", user, "--data", server.dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("convene device approve: %w\n%s", err, out)
	}
	return nil
}

// A lockedBuffer is written by the process and read by the tests.
type lockedBuffer struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	wrote chan struct{} // closed and replaced at each write
}

func newLockedBuffer() *lockedBuffer { return &lockedBuffer{wrote: make(chan struct{})} }

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.wrote)
	b.wrote = make(chan struct{})
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	text, _ := b.now()
	return text
}

// now returns the text, and what tells of more.
func (b *lockedBuffer) now() (text string, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String(), b.wrote
}

// await returns what find makes of the text as soon as that is not "", or ""
// when the context ends before.
func (b *lockedBuffer) await(ctx context.Context, find func(text string) string) string {
	for {
		text, more := b.now()
		if found := find(text); found != "" {
			return found
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ""
		}
	}
}

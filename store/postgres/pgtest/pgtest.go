// Package pgtest gives tests a PostgreSQL server of their own: one cluster for
// each test process, with a database for each test. It needs the server's
// programs on the machine, as Debian's package postgresql installs them, and
// knows nothing of schemas.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is one running cluster. It listens on a Unix socket and on a free
// port of 127.0.0.1.
type Server struct {
	dir     string // of the data, the socket and the log; removed in the end
	bin     string
	port    int
	account *syscall.Credential // whom the server runs as; nil: ourselves
	process *os.Process
	ended   chan struct{}
}

// shared is the cluster of this test process, started when first asked for.
var shared struct {
	once   sync.Once
	server *Server
	err    error
	count  int
	mu     sync.Mutex
}

// Main runs the tests and then stops the cluster, if one was started.
func Main(m *testing.M) { os.Exit(Tests{m}.Run()) }

// Tests are the tests of a process, for a TestMain that has more to do.
type Tests struct{ M *testing.M }

// Run runs the tests, stops the cluster, if one was started, and returns the
// status to exit with.
func (t Tests) Run() int {
	code := t.M.Run()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// URL makes a new, empty database in the process's cluster and returns the URL
// of it.
func URL(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = Start() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server.Database(t)
}

// Database makes a new, empty database and returns the URL of it.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	shared.mu.Lock()
	shared.count++
	name := fmt.Sprintf("test_%d", shared.count)
	shared.mu.Unlock()
	if err := s.Exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		t.Fatal(err)
	}
	return s.url(name)
}

// Exec runs statements as the superuser, in the database "postgres".
func (s *Server) Exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}

func (s *Server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Start makes a cluster and starts it. settings are of the form "name=value".
// The caller has to stop it.
func Start(settings ...string) (*Server, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "convene-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin}
	if err := s.start(settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) start(settings []string) (err error) {
	if os.Geteuid() == 0 { // which the server refuses to run as
		if s.account, err = account("postgres"); err != nil {
			return err
		}
		if err := os.Chown(s.dir, int(s.account.Uid), int(s.account.Gid)); err != nil {
			return err
		}
	}
	initdb := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	// What a crash of the machine would cost is of no interest here.
	defaults := []string{"fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=32MB", "deadlock_timeout=50ms"}
	return s.Restart(append(defaults, settings...)...)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Restart starts a server that was stopped or killed.
func (s *Server) Restart(settings ...string) error {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.dir, "-h", "127.0.0.1"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	var log bytes.Buffer
	c := s.command("postgres", args...)
	c.Stdout, c.Stderr = &log, &log
	endWithParent(c.SysProcAttr)
	ended := make(chan struct{})
	started := make(chan error)
	go func() {
		defer close(ended)
		runtime.LockOSThread() // its end is what the signal is bound to
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.ended = c.Process, ended
	for late := time.After(time.Minute); ; {
		err := s.Exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("postgres ended:\n%s", log.Bytes())
		case <-late:
			return errors.Join(fmt.Errorf("postgres does not answer: %w", err), s.Stop())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Kill ends the server and all its sessions at once, as a crash would.
func (s *Server) Kill() error {
	if err := s.process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	<-s.ended
	return nil
}

// Stop ends the server and removes all it had.
func (s *Server) Stop() error {
	return errors.Join(s.Kill(), os.RemoveAll(s.dir))
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir = s.dir
	c.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + s.bin}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	return c
}

// findPrograms returns the directory of the server's programs, of the newest
// version there is.
func findPrograms() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	version := func(dir string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		return n
	}
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	if initdb, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(initdb))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("PostgreSQL's server is not installed (" + strings.Join([]string{"initdb", "postgres"}, " and ") + "): the package postgresql has it")
}

func account(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

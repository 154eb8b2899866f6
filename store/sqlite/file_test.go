package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/convene-meet/convene/meeting"
)

// closed makes a data directory with n meetings, closed in order.
func closed(t testing.TB, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := Open(context.Background(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	build(t, s, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// killed makes a data directory as a process leaves it that is killed after it
// has made n meetings one after the other: all of them are in the log.
func killed(t testing.TB, n int) (dir string) {
	t.Helper()
	from, to := t.TempDir(), t.TempDir()
	s := open(t, from, Options{fold: 1 << 30})
	for i := range n {
		if _, _, err := s.CreateOrGet(context.Background(), newMeeting(t, benchOwner, externalID(i)), meeting.Numbers(true)); err != nil {
			t.Fatal(err)
		}
	}
	copyFiles(t, from, to)
	return to
}

func copyFiles(t testing.TB, from, to string) {
	t.Helper()
	for _, name := range []string{fileName, fileName + "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// edit changes a file in place.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, path, script string) {
	t.Helper()
	c, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.exec(script), c.close()); err != nil {
		t.Fatal(err)
	}
}

func flip(offset int) func([]byte) []byte {
	return func(b []byte) []byte {
		if offset < 0 {
			offset += len(b)
		}
		b[offset] ^= 0x40
		return b
	}
}

// frame is where the nth frame of a log begins, the first being 0.
func frame(n int) int { return logHeaderSize + n*(frameHeaderSize+4096) }

// commits returns the numbers of the frames of a log that end a transaction.
func commits(log []byte) (all []int) {
	for n := 0; frame(n+1) <= len(log); n++ {
		if binary.BigEndian.Uint32(log[frame(n)+4:]) != 0 {
			all = append(all, n)
		}
	}
	return all
}

// TestOpenRefuses: what is not ours, not understood or not as it was left is
// named, and not touched.
func TestOpenRefuses(t *testing.T) {
	const db, wal = fileName, fileName + "-wal"
	for _, tt := range []struct {
		name   string
		make   func(t testing.TB, n int) string
		change func(t *testing.T, dir string)
		want   error // nil: fine
	}{
		{"as it was closed", closed, func(*testing.T, string) {}, nil},
		{"as it was killed", killed, func(*testing.T, string) {}, nil},

		{"another application's", closed, func(t *testing.T, dir string) { run(t, filepath.Join(dir, db), "PRAGMA application_id = 7") }, ErrForeign},
		{"no application's", closed, func(t *testing.T, dir string) { run(t, filepath.Join(dir, db), "PRAGMA application_id = 0") }, ErrForeign},
		{"a text", closed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, db), func([]byte) []byte { return bytes.Repeat([]byte("text\n"), 100) })
		}, ErrForeign},
		{"a directory", closed, func(t *testing.T, dir string) {
			if err := errors.Join(os.Remove(filepath.Join(dir, db)), os.Mkdir(filepath.Join(dir, db), 0o700)); err != nil {
				t.Fatal(err)
			}
		}, ErrForeign},

		{"a newer schema", closed, func(t *testing.T, dir string) { run(t, filepath.Join(dir, db), "PRAGMA user_version = 99") }, ErrNewer},

		{"empty", closed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, db), func([]byte) []byte { return nil })
		}, ErrDamaged},
		{"cut short", closed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, db), func(b []byte) []byte { return b[:len(b)/2] })
		}, ErrDamaged},
		{"an odd page size", closed, func(t *testing.T, dir string) { edit(t, filepath.Join(dir, db), flip(offPageSize+1)) }, ErrDamaged},
		{"a damaged schema", closed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, db), func(b []byte) []byte { clear(b[100:4096]); return b })
		}, ErrDamaged},
		{"a table is missing", closed, func(t *testing.T, dir string) { run(t, filepath.Join(dir, db), "DROP TABLE records") }, ErrDamaged},
		{"a schema version below none", closed, func(t *testing.T, dir string) { run(t, filepath.Join(dir, db), "PRAGMA user_version = -1") }, ErrDamaged},
		{"the database is missing, its log is there", killed, func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, db)); err != nil {
				t.Fatal(err)
			}
		}, ErrDamaged},

		{"the log is empty", killed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, wal), func([]byte) []byte { return nil })
		}, nil},
		{"the log's last frame is torn", killed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, wal), func(b []byte) []byte { return b[:len(b)-100] })
		}, nil},
		{"the log's last frame is wrong", killed, func(t *testing.T, dir string) { edit(t, filepath.Join(dir, wal), flip(-100)) }, nil},
		{"the log's last transaction is torn in its middle", killed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, wal), func(b []byte) []byte { return flip(frame(commits(b)[4]+1) + 500)(b) })
		}, nil},
		{"the last but one transaction is torn", killed, func(t *testing.T, dir string) { // the last was written while it was flushed
			edit(t, filepath.Join(dir, wal), func(b []byte) []byte { return flip(frame(commits(b)[3]+1) + 500)(b) })
		}, nil},
		{"the last but two transaction is torn", killed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, wal), func(b []byte) []byte { return flip(frame(commits(b)[2]+1) + 500)(b) })
		}, ErrDamaged},
		{"the log's header is wrong", killed, func(t *testing.T, dir string) { edit(t, filepath.Join(dir, wal), flip(20)) }, ErrDamaged},
		{"the log's first frame is wrong", killed, func(t *testing.T, dir string) { edit(t, filepath.Join(dir, wal), flip(frame(0)+500)) }, ErrDamaged},
		{"a frame's salt is wrong", killed, func(t *testing.T, dir string) { edit(t, filepath.Join(dir, wal), flip(frame(2)+9)) }, ErrDamaged},
		{"a frame's checksum is wrong", killed, func(t *testing.T, dir string) { edit(t, filepath.Join(dir, wal), flip(frame(3)+17)) }, ErrDamaged},
		{"a frame is missing", killed, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, wal), func(b []byte) []byte { clear(b[frame(4):frame(5)]); return b })
		}, ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.make(t, 6)
			tt.change(t, dir)
			before := contents(t, dir)
			s, err := Open(context.Background(), dir, Options{})
			if err == nil {
				err = s.Close()
			} else if after := contents(t, dir); after != before {
				t.Errorf("what was refused was changed: %s", after)
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("Open: %v, want %v", err, tt.want)
			}
			if err != nil && tt.want == nil {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

// contents tells the files of a directory apart, the lock left out.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	for _, name := range []string{fileName, fileName + "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		all = append(all, fmt.Sprintf("%s: %x, %v", name, sha256.Sum256(data), err))
	}
	return strings.Join(all, "\n")
}

// TestDamagedLogIsNoAccident: a log that was cut off anywhere, as a crash does
// it, is never taken for a damaged one.
func TestCutLog(t *testing.T) {
	dir := killed(t, 6)
	wal, err := os.ReadFile(filepath.Join(dir, fileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "log")
	for n := 0; n < len(wal); n += 97 {
		if err := os.WriteFile(path, wal[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkLog(path); err != nil {
			t.Fatalf("cut off after %d bytes: %v", n, err)
		}
	}
}

// TestBigEndianLog: machines of the other byte order write logs whose checksums
// are of that order.
func TestBigEndianLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log := make([]byte, logHeaderSize)
	binary.BigEndian.PutUint32(log, logMagic|1)
	binary.BigEndian.PutUint32(log[4:], 3007000)
	binary.BigEndian.PutUint32(log[8:], 512)
	copy(log[16:], "saltsalt")
	var sum checksum
	seal := func(b []byte) {
		binary.BigEndian.PutUint32(b, sum[0])
		binary.BigEndian.PutUint32(b[4:], sum[1])
	}
	sum.add(binary.BigEndian, log[:24])
	seal(log[24:])
	for i := range byte(4) {
		f := make([]byte, frameHeaderSize+512)
		f[3], f[7] = 1, 1 // page 1, and the database has one
		copy(f[8:], "saltsalt")
		f[100] = i
		sum.add(binary.BigEndian, f[:8])
		sum.add(binary.BigEndian, f[frameHeaderSize:])
		seal(f[16:])
		log = append(log, f...)
	}
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := checkLog(path); err != nil {
		t.Errorf("a log as it should be: %v", err)
	}
	edit(t, path, flip(logHeaderSize+200))
	if err := checkLog(path); !errors.Is(err, ErrDamaged) {
		t.Errorf("a log with a wrong first frame: %v, want ErrDamaged", err)
	}
}

// TestCheck: a start looks at the header and the log, Check at everything.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, path string)
		want   error
	}{
		{"as it was closed", func(*testing.T, string) {}, nil},
		{"a page in the middle", func(t *testing.T, path string) {
			edit(t, path, func(b []byte) []byte { clear(b[len(b)/2&^4095:][:4096]); return b })
		}, ErrDamaged},
		{"a time that is none", func(t *testing.T, path string) {
			run(t, path, "PRAGMA ignore_check_constraints = 1; UPDATE meetings SET attendees = '[' WHERE id = 3")
		}, ErrDamaged},
		{"a room that is none", func(t *testing.T, path string) {
			run(t, path, "INSERT INTO rooms (name, tenant, doc, revision, open) VALUES ('n', 't', '[]', 1, 0)")
		}, ErrDamaged},
		{"a message that is none", func(t *testing.T, path string) {
			run(t, path, "INSERT INTO messages (tenant, room, seq, doc) VALUES ('t', 'n', 1, '{')")
		}, ErrDamaged},
		{"a report that is none", func(t *testing.T, path string) {
			run(t, path, "INSERT INTO reports (tenant, thread, message, start_time, doc) VALUES ('t', 'th', '0', 0, '')")
		}, ErrDamaged},
		{"no generation", func(t *testing.T, path string) {
			run(t, path, "DELETE FROM generation; INSERT INTO generation VALUES (1), (2)")
		}, ErrDamaged},
		{"another application's", func(t *testing.T, path string) { run(t, path, "PRAGMA application_id = 7") }, ErrForeign},
		{"a newer schema", func(t *testing.T, path string) { run(t, path, "PRAGMA user_version = 99") }, ErrNewer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := closed(t, 500)
			tt.change(t, filepath.Join(dir, fileName))
			before := contents(t, dir)
			if err := Check(context.Background(), dir); !errors.Is(err, tt.want) || err != nil && tt.want == nil {
				t.Errorf("Check: %v, want %v", err, tt.want)
			}
			if after := contents(t, dir); after != before {
				t.Errorf("Check changed the files: %s", after)
			}
		})
	}
	t.Run("with a log", func(t *testing.T) {
		dir := killed(t, 20)
		before := contents(t, dir)
		if err := Check(context.Background(), dir); err != nil {
			t.Errorf("Check: %v", err)
		}
		if after := contents(t, dir); after != before {
			t.Errorf("Check changed the files: %s", after)
		}
	})
	t.Run("in use", func(t *testing.T) {
		dir := t.TempDir()
		open(t, dir, Options{})
		if err := Check(context.Background(), dir); !errors.Is(err, ErrLocked) {
			t.Errorf("Check: %v, want ErrLocked", err)
		}
	})
	t.Run("not there", func(t *testing.T) {
		if err := Check(context.Background(), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Check: %v, want os.ErrNotExist", err)
		}
	})
}

// TestLock: of one directory there is one Store, in this process and any other.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	if os.Getenv(childVariable) == "lock" {
		dir = os.Getenv(childDir)
	} else {
		open(t, dir, Options{})
		c := child(t, "lock", dir)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("the other process: %v\n%s", err, out)
		}
	}
	s, err := Open(context.Background(), dir, Options{})
	if !errors.Is(err, ErrLocked) || s != nil {
		t.Errorf("Open of a directory in use: %v, want ErrLocked", err)
	}
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("the message does not name the directory: %v", err)
	}
}

// The names of what a test tells itself when it runs in a process of its own.
const (
	childVariable = "CONVENE_SQLITE_CHILD"
	childDir      = "CONVENE_SQLITE_DIR"
)

// child runs the current test once more, in another process.
func child(t testing.TB, what, dir string, wrap ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	test, _, _ := strings.Cut(t.Name(), "/")
	args := append(wrap, program, "-test.run=^"+test+"$", "-test.count=1")
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), childVariable+"="+what, childDir+"="+dir)
	return c
}

// TestModes: nobody else reads what is in the directory, whatever the umask.
func TestModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := open(t, dir, Options{})
	build(t, s, 10)
	modes := func() {
		t.Helper()
		for name, want := range map[string]os.FileMode{"..": 0o700, ".": 0o700, fileName: 0o600, fileName + "-wal": 0o600, lockName: 0o600} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Error(err)
			} else if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has mode %o, want %o", name, got, want)
			}
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 3 {
			t.Errorf("the directory has %v, error %v; want the database, its log and the lock", entries, err)
		}
	}
	modes()

	// A copy that was made with other rights is closed to others at the start.
	to := t.TempDir()
	copyFiles(t, dir, to)
	for _, name := range []string{fileName, fileName + "-wal"} {
		if err := os.Chmod(filepath.Join(to, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir = to
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	build(t, open(t, dir, Options{}), 20)
	modes()
}

// TestUnfinishedCreation: a process that died while it made the database left a
// draft, which the next one throws away.
func TestUnfinishedCreation(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{fileName + ".new", fileName + ".new-journal"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("unfinished"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build(t, open(t, dir, Options{}), 1)
	if leftover, err := filepath.Glob(filepath.Join(dir, "*.new*")); err != nil || len(leftover) > 0 {
		t.Errorf("%v is still there, error %v", leftover, err)
	}
}

// TestMigrations goes up, down and up again, one step at a time.
func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}()
	all, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	objects := func() int64 {
		t.Helper()
		n, err := c.integer("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_sequence'")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	to := func(version int) {
		t.Helper()
		if err := migrateTo(c, all, version); err != nil {
			t.Fatal(err)
		}
		if v, err := c.integer("PRAGMA user_version"); err != nil || v != int64(version) {
			t.Errorf("user_version is %d, error %v; want %d", v, err, version)
		}
	}
	var sizes []int64
	for version := range all {
		sizes = append(sizes, objects())
		to(version + 1)
		if objects() == sizes[version] {
			t.Errorf("migration %d made nothing", version+1)
		}
	}
	for version := len(all) - 1; version >= 0; version-- {
		to(version)
		if got := objects(); got != sizes[version] {
			t.Errorf("after migration %d was undone there are %d objects, want %d", version+1, got, sizes[version])
		}
	}
	to(len(all))

	// A migration that fails leaves nothing of itself.
	before := objects()
	bad := append(all[:len(all):len(all)], migration{up: "CREATE TABLE half (a); CREATE TABLE meetings (a);"})
	if err := migrateTo(c, bad, len(bad)); err == nil {
		t.Error("a migration that cannot be made succeeds")
	}
	if got := objects(); got != before {
		t.Errorf("%d objects after a migration that failed, %d before", got, before)
	}
	to(len(all))
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// smallDisk mounts an empty disk of a few MiB, for which it takes root: its own
// or that of a namespace, in which the test then runs once more.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// TestDiskFull fills a disk, again and again. Whoever finds it full is told so,
// nothing that was acknowledged is lost, reading goes on, and so does writing
// once there is room.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		if out, err := child(t, "root of a namespace", "", "unshare", "-rm").CombinedOutput(); err != nil {
			t.Errorf("in a namespace: %v\n%s", err, out)
		}
		return
	}
	diskFull(t, 8)
}

func diskFull(t *testing.T, rounds int) {
	disk := smallDisk(t, "8m")
	dir, ballast := filepath.Join(disk, "data"), filepath.Join(disk, "ballast")
	var mu sync.Mutex
	p := newPromises()
	opts := Options{fold: 100, Fatal: func(err error) { t.Errorf("a full disk stopped the engine: %v", err) }}
	s := openOnce(t, dir, opts)
	fill(t, ballast, 1<<30)
	const step = 300 << 10
	folded := 0 // rounds in which the log could not be folded and grew
	for round := 0; round < rounds || folded == 0 && round < 5*rounds; round++ {
		// The last ones to come find no room.
		var full sync.WaitGroup
		for c := range 6 {
			full.Go(func() {
				out := func(line string) { mu.Lock(); p.add(line); mu.Unlock() }
				err := workAlone(s, lineWriter(out), fmt.Sprint("round-", round), c, 1_000_000)
				if !errors.Is(err, meeting.ErrFull) {
					t.Errorf("round %d, caller %d: %v, want ErrFull", round, c, err)
				}
			})
		}
		full.Wait()
		whileFull(t, s, p)
		if _, log, copied := logState(t, s.path); log > 2*opts.fold && copied < log {
			folded++
		}
		if round%4 == 3 { // a start finds it full, too
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openOnce(t, dir, opts)
			whileFull(t, s, p)
		}
		shrink(t, ballast, step)
		// There is room: the very next one gets it.
		if _, created, err := s.CreateOrGet(context.Background(), newMeeting(t, benchOwner, fmt.Sprint("after-", round)), meeting.Numbers(true)); err != nil || !created {
			t.Fatalf("round %d, with room again: created %v, error %v", round, created, err)
		}
	}
	t.Logf("%d meetings, %d rounds in which the log could not be folded", len(p.made), folded)
	if folded == 0 {
		t.Error("the log could be folded every time: the disk was never full enough")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := p.kept(dir); err != nil {
		t.Error(err)
	}
}

// openOnce opens a store that the test closes itself.
func openOnce(t *testing.T, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// whileFull: what is there can be read. What is new is refused as before, or
// finds that a folded log has left some room.
func whileFull(t *testing.T, s *Store, p *promises) {
	t.Helper()
	now := time.Now()
	m := newMeeting(t, benchOwner, "perhaps")
	if _, _, err := s.CreateOrGet(context.Background(), m, meeting.Numbers(true)); err != nil && !errors.Is(err, meeting.ErrFull) {
		t.Errorf("CreateOrGet: %v, want none or ErrFull", err)
	}
	user := identity.Change{Record: identity.Record{Kind: identity.KindUser, ID: "perhaps", Doc: make([]byte, 10_000)}, Expect: identity.AnyRevision}
	if err := s.Apply(context.Background(), now, []identity.Change{user}); err != nil && !errors.Is(err, meeting.ErrFull) {
		t.Errorf("Apply: %v, want none or ErrFull", err)
	}
	for id, thread := range p.made {
		if p.deleting[id] {
			continue
		}
		if m, err := s.ByThread(context.Background(), benchOwner.Tenant, thread, "0", now); err != nil || m.ExternalID != id {
			t.Fatalf("ByThread of %s: %q, error %v", id, m.ExternalID, err)
		}
	}
}

// logState returns how long the log is and how much of it was copied.
func logState(t *testing.T, path string) (busy, log, copied int64) {
	t.Helper()
	c, err := connect(path, "wal_autocheckpoint(0)")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.prepare("PRAGMA wal_checkpoint(NOOP)")
	if err == nil {
		err = s.query(func(r *row) error {
			busy, log, copied = r.integer(0), r.integer(1), r.integer(2)
			return nil
		})
	}
	if err := errors.Join(err, c.close()); err != nil {
		t.Fatal(err)
	}
	return busy, log, copied
}

type lineWriter func(string)

func (w lineWriter) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		w(line)
	}
	return len(b), nil
}

// fill writes a file of a size, or as long as there is room for.
func fill(t *testing.T, path string, size int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for written := 0; written < size && err == nil; written += len(block) {
		_, err = f.Write(block)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// shrink takes some bytes off the end of a file.
func shrink(t *testing.T, path string, bytes int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()-bytes)
	}
	if err != nil {
		t.Fatal(err)
	}
}

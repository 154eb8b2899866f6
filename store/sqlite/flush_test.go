package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convene-meet/convene/meeting"
)

// TestFailedFlush has strace let flushes fail, as a broken disk does. The system
// then takes what should have been flushed for written, although it is not: only
// the disk of the model knows better. The engine must not acknowledge what hung
// on such a flush, must stop, and its successor must not build upon it.
func TestFailedFlush(t *testing.T) {
	if failedFlushRun(t) {
		return
	}
	failedFlushes(t, 24, 1, 4, 9)
}

// failedFlushRun is what the test does in a process of its own.
func failedFlushRun(t *testing.T) bool {
	switch what := os.Getenv(childVariable); what {
	case "":
		return false
	case "fails":
		failedFlushChild(t)
	default:
		s := open(t, filepath.Join(os.Getenv(childDir), "data"), Options{fold: 60})
		work(t, s, os.Stdout, what, 4, 10)
	}
	return true
}

// failedFlushes lets every flush of a thread fail from the nth on, and there are
// a few threads, and then cuts the power at some moments.
func failedFlushes(t *testing.T, moments int, from ...int) {
	r := random(t)
	for _, nth := range from {
		root, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		fault := fmt.Sprintf("inject=fsync,fdatasync:error=EIO:when=%d+", nth)
		var calls []call
		for run, what := range []string{"before", "fails", "afterwards"} {
			command := []string{strace(t)}
			if what == "fails" {
				command = append(command, "-e", fault)
			}
			for _, c := range trace(t, what, root, command...) {
				c.run = run
				calls = append(calls, c)
			}
		}
		if !slices.ContainsFunc(calls, func(c call) bool { return c.failed && (c.name == "fsync" || c.name == "fdatasync") }) {
			t.Fatal("no flush has failed")
		}
		// Half of the cuts come while the successor starts.
		start := slices.IndexFunc(calls, func(c call) bool { return c.run == 2 })
		started := start + slices.IndexFunc(calls[start:], func(c call) bool { return c.name == "write" && strings.HasPrefix(c.args[1], "work: opened") })
		for i := range moments {
			at := len(calls) - r.IntN(len(calls)/2)
			if i%2 == 0 {
				at = start + r.IntN(started-start)
			}
			if err := powerCutAt(t, calls[:at], root, cut(r.IntN(int(cuts))), r); err != nil {
				t.Fatalf("flushes fail from the %dth: %v", nth, err)
			}
		}
		if err := powerCutAt(t, calls, root, cutNothing, r); err != nil {
			t.Fatalf("flushes fail from the %dth: %v", nth, err)
		}
	}
}

// TestFailedFlushOfDatabase lets the flushes of the database fail, and not those
// of its log: callers are served, and nobody would know.
func TestFailedFlushOfDatabase(t *testing.T) {
	dir := os.Getenv(childDir)
	switch os.Getenv(childVariable) {
	case "fails":
		told := make(chan error, 1)
		s := openOnce(t, dir, Options{fold: 60, Fatal: func(err error) { told <- err }})
		work(t, s, os.Stdout, "until", 6, 60)
		if err := <-told; !errors.Is(err, meeting.ErrUnavailable) {
			t.Errorf("Fatal was told %v", err)
		}
		return
	case "":
		dir = closed(t, 10)
		c := child(t, "fails", dir, strace(t), "-f", "-o", "/dev/null", "-P", filepath.Join(dir, fileName), "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func failedFlushChild(t *testing.T) {
	told := make(chan error, 10)
	s := openOnce(t, filepath.Join(os.Getenv(childDir), "data"), Options{fold: 60, Fatal: func(err error) { told <- err }})
	work(t, s, os.Stdout, "until", 6, 1_000_000) // until none goes on
	if err := <-told; !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("Fatal was told %v", err)
	}
	if len(told) > 0 {
		t.Errorf("Fatal was told once more: %v", <-told)
	}
	// It stays so, for every caller, and reading goes on.
	for i := range 3 {
		_, created, err := s.CreateOrGet(context.Background(), newMeeting(t, benchOwner, fmt.Sprint("too late ", i)), meeting.Numbers(true))
		if !errors.Is(err, meeting.ErrUnavailable) || created {
			t.Errorf("after a failed flush: created %v, error %v; want ErrUnavailable", created, err)
		}
	}
	if _, err := s.ByJoinMeetingID(context.Background(), "0", noon); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("ByJoinMeetingID after a failed flush: %v", err)
	}
	// The process ends here, without Close.
}

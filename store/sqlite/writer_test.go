package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/convene-meet/convene/meeting"
)

// block stops the writer in the middle of a transaction until release is called.
func block(t *testing.T, s *Store) (release func()) {
	t.Helper()
	blocked, done := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- s.writer.do(context.Background(), &job{run: func(*statements) error {
			close(blocked)
			<-done
			return nil
		}})
	}()
	<-blocked
	return func() {
		t.Helper()
		close(done)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// waiting returns when n jobs are in the queue of a writer that is blocked.
func waiting(s *Store, n int) {
	for len(s.writer.jobs) < n {
		runtime.Gosched() // each is about to be put there by a goroutine that runs
	}
}

type result struct {
	m       meeting.Meeting
	created bool
	err     error
}

func create(t *testing.T, s *Store, ctx context.Context, externalID string, draw func(*meeting.Meeting)) chan result {
	t.Helper()
	m := newMeeting(t, benchOwner, externalID)
	done := make(chan result, 1)
	go func() {
		m, created, err := s.CreateOrGet(ctx, m, draw)
		done <- result{m, created, err}
	}()
	return done
}

// TestQueueFull: who finds the queue full is told at once.
func TestQueueFull(t *testing.T) {
	s := open(t, t.TempDir(), Options{Queue: 3})
	release := block(t, s)
	var accepted []chan result
	for i := range 3 {
		accepted = append(accepted, create(t, s, context.Background(), fmt.Sprint(i), meeting.Numbers(true)))
		waiting(s, i+1)
	}
	if r := <-create(t, s, context.Background(), "one too many", meeting.Numbers(true)); !errors.Is(r.err, meeting.ErrUnavailable) {
		t.Errorf("with a full queue: %v, want ErrUnavailable", r.err)
	}
	release()
	for _, done := range accepted {
		if r := <-done; r.err != nil || !r.created {
			t.Errorf("an accepted write: created %v, error %v", r.created, r.err)
		}
	}
	if r := <-create(t, s, context.Background(), "one too many", meeting.Numbers(true)); r.err != nil || !r.created {
		t.Errorf("with room again: created %v, error %v", r.created, r.err)
	}
}

// TestNeighbours: what goes wrong for one caller of a transaction is nothing to
// the others.
func TestNeighbours(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	holder := <-create(t, s, context.Background(), "holder", meeting.Numbers(true))
	if holder.err != nil {
		t.Fatal(holder.err)
	}
	transactions := s.transactions(t)
	release := block(t, s)
	var collided atomic.Int32
	var all []chan result
	for i := range 12 {
		draw := meeting.Numbers(true)
		if i%3 == 0 {
			free := draw
			draw = func(m *meeting.Meeting) {
				free(m)
				if collided.Add(1) <= 4 {
					m.JoinMeetingID = holder.m.JoinMeetingID
				}
			}
		}
		all = append(all, create(t, s, context.Background(), fmt.Sprint(i), draw))
		waiting(s, i+1)
	}
	own := errors.New("an error of its own")
	failed := make(chan error, 2)
	for range cap(failed) {
		go func() {
			failed <- s.writer.do(context.Background(), &job{run: func(w *statements) error {
				return w.together(func() error {
					_, err := w.addAudit.exec(integer(1), text("a"), text("b"), text("c"), text("d"), value{})
					return errors.Join(err, own)
				})
			}})
		}()
	}
	waiting(s, len(all)+cap(failed))
	release()
	for i, done := range all {
		if r := <-done; r.err != nil || !r.created || r.m.ExternalID != fmt.Sprint(i) {
			t.Errorf("caller %d: created %v, error %v", i, r.created, r.err)
		}
	}
	for range cap(failed) {
		if err := <-failed; !errors.Is(err, own) {
			t.Errorf("error %v, want its own", err)
		}
	}
	if entries, err := s.Audit(context.Background(), "", 0, 10); err != nil || len(entries) != 0 {
		t.Errorf("%d audit entries of jobs that failed, error %v", len(entries), err)
	}
	// The one that blocked, the fourteen together, the four that drew again.
	if n := s.transactions(t) - transactions; n > 6 {
		t.Errorf("it took %d transactions", n)
	}
}

// transactions counts those of the log, which must not have been folded.
func (s *Store) transactions(t *testing.T) int {
	t.Helper()
	log, err := os.ReadFile(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return len(commits(log))
}

// TestCallerLeaves: a caller may go, what it asked for is done.
func TestCallerLeaves(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	release := block(t, s)
	ctx, leave := context.WithCancel(context.Background())
	done := create(t, s, ctx, "left", meeting.Numbers(true))
	waiting(s, 1)
	leave()
	if r := <-done; !errors.Is(r.err, meeting.ErrUnavailable) || !errors.Is(r.err, context.Canceled) || !strings.Contains(r.err.Error(), "unknown") {
		t.Errorf("error %v, want ErrUnavailable and that the outcome is unknown", r.err)
	}
	release()
	if r := <-create(t, s, context.Background(), "left", meeting.Numbers(true)); r.err != nil || r.created {
		t.Errorf("asking again: created %v, error %v; want the meeting of the one who left", r.created, r.err)
	}
	r := <-create(t, s, ctx, "never came", meeting.Numbers(true))
	if !errors.Is(r.err, meeting.ErrUnavailable) {
		t.Errorf("a caller who had left before: %v, want ErrUnavailable", r.err)
	}
}

// TestReadersDoNotWait: what exists is found while the writer is busy, from the
// cache or not.
func TestReadersDoNotWait(t *testing.T) {
	for _, size := range []int{0, -1} {
		s := open(t, t.TempDir(), Options{CacheBytes: size})
		want := <-create(t, s, context.Background(), "there", meeting.Numbers(true))
		release := block(t, s)
		if r := <-create(t, s, context.Background(), "there", meeting.Numbers(true)); r.err != nil || r.created {
			t.Errorf("CreateOrGet: created %v, error %v", r.created, r.err)
		}
		if m, err := s.ByJoinMeetingID(context.Background(), want.m.JoinMeetingID, want.m.Created); err != nil || m.ExternalID != "there" {
			t.Errorf("ByJoinMeetingID: %q, error %v", m.ExternalID, err)
		}
		release()
	}
}

// TestClose: what was accepted is done, what comes later is refused.
func TestClose(t *testing.T) {
	dir := t.TempDir()
	s := openOnce(t, dir, Options{})
	release := block(t, s)
	accepted := create(t, s, context.Background(), "accepted", meeting.Numbers(true))
	waiting(s, 1)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	<-s.writer.stop
	if err := s.writer.do(context.Background(), &job{run: func(*statements) error { return nil }}); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("a write after Close has begun: %v, want ErrUnavailable", err)
	}
	release()
	if r := <-accepted; r.err != nil || !r.created {
		t.Errorf("an accepted write: created %v, error %v", r.created, r.err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close once more: %v", err)
	}
	if _, err := os.Stat(s.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
	s = open(t, dir, Options{})
	if r := <-create(t, s, context.Background(), "accepted", meeting.Numbers(true)); r.err != nil || r.created {
		t.Errorf("after a new start: created %v, error %v", r.created, r.err)
	}
}

// TestLogStaysShort: the log is folded while everybody writes.
func TestLogStaysShort(t *testing.T) {
	const fold = 200
	s := open(t, t.TempDir(), Options{fold: fold, flush: "OFF"})
	build(t, s, 20_000)
	info, err := os.Stat(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// The longest transaction may add a page for each index of each of its rows.
	if pages := info.Size() / 4096; pages > foldLimit*fold+8*maxBatch {
		t.Errorf("the log has had %d pages, and is folded after %d", pages, fold)
	}
}

// TestUpdateMeetsSuccessor: between the look and the write of an update the
// meeting was deleted and another one made with the same thread and revision.
// That is what change has to be given then.
func TestUpdateMeetsSuccessor(t *testing.T) {
	ctx := context.Background()
	s := open(t, t.TempDir(), Options{})
	numbers := meeting.Meeting{TollNumber: "+1"}
	meeting.Numbers(true)(&numbers)
	draw := func(m *meeting.Meeting) {
		m.ThreadID, m.MessageID, m.JoinMeetingID, m.VideoTeleconferenceID, m.ConferenceID =
			numbers.ThreadID, numbers.MessageID, numbers.JoinMeetingID, numbers.VideoTeleconferenceID, numbers.ConferenceID
	}
	first := <-create(t, s, ctx, "first", draw)
	if first.err != nil {
		t.Fatal(first.err)
	}
	var seen []string
	m, err := s.Update(ctx, first.m.Tenant, numbers.ThreadID, "0", first.m.Created, func(m *meeting.Meeting) error {
		seen = append(seen, m.ExternalID)
		m.Passcode = "changed"
		if len(seen) > 1 {
			return nil
		}
		if err := s.Delete(ctx, m.Tenant, m.ThreadID, m.MessageID, m.Created); err != nil {
			return err
		}
		return (<-create(t, s, ctx, "second", draw)).err
	})
	if err != nil || fmt.Sprint(seen) != "[first second]" || m.ExternalID != "second" || m.Revision != 2 {
		t.Errorf("Update saw %v and returned %q with revision %d, error %v", seen, m.ExternalID, m.Revision, err)
	}
}

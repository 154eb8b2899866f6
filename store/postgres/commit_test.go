package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/postgres/pgtest"
	"github.com/jackc/pgx/v5"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func newMeeting(t testing.TB, externalID string) meeting.Meeting {
	t.Helper()
	m, err := meeting.Draft{Owner: meeting.Owner{Tenant: "t", User: "u"}, ExternalID: externalID}.Complete(noon)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// start starts a server for one test, which ends it.
func start(t *testing.T, settings ...string) *pgtest.Server {
	t.Helper()
	server, err := pgtest.Start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// await asks until the answer is yes.
func await(t *testing.T, c *pgx.Conn, question string) {
	t.Helper()
	look, late := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer look.Stop()
	for {
		var yes bool
		if err := c.QueryRow(context.Background(), question).Scan(&yes); err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		if yes {
			return
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%s: still no", question)
		}
	}
}

const commitsWaiting = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

// TestCommitThatWaits has a server wait for a standby that does not exist: every
// commit is on the disk here, and not acknowledged.
func TestCommitThatWaits(t *testing.T) {
	server := start(t)
	db := server.Database(t)
	s, err := Open(context.Background(), db, Options{Grace: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, probe := session(t, db), session(t, db)
	exec(t, c, "CREATE TABLE probe (n int)")
	release := func() {
		t.Helper()
		exec(t, c, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
	}
	// hold returns when commits wait, which the server takes a while to decide.
	hold := func() {
		t.Helper()
		exec(t, c, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
		for waiting := false; !waiting; {
			done := make(chan error, 1)
			go func() {
				_, err := probe.Exec(context.Background(), "INSERT INTO probe VALUES (1)")
				done <- err
			}()
			for ended := false; !ended; {
				select {
				case err := <-done:
					if err != nil {
						t.Fatal(err)
					}
					ended = true
				default:
					var n int
					if err := c.QueryRow(context.Background(), "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&n); err != nil {
						t.Fatal(err)
					}
					waiting = waiting || n > 0
				}
			}
		}
	}
	type result struct {
		created bool
		err     error
	}
	create := func(ctx context.Context, externalID string) chan result {
		done := make(chan result, 1)
		go func() {
			_, created, err := s.CreateOrGet(ctx, newMeeting(t, externalID), meeting.Numbers(false))
			done <- result{created, err}
		}()
		return done
	}

	t.Run("the caller leaves", func(t *testing.T) {
		hold()
		ctx, leave := context.WithCancel(context.Background())
		done := create(ctx, "left")
		await(t, c, commitsWaiting)
		leave()
		if r := <-done; !errors.Is(r.err, meeting.ErrUnavailable) || !errors.Is(r.err, context.Canceled) {
			t.Errorf("created %v, error %v; want ErrUnavailable", r.created, r.err)
		}
		// Nobody may see it before it is acknowledged, and nobody gave it up.
		await(t, c, "SELECT count(*) = 0 FROM meetings")
		await(t, c, commitsWaiting)
		release()
		await(t, c, "SELECT count(*) = 1 FROM meetings")
		if r := <-create(context.Background(), "left"); r.created || r.err != nil {
			t.Errorf("asking again: created %v, error %v", r.created, r.err)
		}
	})
	t.Run("the caller of Apply leaves", func(t *testing.T) {
		before := s.generation.value
		hold()
		ctx, leave := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			done <- s.Apply(ctx, noon, []identity.Change{{Record: identity.Record{Kind: identity.KindUser, ID: "left"}}})
		}()
		await(t, c, commitsWaiting)
		leave()
		if err := <-done; !errors.Is(err, meeting.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
		release()
		await(t, c, "SELECT count(*) = 1 FROM records")
		s.writes.Wait()
		if after := s.generation.value; after != before+1 {
			t.Errorf("the generation is %d after %d: the write was not waited for to its end", after, before)
		}
	})
	t.Run("the wait is cancelled", func(t *testing.T) {
		hold()
		done := create(context.Background(), "cancelled")
		await(t, c, commitsWaiting)
		exec(t, c, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
		if r := <-done; !errors.Is(r.err, meeting.ErrUnavailable) {
			t.Errorf("created %v, error %v; want ErrUnavailable: it is committed here only", r.created, r.err)
		}
		release()
		if r := <-create(context.Background(), "cancelled"); r.created || r.err != nil {
			t.Errorf("asking again: created %v, error %v", r.created, r.err)
		}
		if r := <-create(context.Background(), "the next one"); !r.created || r.err != nil {
			t.Errorf("the next one on that connection: created %v, error %v", r.created, r.err)
		}
	})
	t.Run("the store is closed", func(t *testing.T) {
		hold()
		done := create(context.Background(), "closed")
		await(t, c, commitsWaiting)
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if r := <-done; !errors.Is(r.err, meeting.ErrUnavailable) {
			t.Errorf("created %v, error %v; want ErrUnavailable", r.created, r.err)
		}
		await(t, c, commitsWaiting) // the server has not been told to give up
		release()
		await(t, c, "SELECT count(*) = 1 FROM meetings WHERE external_id = 'closed'")
		if r := <-create(context.Background(), "after"); !errors.Is(r.err, meeting.ErrUnavailable) {
			t.Errorf("after Close: created %v, error %v; want ErrUnavailable", r.created, r.err)
		}
	})
}

// TestNoCancelRequest: a caller who leaves while a statement runs costs a
// connection, and the server is never asked to cancel.
func TestNoCancelRequest(t *testing.T) {
	db := pgtest.URL(t)
	proxy, cancels, ended := startProxy(t, db)
	s := open(t, proxy)
	c := session(t, db)
	exec(t, c, "BEGIN", "LOCK TABLE meetings IN ACCESS EXCLUSIVE MODE")
	ctx, leave := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := s.ByJoinMeetingID(ctx, "1", noon)
		done <- err
	}()
	await(t, session(t, db), "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
	leave()
	if err := <-done; !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	exec(t, c, "ROLLBACK")
	<-ended // pgx has done what it does with a connection it gives up
	if n := cancels.Load(); n != 0 {
		t.Errorf("the server got %d requests to cancel", n)
	}
}

// startProxy passes connections on and counts the requests to cancel among them.
// ended is closed when the first connection has ended.
func startProxy(t *testing.T, db string) (proxied string, cancels *atomic.Int32, ended chan struct{}) {
	t.Helper()
	u, err := url.Parse(db)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cancels, ended = new(atomic.Int32), make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	target := u.Host
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer once.Do(func() { close(ended) })
				defer in.Close()
				var head [8]byte // length and code of the first message
				if _, err := io.ReadFull(in, head[:]); err != nil {
					return
				}
				if string(head[4:]) == "\x04\xd2\x16\x2e" { // CancelRequest
					cancels.Add(1)
				}
				out, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				defer out.Close()
				if _, err := out.Write(head[:]); err != nil {
					return
				}
				all.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
				_, _ = io.Copy(out, in)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	u.Host = l.Addr().String()
	return u.String(), cancels, ended
}

// TestExistingTakesNoLock: a meeting that exists is returned while nobody can
// write.
func TestExistingTakesNoLock(t *testing.T) {
	db := pgtest.URL(t)
	s := open(t, db)
	m := newMeeting(t, "there")
	want, _, err := s.CreateOrGet(context.Background(), m, meeting.Numbers(false))
	if err != nil {
		t.Fatal(err)
	}
	c := session(t, db)
	exec(t, c, "BEGIN", "LOCK TABLE meetings IN EXCLUSIVE MODE") // lets plain reads through, and nothing else
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	got, created, err := s.CreateOrGet(ctx, m, meeting.Numbers(false))
	if err != nil || created || got.ThreadID != want.ThreadID {
		t.Errorf("CreateOrGet while the table is locked: created %v, error %v", created, err)
	}
	exec(t, c, "ROLLBACK")
}

// TestReadsOutliveConnections: the server has ended idle connections, as a
// restart does, and no reader notices.
func TestReadsOutliveConnections(t *testing.T) {
	db := pgtest.URL(t)
	s := open(t, db)
	m, _, err := s.CreateOrGet(context.Background(), newMeeting(t, "there"), meeting.Numbers(false))
	if err != nil {
		t.Fatal(err)
	}
	c := session(t, db)
	for range 3 {
		exec(t, c, "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if _, err := s.ByThread(context.Background(), "t", m.ThreadID, m.MessageID, noon); err != nil {
			t.Errorf("ByThread after the connections were ended: %v", err)
		}
	}
}

// TestCrash kills the server under load, again and again. What was acknowledged
// is there afterwards, once, and the same Store goes on.
func TestCrash(t *testing.T) {
	const callers, rounds = 8, 3
	server := start(t)
	db := server.Database(t)
	s := open(t, db)
	acknowledged := map[string]string{} // thread by external id
	for round := range rounds {
		var mu sync.Mutex
		var wait sync.WaitGroup
		enough := make(chan struct{})
		fresh := 0
		for i := range callers {
			wait.Go(func() {
				for k := 0; ; k++ {
					id := fmt.Sprintf("%d-%d-%d", round, i, k)
					m, created, err := s.CreateOrGet(context.Background(), newMeeting(t, id), meeting.Numbers(false))
					if err != nil {
						if !errors.Is(err, meeting.ErrUnavailable) {
							t.Errorf("CreateOrGet: %v", err)
						}
						return
					}
					mu.Lock()
					if !created {
						t.Errorf("meeting %s was there before", id)
					}
					acknowledged[id] = m.ThreadID
					if fresh++; fresh == 200 {
						close(enough)
					}
					mu.Unlock()
				}
			})
		}
		<-enough
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		wait.Wait()
		unreachable(t, s)
		if err := server.Restart("fsync=off"); err != nil {
			t.Fatal(err)
		}
		for id, thread := range acknowledged {
			m, created, err := s.CreateOrGet(context.Background(), newMeeting(t, id), meeting.Numbers(false))
			if err != nil || created || m.ThreadID != thread {
				t.Fatalf("round %d, meeting %s: created %v, thread %s, want %s, error %v", round, id, created, m.ThreadID, thread, err)
			}
		}
	}
	await(t, session(t, db), "SELECT count(*) = count(DISTINCT external_id) FROM meetings")
}

// unreachable checks what a Store says while there is no server: nothing that it
// cannot know.
func unreachable(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.ByJoinMeetingID(context.Background(), "1", noon); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("ByJoinMeetingID without a server: %v, want ErrUnavailable", err)
	}
	look, late := time.NewTicker(10*time.Millisecond), time.After(time.Second)
	defer look.Stop()
	for {
		_, err := s.Generation(context.Background())
		if errors.Is(err, meeting.ErrUnavailable) {
			return
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("Generation without a server: still an answer after a second, error %v", err)
		}
	}
}

package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

var benchOwner = meeting.Owner{Tenant: "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10", User: "c0ffee00-0001-4a00-8000-000000000001"}

// newMeeting is a meeting as the API makes them, without numbers.
func newMeeting(tb testing.TB, owner meeting.Owner, externalID string) meeting.Meeting {
	tb.Helper()
	subject := "Kick-off of " + externalID
	m, err := meeting.Draft{Owner: owner, ExternalID: externalID, Subject: &subject, TollNumber: "+1 206-555-0100"}.Complete(time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// parallel is how many callers write at once in the benchmarks of writes.
const parallel = 64

func setParallel(b *testing.B) { b.SetParallelism(max(1, parallel/runtime.GOMAXPROCS(0))) }

// BenchmarkCreate makes meetings through the engine, 64 callers at once.
func BenchmarkCreate(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	var n atomic.Int64
	setParallel(b)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m := newMeeting(b, benchOwner, fmt.Sprint("order-", n.Add(1)))
			if _, created, err := s.CreateOrGet(context.Background(), m, meeting.Numbers(true)); err != nil || !created {
				b.Error(created, err)
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
	reportSize(b, s, n.Load())
}

// BenchmarkCreateBare is what the same rows cost in a table with the same
// indexes and with callers that share transactions, and nothing else: no look
// at what is there, no cache, no redraw, no answer but "written". The engine is
// meant to reach 0.7 of it.
func BenchmarkCreateBare(b *testing.B) {
	s := openBare(b)
	var n atomic.Int64
	setParallel(b)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		done := make(chan error, 1)
		for pb.Next() {
			m := newMeeting(b, benchOwner, fmt.Sprint("order-", n.Add(1)))
			meeting.Numbers(true)(&m)
			s.jobs <- bareJob{m, done}
			if err := <-done; err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
	close(s.jobs)
	<-s.gone
}

type bareJob struct {
	m    meeting.Meeting
	done chan error
}

type bare struct {
	jobs chan bareJob
	gone chan struct{}
}

func openBare(b *testing.B) *bare {
	b.Helper()
	path := filepath.Join(b.TempDir(), fileName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	c, err := connect(path, "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-8192)")
	if err != nil {
		b.Fatal(err)
	}
	if err := migrate(c); err != nil {
		b.Fatal(err)
	}
	var stmts [3]*stmt
	for i, sql := range []string{"BEGIN IMMEDIATE", "COMMIT", "INSERT INTO meetings (" + meetingColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"} {
		if stmts[i], err = c.prepare(sql); err != nil {
			b.Fatal(err)
		}
	}
	s := &bare{make(chan bareJob, parallel), make(chan struct{})}
	go func() {
		defer close(s.gone)
		var batch []bareJob
		for first := range s.jobs {
			batch = append(batch[:0], first)
			for len(s.jobs) > 0 {
				batch = append(batch, <-s.jobs)
			}
			_, err := stmts[0].exec()
			for i := range batch {
				m := &batch[i].m
				if err == nil {
					_, err = stmts[2].exec(value{}, compactGUID(m.Tenant), compactGUID(m.User), text(m.ExternalID), compactThread(m.ThreadID), compactNumber(m.MessageID),
						compactNumber(m.JoinMeetingID), compactNumber(m.VideoTeleconferenceID), text(m.TollNumber), compactNumber(m.ConferenceID), value{},
						text(*m.Subject), ticks(m.Start), ticks(m.End), ticks(m.Created), ticks(m.Expires), integer(m.Revision), value{}, value{})
				}
				if isTaken(err) {
					err = nil // a row less in a hundred thousand
				}
			}
			if err == nil {
				_, err = stmts[1].exec()
			}
			for _, j := range batch {
				j.done <- err
			}
		}
		if err := c.close(); err != nil {
			b.Error(err)
		}
	}()
	return s
}

// BenchmarkGet asks for meetings that are in the cache.
func BenchmarkGet(b *testing.B) {
	const n = 1000
	s := open(b, b.TempDir(), Options{})
	build(b, s, n)
	ask := make([]meeting.Meeting, n)
	for i := range ask {
		ask[i] = newMeeting(b, benchOwner, externalID(i))
	}
	draw := func(*meeting.Meeting) { b.Error("draw was called") }
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if m, created, err := s.CreateOrGet(context.Background(), ask[i%n], draw); err != nil || created || m.ExternalID != ask[i%n].ExternalID {
			b.Fatal(created, err)
		}
		i++
	}
}

// reportSize reports what a meeting takes on the disk.
func reportSize(b *testing.B, s *Store, meetings int64) {
	b.Helper()
	if err := s.Close(); err != nil { // folds the log in
		b.Fatal(err)
	}
	info, err := os.Stat(s.path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(meetings), "bytes/meeting")
}

package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/convene-meet/convene/meeting"
)

func buildMeetings(tb testing.TB, dir string, n int) {
	s, err := Open(context.Background(), dir, Options{CacheBytes: -1, flush: "OFF"})
	if err != nil {
		tb.Fatal(err)
	}
	const batch = 2000
	for from := 0; from < n; from += batch {
		jobs := make([]*job, 0, batch)
		_ = jobs
		done := make(chan error, batch)
		for i := from; i < min(n, from+batch); i++ {
			go func() {
				_, _, err := s.CreateOrGet(context.Background(), newMeeting(tb, ownerOf(i), externalID(i)), meeting.Numbers(true))
				done <- err
			}()
		}
		for i := from; i < min(n, from+batch); i++ {
			if err := <-done; err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
}

func ownerOf(i int) meeting.Owner {
	return meeting.Owner{Tenant: benchOwner.Tenant, User: fmt.Sprintf("c0ffee00-0001-4a00-8000-%012x", i%1000)}
}
func externalID(i int) string { return fmt.Sprintf("order-%08d", i) }

func BenchmarkGetUncached(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := fmt.Sprintf("/tmp/bench-%s-%d", os.Getenv("BV"), n)
			if _, err := os.Stat(dir); err != nil {
				buildMeetings(b, dir, n)
			}
			s := open(b, dir, Options{CacheBytes: -1})
			r := rand.New(rand.NewPCG(1, 2))
			b.ResetTimer()
			for b.Loop() {
				i := r.IntN(n)
				if _, created, err := s.CreateOrGet(context.Background(), newMeeting(b, ownerOf(i), externalID(i)), meeting.Numbers(true)); err != nil || created {
					b.Fatal(created, err)
				}
			}
		})
	}
}

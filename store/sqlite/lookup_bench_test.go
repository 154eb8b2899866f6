package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/convene-meet/convene/meeting"
)

func externalID(i int) string { return fmt.Sprintf("order-%08d", i) }

// build makes n meetings of benchOwner, as fast as it can be done.
func build(tb testing.TB, s *Store, n int) {
	tb.Helper()
	const callers = 1024
	errs := make(chan error, callers)
	for c := range callers {
		go func() {
			var err error
			for i := c; i < n && err == nil; i += callers {
				_, _, err = s.CreateOrGet(context.Background(), newMeeting(tb, benchOwner, externalID(i)), meeting.Numbers(true))
			}
			errs <- err
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			tb.Fatal(err)
		}
	}
}

// large returns a directory with n meetings. It is built once and kept where
// CONVENE_BENCH_DIR says, else for the benchmark only.
func large(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	if kept := os.Getenv("CONVENE_BENCH_DIR"); kept != "" {
		dir = filepath.Join(kept, fmt.Sprint("meetings-", n))
	}
	if _, err := os.Stat(filepath.Join(dir, fileName)); err == nil {
		return dir
	}
	s, err := Open(context.Background(), dir, Options{CacheBytes: -1, flush: "OFF"})
	if err != nil {
		b.Fatal(err)
	}
	build(b, s, n)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkGetUncached asks for meetings that are not in the cache, all over the
// file. The larger file takes minutes to make: name it, as in
// -bench GetUncached/1000000, or set CONVENE_BENCH_DIR to keep it.
func BenchmarkGetUncached(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b, large(b, n), Options{CacheBytes: -1})
			r := rand.New(rand.NewPCG(1, 2))
			draw := func(*meeting.Meeting) { b.Error("draw was called") }
			m := newMeeting(b, benchOwner, externalID(0))
			b.ReportAllocs()
			for b.Loop() {
				m.ExternalID = externalID(r.IntN(n))
				if _, created, err := s.CreateOrGet(context.Background(), m, draw); err != nil || created {
					b.Fatal(created, err)
				}
			}
		})
	}
}

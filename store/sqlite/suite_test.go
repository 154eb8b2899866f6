package sqlite

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/storetest"
)

// rapidChecks is how many random runs there are of each law here; TestTorture…
// has more.
const rapidChecks = "rapid.checks"

func TestMain(m *testing.M) {
	if err := flag.Set(rapidChecks, "40"); err != nil { // what the command line says comes later and wins
		panic(err)
	}
	os.Exit(m.Run())
}

func TestMeetings(t *testing.T) {
	storetest.RunMeetings(t, func(t *testing.T) meeting.Store {
		return crashMeetings{open(t, t.TempDir(), Options{})}
	})
}

func TestMeetingsWithoutCache(t *testing.T) {
	storetest.RunMeetings(t, func(t *testing.T) meeting.Store {
		return crashMeetings{open(t, t.TempDir(), Options{CacheBytes: -1, flush: "OFF"})}
	})
}

// A cache of one or two meetings in each shard forgets all the time.
func TestMeetingsWithTinyCache(t *testing.T) {
	storetest.RunMeetings(t, func(t *testing.T) meeting.Store {
		return crashMeetings{open(t, t.TempDir(), Options{CacheBytes: 3000 * shardCount, flush: "OFF"})}
	})
}

func TestIdentity(t *testing.T) {
	storetest.RunIdentity(t, func(t *testing.T) identity.Store {
		return crashIdentity{open(t, t.TempDir(), Options{})}
	})
}

func TestRooms(t *testing.T) {
	storetest.RunRooms(t, func(t *testing.T) join.Store {
		return crashRooms{open(t, t.TempDir(), Options{})}
	})
}

// open opens a store that the test's end closes.
func open(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

type crashMeetings struct{ *Store }

func (s crashMeetings) Crash(t *testing.T) meeting.Store { return crashMeetings{crash(t, s.Store)} }

type crashIdentity struct{ *Store }

func (s crashIdentity) Crash(t *testing.T) identity.Store { return crashIdentity{crash(t, s.Store)} }

type crashRooms struct{ *Store }

func (s crashRooms) Crash(t *testing.T) join.Store { return crashRooms{crash(t, s.Store)} }

// crash opens a copy of what is in the files now, which is what a process that
// is killed leaves behind.
func crash(t *testing.T, s *Store) *Store {
	t.Helper()
	dir, from := t.TempDir(), filepath.Dir(s.path)
	for _, name := range []string{fileName, fileName + "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, s.opts)
}

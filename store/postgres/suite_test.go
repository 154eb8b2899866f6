package postgres

import (
	"context"
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/postgres/pgtest"
	"github.com/convene-meet/convene/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestMeetings(t *testing.T) {
	storetest.RunMeetings(t, func(t *testing.T) meeting.Store {
		url := pgtest.URL(t)
		return meetings{open(t, url), url}
	})
}

func TestIdentity(t *testing.T) {
	storetest.RunIdentity(t, func(t *testing.T) identity.Store {
		url := pgtest.URL(t)
		return directory{open(t, url), url}
	})
}

func TestRooms(t *testing.T) {
	storetest.RunRooms(t, func(t *testing.T) join.Store {
		url := pgtest.URL(t)
		return rooms{open(t, url), url}
	})
}

// open opens a store that the test's end closes.
func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A node that crashes leaves the database as it is; so a crash is another node.
type meetings struct {
	*Store
	url string
}

func (s meetings) Crash(t *testing.T) meeting.Store { return meetings{open(t, s.url), s.url} }
func (s meetings) Peer(t *testing.T) meeting.Store  { return meetings{open(t, s.url), s.url} }

type rooms struct {
	*Store
	url string
}

func (s rooms) Crash(t *testing.T) join.Store { return rooms{open(t, s.url), s.url} }
func (s rooms) Peer(t *testing.T) join.Store  { return rooms{open(t, s.url), s.url} }

type directory struct {
	*Store
	url string
}

func (s directory) Crash(t *testing.T) identity.Store { return directory{open(t, s.url), s.url} }
func (s directory) Peer(t *testing.T) identity.Store  { return directory{open(t, s.url), s.url} }

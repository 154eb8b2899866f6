package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/store/postgres/pgtest"
)

const (
	listens      = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' AND query = 'LISTEN convene_rooms'"
	listensNever = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN convene_rooms'"
)

// TestWatchOutlivesConnection: the server has ended the connection that listens,
// and the same watchers are told what happens afterwards.
func TestWatchOutlivesConnection(t *testing.T) {
	ctx, url := context.Background(), pgtest.URL(t)
	s, c := open(t, url), session(t, url)
	await(t, c, listensNever) // while nobody watches
	watch := s.Watch(ctx)
	s.Watch(ctx)
	key := join.Key{Tenant: "t", Thread: "th", Message: "0"}
	for range 2 {
		await(t, c, listens)
		if _, err := s.UpdateRoom(ctx, key, func(*join.Room) error { return nil }); err != nil {
			t.Fatal(err)
		}
		late := time.NewTimer(30 * time.Second)
		select {
		case name := <-watch:
			if name != key.Room() {
				t.Errorf("the watcher was told %q, want %q", name, key.Room())
			}
		case <-late.C:
			t.Fatal("the watcher was told nothing")
		}
		late.Stop()
		exec(t, c, "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN convene_rooms'")
	}
	await(t, c, listens)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	await(t, c, listensNever)
}

// TestWatchWithoutServer: who watches while the database is away is not kept
// waiting, and neither is Close.
func TestWatchWithoutServer(t *testing.T) {
	server := start(t)
	s := open(t, server.Database(t))
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	s.Watch(context.Background())
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Restart("fsync=off"); err != nil {
		t.Fatal(err)
	}
}

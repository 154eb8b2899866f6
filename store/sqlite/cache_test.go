package sqlite

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// TestCacheAgainstOldReaders: a reader that comes back with a state from before
// a change does not get it into the cache, whenever it looked.
func TestCacheAgainstOldReaders(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	m := newMeeting(t, benchOwner, "watched")
	m, _, err := s.CreateOrGet(context.Background(), m, meeting.Numbers(true))
	if err != nil {
		t.Fatal(err)
	}
	key := keyOf(&m)
	revision := func() int64 {
		t.Helper()
		got, created, err := s.CreateOrGet(context.Background(), m, meeting.Numbers(true))
		if err != nil || created {
			t.Fatal(created, err)
		}
		return got.Revision
	}
	look := func() (*meeting.Meeting, uint64) {
		era := s.meetings.era(key)
		_, found, err := s.find(context.Background(), m.Created, byOwner, compactGUID(m.Tenant), compactGUID(m.User), text(m.ExternalID))
		if err != nil {
			t.Fatal(err)
		}
		return &found, era
	}
	update := func() {
		t.Helper()
		if _, err := s.Update(context.Background(), m.Tenant, m.ThreadID, m.MessageID, m.Created, func(*meeting.Meeting) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}

	old, era := look()
	update()
	s.meetings.fill(1, old, era)
	if got := revision(); got != 2 {
		t.Errorf("an old state, looked up before the change: revision %d, want 2", got)
	}

	// Between hold and release the change may be visible or not.
	held := s.meetings.hold([]*job{{touched: []ownerKey{key}}})
	if _, ok := s.meetings.get(key, m.Created); ok {
		t.Error("the cache answers while a change is under way")
	}
	old, era = look()
	s.meetings.fill(1, old, era)
	if _, ok := s.meetings.get(key, m.Created); ok {
		t.Error("the cache takes something in while a change is under way")
	}
	s.meetings.release(held)
	s.meetings.fill(1, old, era)
	if _, ok := s.meetings.get(key, m.Created); ok {
		t.Error("the cache takes in what was looked up while a change was under way")
	}
	old, era = look()
	s.meetings.fill(1, old, era)
	if _, ok := s.meetings.get(key, m.Created); !ok {
		t.Error("the cache does not take in what is right")
	}

	// The same for a meeting that is deleted.
	old, era = look()
	if err := s.Delete(context.Background(), m.Tenant, m.ThreadID, m.MessageID, m.Created); err != nil {
		t.Fatal(err)
	}
	s.meetings.fill(1, old, era)
	if _, created, err := s.CreateOrGet(context.Background(), m, meeting.Numbers(true)); err != nil || !created {
		t.Errorf("a deleted meeting is still there: created %v, error %v", created, err)
	}
}

// TestCacheHoldsBeforeCommit: what the cache held is gone before the change can
// be seen, and nothing is in between for a change that fails.
func TestCacheHoldsBeforeCommit(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	m, _, err := s.CreateOrGet(context.Background(), newMeeting(t, benchOwner, "watched"), meeting.Numbers(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.meetings.get(keyOf(&m), m.Created); !ok {
		t.Error("a new meeting is not in the cache")
	}
	if era := s.meetings.era(keyOf(&m)); era%2 != 0 {
		t.Errorf("a shard is left closed, in era %d", era)
	}
	err = s.writer.do(context.Background(), &job{touched: []ownerKey{keyOf(&m)}, run: func(*statements) error { return errStale }})
	if err == nil {
		t.Error("a job that fails succeeds")
	}
	if era := s.meetings.era(keyOf(&m)); era%2 != 0 {
		t.Errorf("after a job that failed a shard is left closed, in era %d", era)
	}
}

// TestCacheBound: the memory is bounded by bytes, and what is asked for stays.
func TestCacheBound(t *testing.T) {
	const room = 1 << 20
	c := newCache(room)
	used := func() (bytes, entries int) {
		for i := range c.shards {
			bytes += room/shardCount - c.shards[i].room
			entries += len(c.shards[i].byKey)
			if n := c.shards[i].order.Len(); n != len(c.shards[i].byKey) {
				t.Fatalf("shard %d has %d in order and %d by key", i, n, len(c.shards[i].byKey))
			}
		}
		return bytes, entries
	}
	m := newMeeting(t, benchOwner, "favourite")
	favourite := m
	c.put(1, &favourite)
	for i := range 20_000 {
		m.ExternalID = fmt.Sprint(i)
		c.put(1, &m)
		if _, ok := c.get(keyOf(&favourite), noon); !ok {
			t.Fatalf("after %d others, what is asked for all the time is gone", i)
		}
		if bytes, _ := used(); i%1000 == 0 && bytes > room {
			t.Fatalf("the cache holds %d bytes, bounded to %d", bytes, room)
		}
	}
	if _, entries := used(); entries < 100 {
		t.Errorf("only %d entries are left", entries)
	}
	// One that is too large for its shard takes no other's place for long.
	m.ExternalID = "huge"
	m.Attendees = make([]meeting.Participant, 10_000)
	c.put(1, &m)
	if bytes, _ := used(); bytes > room {
		t.Errorf("with a huge one the cache holds %d bytes", bytes)
	}
	if _, ok := c.get(keyOf(&m), noon); ok {
		t.Error("a meeting larger than its shard is kept")
	}
}

func TestCacheExpired(t *testing.T) {
	c := newCache(1 << 20)
	m := newMeeting(t, benchOwner, "mortal")
	c.put(1, &m)
	for _, tt := range []struct {
		now  time.Time
		want bool
	}{{m.Expires.Add(-meeting.Tick), true}, {m.Expires, false}, {m.Expires.Add(time.Hour), false}, {m.Created, true}} {
		if _, ok := c.get(keyOf(&m), tt.now); ok != tt.want {
			t.Errorf("at %v: found %v, want %v", tt.now, ok, tt.want)
		}
	}
}

// TestGetCosts keeps a meeting from the cache as cheap as it is: one allocation,
// for the subject that the caller gets a copy of.
func TestGetCosts(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	m := newMeeting(t, benchOwner, "cheap")
	draw := meeting.Numbers(true)
	get := func() {
		if _, _, err := s.CreateOrGet(context.Background(), m, draw); err != nil {
			t.Error(err)
		}
	}
	get()
	if n := testing.AllocsPerRun(100, get); n > 1 {
		t.Errorf("a meeting from the cache takes %v allocations, want 1", n)
	}
}

// TestCacheByThread: what is found by its thread is what is kept, and nothing is
// found of what is not.
func TestCacheByThread(t *testing.T) {
	c := newCache(1 << 20)
	m := newMeeting(t, benchOwner, "found")
	find := func(want int64) {
		t.Helper()
		id, got, ok := c.byThread(threadOf(&m), m.Created)
		if ok != (want > 0) || id != want || ok && got.ThreadID != m.ThreadID {
			t.Errorf("found %v: row %d; want %d", ok, id, want)
		}
	}
	find(0)
	c.put(7, &m)
	find(7)
	if _, _, ok := c.byThread(threadOf(&m), m.Expires); ok {
		t.Error("an expired meeting is found")
	}
	if _, _, ok := c.byThread(threadKey{"another", m.ThreadID, m.MessageID}, m.Created); ok {
		t.Error("it is found in another tenant")
	}
	again := newMeeting(t, benchOwner, "found") // after it has expired
	again.ThreadID = "19:another@thread.v2"
	c.put(8, &again)
	find(0)
	m = again
	find(8)
	c.release(c.hold([]*job{{touched: []ownerKey{keyOf(&m)}}}))
	find(0)
	for i := range 20_000 {
		other := newMeeting(t, benchOwner, fmt.Sprint(i))
		other.ThreadID = fmt.Sprint(i)
		c.put(int64(i), &other)
	}
	kept, hints := 0, 0
	for i := range c.shards {
		kept += len(c.shards[i].byKey)
		hints += len(c.threads[i].keyOf)
	}
	if kept != hints || kept == 0 {
		t.Errorf("%d meetings are kept, and %d threads", kept, hints)
	}
}

package sqlite

import (
	"container/list"
	"hash/maphash"
	"sync"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// An ownerKey is what a meeting is asked for by.
type ownerKey struct {
	owner      meeting.Owner
	externalID string
}

func keyOf(m *meeting.Meeting) ownerKey { return ownerKey{m.Owner, m.ExternalID} }

// A threadKey is what a meeting is found by when its id or link is known.
type threadKey struct{ tenant, thread, message string }

func threadOf(m *meeting.Meeting) threadKey { return threadKey{m.Tenant, m.ThreadID, m.MessageID} }

// A cache keeps meetings by their owner and external id, within a bound, and
// forgets what was asked for least recently. It never holds anything but the
// newest durable state:
//
// The writer announces each change of an existing meeting before it commits
// (hold), takes the old state out, and keeps the shard closed to readers until
// the commit has ended (release). A reader that looked into the database notes
// the shard's era before it looks and may only add what it found when the era
// is still the same: an odd era is one in which a change is under way.
//
// Under which key a meeting is kept, the threads say. What they say is a hint,
// since the meeting that is kept says itself which thread it has.
type cache struct {
	seed    maphash.Seed
	shards  []shard // none when there is no cache
	threads []threads
}

// threads are locked after a shard, or alone.
type threads struct {
	mu    sync.Mutex
	keyOf map[threadKey]ownerKey
}

const shardCount = 64

type shard struct {
	cache *cache
	mu    sync.Mutex
	era   uint64
	room  int        // bytes that may still be added
	order *list.List // of *cached, most recent first
	byKey map[ownerKey]*list.Element
}

// A cached meeting is never changed: readers get copies.
type cached struct {
	key  ownerKey
	id   int64 // of the row
	m    meeting.Meeting
	size int
}

func newCache(size int) *cache {
	if size < 0 {
		return &cache{}
	}
	c := &cache{seed: maphash.MakeSeed(), shards: make([]shard, shardCount), threads: make([]threads, shardCount)}
	for i := range c.shards {
		c.threads[i].keyOf = map[threadKey]ownerKey{}
		c.shards[i] = shard{cache: c, room: size / shardCount, order: list.New(), byKey: map[ownerKey]*list.Element{}}
	}
	return c
}

func (c *cache) shard(key ownerKey) *shard {
	if len(c.shards) == 0 {
		return nil
	}
	return &c.shards[maphash.Comparable(c.seed, key)%shardCount]
}

// get returns the meeting as it stands, unless it has expired.
func (c *cache) get(key ownerKey, now time.Time) (*meeting.Meeting, bool) {
	if hit := c.look(key, now); hit != nil {
		return &hit.m, true
	}
	return nil, false
}

func (c *cache) look(key ownerKey, now time.Time) *cached {
	s := c.shard(key)
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byKey[key]
	if !ok {
		return nil
	}
	hit := e.Value.(*cached)
	if hit.m.Expired(now) {
		return nil
	}
	s.order.MoveToFront(e)
	return hit
}

// byThread returns the meeting of a thread as it stands, with the id of its row,
// unless it has expired.
func (c *cache) byThread(thread threadKey, now time.Time) (id int64, m *meeting.Meeting, ok bool) {
	t := c.thread(thread)
	if t == nil {
		return 0, nil, false
	}
	t.mu.Lock()
	key, ok := t.keyOf[thread]
	t.mu.Unlock()
	if !ok {
		return 0, nil, false
	}
	hit := c.look(key, now)
	if hit == nil || threadOf(&hit.m) != thread {
		return 0, nil, false
	}
	return hit.id, &hit.m, true
}

func (c *cache) thread(key threadKey) *threads {
	if len(c.threads) == 0 {
		return nil
	}
	return &c.threads[maphash.Comparable(c.seed, key)%shardCount]
}

// era is what a reader notes before it looks into the database.
func (c *cache) era(key ownerKey) uint64 {
	s := c.shard(key)
	if s == nil {
		return 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.era
}

// fill adds what a reader found, unless something was changed meanwhile.
func (c *cache) fill(id int64, m *meeting.Meeting, era uint64) {
	key := keyOf(m)
	s := c.shard(key)
	if s == nil || era%2 == 1 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.era == era {
		s.add(key, id, m)
	}
}

// put adds what has become durable; only the writer and, for what it created,
// the flusher call it, one at a time.
func (c *cache) put(id int64, m *meeting.Meeting) {
	key := keyOf(m)
	s := c.shard(key)
	if s == nil || m.ExternalID == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(key, id, m)
}

// hold takes out what the jobs are about to change and closes their shards,
// which it returns for release.
func (c *cache) hold(batch []*job) (held []*shard) {
	if len(c.shards) == 0 {
		return nil
	}
	close := func(s *shard, drop func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		drop()
		if s.era%2 == 0 {
			s.era++
			held = append(held, s)
		}
	}
	for _, j := range batch {
		for _, key := range j.touched {
			s := c.shard(key)
			close(s, func() { s.drop(key) })
		}
		if !j.all {
			continue
		}
		for i := range c.shards {
			s := &c.shards[i]
			close(s, func() {
				for key := range s.byKey {
					s.drop(key)
				}
			})
		}
	}
	return held
}

func (c *cache) release(held []*shard) {
	for _, s := range held {
		s.mu.Lock()
		s.era++
		s.mu.Unlock()
	}
}

func (s *shard) add(key ownerKey, id int64, m *meeting.Meeting) {
	s.drop(key)
	t := s.cache.thread(threadOf(m))
	t.mu.Lock()
	t.keyOf[threadOf(m)] = key
	t.mu.Unlock()
	v := &cached{key, id, *m, sizeOf(m)}
	s.byKey[key] = s.order.PushFront(v)
	s.room -= v.size
	for s.room < 0 {
		s.drop(s.order.Back().Value.(*cached).key)
	}
}

func (s *shard) drop(key ownerKey) {
	if e, ok := s.byKey[key]; ok {
		old := e.Value.(*cached)
		t := s.cache.thread(threadOf(&old.m))
		t.mu.Lock()
		if t.keyOf[threadOf(&old.m)] == key {
			delete(t.keyOf, threadOf(&old.m))
		}
		t.mu.Unlock()
		s.room += old.size
		s.order.Remove(e)
		delete(s.byKey, key)
	}
}

// sizeOf estimates the memory of a cached meeting: the struct twice over covers
// the short strings and the shares of both maps.
func sizeOf(m *meeting.Meeting) int {
	size := 1700 + len(m.ExternalID)
	if m.Subject != nil {
		size += len(*m.Subject)
	}
	for _, p := range m.Attendees {
		size += 64
		for _, id := range p.Identities {
			size += 112 + len(id.Kind)
			for _, s := range id.Texts() {
				if *s != nil {
					size += 16 + len(**s)
				}
			}
		}
	}
	return size
}

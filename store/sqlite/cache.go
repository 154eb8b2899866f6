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

// A cache keeps meetings by their owner and external id, within a bound, and
// forgets what was asked for least recently. It never holds anything but the
// newest durable state:
//
// The writer announces each change of an existing meeting before it commits
// (hold), takes the old state out, and keeps the shard closed to readers until
// the commit has ended (release). A reader that looked into the database notes
// the shard's era before it looks and may only add what it found when the era
// is still the same: an odd era is one in which a change is under way.
type cache struct {
	seed   maphash.Seed
	shards []shard // none when there is no cache
}

const shardCount = 64

type shard struct {
	mu    sync.Mutex
	era   uint64
	room  int        // bytes that may still be added
	order *list.List // of *cached, most recent first
	byKey map[ownerKey]*list.Element
}

// A cached meeting is never changed: readers get copies.
type cached struct {
	key  ownerKey
	m    meeting.Meeting
	size int
}

func newCache(size int) *cache {
	if size < 0 {
		return &cache{}
	}
	c := &cache{seed: maphash.MakeSeed(), shards: make([]shard, shardCount)}
	for i := range c.shards {
		c.shards[i] = shard{room: size / shardCount, order: list.New(), byKey: map[ownerKey]*list.Element{}}
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
	s := c.shard(key)
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byKey[key]
	if !ok {
		return nil, false
	}
	m := &e.Value.(*cached).m
	if m.Expired(now) {
		return nil, false
	}
	s.order.MoveToFront(e)
	return m, true
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
func (c *cache) fill(m *meeting.Meeting, era uint64) {
	key := keyOf(m)
	s := c.shard(key)
	if s == nil || era%2 == 1 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.era == era {
		s.add(key, m)
	}
}

// put adds what has become durable; only the writer and, for what it created,
// the flusher call it, one at a time.
func (c *cache) put(m *meeting.Meeting) {
	key := keyOf(m)
	s := c.shard(key)
	if s == nil || m.ExternalID == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(key, m)
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

func (s *shard) add(key ownerKey, m *meeting.Meeting) {
	s.drop(key)
	v := &cached{key, *m, sizeOf(m)}
	s.byKey[key] = s.order.PushFront(v)
	s.room -= v.size
	for s.room < 0 {
		s.drop(s.order.Back().Value.(*cached).key)
	}
}

func (s *shard) drop(key ownerKey) {
	if e, ok := s.byKey[key]; ok {
		s.room += e.Value.(*cached).size
		s.order.Remove(e)
		delete(s.byKey, key)
	}
}

// sizeOf estimates the memory of a cached meeting: the struct twice over covers
// the short strings and the map's share.
func sizeOf(m *meeting.Meeting) int {
	size := 1400 + len(m.ExternalID)
	if m.Subject != nil {
		size += len(*m.Subject)
	}
	for _, p := range m.Attendees {
		size += 64
		for _, id := range p.Identities {
			size += 80 + len(id.Kind)
			for _, s := range []*string{id.ID, id.DisplayName, id.TenantID, id.IdentityProvider} {
				if s != nil {
					size += 16 + len(*s)
				}
			}
		}
	}
	return size
}

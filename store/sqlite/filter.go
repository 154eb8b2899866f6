package sqlite

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// A filter knows of which keys no meeting was ever stored here, but for one in a
// few hundred, so that making one does not begin with a search for it. It only
// chooses the path: a key that it does not know goes to the writer, where the
// index of the database decides; a key that it wrongly knows is searched for.
//
// It is a chain of Bloom filters, each for twice as many keys as the one before,
// with two bytes for a key: about 4 MiB for a million.
type filter struct {
	seed maphash.Seed
	// chain is nil until every key of the database is in it.
	chain atomic.Pointer[[]*bloom]

	mu     sync.Mutex // of add
	all    []*bloom   // what chain is to become
	loaded bool
}

type bloom struct {
	words []uint64
	room  int // keys that may still be added
}

const (
	firstBloom   = 1 << 12 // keys
	bitsForAKey  = 16
	probesForKey = 4
)

func newFilter() *filter {
	f := &filter{seed: maphash.MakeSeed()}
	f.grow(firstBloom)
	return f
}

// mayHold reports whether there may be a meeting with this key: always, until
// the filter is loaded.
func (f *filter) mayHold(key ownerKey) bool {
	chain := f.chain.Load()
	if chain == nil {
		return true
	}
	h := maphash.Comparable(f.seed, key)
	for _, b := range *chain {
		if b.holds(h) {
			return true
		}
	}
	return false
}

// add is called before the meeting with this key can be seen by others.
func (f *filter) add(key ownerKey) {
	h := maphash.Comparable(f.seed, key)
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.all[len(f.all)-1]
	if last.room == 0 {
		last = f.grow(len(last.words) * 64 / bitsForAKey * 2)
	}
	last.add(h)
}

// grow adds a bloom with room for n keys.
func (f *filter) grow(n int) *bloom {
	b := &bloom{words: make([]uint64, n*bitsForAKey/64), room: n}
	f.all = append(f.all, b)
	f.show()
	return b
}

func (f *filter) show() {
	if f.loaded {
		all := append([]*bloom(nil), f.all...)
		f.chain.Store(&all)
	}
}

// done says that everything is in the filter.
func (f *filter) done() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = true
	f.show()
}

// The two halves of the hash give the places of a key in a bloom (Kirsch and
// Mitzenmacher, "Less Hashing, Same Performance", 2006).
func (b *bloom) place(h uint64, i int) (word *uint64, bit uint64) {
	at := (uint32(h) + uint32(i)*uint32(h>>32|1)) % uint32(len(b.words)*64)
	return &b.words[at/64], 1 << (at % 64)
}

func (b *bloom) holds(h uint64) bool {
	for i := range probesForKey {
		if word, bit := b.place(h, i); atomic.LoadUint64(word)&bit == 0 {
			return false
		}
	}
	return true
}

func (b *bloom) add(h uint64) {
	b.room--
	for i := range probesForKey {
		word, bit := b.place(h, i)
		atomic.OrUint64(word, bit)
	}
}

// loadAtOnce is how many keys are read from the database at once, so that no log
// has to be kept for a reader that takes long.
const loadAtOnce = 4096

const selectKeys = "SELECT tenant, user, external_id FROM meetings INDEXED BY meetings_owner" +
	" WHERE external_id IS NOT NULL AND (tenant, user, external_id) > (?, ?, ?)" +
	" ORDER BY tenant, user, external_id LIMIT ?"

// load adds the keys of the database, in the background of the first seconds.
// What is stored meanwhile, the writer adds. When it fails, the filter stays
// without effect, which costs time and nothing else.
func (f *filter) load(ctx context.Context, path string) error {
	// Not a reader: what is read once should not stay mapped.
	c, err := connectReadOnly(path, "cache_size(-256)")
	if err != nil {
		return err
	}
	defer c.close()
	next, err := c.prepare(selectKeys)
	if err != nil {
		return err
	}
	for last, n := (ownerKey{}), loadAtOnce; n == loadAtOnce; {
		n = 0
		err := next.query(func(r *row) error {
			n++
			s := scanner{row: r}
			last.owner.Tenant, last.owner.User, last.externalID = s.guid(), s.guid(), s.text()
			f.add(last)
			return s.err
		}, compactGUID(last.owner.Tenant), compactGUID(last.owner.User), text(last.externalID), integer(loadAtOnce))
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	f.done()
	return nil
}

package world

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/convene-meet/convene/identity"
)

// Apply brings the directory of a store to w, for a server that starts: it does
// nothing where w is the very world of the start before, so that what was changed
// since stays. What w does not name is left alone: an object, and a member of
// one. A change of an application access policy or of a grant that was made at
// run time is kept. Where w claims what belongs to something else it returns a
// [CollisionError], and nothing is stored. Several processes may apply worlds at
// once.
func (w *World) Apply(ctx context.Context, store identity.Store, now time.Time) error {
	return w.retry(func(digest string) error {
		applied, err := store.Record(ctx, identity.KindWorld, "", worldID, now)
		if err != nil && !errors.Is(err, identity.ErrNoRecord) {
			return err
		}
		mark := identity.Record{Kind: identity.KindWorld, ID: worldID, Doc: []byte(`"` + digest + `"`)}
		if string(applied.Doc) == string(mark.Doc) {
			return nil
		}
		return w.apply(ctx, store, now, digest, identity.Change{Record: mark, Expect: applied.Revision})
	})
}

// Update is Apply while a server runs: it does not count as the world of a start.
func (w *World) Update(ctx context.Context, store identity.Store, now time.Time) error {
	return w.retry(func(digest string) error { return w.apply(ctx, store, now, digest) })
}

func (w *World) retry(apply func(digest string) error) error {
	digest, err := w.digest()
	if err != nil {
		return err
	}
	const tries = 20
	for range tries {
		err = apply(digest)
		if !errors.Is(err, identity.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("others change the directory at the same time: %w", err)
}

// A CollisionError lists what a world claims and something else in the store
// has, each as "file:line: key: what it is".
type CollisionError struct{ Problems []error }

func (e *CollisionError) Error() string { return errors.Join(e.Problems...).Error() }

// worldID is the record that says with which world a server started last.
const worldID = "applied"

func (w *World) apply(ctx context.Context, store identity.Store, now time.Time, digest string, mark ...identity.Change) error {
	m, err := w.newMerge(ctx, store, now)
	if err != nil {
		return err
	}
	m.adopt()
	if err := m.world(); err != nil {
		return err
	}
	changes := append(mark, m.changes...)
	if len(changes) == 0 {
		return nil
	}
	return store.Apply(ctx, now, changes, identity.AuditEntry{
		At: now, Actor: "world", Action: "world.apply", Target: digest[:16], Detail: detail(m.changes),
	})
}

// detail says in the audit log what was changed: how many records, and of those
// that decide who may do what the first hundred by name.
func detail(changes []identity.Change) []byte {
	const most = 100
	named := []string{}
	for _, c := range changes {
		switch r := c.Record; r.Kind {
		case identity.KindApp, identity.KindPolicy, identity.KindGrant:
			name := string(r.Kind) + " " + r.ID
			if r.Tenant != "" {
				name += " of " + r.Tenant
			}
			if c.Delete {
				name = "no " + name
			}
			if len(named) < most {
				named = append(named, name)
			}
		}
	}
	doc, err := json.Marshal(map[string]any{"records": len(changes), "changed": named})
	if err != nil {
		panic(err) // of a number and texts
	}
	return doc
}

// digest stands for what w says and for what it leaves out.
func (w *World) digest() (string, error) {
	doc, err := json.Marshal(struct {
		World *World
		Named []string
	}{w, w.named()})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:]), nil
}

// Add stores a world whose tenants are all new, and one more change with it,
// without a look at what there is: where anything is taken it returns
// [identity.ErrConflict], and nothing is stored. It is quick however many
// tenants there are.
func (w *World) Add(ctx context.Context, store identity.Store, now time.Time, more ...identity.Change) error {
	changes, err := w.alone()
	if err != nil {
		return err
	}
	digest, err := w.digest()
	if err != nil {
		return err
	}
	return store.Apply(ctx, now, append(more, changes...), identity.AuditEntry{
		At: now, Actor: "world", Action: "world.add", Target: digest[:16], Detail: detail(changes),
	})
}

// Records are the records of a store that holds w and nothing else.
func (w *World) Records() ([]identity.Record, error) {
	changes, err := w.alone()
	records := make([]identity.Record, len(changes))
	for i, c := range changes {
		records[i] = c.Record
	}
	return records, err
}

// alone is what it takes to bring an empty store to w.
func (w *World) alone() ([]identity.Change, error) {
	m := &merge{World: w, stored: map[recordKey]identity.Record{}, owners: map[ownerKey]string{}, domains: map[string]string{}}
	err := m.world()
	return m.changes, err
}

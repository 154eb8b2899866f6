package devlogin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/convene-meet/convene/identity"
)

// maxTries is how often a change is tried that meets another one. Each time one
// of them wins, so that only a storm of requests for one code loses this often.
const maxTries = 8

// load reads the record of a code or a token. It reports identity.ErrNoRecord
// as that, everything else as an outage.
func load[T any](ctx context.Context, p *Provider, kind identity.Kind, id string) (v T, revision int64, err error) {
	r, err := p.Store.Record(ctx, kind, "", id, p.Now())
	return decode[T](r, err)
}

func decode[T any](r identity.Record, err error) (v T, revision int64, _ error) {
	if errors.Is(err, identity.ErrNoRecord) {
		return v, 0, err
	} else if err != nil {
		return v, 0, outage(err)
	}
	if err := json.Unmarshal(r.Doc, &v); err != nil {
		return v, 0, fmt.Errorf("%s record %q in the store cannot be read: %w", r.Kind, r.ID, err)
	}
	return v, r.Revision, nil
}

// write makes the change that stores doc, if the record still has the revision
// that is expected. It is kept for a while beyond its life.
func write(kind identity.Kind, id, name string, doc any, life time.Time, expect int64) identity.Change {
	raw, err := json.Marshal(doc)
	if err != nil {
		panic(err) // our own structs of strings, numbers and times
	}
	return identity.Change{Expect: expect, Record: identity.Record{
		Kind: kind, ID: id, Name: name, Doc: raw, Expires: life.Add(memory),
	}}
}

// apply makes changes together, or reports identity.ErrConflict.
func (p *Provider) apply(ctx context.Context, changes ...identity.Change) error {
	err := p.Store.Apply(ctx, p.Now(), changes)
	if err != nil && !errors.Is(err, identity.ErrConflict) {
		return outage(err)
	}
	return err
}

// retry does what may meet another change of the same records, until it has
// met none.
func retry[T any](do func() (T, error)) (v T, err error) {
	for range maxTries {
		if v, err = do(); !errors.Is(err, identity.ErrConflict) {
			return v, err
		}
	}
	return v, outage(err)
}

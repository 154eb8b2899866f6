package lab

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/world"
)

// A ResetRequest asks for tenants to be what they were before any test.
type ResetRequest struct {
	Tenant    string `json:"tenant,omitempty"`
	All       bool   `json:"all,omitempty"`       // every tenant, instead of one
	Directory bool   `json:"directory,omitempty"` // users, groups, applications and policies too
}

// A ResetAnswer says what a reset has taken away.
type ResetAnswer struct {
	Tenants  []string `json:"tenants"` // domains
	Meetings int      `json:"meetings"`
}

// always is a time at which no meeting has expired.
var always = time.Unix(0, 0).UTC()

// Reset removes every meeting of a tenant with its room, and returns how many there
// were, and does what [Kit.Calm] does. With directory it first brings everything
// else of the tenant back to what the world says that the server started with, or
// the request that made a fresh tenant.
func (k *Kit) Reset(ctx context.Context, t *identity.Tenant, directory bool) (meetings int, err error) {
	k.Calm(t.ID)
	if directory {
		if err := k.resetDirectory(ctx, t); err != nil {
			return 0, err
		}
	}
	if meetings, err = k.Meetings.Count(ctx, meeting.Query{Tenant: t.ID}, always); err != nil {
		return 0, err
	}
	return meetings, k.empty(ctx, t.ID)
}

// empty removes what people have made in a tenant: its meetings first, so that
// nobody comes into a room that was dropped.
func (k *Kit) empty(ctx context.Context, tenant string) error {
	if err := k.Meetings.Replace(ctx, tenant, nil); err != nil {
		return err
	}
	return k.Rooms.DropRooms(ctx, tenant)
}

func (k *Kit) resetDirectory(ctx context.Context, t *identity.Tenant) error {
	w, err := k.worldOf(ctx, t)
	if err != nil {
		return err
	}
	want, err := w.Records()
	if err != nil {
		return err
	}
	r, err := k.Directory.Record(ctx, identity.KindWorld, t.ID, freshID, k.Now())
	if err == nil {
		want = append(want, r)
	} else if !errors.Is(err, identity.ErrNoRecord) {
		return err
	}
	return k.restoreDirectory(ctx, t.ID, t.Domain, "tenant.reset", want)
}

// worldOf is the world of one tenant alone.
func (k *Kit) worldOf(ctx context.Context, t *identity.Tenant) (*world.World, error) {
	r, err := k.Directory.Record(ctx, identity.KindWorld, t.ID, freshID, k.Now())
	if err == nil {
		w := &world.World{}
		if err := json.Unmarshal(r.Doc, w); err != nil {
			return nil, err
		}
		return w, w.Complete()
	} else if !errors.Is(err, identity.ErrNoRecord) {
		return nil, err
	}
	for _, known := range k.World.Tenants {
		if strings.EqualFold(known.ID, t.ID) {
			return &world.World{Tenants: []world.Tenant{known}}, nil
		}
	}
	return nil, refuse("The world that this server started with does not name the tenant %s, so its directory cannot be brought back to it.", t.Domain)
}

// restoreDirectory changes what the directory has of a tenant to what is wanted,
// in one step.
func (k *Kit) restoreDirectory(ctx context.Context, tenant, domain, action string, want []identity.Record) error {
	type key struct {
		kind       identity.Kind
		tenant, id string
	}
	have, err := k.records(ctx, tenant)
	if err != nil && !errors.Is(err, identity.ErrNoRecord) {
		return err
	}
	old := map[key]identity.Record{}
	for _, r := range have {
		old[key{r.Kind, r.Tenant, r.ID}] = r
	}
	var writes, deletes []identity.Change
	for _, r := range want {
		id := key{r.Kind, r.Tenant, r.ID}
		before := old[id]
		if string(before.Doc) != string(r.Doc) {
			r.Revision = 0
			writes = append(writes, identity.Change{Record: r, Expect: before.Revision})
		}
		delete(old, id)
	}
	for _, r := range old {
		deletes = append(deletes, identity.Change{Record: r, Expect: r.Revision, Delete: true})
	}
	changes := append(deletes, writes...) // names are free before they are taken
	if len(changes) == 0 {
		return nil
	}
	now := k.Now()
	return k.Directory.Apply(ctx, now, changes, identity.AuditEntry{At: now, Actor: actor, Action: action, Tenant: tenant, Target: domain})
}

package world

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/convene-meet/convene/identity"
)

// Apply brings the directory of a store to w, unless it was brought to the very
// same world before: a change of an application access policy or of a grant
// that was made at run time is kept, and what w does not name is left alone.
// Several processes may do so at once.
func (w *World) Apply(ctx context.Context, store identity.Store, now time.Time) error {
	digest, err := w.digest()
	if err != nil {
		return err
	}
	const tries = 20
	for range tries {
		err = w.apply(ctx, store, now, digest)
		if !errors.Is(err, identity.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("world: others change it at the same time: %w", err)
}

// worldID is the record that says which world was applied.
const worldID = "applied"

func (w *World) apply(ctx context.Context, store identity.Store, now time.Time, digest string) error {
	applied, err := store.Record(ctx, identity.KindWorld, "", worldID, now)
	if err != nil && !errors.Is(err, identity.ErrNoRecord) {
		return err
	}
	mark := identity.Record{Kind: identity.KindWorld, ID: worldID, Doc: []byte(`"` + digest + `"`)}
	if string(applied.Doc) == string(mark.Doc) {
		return nil
	}
	changes := []identity.Change{{Record: mark, Expect: applied.Revision}}
	for i := range w.Tenants {
		for _, object := range w.Tenants[i].objects() {
			r, err := identity.Encode(object)
			if err != nil {
				return err
			}
			stored, err := store.Record(ctx, r.Kind, r.Tenant, r.ID, now)
			if err != nil && !errors.Is(err, identity.ErrNoRecord) {
				return err
			}
			if changedAtRunTime(stored) {
				continue
			}
			changes = append(changes, identity.Change{Record: r, Expect: stored.Revision})
		}
	}
	return store.Apply(ctx, now, changes, identity.AuditEntry{
		At: now, Actor: "world", Action: "world.apply", Target: digest[:16], Detail: fmt.Appendf(nil, `{"records":%d}`, len(changes)-1),
	})
}

func changedAtRunTime(r identity.Record) bool {
	if r.Kind != identity.KindPolicy && r.Kind != identity.KindGrant {
		return false
	}
	var mark struct{ Runtime bool }
	return json.Unmarshal(r.Doc, &mark) == nil && mark.Runtime
}

func (w *World) digest() (string, error) {
	doc, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:]), nil
}

// objects are the directory objects of a tenant, ready to be encoded.
func (t *Tenant) objects() []any {
	tenant := &identity.Tenant{ID: t.ID, Name: t.Name, Domain: t.Domain, VideoInterop: t.VideoInterop}
	if a := t.AudioConferencing; a != nil {
		tenant.AudioConferencing = &identity.AudioConferencing{TollNumber: a.TollNumber, TollFreeNumber: a.TollFreeNumber, TollNumbers: a.TollNumbers, TollFreeNumbers: a.TollFreeNumbers}
	}
	all := []any{tenant}
	for i := range t.Users {
		u := &t.Users[i]
		user := &identity.User{
			Tenant: t.ID, ID: u.ID, UPN: u.UPN, DisplayName: u.DisplayName, GivenName: u.GivenName, Surname: u.Surname, Mail: u.Mail,
			JobTitle: u.JobTitle, OfficeLocation: u.OfficeLocation, PreferredLanguage: u.PreferredLanguage, Disabled: u.Disabled,
		}
		if u.Password != "" {
			user.Password = hashOnce(u.Password, true)
		}
		all = append(all, user)
	}
	for i := range t.Groups {
		g := &t.Groups[i]
		group := &identity.Group{Tenant: t.ID, ID: g.ID, Name: g.Name}
		for _, m := range g.Members {
			group.Members = append(group.Members, t.findUser(m).ID)
		}
		all = append(all, group)
	}
	for i := range t.Apps {
		a := &t.Apps[i]
		app := &identity.App{
			ID: a.ID, Tenant: t.ID, ObjectID: derivedID("service principal", t.ID, a.ID), Name: a.Name, Public: a.Public, RedirectURIs: a.RedirectURIs,
			ApplicationPermissions: a.ApplicationPermissions, DelegatedPermissions: a.DelegatedPermissions,
		}
		if a.Secret != "" {
			app.Secrets = []identity.Hash{hashOnce(a.Secret, false)}
		}
		all = append(all, app)
	}
	for i := range t.Policies {
		all = append(all, t.policyObjects(&t.Policies[i])...)
	}
	return all
}

func (t *Tenant) policyObjects(p *Policy) []any {
	version := identity.PolicyVersion{Description: p.Description}
	for _, name := range p.Apps {
		id := strings.ToLower(name)
		if a := t.findApp(name); a != nil {
			id = a.ID
		}
		version.AppIDs = append(version.AppIDs, id)
	}
	all := []any{&identity.Policy{Tenant: t.ID, Name: p.Name, Versions: []identity.PolicyVersion{version}}}
	grant := func(to identity.GrantTarget, target string, rank int) {
		all = append(all, &identity.Grant{Tenant: t.ID, To: to, Target: target, Versions: []identity.GrantVersion{{Policy: p.Name, Rank: rank}}})
	}
	if p.GrantedTo.Tenant {
		grant(identity.ToTenant, "", 0)
	}
	for _, u := range p.GrantedTo.Users {
		grant(identity.ToUser, t.findUser(u).ID, 0)
	}
	for _, g := range p.GrantedTo.Groups {
		grant(identity.ToGroup, t.findGroup(g.Name).ID, g.Rank)
	}
	return all
}

// hashes are the hashes of this process: everybody in a world may have the same
// password, and hashing one takes long on purpose.
var hashes sync.Map // of hashKey to identity.Hash

type hashKey struct {
	secret   string
	password bool
}

func hashOnce(secret string, password bool) identity.Hash {
	key := hashKey{secret, password}
	if h, ok := hashes.Load(key); ok {
		return h.(identity.Hash)
	}
	hash := identity.HashSecret
	if password {
		hash = identity.HashPassword
	}
	h, _ := hashes.LoadOrStore(key, hash(secret))
	return h.(identity.Hash)
}

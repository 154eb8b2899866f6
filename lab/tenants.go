package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/world"
)

// Password is that of every user of a fresh tenant.
const Password = "convene"

// A TenantRequest asks for a fresh tenant. Whatever is left out is made up.
type TenantRequest struct {
	Domain       string   `json:"domain,omitempty"`
	Users        []string `json:"users,omitempty"`        // names before the @; ann and bob where none is given
	TollNumber   string   `json:"tollNumber,omitempty"`   // of a dial-in
	VideoInterop bool     `json:"videoInterop,omitempty"` // meetings get a videoTeleconferenceId
	Extensions   []string `json:"extensions,omitempty"`
}

// A Tenant is a fresh tenant, with everything that a test needs to call it.
type Tenant struct {
	ID     string `json:"id"`
	Domain string `json:"domain"`
	Users  []User `json:"users"`
	// Booking is a confidential application with every application permission,
	// which may act for every user of the tenant.
	Booking App `json:"booking"`
	// Portal is a public application with every delegated permission.
	Portal App `json:"portal"`
}

// A User is a user of a fresh tenant.
type User struct {
	ID       string `json:"id"`
	UPN      string `json:"upn"`
	Password string `json:"password"`
}

// An App is an application of a fresh tenant.
type App struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Secret string `json:"secret,omitempty"`
}

// A TenantInfo is a tenant in a list.
type TenantInfo struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
	// Fresh says that the kit made it, and may delete it.
	Fresh bool `json:"fresh"`
}

// freshID names the record that holds the world of a fresh tenant.
const freshID = "fresh"

// CreateTenant makes a tenant with users, applications and a policy in one step.
func (k *Kit) CreateTenant(ctx context.Context, q TenantRequest) (Tenant, error) {
	w := k.freshWorld(q)
	if err := w.Complete(); err != nil {
		return Tenant{}, refuse("The tenant cannot be made so: %v.", err)
	}
	t := &w.Tenants[0]
	doc, err := json.Marshal(w)
	if err != nil {
		return Tenant{}, err
	}
	err = w.Add(ctx, k.Directory, k.Now(), identity.Change{Record: identity.Record{Kind: identity.KindWorld, Tenant: t.ID, ID: freshID, Doc: doc}})
	if errors.Is(err, identity.ErrConflict) {
		return Tenant{}, refuse("There already is a tenant %q. Choose another domain, or leave it out.", t.Domain)
	} else if err != nil {
		return Tenant{}, err
	}
	made := Tenant{ID: t.ID, Domain: t.Domain}
	for _, u := range t.Users {
		made.Users = append(made.Users, User{u.ID, u.UPN, u.Password})
	}
	for i, app := range []*App{&made.Booking, &made.Portal} {
		*app = App{t.Apps[i].ID, t.Apps[i].Name, t.Apps[i].Secret}
	}
	return made, nil
}

func (k *Kit) freshWorld(q TenantRequest) *world.World {
	if q.Domain == "" {
		var id [6]byte
		_, _ = rand.Read(id[:]) // never fails: crypto/rand
		q.Domain = "t" + hex.EncodeToString(id[:]) + ".example"
	}
	if len(q.Users) == 0 {
		q.Users = []string{"ann", "bob"}
	}
	t := world.Tenant{
		Name: q.Domain, Domain: q.Domain, VideoInterop: q.VideoInterop, Extensions: q.Extensions,
		Apps: []world.App{
			{Name: "booking", Secret: "booking-secret", ApplicationPermissions: world.ApplicationPermissions()},
			{Name: "portal", Public: true, RedirectURIs: []string{"http://localhost:*"}, DelegatedPermissions: world.DelegatedPermissions()},
		},
		Policies: []world.Policy{{Name: "Booking-policy", Apps: []string{"booking"}, GrantedTo: world.Granted{Tenant: true}}},
	}
	if q.TollNumber != "" {
		t.AudioConferencing = &world.AudioConferencing{TollNumber: q.TollNumber}
	}
	for _, name := range q.Users {
		t.Users = append(t.Users, world.User{UPN: name, Password: Password})
	}
	return &world.World{Tenants: []world.Tenant{t}}
}

// Tenants lists every tenant, ordered by id.
func (k *Kit) Tenants(ctx context.Context) ([]TenantInfo, error) {
	all, err := k.directory().Tenants(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]TenantInfo, 0, len(all))
	for _, t := range all {
		fresh, err := k.Fresh(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, TenantInfo{t.ID, t.Name, t.Domain, fresh})
	}
	return list, nil
}

// Fresh reports whether the kit made a tenant.
func (k *Kit) Fresh(ctx context.Context, tenant string) (bool, error) {
	_, err := k.Directory.Record(ctx, identity.KindWorld, tenant, freshID, k.Now())
	if errors.Is(err, identity.ErrNoRecord) {
		return false, nil
	}
	return err == nil, err
}

// DeleteTenant removes a fresh tenant with everything in it.
func (k *Kit) DeleteTenant(ctx context.Context, t *identity.Tenant) error {
	if fresh, err := k.Fresh(ctx, t.ID); err != nil {
		return err
	} else if !fresh {
		return refuse("The tenant %s was not made by tenant create. Only such tenants can be deleted; reset brings others back to what they were.", t.Domain)
	}
	k.Calm(t.ID)
	now := k.Now()
	records, err := k.records(ctx, t.ID)
	if err != nil {
		return err
	}
	changes := make([]identity.Change, 0, len(records))
	for _, r := range records {
		changes = append(changes, identity.Change{Record: r, Expect: identity.AnyRevision, Delete: true})
	}
	// Whoever could still make a meeting goes first.
	if err := k.Directory.Apply(ctx, now, changes, identity.AuditEntry{At: now, Actor: actor, Action: "tenant.delete", Tenant: t.ID, Target: t.Domain}); err != nil {
		return err
	}
	return k.empty(ctx, t.ID)
}

func (k *Kit) directory() *identity.Directory {
	return &identity.Directory{Store: k.Directory, Now: k.Now}
}

// records are a tenant as the directory has it: itself, and everything in it.
func (k *Kit) records(ctx context.Context, tenant string) (all []identity.Record, err error) {
	now := k.Now()
	r, err := k.Directory.Record(ctx, identity.KindTenant, "", tenant, now)
	if err != nil {
		return nil, err
	}
	all = append(all, r)
	if r, err = k.Directory.Record(ctx, identity.KindWorld, tenant, freshID, now); err == nil {
		all = append(all, r)
	} else if !errors.Is(err, identity.ErrNoRecord) {
		return nil, err
	}
	for _, kind := range []identity.Kind{identity.KindUser, identity.KindGroup, identity.KindPolicy, identity.KindGrant} {
		records, err := k.Directory.Records(ctx, kind, tenant, now)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	apps, err := k.Directory.Records(ctx, identity.KindApp, "", now)
	if err != nil {
		return nil, err
	}
	for _, r := range apps {
		var app identity.App
		if err := json.Unmarshal(r.Doc, &app); err != nil {
			return nil, err
		}
		if strings.EqualFold(app.Tenant, tenant) {
			all = append(all, r)
		}
	}
	return all, nil
}

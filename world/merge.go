package world

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/convene-meet/convene/identity"
)

// A merge works out what has to change in a store to bring it to a world.
type merge struct {
	*World
	stored   map[recordKey]identity.Record
	owners   map[ownerKey]string // of names and ids: who has them
	domains  map[string]string   // of stored tenants by id, for errors
	changes  []identity.Change
	problems []error
}

type recordKey struct {
	kind       identity.Kind
	tenant, id string
}

// An ownerKey is a name within a tenant, or an id, which is one in all of them.
type ownerKey struct {
	kind         identity.Kind
	tenant, name string
}

func (w *World) newMerge(ctx context.Context, store identity.Store, now time.Time) (*merge, error) {
	m := &merge{World: w, stored: map[recordKey]identity.Record{}, owners: map[ownerKey]string{}, domains: map[string]string{}}
	read := func(kind identity.Kind, tenant string) ([]identity.Record, error) {
		records, err := store.Records(ctx, kind, tenant, now)
		for _, r := range records {
			m.stored[recordKey{kind, tenant, r.ID}] = r
		}
		return records, err
	}
	apps, err := read(identity.KindApp, "")
	if err != nil {
		return nil, err
	}
	for _, r := range apps {
		app, err := stored[identity.App](m, identity.KindApp, "", r.ID)
		if err != nil {
			return nil, err
		}
		m.owners[ownerKey{identity.KindApp, app.Tenant, strings.ToLower(app.Name)}] = app.ID
		m.owners[ownerKey{identity.KindApp, "", r.ID}] = app.Tenant
	}
	tenants, err := read(identity.KindTenant, "")
	if err != nil {
		return nil, err
	}
	for _, tenant := range tenants {
		m.owners[ownerKey{identity.KindTenant, "", tenant.Name}] = tenant.ID
		m.domains[tenant.ID] = tenant.Name
		for _, kind := range []identity.Kind{identity.KindUser, identity.KindGroup, identity.KindPolicy, identity.KindGrant} {
			records, err := read(kind, tenant.ID)
			if err != nil {
				return nil, err
			}
			for _, r := range records {
				if r.Name != "" {
					m.owners[ownerKey{kind, tenant.ID, r.Name}] = r.ID
					m.owners[ownerKey{kind, "", r.ID}] = tenant.ID
				}
			}
		}
	}
	return m, nil
}

// stored is an object as the store has it, or nil.
func stored[T any](m *merge, kind identity.Kind, tenant, id string) (*T, error) {
	r, ok := m.stored[recordKey{kind, tenant, id}]
	if !ok {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(r.Doc, v); err != nil {
		return nil, fmt.Errorf("%s record %q in the store cannot be read: %w", kind, id, err)
	}
	return v, nil
}

// begin is the object to merge into: the stored one, or an empty one.
func begin[T any](m *merge, kind identity.Kind, tenant, id string) (v *T, isNew bool, err error) {
	if v, err = stored[T](m, kind, tenant, id); v == nil {
		return new(T), true, err
	}
	return v, false, err
}

// write stores an object, unless it is there as it is.
func (m *merge) write(object any) error {
	r, err := identity.Encode(object)
	if err != nil {
		return err
	}
	old := m.stored[recordKey{r.Kind, r.Tenant, r.ID}]
	if string(old.Doc) != string(r.Doc) {
		m.changes = append(m.changes, identity.Change{Record: r, Expect: old.Revision})
	}
	return nil
}

// free reports as a problem that a name belongs to another object.
func (m *merge) free(path string, g given, member string, key ownerKey, id, what, shown string) {
	if owner, taken := m.owners[key]; taken && owner != id {
		m.wrong(path, g, member, "%q belongs to %s %s", shown, what, owner)
	}
}

// stays reports as a problem that an id belongs to another tenant.
func (m *merge) stays(path string, g given, kind identity.Kind, id, tenant, what string) {
	if owner, taken := m.owners[ownerKey{kind, "", id}]; taken && owner != tenant {
		if domain := m.domains[owner]; domain != "" {
			owner = domain
		}
		m.wrong(path, g, "id", "%s %s belongs to the tenant %s", what, id, owner)
	}
}

func (m *merge) wrong(path string, g given, member, format string, args ...any) {
	m.problems = append(m.problems, m.problem(path, g, member, format, args...))
}

// adopt gives objects whose ids the file leaves out those of the stored objects
// that have their names.
func (m *merge) adopt() {
	w := *m.World
	w.Tenants = slices.Clone(w.Tenants)
	m.World = &w
	for i := range w.Tenants {
		t := &w.Tenants[i]
		take := func(id *string, key ownerKey, names ...string) {
			if owner, known := m.owners[key]; known && *id == derivedID(names...) {
				*id = owner
			}
		}
		take(&t.ID, ownerKey{identity.KindTenant, "", t.Domain}, "tenant", t.Domain)
		t.Users, t.Groups, t.Apps = slices.Clone(t.Users), slices.Clone(t.Groups), slices.Clone(t.Apps)
		for j := range t.Users {
			upn := strings.ToLower(t.Users[j].UPN)
			take(&t.Users[j].ID, ownerKey{identity.KindUser, t.ID, upn}, "user", upn)
		}
		for j := range t.Groups {
			take(&t.Groups[j].ID, ownerKey{identity.KindGroup, t.ID, strings.ToLower(t.Groups[j].Name)}, "group", t.Domain, t.Groups[j].Name)
		}
		for j := range t.Apps {
			take(&t.Apps[j].ID, ownerKey{identity.KindApp, t.ID, strings.ToLower(t.Apps[j].Name)}, "app", t.Domain, t.Apps[j].Name)
		}
	}
}

func (m *merge) world() error {
	for i := range m.Tenants {
		if err := m.tenant(fmt.Sprintf("tenants[%d]", i), &m.Tenants[i]); err != nil {
			return err
		}
	}
	if len(m.problems) > 0 {
		return &CollisionError{m.problems}
	}
	return nil
}

func (m *merge) tenant(path string, t *Tenant) error {
	m.free(path, t.given, "domain", ownerKey{identity.KindTenant, "", t.Domain}, t.ID, "tenant", t.Domain)
	tenant, _, err := begin[identity.Tenant](m, identity.KindTenant, "", t.ID)
	if err != nil {
		return err
	}
	tenant.ID, tenant.Name, tenant.Domain = t.ID, t.Name, t.Domain
	if t.given.takes("videoInterop", t.VideoInterop) {
		tenant.VideoInterop = t.VideoInterop
	}
	if t.given.takes("extensions", t.Extensions != nil) {
		tenant.Extensions = nil
		for _, name := range t.Extensions {
			tenant.Extensions = append(tenant.Extensions, identity.Extension(name))
		}
	}
	if t.given.takes("audioConferencing", t.AudioConferencing != nil) {
		tenant.AudioConferencing = t.AudioConferencing.merged(tenant.AudioConferencing)
		if a := tenant.AudioConferencing; a != nil && a.TollNumber == "" {
			m.wrong(path+".audioConferencing", t.AudioConferencing.given, "tollNumber", "is required")
		}
	}
	if err := m.write(tenant); err != nil {
		return err
	}
	for i := range t.Users {
		if err := m.user(fmt.Sprintf("%s.users[%d]", path, i), t, &t.Users[i]); err != nil {
			return err
		}
	}
	for i := range t.Groups {
		if err := m.group(fmt.Sprintf("%s.groups[%d]", path, i), t, &t.Groups[i]); err != nil {
			return err
		}
	}
	for i := range t.Apps {
		if err := m.app(fmt.Sprintf("%s.apps[%d]", path, i), t, &t.Apps[i]); err != nil {
			return err
		}
	}
	for i := range t.Policies {
		if err := m.policy(t, &t.Policies[i]); err != nil {
			return err
		}
	}
	return m.grants(t)
}

// merged is a with what it leaves out taken from old, which may be nil.
func (a *AudioConferencing) merged(old *identity.AudioConferencing) *identity.AudioConferencing {
	if a == nil {
		return nil
	}
	merged := new(identity.AudioConferencing)
	if old != nil {
		*merged = *old
	}
	if a.given.takes("tollNumber", a.TollNumber != "") {
		merged.TollNumber = a.TollNumber
	}
	if a.given.takes("tollFreeNumber", a.TollFreeNumber != "") {
		merged.TollFreeNumber = a.TollFreeNumber
	}
	if a.given.takes("tollNumbers", a.TollNumbers != nil) {
		merged.TollNumbers = a.TollNumbers
	}
	if a.given.takes("tollFreeNumbers", a.TollFreeNumbers != nil) {
		merged.TollFreeNumbers = a.TollFreeNumbers
	}
	return merged
}

func (m *merge) user(path string, t *Tenant, u *User) error {
	m.stays(path, u.given, identity.KindUser, u.ID, t.ID, "user")
	m.free(path, u.given, "upn", ownerKey{identity.KindUser, t.ID, strings.ToLower(u.UPN)}, u.ID, "user", u.UPN)
	user, isNew, err := begin[identity.User](m, identity.KindUser, t.ID, u.ID)
	if err != nil {
		return err
	}
	user.Tenant, user.ID, user.UPN = t.ID, u.ID, u.UPN
	name, _, _ := strings.Cut(u.UPN, "@")
	for _, text := range []struct {
		member  string
		to      *string
		value   string
		instead string // of one that is left out, for a new user
	}{
		{"displayName", &user.DisplayName, u.DisplayName, name},
		{"givenName", &user.GivenName, u.GivenName, ""},
		{"surname", &user.Surname, u.Surname, ""},
		{"mail", &user.Mail, u.Mail, u.UPN},
		{"jobTitle", &user.JobTitle, u.JobTitle, ""},
		{"officeLocation", &user.OfficeLocation, u.OfficeLocation, ""},
		{"preferredLanguage", &user.PreferredLanguage, u.PreferredLanguage, ""},
	} {
		if isNew || u.given.takes(text.member, text.value != text.instead) {
			*text.to = text.value
		}
	}
	if u.given.takes("password", u.Password != "") {
		user.Password = identity.Hash{}
		if u.Password != "" {
			user.Password = hashOnce(u.Password, true)
		}
	}
	if u.given.takes("disabled", u.Disabled) {
		user.Disabled = u.Disabled
	}
	return m.write(user)
}

func (m *merge) group(path string, t *Tenant, g *Group) error {
	m.stays(path, g.given, identity.KindGroup, g.ID, t.ID, "group")
	m.free(path, g.given, "name", ownerKey{identity.KindGroup, t.ID, strings.ToLower(g.Name)}, g.ID, "group", g.Name)
	group, _, err := begin[identity.Group](m, identity.KindGroup, t.ID, g.ID)
	if err != nil {
		return err
	}
	group.Tenant, group.ID, group.Name = t.ID, g.ID, g.Name
	if g.given.takes("members", g.Members != nil) {
		group.Members = nil
		for _, name := range g.Members {
			group.Members = append(group.Members, t.findUser(name).ID)
		}
	}
	return m.write(group)
}

func (m *merge) app(path string, t *Tenant, a *App) error {
	m.stays(path, a.given, identity.KindApp, a.ID, t.ID, "application")
	m.free(path, a.given, "name", ownerKey{identity.KindApp, t.ID, strings.ToLower(a.Name)}, a.ID, "application", a.Name)
	app, isNew, err := begin[identity.App](m, identity.KindApp, "", a.ID)
	if err != nil {
		return err
	}
	if isNew {
		app.ObjectID = derivedID("service principal", t.ID, a.ID)
	}
	app.ID, app.Tenant, app.Name = a.ID, t.ID, a.Name
	if a.given.takes("public", a.Public) {
		app.Public = a.Public
	}
	if a.given.takes("secret", a.Secret != "") {
		app.Secrets = nil
		if a.Secret != "" {
			app.Secrets = []identity.Hash{hashOnce(a.Secret, false)}
		}
	}
	for _, list := range []struct {
		member string
		to     *[]string
		value  []string
	}{
		{"redirectUris", &app.RedirectURIs, a.RedirectURIs},
		{"applicationPermissions", &app.ApplicationPermissions, a.ApplicationPermissions},
		{"delegatedPermissions", &app.DelegatedPermissions, a.DelegatedPermissions},
	} {
		if a.given.takes(list.member, list.value != nil) {
			*list.to = list.value
		}
	}
	// What a file alone cannot be checked for: it may leave out what does not go with the rest.
	switch {
	case !app.Public && len(app.Secrets) == 0:
		m.wrong(path, a.given, "", needsSecret)
	case app.Public && !a.Public && len(app.Secrets) > 0:
		m.wrong(path, a.given, "secret", "the app is public and cannot keep a secret; make it none with public: false")
	case app.Public && len(app.Secrets) > 0:
		m.wrong(path, a.given, "public", "the app has a secret, which a public app cannot keep; take it away with secret: null")
	case app.Public && len(app.ApplicationPermissions) > 0:
		m.wrong(path, a.given, "public", "the app has application permissions, which a public app cannot have; take them away with applicationPermissions: []")
	}
	return m.write(app)
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

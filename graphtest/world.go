package graphtest

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/convene-meet/convene/world"
)

// Password is that of every user of a world made with [NewWorld].
const Password = "convene"

// A World is a directory in the making: tenants with users, applications and
// policies. Ids are derived from names, and the same in every run.
type World struct{ file world.World }

// NewWorld returns an empty world. It needs a tenant before a server can start.
func NewWorld() *World { return &World{} }

// A Tenant is an organisation in the making.
type Tenant struct {
	w     *World
	index int
}

func (t *Tenant) tenant() *world.Tenant { return &t.w.file.Tenants[t.index] }

// Tenant adds a tenant with a domain, such as "acme.example".
func (w *World) Tenant(domain string) *Tenant {
	w.file.Tenants = append(w.file.Tenants, world.Tenant{Name: domain, Domain: domain})
	return &Tenant{w, len(w.file.Tenants) - 1}
}

// DialIn gives the tenant a toll number, and its meetings conference ids.
func (t *Tenant) DialIn(tollNumber string) *Tenant {
	t.tenant().AudioConferencing = &world.AudioConferencing{TollNumber: tollNumber}
	return t
}

// VideoInterop gives the tenant's meetings a videoTeleconferenceId.
func (t *Tenant) VideoInterop() *Tenant {
	t.tenant().VideoInterop = true
	return t
}

// Extensions switches on what the tenant has beyond the real service, such as
// "listMeetings".
func (t *Tenant) Extensions(names ...string) *Tenant {
	t.tenant().Extensions = append(t.tenant().Extensions, names...)
	return t
}

// User adds a person and returns the user principal name.
func (t *Tenant) User(name string) (upn string) {
	tenant := t.tenant()
	tenant.Users = append(tenant.Users, world.User{UPN: name, Password: Password})
	return name + "@" + tenant.Domain
}

// Group adds a group of users.
func (t *Tenant) Group(name string, members ...string) *Tenant {
	tenant := t.tenant()
	tenant.Groups = append(tenant.Groups, world.Group{Name: name, Members: members})
	return t
}

// App adds a confidential application with application permissions; its secret
// is its name with "-secret" behind it.
func (t *Tenant) App(name string, permissions ...string) *Tenant {
	tenant := t.tenant()
	tenant.Apps = append(tenant.Apps, world.App{Name: name, Secret: name + "-secret", ApplicationPermissions: permissions})
	return t
}

// PublicApp adds an application to which users sign in, with delegated
// permissions and any redirect to localhost.
func (t *Tenant) PublicApp(name string, permissions ...string) *Tenant {
	tenant := t.tenant()
	tenant.Apps = append(tenant.Apps, world.App{Name: name, Public: true, RedirectURIs: []string{"http://localhost:*"}, DelegatedPermissions: permissions})
	return t
}

// Policy adds an application access policy that lists apps, granted to the
// users, or to the whole tenant when none is given.
func (t *Tenant) Policy(name string, apps []string, users ...string) *Tenant {
	tenant := t.tenant()
	tenant.Policies = append(tenant.Policies, world.Policy{Name: name, Apps: apps, GrantedTo: world.Granted{Tenant: len(users) == 0, Users: users}})
	return t
}

func newClient(pool *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 64,
	}}
}

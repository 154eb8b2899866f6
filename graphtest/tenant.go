package graphtest

import (
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/lab"
)

// A LiveTenant is a tenant of a running server, and what a test can do to it.
// Nothing of that touches another tenant.
type LiveTenant struct {
	ID     string
	Domain string
	Users  []lab.User // of a fresh tenant: ann and bob

	// Booking and Portal are the ids of the applications of a fresh tenant: one
	// with every application permission, one with every delegated one.
	Booking, Portal string

	s *Server
	t testing.TB
}

// NewTenant makes a fresh tenant with two users, two applications and a policy
// for the whole tenant. It takes milliseconds, so that tests which share a
// server can have one each.
func (s *Server) NewTenant(t testing.TB) *LiveTenant {
	t.Helper()
	kit := s.kit(t)
	made, err := kit.CreateTenant(t.Context(), lab.TenantRequest{TollNumber: "+1 206-555-0100", VideoInterop: true})
	if err != nil {
		t.Fatalf("graphtest: %v", err)
	}
	return &LiveTenant{ID: made.ID, Domain: made.Domain, Users: made.Users, Booking: made.Booking.ID, Portal: made.Portal.ID, s: s, t: t}
}

// Tenant is a tenant of the server's world, named by domain or id.
func (s *Server) Tenant(t testing.TB, domain string) *LiveTenant {
	t.Helper()
	found, err := s.directory().Tenant(t.Context(), domain)
	if err != nil {
		t.Fatalf("graphtest: tenant %s: %v", domain, err)
	}
	return &LiveTenant{ID: found.ID, Domain: found.Domain, s: s, t: t}
}

func (s *Server) kit(t testing.TB) *lab.Kit {
	t.Helper()
	kit := s.server.Lab()
	if kit == nil {
		t.Fatal("graphtest: the server has no tester's kit: its configuration says so")
	}
	return kit
}

func (s *Server) directory() *identity.Directory {
	return &identity.Directory{Store: s.server.Store(), Now: s.server.Now()}
}

// AppToken returns an access token of the application booking of a fresh tenant,
// with the given permissions: all that it has when none is given.
func (t *LiveTenant) AppToken(permissions ...string) string {
	t.t.Helper()
	return t.s.AppToken(t.Booking, permissions...)
}

// UserToken returns an access token of a user of a fresh tenant, named by UPN or
// id, who signed in to the application portal.
func (t *LiveTenant) UserToken(user string, permissions ...string) string {
	t.t.Helper()
	return t.s.UserToken(user, t.Portal, permissions...)
}

// Reset removes every meeting of the tenant. With directory it brings users,
// groups, applications and policies back to what they were first, too.
func (t *LiveTenant) Reset(directory bool) {
	t.t.Helper()
	if _, err := t.s.kit(t.t).Reset(t.t.Context(), t.tenant(), directory); err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
}

// Seed makes the meetings of a file in YAML or JSON that are not there yet: see
// "convene seed --help".
func (t *LiveTenant) Seed(file string) {
	t.t.Helper()
	if _, err := t.s.kit(t.t).Seed(t.t.Context(), t.tenant(), "seed", []byte(file)); err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
}

// Snapshot returns what brings the tenant back to what it is now: its meetings,
// with their ids, links and numbers, and its directory.
func (t *LiveTenant) Snapshot() (restore func()) {
	t.t.Helper()
	kit := t.s.kit(t.t)
	s, err := kit.Save(t.t.Context(), t.tenant())
	if err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
	return func() {
		t.t.Helper()
		if err := kit.Restore(t.t.Context(), s); err != nil {
			t.t.Fatalf("graphtest: %v", err)
		}
	}
}

func (t *LiveTenant) tenant() *identity.Tenant {
	t.t.Helper()
	found, err := t.s.directory().Tenant(t.t.Context(), t.ID)
	if err != nil {
		t.t.Fatalf("graphtest: tenant %s: %v", t.Domain, err)
	}
	return found
}

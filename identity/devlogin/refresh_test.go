package devlogin_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
)

// signIn gives Ann's first tokens in portal, with a refresh token.
func (s *site) signIn() tokens {
	s.Helper()
	got := s.token(redeem.with(form{"code": s.code(nil)}))
	if got.Refresh == "" {
		s.Fatalf("answer %+v; want a refresh token", got)
	}
	return got
}

func (s *site) renew(token string, change form) tokens {
	s.Helper()
	return s.token(form{"grant_type": "refresh_token", "client_id": portal, "refresh_token": token}.with(change))
}

func TestRefresh(t *testing.T) {
	s := open(t)
	last := s.signIn()
	signedIn := s.claims(last.ID)["auth_time"]
	for range 5 {
		s.pass(80 * 24 * time.Hour) // each is good for 90 days
		next := s.renew(last.Refresh, nil)
		if next.status != http.StatusOK || next.Refresh == "" || next.Refresh == last.Refresh || next.Scope != last.Scope {
			t.Fatalf("answer %+v; want new tokens of the same scope", next)
		}
		if c := s.caller(next.Access); c.User != annID || strings.Join(c.Permissions, " ") != "OnlineMeetings.ReadWrite" {
			t.Errorf("caller %+v; want Ann with the permission of the sign-in", c)
		}
		if id := s.claims(next.ID); id["auth_time"] != signedIn {
			t.Errorf("ID token %v; want the time of the sign-in, %v", id, signedIn)
		}
		last = next
	}
}

func TestRefreshScope(t *testing.T) {
	for _, tt := range []struct {
		name, scope  string
		answer, want string // permissions
		number       int
	}{
		{name: "fewer", scope: "openid", answer: "openid"},
		{name: "another that the application has", scope: "User.Read", answer: "User.Read", want: "User.Read"},
		{name: "another resource", scope: origin + "/User.Read openid", answer: origin + "/User.Read openid", want: "User.Read"},
		{name: "one that it has not", scope: "Mail.Read", number: 65001},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			first := s.signIn()
			got := s.renew(first.Refresh, form{"scope": tt.scope})
			if tt.number != 0 {
				s.refused(got, tt.number, "invalid_scope")
				got = s.renew(first.Refresh, nil) // a refusal uses nothing up
				tt.answer, tt.want = first.Scope, "OnlineMeetings.ReadWrite"
			}
			if got.Scope != tt.answer || got.Refresh == "" || strings.Join(s.caller(got.Access).Permissions, " ") != tt.want {
				t.Errorf("answer %+v; want scope %q, permissions %q", got, tt.answer, tt.want)
			}
			// The next one without scope has that of the sign-in again.
			if again := s.renew(got.Refresh, nil); again.Scope != first.Scope {
				t.Errorf("then scope %q; want %q", again.Scope, first.Scope)
			}
		})
	}
}

func TestRefreshTwiceEndsTheFamily(t *testing.T) {
	s := open(t)
	first, other := s.signIn(), s.signIn()
	second := s.renew(first.Refresh, nil)
	third := s.renew(second.Refresh, nil)
	if third.status != http.StatusOK {
		t.Fatalf("third: %+v", third)
	}
	s.refused(s.renew(first.Refresh, nil), 50173, "invalid_grant")
	for name, token := range map[string]string{"first": first.Refresh, "second": second.Refresh, "newest": third.Refresh} {
		if got := s.renew(token, nil); got.number() != 50173 {
			t.Errorf("the %s then: %+v; want it revoked", name, got)
		}
	}
	s.caller(third.Access) // is good until it expires, as with Entra
	if got := s.renew(other.Refresh, nil); got.status != http.StatusOK {
		t.Errorf("another sign-in's: %+v; want it untouched", got)
	}
}

func TestRefreshConcurrently(t *testing.T) {
	s := open(t)
	first := s.signIn()
	winner := s.oneWinner(race(func() tokens { return s.renew(first.Refresh, nil) }), 50173)
	s.refused(s.renew(winner.Refresh, nil), 50173, "invalid_grant")
}

func TestRefreshRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(*site)
		change form
		path   string
		number int
		code   string
		ends   bool // the family, as it must
	}{
		{name: "another application's", change: form{"client_id": studio, "client_secret": "studio-secret"}, number: 70000},
		{name: "another public application's", change: form{"client_id": bare}, number: 70000},
		{name: "too late", before: func(s *site) { s.pass(90 * 24 * time.Hour) }, number: 70008, ends: true},
		{name: "long forgotten", before: func(s *site) { s.pass(92 * 24 * time.Hour) }, number: 70000, ends: true},
		{name: "at another tenant", path: "/" + fabrikam, number: 700005},
		{name: "at consumers", path: "/consumers", number: 700005},
		{name: "of a user who was disabled", before: func(s *site) { s.user(contoso, ann, func(u *identity.User) { u.Disabled = true }) }, number: 50057, ends: true},
		{name: "of a user who was removed", before: func(s *site) {
			r := identity.Record{Kind: identity.KindUser, Tenant: contoso, ID: annID}
			if err := s.store.Apply(s.Context(), s.now, []identity.Change{{Record: r, Expect: identity.AnyRevision, Delete: true}}); err != nil {
				s.Fatal(err)
			}
		}, number: 50034, ends: true},
		{name: "of an application whose permissions were taken away", before: func(s *site) {
			s.app(portal, func(a *identity.App) { a.DelegatedPermissions = nil })
		}, number: 65001, code: "invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			first := s.signIn()
			before := s.clock()
			if tt.before != nil {
				tt.before(s)
			}
			path, code := tt.path, tt.code
			if path == "" {
				path = "/" + contoso
			}
			if code == "" {
				code = "invalid_grant"
			}
			f := form{"grant_type": "refresh_token", "client_id": portal, "refresh_token": first.Refresh}.with(tt.change)
			s.refused(s.answer(do(s, request(path+"/oauth2/v2.0/token", f.encode()))), tt.number, code)

			// Who was disabled and comes back has to sign in again; who was asked
			// for by a stranger has lost nothing.
			if s.clock() == before {
				s.put(t, &identity.User{Tenant: contoso, ID: annID, UPN: ann})
				s.app(portal, func(a *identity.App) { a.DelegatedPermissions = []string{"OnlineMeetings.ReadWrite"} })
			}
			if got := s.renew(first.Refresh, nil); (got.status == http.StatusOK) == tt.ends {
				t.Errorf("afterwards: %+v; want the family ended: %v", got, tt.ends)
			}
		})
	}
}

// Who reads the store finds no code and no token that is worth anything.
func TestStoreHoldsNoSecrets(t *testing.T) {
	s := open(t)
	code := s.code(nil)
	got := s.token(redeem.with(form{"code": code}))
	device := s.startDevice(nil)
	secrets := map[string]string{"code": code, "refresh token": got.Refresh, "device code": device.DeviceCode}
	for key, r := range s.store.records {
		for name, secret := range secrets {
			if strings.Contains(string(r.Doc)+key.id+r.Name, secret) {
				t.Errorf("the %s is in a record of kind %s: %s", name, key.kind, r.Doc)
			}
		}
		if !key.kind.Steers() && r.Expires.IsZero() {
			t.Errorf("record %v never expires", key)
		}
	}
	sum := sha256.Sum256([]byte(got.Refresh))
	if _, ok := s.store.records[recordKey{identity.KindRefresh, "", hex.EncodeToString(sum[:])}]; !ok {
		t.Error("the refresh token is not kept under its SHA-256")
	}
}

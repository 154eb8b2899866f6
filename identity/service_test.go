package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/store/sqlite"
	"github.com/convene-meet/convene/world"
)

const (
	contoso   = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"
	annID     = "c0ffee00-0001-4a00-8000-000000000002"
	ginaID    = "c0ffee00-0001-4a00-8000-000000000006"
	salesID   = "c0ffee00-0001-4b00-8000-000000000001"
	bookingID = "a9900000-0001-4a00-8000-000000000001"
	crmID     = "a9900000-0002-4a00-8000-000000000002"
	portalID  = "a9900000-0004-4a00-8000-000000000004"
)

// counting counts what is asked of a store, apart from its generation.
type counting struct {
	identity.Store
	mu    sync.Mutex
	calls int
}

func (c *counting) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
}

func (c *counting) Record(ctx context.Context, k identity.Kind, tenant, id string, now time.Time) (identity.Record, error) {
	c.count()
	return c.Store.Record(ctx, k, tenant, id, now)
}

func (c *counting) RecordByName(ctx context.Context, k identity.Kind, tenant, name string, now time.Time) (identity.Record, error) {
	c.count()
	return c.Store.RecordByName(ctx, k, tenant, name, now)
}

func (c *counting) Records(ctx context.Context, k identity.Kind, tenant string, now time.Time) ([]identity.Record, error) {
	c.count()
	return c.Store.Records(ctx, k, tenant, now)
}

// A fixture is a service on the built-in world.
type fixture struct {
	*identity.Service
	store    *counting
	key      *identity.Key
	policies *identity.Policies
	now      time.Time
}

var realm = &identity.Realm{Audiences: []string{"https://graph.microsoft.com"}, Issuers: []string{"https://localhost"}}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{store: &counting{Store: db}, now: time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return f.now }
	if err := world.BuiltIn().Apply(t.Context(), db, f.now); err != nil {
		t.Fatal(err)
	}
	keys := &identity.Keys{Store: f.store, Now: clock}
	if f.key, err = keys.Signing(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Service = &identity.Service{Store: f.store, Keys: keys, Now: clock}
	f.policies = &identity.Policies{Store: f.store, Now: clock}
	return f
}

func (f *fixture) token(t testing.TB, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"aud": realm.Audiences[0], "iss": realm.Issuers[0] + "/" + contoso + "/", "tid": contoso, "oid": "0b", "appid": bookingID,
		"roles": []string{"OnlineMeetings.ReadWrite.All"}, "exp": f.now.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, changes)
	token, err := f.key.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

var op = &identity.Operation{Name: "op", Delegated: []string{"OnlineMeetings.ReadWrite"}, Application: []string{"OnlineMeetings.ReadWrite.All"}, ByPolicy: true}

// A token seen before costs no signature check, a verdict seen before no
// question to the store: with the keys gone, everything still works.
func TestWhatWasSeenBeforeCostsNothing(t *testing.T) {
	f := newFixture(t)
	token := f.token(t, nil)
	ask := func() {
		t.Helper()
		caller, err := f.Authenticate(t.Context(), token, realm)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Authorize(t.Context(), caller, op, annID); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	f.Keys, f.store.calls = nil, 0
	for range 3 {
		ask()
	}
	if f.store.calls != 0 {
		t.Errorf("the store was asked %d times; want never", f.store.calls)
	}
}

// What is remembered is exact: it dies with a change of what it rests on, at
// the very next request, and with the token's life.
func TestMemoryIsExact(t *testing.T) {
	put := func(t *testing.T, f *fixture, object any) {
		t.Helper()
		r, err := identity.Encode(object)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.store.Apply(t.Context(), f.now, []identity.Change{{Record: r, Expect: identity.AnyRevision}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*testing.T, *fixture)
		want   string // of the error; empty: it is still allowed
	}{
		{"nothing", func(*testing.T, *fixture) {}, ""},
		{"the policy no longer lists the app", func(t *testing.T, f *fixture) {
			if _, err := f.policies.Set(t.Context(), "test", contoso, "Booking-policy", func(v *identity.PolicyVersion) error { v.AppIDs = nil; return nil }); err != nil {
				t.Fatal(err)
			}
		}, "No application access policy"},
		{"the grant is taken away", func(t *testing.T, f *fixture) {
			if _, err := f.policies.Grant(t.Context(), "test", contoso, identity.ToTenant, "", "", 0); err != nil {
				t.Fatal(err)
			}
		}, "No application access policy"},
		{"the user has a policy of their own now", func(t *testing.T, f *fixture) {
			if _, err := f.policies.Grant(t.Context(), "test", contoso, identity.ToUser, annID, "Crm-policy", 0); err != nil {
				t.Fatal(err)
			}
		}, "No application access policy"},
		{"the user joins a group with a policy", func(t *testing.T, f *fixture) {
			put(t, f, &identity.Group{Tenant: contoso, ID: salesID, Name: "sales", Members: []string{annID}})
			if _, err := f.policies.Grant(t.Context(), "test", contoso, identity.ToGroup, salesID, "Crm-policy", 1); err != nil {
				t.Fatal(err)
			}
		}, "No application access policy"},
		{"the user is disabled", func(t *testing.T, f *fixture) {
			put(t, f, &identity.User{Tenant: contoso, ID: annID, UPN: "ann@contoso.example", Disabled: true})
		}, "is disabled"},
		{"the app loses the permission", func(t *testing.T, f *fixture) {
			put(t, f, &identity.App{ID: bookingID, Tenant: contoso, Name: "booking"})
		}, "Insufficient privileges"},
		{"the app moves to another tenant", func(t *testing.T, f *fixture) {
			put(t, f, &identity.App{ID: bookingID, Tenant: ginaID, Name: "booking"})
		}, "is not in the tenant"},
		{"the token expires", func(_ *testing.T, f *fixture) { f.now = f.now.Add(time.Hour) }, "the token is expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			token := f.token(t, nil)
			ask := func() error {
				caller, err := f.Authenticate(t.Context(), token, realm)
				if err != nil {
					return err
				}
				_, err = f.Authorize(t.Context(), caller, op, annID)
				return err
			}
			for range 2 {
				if err := ask(); err != nil {
					t.Fatal(err)
				}
			}
			tt.change(t, f)
			if err := ask(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want %q in it", err, tt.want)
			}
		})
	}
}

// A change that is still to take effect ends what is remembered at that instant,
// without any other change.
func TestPendingChangesEndTheMemory(t *testing.T) {
	f := newFixture(t)
	f.policies.Delay = 30 * time.Minute
	caller, err := f.Authenticate(t.Context(), f.token(t, map[string]any{"appid": crmID}), realm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.policies.Grant(t.Context(), "test", contoso, identity.ToUser, annID, "Crm-policy", 0); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after time.Duration
		ok    bool
	}{{0, false}, {30*time.Minute - 1, false}, {30 * time.Minute, true}} {
		began := f.now
		f.now = began.Add(tt.after)
		if _, err := f.Authorize(t.Context(), caller, op, annID); (err == nil) != tt.ok {
			t.Errorf("after %v: %v", tt.after, err)
		}
		f.now = began
	}
}

// Of a group's grants the one with the best rank counts.
func TestRank(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	r, err := identity.Encode(&identity.Group{Tenant: contoso, ID: portalID, Name: "all", Members: []string{annID, ginaID}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.store.Apply(ctx, f.now, []identity.Change{{Record: r}}); err != nil {
		t.Fatal(err)
	}
	caller, err := f.Authenticate(ctx, f.token(t, nil), realm)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sales, all int
		ok         bool // Booking-policy, granted to "all", counts for gina
	}{{1, 2, false}, {2, 1, true}, {3, 3, false}} { // of equal ranks the lower id
		for group, grant := range map[string]struct {
			name string
			rank int
		}{salesID: {"Sales-policy", tt.sales}, portalID: {"Booking-policy", tt.all}} {
			if _, err := f.policies.Grant(ctx, "test", contoso, identity.ToGroup, group, grant.name, grant.rank); err != nil {
				t.Fatal(err)
			}
		}
		ok := tt.ok || tt.sales == tt.all && portalID < salesID
		if _, err := f.Authorize(ctx, caller, op, ginaID); (err == nil) != ok {
			t.Errorf("ranks %d and %d: %v", tt.sales, tt.all, err)
		}
	}
}

// What the store cannot say is no refusal of the token: the caller may retry.
func TestStoreOutageIsNoRefusal(t *testing.T) {
	f := newFixture(t)
	token := f.token(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Authenticate(ctx, token, realm)
	if _, refused := errors.AsType[*identity.TokenError](err); err != nil && refused {
		t.Errorf("refused with %v", err)
	}
}

// Only what the key has signed is believed, whatever is sent; and what is
// believed has the claims that were signed.
func FuzzAuthenticate(f *testing.F) {
	fx := newFixture(f)
	good := fx.token(f, nil)
	parts := strings.Split(good, ".")
	f.Add(good)
	f.Add(parts[0] + "." + parts[1] + ".")
	f.Add("eyJhbGciOiJub25lIn0." + parts[1] + ".")
	f.Add(strings.ToUpper(good))
	f.Add(good + "=")
	f.Add("..")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := fx.Authenticate(t.Context(), token, realm)
		if err == nil {
			if token != good || caller.App != bookingID || caller.Tenant != contoso || caller.Delegated() {
				t.Errorf("%q is believed to be %+v", token, caller)
			}
			return
		}
		if e, ok := errors.AsType[*identity.TokenError](err); !ok || e.Message == "" {
			t.Errorf("%q gives %v; want a refusal that says why", token, err)
		}
	})
}

func TestHash(t *testing.T) {
	for _, hash := range []func(string) identity.Hash{identity.HashPassword, identity.HashSecret} {
		h := hash("convene")
		if !h.Matches("convene") || h.Matches("Convene") || h.Matches("") || (identity.Hash{}).Matches("") {
			t.Errorf("%+v", h)
		}
		if again := hash("convene"); slices.Equal(again.Sum, h.Sum) {
			t.Error("two hashes of one password are equal")
		}
		raw, err := json.Marshal(h)
		if err != nil || strings.Contains(string(raw), "convene") {
			t.Errorf("%s, %v", raw, err)
		}
	}
}

func BenchmarkSeenBefore(b *testing.B) {
	f := newFixture(b)
	token := f.token(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		caller, err := f.Authenticate(b.Context(), token, realm)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Authorize(b.Context(), caller, op, annID); err != nil {
			b.Fatal(err)
		}
	}
}

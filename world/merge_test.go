package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/store/sqlite"
)

// used is a store that has had a world for a while.
const used = `tenants:
  - name: acme
    id: 00000000-0000-4000-8000-000000000001
    domain: acme.example
    audioConferencing: { tollNumber: "+1 206-555-0100", tollFreeNumber: "+1 800-555-0100", tollNumbers: ["+1 206-555-0101"] }
    videoInterop: true
    users:
      - { upn: bob, id: 00000000-0000-4000-8000-000000000002, displayName: Bob, givenName: Bob, mail: b@acme.example, jobTitle: Cook, password: secret, disabled: true }
      - { upn: ann, id: 00000000-0000-4000-8000-000000000003 }
    groups:
      - { name: sales, id: 00000000-0000-4000-8000-000000000004, members: [bob] }
    apps:
      - { name: bot, id: 00000000-0000-4000-8000-000000000005, secret: s, applicationPermissions: [User.Read.All], delegatedPermissions: [User.Read], redirectUris: ["https://acme.example"] }
      - { name: spa, id: 00000000-0000-4000-8000-000000000006, public: true, delegatedPermissions: [User.Read], redirectUris: ["http://localhost:*"] }
    applicationAccessPolicies:
      - { name: bots, description: All bots, apps: [bot], grantedTo: { tenant: true, users: [bob, ann], groups: [{ name: sales, rank: 1 }] } }
  - { name: other, id: 00000000-0000-4000-8000-000000000010, domain: other.example }
`

// acme is a world with nothing but members of its tenant.
func acme(members string) string {
	return "tenants:\n  - name: acme\n    id: 00000000-0000-4000-8000-000000000001\n    domain: acme.example\n" + members
}

func usedStore(t *testing.T) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := applyFile(t, store, used); err != nil {
		t.Fatal(err)
	}
	return store
}

func applyFile(t *testing.T, store identity.Store, file string) error {
	t.Helper()
	w, err := Parse("w.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return w.Apply(t.Context(), store, time.Now())
}

// contents is everything that a world can change, a line each, in short.
func contents(t *testing.T, store identity.Store) (lines []string) {
	t.Helper()
	ctx := t.Context()
	dir := &identity.Directory{Store: store, Now: time.Now}
	for _, domain := range []string{"acme.example", "other.example"} {
		tenant := must(dir.Tenant(ctx, domain))(t)
		lines = append(lines, fmt.Sprintf("tenant %s, dial-in %v, video %v", tenant.Name, tenant.AudioConferencing, tenant.VideoInterop))
		for i := 1; i < 10; i++ {
			id := fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", i)
			if u, err := dir.User(ctx, tenant.ID, id); err == nil {
				lines = append(lines, fmt.Sprintf("user %s %q %q %q %q, can sign in %v, disabled %v", u.UPN, u.DisplayName, u.GivenName, u.Mail, u.JobTitle, u.Password.Rounds > 0, u.Disabled))
			}
			if g, err := dir.Group(ctx, tenant.ID, id); err == nil {
				lines = append(lines, fmt.Sprintf("group %s %d", g.Name, len(g.Members)))
			}
		}
		policies := &identity.Policies{Store: store, Now: time.Now}
		for _, p := range must(policies.List(ctx, tenant.ID))(t) {
			lines = append(lines, fmt.Sprintf("policy %s %q, %d apps", p.Name, p.Newest().Description, len(p.Newest().AppIDs)))
		}
		for _, g := range must(policies.Grants(ctx, tenant.ID))(t) {
			lines = append(lines, fmt.Sprintf("grant %s to %s", g.Newest().Policy, strings.ReplaceAll(g.ID(), "00000000-0000-4000-8000-00000000000", "…")))
		}
	}
	for _, a := range must(dir.Apps(ctx))(t) {
		lines = append(lines, fmt.Sprintf("app %s, public %v, %d secrets, %v %v %v", a.Name, a.Public, len(a.Secrets), a.ApplicationPermissions, a.DelegatedPermissions, a.RedirectURIs))
	}
	return lines
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// What a file does not name stays, down to the members of an object; what it
// names as empty is taken away.
func TestMerge(t *testing.T) {
	const bob, bot, spa = "{ upn: bob, id: 00000000-0000-4000-8000-000000000002", "{ name: bot, id: 00000000-0000-4000-8000-000000000005", "{ name: spa, id: 00000000-0000-4000-8000-000000000006"
	for _, tt := range []struct {
		name, file string
		want       []string // what is removed and added
	}{
		{"a tenant alone", acme(""), nil},
		{"a tenant in an alias", "tenants:\n  - &t { name: acme, id: 00000000-0000-4000-8000-000000000001, domain: acme.example }\n", nil},
		{"a tenant's name", strings.Replace(acme(""), "name: acme", "name: Acme Ltd", 1), []string{
			"-tenant acme, dial-in &{+1 206-555-0100 +1 800-555-0100 [+1 206-555-0101] []}, video true", "+tenant Acme Ltd, dial-in &{+1 206-555-0100 +1 800-555-0100 [+1 206-555-0101] []}, video true",
		}},
		{"no dial-in and no video", acme("    audioConferencing: null\n    videoInterop: false\n"), []string{
			"-tenant acme, dial-in &{+1 206-555-0100 +1 800-555-0100 [+1 206-555-0101] []}, video true", "+tenant acme, dial-in <nil>, video false",
		}},
		{"a number of the dial-in", acme("    audioConferencing: { tollNumber: \"+1 206-555-0199\", tollNumbers: [] }\n"), []string{
			"-tenant acme, dial-in &{+1 206-555-0100 +1 800-555-0100 [+1 206-555-0101] []}, video true", "+tenant acme, dial-in &{+1 206-555-0199 +1 800-555-0100 [] []}, video true",
		}},
		{"no objects", acme("    users: []\n    groups: null\n    apps: []\n    applicationAccessPolicies: []\n"), nil},
		{"a user alone", acme("    users: [" + bob + " }]\n"), nil},
		{"a user's name", acme("    users: [" + bob + ", displayName: Robert }]\n"), []string{
			`-user bob@acme.example "Bob" "Bob" "b@acme.example" "Cook", can sign in true, disabled true`, `+user bob@acme.example "Robert" "Bob" "b@acme.example" "Cook", can sign in true, disabled true`,
		}},
		{"a user's default name, by name", acme("    users: [" + bob + ", displayName: bob, mail: bob@acme.example }]\n"), []string{
			`-user bob@acme.example "Bob" "Bob" "b@acme.example" "Cook", can sign in true, disabled true`, `+user bob@acme.example "bob" "Bob" "bob@acme.example" "Cook", can sign in true, disabled true`,
		}},
		{"taken from a user", acme("    users: [" + bob + ", givenName: null, jobTitle: \"\", password: null, disabled: false }]\n"), []string{
			`-user bob@acme.example "Bob" "Bob" "b@acme.example" "Cook", can sign in true, disabled true`, `+user bob@acme.example "Bob" "" "b@acme.example" "", can sign in false, disabled false`,
		}},
		{"by merge keys", acme("    applicationAccessPolicies: [{ name: few, grantedTo: &g { users: [] } }, { name: bots, grantedTo: { <<: *g } }]\n"), []string{
			`+policy few "", 0 apps`, "-grant bots to user:…2", "-grant bots to user:…3",
		}},
		{"a group alone", acme("    groups: [{ name: sales, id: 00000000-0000-4000-8000-000000000004 }]\n"), nil},
		{"a group without members", acme("    groups: [{ name: sales, id: 00000000-0000-4000-8000-000000000004, members: [] }]\n"), []string{"-group sales 1", "+group sales 0"}},
		{"apps alone", acme("    apps: [" + bot + ", secret: s }, " + spa + ", public: true }]\n"), nil},
		{"an app's permissions", acme("    apps: [" + bot + ", secret: s, applicationPermissions: [OnlineMeetings.Read.All], delegatedPermissions: [], redirectUris: null }]\n"), []string{
			"-app bot, public false, 1 secrets, [User.Read.All] [User.Read] [https://acme.example]", "+app bot, public false, 1 secrets, [OnlineMeetings.Read.All] [] []",
		}},
		{"an app that becomes public", acme("    apps: [" + bot + ", secret: null, public: true, applicationPermissions: [] }]\n"), []string{
			"-app bot, public false, 1 secrets, [User.Read.All] [User.Read] [https://acme.example]", "+app bot, public true, 0 secrets, [] [User.Read] [https://acme.example]",
		}},
		{"an app that gets a secret", acme("    apps: [" + spa + ", secret: s, public: false }]\n"), []string{
			"-app spa, public true, 0 secrets, [] [User.Read] [http://localhost:*]", "+app spa, public false, 1 secrets, [] [User.Read] [http://localhost:*]",
		}},
		{"by names alone", strings.Replace(acme("    users: [{ upn: BOB@acme.example, jobTitle: Baker }]\n    groups: [{ name: Sales, members: [bob] }]\n    apps: [{ name: BOT, redirectUris: [] }]\n"), "\n    id: 00000000-0000-4000-8000-000000000001", "", 1), []string{
			`-user bob@acme.example "Bob" "Bob" "b@acme.example" "Cook", can sign in true, disabled true`,
			`+user BOB@acme.example "Bob" "Bob" "b@acme.example" "Baker", can sign in true, disabled true`, `-group sales 1`, `+group Sales 1`,
			"-app bot, public false, 1 secrets, [User.Read.All] [User.Read] [https://acme.example]", "+app BOT, public false, 1 secrets, [User.Read.All] [User.Read] []",
		}},
		{"an app in part", acme("    apps: [" + bot + ", applicationPermissions: [OnlineMeetings.Read.All] }, " + spa + " }]\n"), []string{
			"-app bot, public false, 1 secrets, [User.Read.All] [User.Read] [https://acme.example]", "+app bot, public false, 1 secrets, [OnlineMeetings.Read.All] [User.Read] [https://acme.example]",
		}},
		{"a dial-in in part", acme("    audioConferencing: { tollFreeNumber: null }\n"), []string{
			"-tenant acme, dial-in &{+1 206-555-0100 +1 800-555-0100 [+1 206-555-0101] []}, video true", "+tenant acme, dial-in &{+1 206-555-0100  [+1 206-555-0101] []}, video true",
		}},
		{"a policy alone", acme("    applicationAccessPolicies: [{ name: bots }]\n"), nil},
		{"a policy's description", acme("    applicationAccessPolicies: [{ name: bots, description: Bots, grantedTo: {} }]\n"), []string{`-policy bots "All bots", 1 apps`, `+policy bots "Bots", 1 apps`}},
		{"a policy without apps", acme("    applicationAccessPolicies: [{ name: bots, apps: [] }]\n"), []string{`-policy bots "All bots", 1 apps`, `+policy bots "All bots", 0 apps`}},
		{"some grants", acme("    users: [" + bob + " }]\n    applicationAccessPolicies: [{ name: bots, grantedTo: { tenant: false, users: [bob] } }]\n"), []string{"-grant bots to tenant", "-grant bots to user:…3"}},
		{"no grants", acme("    applicationAccessPolicies: [{ name: bots, grantedTo: null }]\n"), []string{"-grant bots to group:…4", "-grant bots to tenant", "-grant bots to user:…2", "-grant bots to user:…3"}},
		{"a grant of another policy", acme("    users: [" + bob + " }]\n    applicationAccessPolicies: [{ name: bots }, { name: few, grantedTo: { users: [bob] } }]\n"), []string{
			`+policy few "", 0 apps`, "-grant bots to user:…2", "+grant few to user:…2",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := usedStore(t)
			before := contents(t, store)
			if err := applyFile(t, store, tt.file); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, changed(before, contents(t, store))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// changed lists the lines that went and came, in the order of both.
func changed(before, after []string) (lines []string) {
	i := 0
	for _, line := range before {
		at := -1
		for j := i; j < len(after); j++ {
			if after[j] == line {
				at = j
				break
			}
		}
		if at < 0 {
			lines = append(lines, "-"+line)
			continue
		}
		for ; i < at; i++ {
			lines = append(lines, "+"+after[i])
		}
		i = at + 1
	}
	for ; i < len(after); i++ {
		lines = append(lines, "+"+after[i])
	}
	return lines
}

// A world made in Go names what is not zero.
func TestMergeOfGo(t *testing.T) {
	store := usedStore(t)
	before := contents(t, store)
	w := &World{Tenants: []Tenant{{
		Name: "acme", ID: "00000000-0000-4000-8000-000000000001", Domain: "acme.example",
		Users:  []User{{UPN: "bob", ID: "00000000-0000-4000-8000-000000000002", JobTitle: "Baker"}},
		Groups: []Group{{Name: "sales", ID: "00000000-0000-4000-8000-000000000004", Members: []string{}}},
	}}}
	if err := errors.Join(w.Complete(), w.Apply(t.Context(), store, time.Now())); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`-user bob@acme.example "Bob" "Bob" "b@acme.example" "Cook", can sign in true, disabled true`,
		`+user bob@acme.example "Bob" "Bob" "b@acme.example" "Baker", can sign in true, disabled true`,
		`-group sales 1`,
		`+group sales 0`,
	}
	if diff := cmp.Diff(want, changed(before, contents(t, store))); diff != "" {
		t.Error(diff)
	}
}

// What belongs to something else is refused, and nothing of the file is stored.
func TestCollisions(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"a domain", "tenants:\n  - name: new\n    domain: ACME.example\n    id: 00000000-0000-4000-8000-000000000009\n", `w.yaml:3: tenants[0].domain: "acme.example" belongs to tenant 00000000-0000-4000-8000-000000000001`},
		{"a user's name", acme("    users:\n      - displayName: B\n        upn: Bob\n        id: 00000000-0000-4000-8000-000000000009\n"), `w.yaml:7: tenants[0].users[0].upn: "Bob@acme.example" belongs to user 00000000-0000-4000-8000-000000000002`},
		{"a user of another tenant", "tenants:\n  - { name: o, domain: other.example, id: 00000000-0000-4000-8000-000000000010,\n      users: [{ upn: bob, id: 00000000-0000-4000-8000-000000000002 }] }\n", "w.yaml:3: tenants[0].users[0].id: user 00000000-0000-4000-8000-000000000002 belongs to the tenant acme.example"},
		{"a group's name", acme("    groups:\n      - name: SALES\n        id: 00000000-0000-4000-8000-000000000009\n"), `w.yaml:6: tenants[0].groups[0].name: "SALES" belongs to group 00000000-0000-4000-8000-000000000004`},
		{"a group of another tenant", "tenants:\n  - { name: new, domain: new.example, groups: [{ name: sales, id: 00000000-0000-4000-8000-000000000004 }] }\n", "w.yaml:2: tenants[0].groups[0].id: group 00000000-0000-4000-8000-000000000004 belongs to the tenant acme.example"},
		{"an app's name", acme("    apps:\n      - { name: Bot, secret: s, id: 00000000-0000-4000-8000-000000000009 }\n"), `w.yaml:6: tenants[0].apps[0].name: "Bot" belongs to application 00000000-0000-4000-8000-000000000005`},
		{"an app of another tenant", "tenants:\n  - name: new\n    domain: new.example\n    apps:\n      - name: bot\n        secret: s\n        id: 00000000-0000-4000-8000-000000000005\n", "w.yaml:7: tenants[0].apps[0].id: application 00000000-0000-4000-8000-000000000005 belongs to the tenant acme.example"},
		{"a public app with a secret", acme("    apps:\n      - { name: bot, id: 00000000-0000-4000-8000-000000000005, public: true }\n"), "w.yaml:6: tenants[0].apps[0].public: the app has a secret, which a public app cannot keep; take it away with secret: null"},
		{"a public app with permissions", acme("    apps:\n      - { name: bot, id: 00000000-0000-4000-8000-000000000005, public: true, secret: null }\n"), "w.yaml:6: tenants[0].apps[0].public: the app has application permissions, which a public app cannot have; take them away with applicationPermissions: []"},
		{"a secret of a public app", acme("    apps:\n      - { name: spa, id: 00000000-0000-4000-8000-000000000006, secret: s }\n"), "w.yaml:6: tenants[0].apps[0].secret: the app is public and cannot keep a secret; make it none with public: false"},
		{"an app without a secret", acme("    apps:\n      - name: odd\n"), "w.yaml:6: tenants[0].apps[0]: the app needs a secret, or public: true"},
		{"an app that loses its secret", acme("    apps:\n      - { name: spa, id: 00000000-0000-4000-8000-000000000006, public: false }\n"), "w.yaml:6: tenants[0].apps[0]: the app needs a secret, or public: true"},
		{"a dial-in without a number", "tenants:\n  - { name: new, domain: new.example, audioConferencing: { tollFreeNumber: \"+1 800-555-0100\" } }\n", "w.yaml:2: tenants[0].audioConferencing.tollNumber: is required"},
		{"several", acme("    videoInterop: false\n    users: [{ upn: bob, id: 00000000-0000-4000-8000-000000000008 }, { upn: ann, id: 00000000-0000-4000-8000-000000000009 }]\n"), `w.yaml:6: tenants[0].users[0].upn: "bob@acme.example" belongs to user 00000000-0000-4000-8000-000000000002` + "\n" +
			`w.yaml:6: tenants[0].users[1].upn: "ann@acme.example" belongs to user 00000000-0000-4000-8000-000000000003`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := usedStore(t)
			before := contents(t, store)
			err := applyFile(t, store, tt.file)
			if _, ok := errors.AsType[*CollisionError](err); !ok || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if diff := cmp.Diff(before, contents(t, store)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// busy is a store in which somebody else is always faster.
type busy struct{ identity.Store }

func (busy) Apply(context.Context, time.Time, []identity.Change, ...identity.AuditEntry) error {
	return identity.ErrConflict
}

func TestBusyStore(t *testing.T) {
	err := applyFile(t, busy{usedStore(t)}, acme("    videoInterop: false\n"))
	if !errors.Is(err, identity.ErrConflict) || !strings.HasPrefix(err.Error(), "others change the directory at the same time") {
		t.Errorf("error %v", err)
	}
}

// A start with the world of the start before leaves what was changed since.
func TestUpdateOutlivesStarts(t *testing.T) {
	store := usedStore(t)
	w, err := Parse("w.yaml", []byte(acme("    videoInterop: false\n")))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one changes nothing
		if err := w.Update(t.Context(), store, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	after := contents(t, store)
	if err := applyFile(t, store, used); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after, contents(t, store)); diff != "" {
		t.Error(diff)
	}
	if entries := must(store.Audit(t.Context(), "", 0, 10))(t); len(entries) != 2 {
		t.Errorf("%d audit entries, want those of the start and of one update", len(entries))
	}
}

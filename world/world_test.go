package world

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/store/sqlite"
)

func TestBuiltIn(t *testing.T) {
	w := BuiltIn()
	ids := map[string]string{}
	for _, tenant := range w.Tenants {
		ids[tenant.Domain] = tenant.ID
		for _, u := range tenant.Users {
			ids[u.UPN] = u.ID
		}
		for _, a := range tenant.Apps {
			ids[a.Name] = a.ID
		}
	}
	// The README promises them for ever.
	want := map[string]string{
		"contoso.example": "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10", "fabrikam.example": "7a11ad00-2b7d-4c1a-9e64-7d1b8a2f3c11",
		"outlook.example":      "9188040d-6c67-4c5b-b112-36a304b66dad",
		"olga@contoso.example": "c0ffee00-0001-4a00-8000-000000000001", "ann@contoso.example": "c0ffee00-0001-4a00-8000-000000000002",
		"bob@contoso.example": "c0ffee00-0001-4a00-8000-000000000003", "dora@contoso.example": "c0ffee00-0001-4a00-8000-000000000004",
		"erik@contoso.example": "c0ffee00-0001-4a00-8000-000000000005", "gina@contoso.example": "c0ffee00-0001-4a00-8000-000000000006",
		"fred@fabrikam.example": "c0ffee00-0002-4a00-8000-000000000001", "pat@outlook.example": "c0ffee00-0003-4a00-8000-000000000001",
		"booking": "a9900000-0001-4a00-8000-000000000001", "crm": "a9900000-0002-4a00-8000-000000000002",
		"reader": "a9900000-0003-4a00-8000-000000000003", "portal": "a9900000-0004-4a00-8000-000000000004",
		"booking-fabrikam": "a9900000-0005-4a00-8000-000000000005", "studio": "a9900000-0006-4a00-8000-000000000006",
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
}

// Mistakes name file, line and key, and those of meaning all come at once.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"nothing", "", []string{"world.yaml: tenants: a world needs at least one tenant"}},
		{"not YAML", "tenants: [", []string{"world.yaml:1: this is no YAML: "}},
		{"a tab", "tenants:\n\t- name: a\n", []string{"world.yaml:2: this is no YAML: found "}},
		{"a key twice", "tenants:\n  - name: a\n    name: b\n", []string{`world.yaml:3: this is no YAML: mapping key "name" already defined`}},
		{"not UTF-8", "tenants:\n  - name: \xff\n", []string{"world.yaml:2: the file is not in UTF-8"}},
		{"U+0000", "tenants:\n  - name: \x00\n", []string{"world.yaml:2: the character U+0000 "}},
		{"U+0000, escaped", "tenants:\n  - name: a\n    domain: a.example\n    users:\n      - upn: ann\n        displayName: \"a\\0\"\n        password: \"\\u0000\"\n" +
			"    groups: [{ name: g, members: [\"\\x00\"] }]\n", []string{
			"world.yaml:6: tenants[0].users[0].displayName: the character U+0000 ", "world.yaml:7: tenants[0].users[0].password: the character U+0000 ",
			"world.yaml:8: tenants[0].groups[0].members[0]: the character U+0000 ",
		}},
		{"unknown key", "tenants:\n  - name: a\n    domian: a.example\n", []string{"world.yaml:3: ", "domian"}},
		{"a word for a number", "tenants:\n  - name: a\n    domain: a.example\n    videoInterop: perhaps\n", []string{"world.yaml:4: "}},
		{"a word for a list", "tenants:\n  - name: a\n    domain: a.example\n    users: bob\n", []string{"world.yaml:4: users: "}},
		{"what cannot work", `tenants:
  - name: a
    domain: a.example
    audioConferencing: { tollNumber: "<b>1</b>" }
    users:
      - upn: "a b"
    apps:
      - name: bot
        secret: s
        redirectUris: ["javascript:alert(1)", "foo", "http://example.org/"]
        applicationPermissions: [OnlineMeetings.ReedWrite.All, Sites.Read.All]
`, []string{
			"world.yaml:4: tenants[0].audioConferencing.tollNumber: ", "world.yaml:6: tenants[0].users[0].upn: ", "world.yaml:10: tenants[0].apps[0].redirectUris[0]: ",
			"world.yaml:10: tenants[0].apps[0].redirectUris[1]: ", "world.yaml:10: tenants[0].apps[0].redirectUris[2]: ",
			`world.yaml:11: tenants[0].apps[0].applicationPermissions[0]: there is no permission "OnlineMeetings.ReedWrite.All"`,
		}},
		{"permissions", `tenants:
  - name: a
    domain: a.example
    apps:
      - name: bot
        secret: s
        applicationPermissions: [OnlineMeetings.ReadWrite, VirtualAppointment.Read, User.Read, onlinemeetings.read.all, OnlineMeetings.ReadWrite.All]
        delegatedPermissions:
          - OnlineMeetings.Read.All
          - User.Reed
          - user.read
          - OnlineMeetings.Reed
`, []string{
			"world.yaml:7: tenants[0].apps[0].applicationPermissions[0]: OnlineMeetings.ReadWrite is no application permission; that is OnlineMeetings.ReadWrite.All",
			"world.yaml:7: tenants[0].apps[0].applicationPermissions[1]: VirtualAppointment.Read is no application permission; that is VirtualAppointment.Read.All",
			"world.yaml:7: tenants[0].apps[0].applicationPermissions[2]: User.Read is no application permission; that is User.Read.All",
			`world.yaml:7: tenants[0].apps[0].applicationPermissions[3]: there is no permission "onlinemeetings.read.all"; there is OnlineMeetings.Read.All`,
			"world.yaml:9: tenants[0].apps[0].delegatedPermissions[0]: OnlineMeetings.Read.All is no delegated permission; that is OnlineMeetings.Read",
			`world.yaml:11: tenants[0].apps[0].delegatedPermissions[2]: there is no permission "user.read"; there is User.Read`,
			`world.yaml:12: tenants[0].apps[0].delegatedPermissions[3]: there is no permission "OnlineMeetings.Reed"; there are OnlineMeetings.Read, `,
		}},
		{"two documents", "tenants: []\n---\ntenants: []\n", []string{"one YAML document"}},
		{"many at once", `tenants:
  - name: a
    domain: not a domain
    id: no-guid
    users:
      - upn: ann@other.example
      - upn: bob
      - upn: BOB
    groups:
      - name: g
        members: [bob, nobody]
    apps:
      - { name: secretless, secret: "" }
      - { name: both, public: true, secret: x, applicationPermissions: [A.B] }
      - { name: odd, secret: x, delegatedPermissions: ["A B"] }
    applicationAccessPolicies:
      - { name: Global, apps: [nothing], grantedTo: { users: [nobody], groups: [{ name: g, rank: 0 }, { name: h, rank: 1 }] } }
      - { name: one, grantedTo: { tenant: true } }
      - { name: two, grantedTo: { tenant: true } }
`, []string{
			"world.yaml:3: tenants[0].domain: ", "world.yaml:4: tenants[0].id: ", "world.yaml:6: tenants[0].users[0].upn: ", "world.yaml:8: tenants[0].users[2].upn: ",
			"world.yaml:11: tenants[0].groups[0].members[1]: ", "world.yaml:13: tenants[0].apps[0]: ", "world.yaml:14: tenants[0].apps[1].secret: ",
			"world.yaml:14: tenants[0].apps[1].applicationPermissions: ", "world.yaml:15: tenants[0].apps[2].delegatedPermissions[0]: ",
			"world.yaml:17: tenants[0].applicationAccessPolicies[0].name: ", "world.yaml:17: tenants[0].applicationAccessPolicies[0].apps[0]: ",
			"world.yaml:17: tenants[0].applicationAccessPolicies[0].grantedTo.users[0]: ", "world.yaml:17: tenants[0].applicationAccessPolicies[0].grantedTo.groups[0].rank: ",
			"world.yaml:17: tenants[0].applicationAccessPolicies[0].grantedTo.groups[1].name: ", "world.yaml:19: tenants[0].applicationAccessPolicies[2].grantedTo.tenant: ",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("world.yaml", []byte(tt.file))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
		})
	}
}

// A file needs names only: ids are derived from them, and the same every time.
func TestIDsAreDerived(t *testing.T) {
	file := []byte("tenants:\n  - { name: a, domain: A.example, users: [{ upn: ann }], apps: [{ name: bot, secret: s }] }\n")
	one, err := Parse("one", file)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Parse("two", file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, two, cmpopts.IgnoreUnexported(World{}, Tenant{}, User{}, App{}, Policy{}, Granted{}, Group{})); diff != "" {
		t.Error(diff)
	}
	tenant := one.Tenants[0]
	if u := tenant.Users[0]; !identity.IsGUID(tenant.ID) || !identity.IsGUID(u.ID) || !identity.IsGUID(tenant.Apps[0].ID) || u.UPN != "ann@a.example" || u.Mail != u.UPN || u.DisplayName != "ann" {
		t.Errorf("%+v", tenant)
	}
}

// The world is applied when it changes, as an upsert; what was changed at run
// time wins over policies and grants.
func TestApply(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	store, err := sqlite.Open(ctx, t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	apply := func(file string) {
		t.Helper()
		w, err := Parse("world.yaml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Apply(ctx, store, now); err != nil {
			t.Fatal(err)
		}
	}
	generation := func() int64 {
		g, err := store.Generation(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	const first = "tenants:\n  - { name: a, domain: a.example, users: [{ upn: ann }, { upn: bob }], apps: [{ name: bot, secret: s }, { name: cat, secret: s }],\n" +
		"      applicationAccessPolicies: [{ name: p, apps: [bot], grantedTo: { tenant: true } }, { name: q, apps: [bot] }] }\n"
	apply(first)
	before := generation()
	apply(first)
	if after := generation(); after != before {
		t.Errorf("the same world again moved the generation from %d to %d", before, after)
	}
	dir := &identity.Directory{Store: store, Now: time.Now}
	policies := &identity.Policies{Store: store, Now: time.Now}
	tenant, err := dir.Tenant(ctx, "a.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policies.Set(ctx, "test", tenant.ID, "p", func(v *identity.PolicyVersion) error { v.Description = "mine"; return nil }); err != nil {
		t.Fatal(err)
	}
	// Ann is renamed, Bob is no longer named, p and q list another application.
	apply(strings.NewReplacer("{ upn: ann }, { upn: bob }", "{ upn: ann, displayName: Anna }", "apps: [bot]", "apps: [cat]").Replace(first))
	ann, err := dir.User(ctx, tenant.ID, "ann@a.example")
	if err != nil || ann.DisplayName != "Anna" {
		t.Errorf("Ann is %+v, %v", ann, err)
	}
	if _, err := dir.User(ctx, tenant.ID, "bob@a.example"); err != nil {
		t.Errorf("Bob: %v; what a world does not name is left alone", err)
	}
	cat, bot := derivedID("app", "a.example", "cat"), derivedID("app", "a.example", "bot")
	for name, want := range map[string]string{"p": bot, "q": cat} {
		p, err := policies.Get(ctx, tenant.ID, name)
		if err != nil || len(p.Newest().AppIDs) != 1 || p.Newest().AppIDs[0] != want {
			t.Errorf("%s lists %+v, %v; want %s", name, p, err, want)
		}
	}
}

// Several first starts at once are harmless.
func TestApplyAtOnce(t *testing.T) {
	store, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	failed := make(chan error)
	for range 8 {
		go func() { failed <- BuiltIn().Apply(t.Context(), store, time.Now()) }()
	}
	for range 8 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	entries, err := store.Audit(t.Context(), "", 0, 100)
	if err != nil || len(entries) != 1 {
		t.Errorf("applied %d times, error %v; want once", len(entries), err)
	}
}

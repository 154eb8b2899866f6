package world

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Time and memory of the YAML parser grow with the square of the depth, and
// aliases multiply: such files are refused before it sees them.
func TestLimits(t *testing.T) {
	const n = 100_000
	var stairs, aliases strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&stairs, "%sa:\n", strings.Repeat(" ", i))
	}
	aliases.WriteString("tenants:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		fmt.Fprintf(&aliases, "  - &a%d [%s]\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	for _, tt := range []struct{ name, file, want string }{
		{"lists", "\ntenants: " + strings.Repeat("[", n), "w.yaml:2: lists and maps are nested more than 32 deep"},
		{"more lists", "\ntenants: " + strings.Repeat("[", 3_000_000), "w.yaml:2: lists and maps are nested more than 32 deep"},
		{"lists that close in quotes", "tenants: " + strings.Repeat("[\"]\",", n), "w.yaml:1: lists and maps are nested more than 32 deep"},
		{"lists on lines", "tenants: " + strings.Repeat("\n [", n), "w.yaml:33: lists and maps are nested more than 32 deep"},
		{"maps", "tenants: " + strings.Repeat("{a: ", n), "w.yaml:1: lists and maps are nested more than 32 deep"},
		{"dashes", "tenants:\n" + strings.Repeat("- ", n), "w.yaml:2: lists and maps are nested more than 32 deep"},
		{"dashes with anchors", "tenants:\n" + strings.Repeat("- &a ", n), "w.yaml:2: lists and maps are nested more than 32 deep"},
		{"questions", "tenants:\n" + strings.Repeat("? ", n), "w.yaml:2: lists and maps are nested more than 32 deep"},
		{"blocks", stairs.String(), "w.yaml:33: lists and maps are nested more than 32 deep"},
		{"aliases", aliases.String(), "w.yaml:7: with its aliases written out the file has more than 1000000 values"},
		{"an alias of itself", "tenants: &a [*a]\n", "w.yaml"},
		{"anchors", "tenants: " + strings.Repeat("&a ", n), "w.yaml"},
		{"tags", "tenants: " + strings.Repeat("!a ", n), "w.yaml"},
		{"colons", "tenants: " + strings.Repeat("a: ", n), "w.yaml:1: this is no YAML"},
		{"brackets in a text", "name: \"" + strings.Repeat("[", n/2) + "\"\n# " + strings.Repeat("{", n/100), `w.yaml:1: unknown field "name"`},
		{"size", strings.Repeat("#\n", MaxSize/2+1), fmt.Sprintf("w.yaml:%d: the file has more than 4194304 bytes", MaxSize/2+1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("w.yaml", []byte(tt.file))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %.200v, want %s", err, tt.want)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// What a value should be is said, and how some editors begin a file is no matter.
func TestWrongTypes(t *testing.T) {
	const begin = "\ufefftenants:\n  - name: a\n    domain: a.example\n"
	if _, err := Parse("w.yaml", []byte(begin)); err != nil {
		t.Error(err)
	}
	for value, want := range map[string]string{
		"videoInterop: perhaps":                    "w.yaml:4: videoInterop: the value has the wrong type: it should be true or false",
		"users: bob":                               "w.yaml:4: users: the value has the wrong type: it should be a list",
		"users: [{ upn: [bob] }]":                  "w.yaml:4: upn: the value has the wrong type: it should be a text",
		"audioConferencing: 3":                     "w.yaml:4: audioConferencing: the value has the wrong type: it should be a map of members",
		"domain: v1.0":                             "mapping key",
		"groups: [{ name: g, members: { a: 1 } }]": "w.yaml:4: ",
		"groups: [{ name: g }]\n    applicationAccessPolicies: [{ name: p, grantedTo: { groups: [{ name: g, rank: 1.9 }] } }]": "w.yaml:5: tenants[0].applicationAccessPolicies[0].grantedTo.groups[0].rank: a rank is a whole number of 1 or more",
	} {
		if _, err := Parse("w.yaml", []byte(begin+"    "+value+"\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %s", value, err, want)
		}
	}
	for _, domain := range []string{"v1.0", "V1.0", "a b.example", "ü.example", "-a.example", "a..example", "a_b.example", "nodot", "a.example."} {
		if _, err := Parse("w.yaml", []byte("tenants: [{ name: a, domain: \""+domain+"\" }]\n")); err == nil || !strings.Contains(err.Error(), "w.yaml:1: tenants[0].domain: ") {
			t.Errorf("the domain %s: error %v", domain, err)
		}
	}
}

// Permissions of other APIs are kept, and told of, and so is what a file cannot be
// checked for alone.
func TestWarnings(t *testing.T) {
	w, err := Parse("w.yaml", []byte(`tenants:
  - name: a
    domain: a.example
    apps:
      - name: bot
        secret: s
        applicationPermissions: [Foo, User.Read.All, openid]
        delegatedPermissions: [User.Read, openid, Foo.Bar]
      - name: part
    audioConferencing: {}
    groups: [{ name: g }, { name: h }]
    applicationAccessPolicies: [{ name: p, grantedTo: { groups: [{ name: g, rank: 1 }, { name: h, rank: 1 }] } }]
`))
	want := []string{
		"w.yaml:10: tenants[0].audioConferencing.tollNumber: it is not given, so the directory must have it already",
		"w.yaml:7: tenants[0].apps[0].applicationPermissions[0]: nothing here asks for the permission Foo",
		"w.yaml:7: tenants[0].apps[0].applicationPermissions[2]: nothing here asks for the permission openid",
		"w.yaml:8: tenants[0].apps[0].delegatedPermissions[2]: nothing here asks for the permission Foo.Bar",
		"w.yaml:9: tenants[0].apps[1]: neither a secret nor public: true is given, so the directory must have the app already",
		"w.yaml:12: tenants[0].applicationAccessPolicies[0].grantedTo.groups[1].rank: tenants[0].applicationAccessPolicies[0].grantedTo.groups[0] has rank 1 too: for a member of both groups the one with the smaller id counts",
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, w.Warnings()); diff != "" {
		t.Error(diff)
	}
	if got := w.Tenants[0].Apps[0].ApplicationPermissions; len(got) != 3 {
		t.Errorf("kept %v", got)
	}
}

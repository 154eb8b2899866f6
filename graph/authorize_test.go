package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/convene-meet/convene/identity"
)

const (
	fabrikam = "7a11ad00-2b7d-4c1a-9e64-7d1b8a2f3c11"
	erikID   = "c0ffee00-0001-4a00-8000-000000000005"
	ginaID   = "c0ffee00-0001-4a00-8000-000000000006"
	fredID   = "c0ffee00-0002-4a00-8000-000000000001"
	salesID  = "c0ffee00-0001-4b00-8000-000000000001"
)

// A policyState is what is granted to gina: to herself, to her group and to
// her tenant. "yes" is a policy that lists booking, "no" one that does not, ""
// no grant.
type policyState struct{ user, group, tenant string }

// allows says what the documentation of application access policies says: the
// user's own grant counts, else the group's, else the tenant's, and never two.
func (p policyState) allows() bool {
	for _, grant := range []string{p.user, p.group, p.tenant} {
		if grant != "" {
			return grant == "yes"
		}
	}
	return false
}

// Every operation, for every sort of token, permission, policy and user.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	ctx := t.Context()
	policies := f.srv.Policies()
	for name, apps := range map[string][]string{"yes": {bookingID}, "no": {portalID}} {
		if _, err := policies.New(ctx, "test", contoso, name, apps, ""); err != nil {
			t.Fatal(err)
		}
	}
	operations := []struct {
		name, method, path, body string
		delegated, application   []string
		made                     []int
	}{
		{"createOrGet", http.MethodPost, "/onlineMeetings/createOrGet", `{"externalId":"table"}`,
			[]string{"OnlineMeetings.ReadWrite"}, []string{"OnlineMeetings.ReadWrite.All"}, []int{200, 201}},
	}
	targets := []struct {
		name, root    string
		self, known   bool // gina herself; somebody of the tenant
		disabled, app bool // the account is disabled; the path is for applications, too
	}{
		{"me", "/me", true, true, false, false},
		{"own id", "/users/" + ginaID, true, true, false, true},
		{"own id in capitals", "/users/" + strings.ToUpper(ginaID), true, true, false, true},
		{"own name", "/users/gina@contoso.example", true, true, false, true},
		{"another's id", "/users/" + annID, false, true, false, true},
		{"a disabled user", "/users/" + erikID, false, true, true, true},
		{"a user of another tenant", "/users/" + fredID, false, false, false, true},
		{"nobody", "/users/00000000-0000-4000-8000-00000000000f", false, false, false, true},
	}
	states := []policyState{}
	for _, user := range []string{"", "yes", "no"} {
		for _, group := range []string{"", "yes", "no"} {
			for _, tenant := range []string{"", "yes", "no"} {
				states = append(states, policyState{user, group, tenant})
			}
		}
	}
	grant := func(to identity.GrantTarget, target, name string) {
		if _, err := policies.Grant(ctx, "test", contoso, to, target, name, 0); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for _, state := range states {
		grant(identity.ToUser, ginaID, state.user)
		grant(identity.ToGroup, salesID, state.group)
		grant(identity.ToTenant, "", state.tenant)
		for _, op := range operations {
			for _, kind := range []string{"none", "delegated", "application"} {
				for _, permission := range []string{"", "OnlineMeetings.Read", "OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite", "OnlineMeetings.ReadWrite.All"} {
					token := ""
					switch kind {
					case "delegated":
						token = f.sign(t, map[string]any{"roles": nil, "scp": permission, "appid": portalID, "oid": ginaID, "idtyp": "user"})
					case "application":
						token = f.sign(t, map[string]any{"roles": strings.Fields(permission)})
					}
					for _, target := range targets {
						count++
						want := []int{http.StatusUnauthorized}
						switch {
						case kind == "none":
						case kind == "application" && !target.app:
							want = []int{http.StatusBadRequest}
						case kind == "application" && !slices.Contains(op.application, permission),
							kind == "delegated" && !slices.Contains(op.delegated, permission):
							want = []int{http.StatusForbidden}
						case !target.known:
							want = []int{http.StatusNotFound}
						case kind == "delegated" && !target.self,
							kind == "application" && target.disabled,
							kind == "application" && target.self && !state.allows(),
							kind == "application" && !target.self && state.tenant != "yes":
							want = []int{http.StatusForbidden}
						default:
							want = op.made
						}
						w := ask(f.srv, op.method, "/v1.0"+target.root+op.path, token, op.body)
						if !slices.Contains(want, w.Code) {
							t.Errorf("%s, policies %+v, token %s with %q, at %s: status %d, want %v: %s", op.name, state, kind, permission, target.name, w.Code, want, w.Body)
						}
						if w.Code >= 400 {
							envelope(t, w.Result(), w.Body.Bytes())
						}
					}
				}
			}
		}
	}
	t.Log(fmt.Sprint(count), "combinations")
}

package graph_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/server"
	"github.com/convene-meet/convene/world"
)

type userPage struct {
	NextLink string `json:"@odata.nextLink"`
	Count    *int   `json:"@odata.count"`
	Value    []map[string]any
}

func getPage(t *testing.T, srv *graphtest.Server, token, target string) userPage {
	t.Helper()
	w := ask(srv, http.MethodGet, target, token, "")
	var page userPage
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK || page.Value == nil {
		t.Fatalf("%s: status %d, error %v: %s", target, w.Code, err, w.Body)
	}
	return page
}

// Whatever the size of pages: following the links gives every user once, in one
// order, with the options of the first page.
func TestPagesHaveEveryUserOnce(t *testing.T) {
	t.Parallel()
	file := graphtest.NewWorld()
	tenant := file.Tenant("acme.example").App("app", "User.Read.All")
	file.Tenant("other.example").App("stranger", "User.Read.All")
	var want []string
	for i := range 101 { // one more than a page has by itself
		want = append(want, tenant.User("u"+strconv.Itoa(i)))
	}
	slices.Sort(want)
	srv := graphtest.New(t, graphtest.WithWorld(file))
	token := srv.AppToken("app")
	for _, tt := range []struct {
		option string
		pages  int
	}{{"", 2}, {"$top=1&", 101}, {"$top=50&", 3}, {"$top=101&", 1}, {"$top=999&", 1}} {
		var got []string
		pages := 0
		for next := "/v1.0/users?" + tt.option + "$select=userPrincipalName&$count=true"; next != ""; pages++ {
			page := getPage(t, srv, token, next)
			if page.Count == nil || *page.Count != len(want) {
				t.Fatalf("count %v; want %d", page.Count, len(want))
			}
			for _, u := range page.Value {
				got = append(got, u["userPrincipalName"].(string))
			}
			next = strings.TrimPrefix(page.NextLink, srv.URL)
		}
		slices.Sort(got)
		if pages != tt.pages || !slices.Equal(got, want) {
			t.Errorf("%q: %d users on %d pages; want %d on %d", tt.option, len(got), pages, len(want), tt.pages)
		}
	}

	// A token of one tenant is none in another, nor with a letter changed.
	link := strings.TrimPrefix(getPage(t, srv, token, "/v1.0/users?$top=1").NextLink, srv.URL)
	if w := ask(srv, http.MethodGet, link, srv.AppToken("stranger"), ""); w.Code != http.StatusBadRequest {
		t.Errorf("another tenant's token: status %d: %s; want 400", w.Code, w.Body)
	}
	at := strings.Index(link, "$skiptoken=") + len("$skiptoken=")
	for i := at; i < len(link)-1; i++ { // of the last letter some bits say nothing
		changed := []byte(link)
		changed[i] ^= 1
		if w := ask(srv, http.MethodGet, string(changed), token, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d; want 400", changed, w.Code)
		}
	}
}

// Every sort of token and permission, for every user and operation.
func TestWhoMayReadUsers(t *testing.T) {
	t.Parallel()
	f := newForge(t, graphtest.With(func(c *server.Config) {
		w := world.BuiltIn()
		for i := range w.Tenants[0].Users {
			w.Tenants[0].Users[i].JobTitle = "Seller"
		}
		for i := range w.Tenants[0].Apps {
			app := &w.Tenants[0].Apps[i]
			app.DelegatedPermissions = append(slices.Clone(app.DelegatedPermissions), "User.Read.All")
		}
		c.World = w
	}))
	has := func(permission string, wanted ...string) bool { return slices.Contains(wanted, permission) }
	targets := []struct {
		name, path         string
		self, known, isApp bool // isApp: the path is for applications, too
	}{
		{"me", "/me", true, true, false},
		{"own id", "/users/" + ginaID, true, true, true},
		{"own name", "/users/gina@contoso.example", true, true, true},
		{"another's id", "/users/" + annID, false, true, true},
		{"another's name", "/users/ann@contoso.example", false, true, true},
		{"a disabled user", "/users/" + erikID, false, true, true},
		{"a user of another tenant", "/users/" + fredID, false, false, true},
		{"nobody", "/users/nobody@contoso.example", false, false, true},
		{"all", "/users", false, true, true},
	}
	for _, kind := range []string{"none", "delegated", "application"} {
		for _, permission := range []string{"", "User.Read", "User.ReadBasic.All", "User.Read.All", "OnlineMeetings.ReadWrite", "OnlineMeetings.ReadWrite.All"} {
			token := ""
			switch kind {
			case "delegated":
				token = f.sign(t, map[string]any{"roles": nil, "scp": permission, "appid": portalID, "oid": ginaID, "idtyp": "user"})
			case "application":
				token = f.sign(t, map[string]any{"roles": strings.Fields(permission)})
			}
			for _, target := range targets {
				want, code := http.StatusOK, ""
				switch {
				case kind == "none":
					want, code = http.StatusUnauthorized, "InvalidAuthenticationToken"
				case kind == "application" && !target.isApp:
					want, code = http.StatusBadRequest, "BadRequest"
				case kind == "application" && !has(permission, "User.Read.All"),
					kind == "delegated" && target.self && !has(permission, "User.Read", "User.ReadBasic.All", "User.Read.All"),
					kind == "delegated" && !target.self && !has(permission, "User.ReadBasic.All", "User.Read.All"):
					want, code = http.StatusForbidden, "Authorization_RequestDenied"
				case !target.known:
					want, code = http.StatusNotFound, "Request_ResourceNotFound"
				}
				w := ask(f.srv, http.MethodGet, "/v1.0"+target.path, token, "")
				if w.Code != want {
					t.Errorf("token %s with %q, at %s: status %d, want %d: %s", kind, permission, target.name, w.Code, want, w.Body)
					continue
				}
				if want != http.StatusOK {
					if e := envelope(t, w.Result(), w.Body.Bytes()); e.Code != code {
						t.Errorf("token %s with %q, at %s: code %s, want %s", kind, permission, target.name, e.Code, code)
					}
					continue
				}
				// Whoever may read the basic profile alone sees no job.
				full := strings.Contains(w.Body.String(), `"jobTitle":"Seller"`)
				if wantFull := permission != "User.ReadBasic.All"; full != wantFull || !strings.Contains(w.Body.String(), "@contoso.example") {
					t.Errorf("token %s with %q, at %s: full %v, want %v: %s", kind, permission, target.name, full, wantFull, w.Body)
				}
			}
		}
	}
}

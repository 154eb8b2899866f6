package manage

import (
	"net/http"

	"github.com/convene-meet/convene/lab"
)

// A route is one thing that management does, and what the API's own document
// says of it.
type route struct {
	method, path string
	summary      string
	query        []parameter
	body, answer any  // values of the types that are sent and answered; nil: none
	kit          bool // only where the server has the tester's kit
	serve        func(h *Handler, r *http.Request) (any, error)
}

// A parameter is one of a query.
type parameter struct{ name, about string }

// A list is an answer of several things.
type list[T any] struct {
	Value []T `json:"value"`
}

var (
	ofTenant = parameter{"tenant", "The tenant, by domain, name or id; needed where there are several."}
	byName   = parameter{"identity", "The name of the policy."}
)

// routes are everything that management does.
var routes []route

// init, since the document of the routes is one of them.
func init() {
	routes = []route{
		{http.MethodGet, "/v1/server", "Who the server is.", nil, nil, ServerInfo{}, false, (*Handler).server},
		{http.MethodPost, "/v1/token", "An access token for an application or a user.", nil, TokenRequest{}, Token{}, false, (*Handler).token},
		{http.MethodPost, "/v1/device/approve", "Say yes to a device code for a user.", nil, approval{}, nil, false, (*Handler).approve},
		{http.MethodGet, "/v1/policies", "The application access policies of a tenant, or the one that is named.", []parameter{ofTenant, byName}, nil, list[Policy]{}, false, (*Handler).listPolicies},
		{http.MethodPost, "/v1/policies", "Make a policy.", nil, PolicyChange{}, Policy{}, false, (*Handler).newPolicy},
		{http.MethodPatch, "/v1/policies", "Change a policy.", nil, PolicyChange{}, Policy{}, false, (*Handler).setPolicy},
		{http.MethodDelete, "/v1/policies", "Remove a policy that is granted to nobody.", []parameter{ofTenant, byName}, nil, nil, false, (*Handler).removePolicy},
		{http.MethodPost, "/v1/grants", "Grant a policy to a user, a group or a whole tenant, or take the grant away.", nil, GrantChange{}, Grant{}, false, (*Handler).grant},
		{http.MethodGet, "/v1/audit", "What was changed, oldest first.", []parameter{
			{"tenant", "Only this tenant, by domain, name or id."}, {"after", "Only entries after the one with this seq."}, {"limit", "At most so many, up to 1000."},
		}, nil, list[AuditEntry]{}, false, (*Handler).audit},
		{http.MethodPut, "/v1/world", "Add what a world file names to the directory, or change it.", []parameter{{"name", "What errors call the file."}}, file("application/yaml"), nil, false, (*Handler).putWorld},

		{http.MethodGet, "/v1/tenants", "Every tenant.", nil, nil, list[lab.TenantInfo]{}, true, (*Handler).listTenants},
		{http.MethodPost, "/v1/tenants", "Make a fresh tenant with users, applications and a policy.", nil, lab.TenantRequest{}, lab.Tenant{}, true, (*Handler).createTenant},
		{http.MethodDelete, "/v1/tenants", "Delete a fresh tenant with everything in it.", []parameter{ofTenant}, nil, nil, true, (*Handler).deleteTenant},
		{http.MethodPost, "/v1/reset", "Remove the meetings of a tenant, and bring its directory back.", nil, lab.ResetRequest{}, lab.ResetAnswer{}, true, (*Handler).reset},
		{http.MethodPost, "/v1/seed", "Make the meetings of a file that are not there yet.", []parameter{
			{"tenant", "The tenant of the organizers; that of their names where none is given."}, {"name", "What errors call the file."},
		}, file("application/yaml"), lab.SeedAnswer{}, true, (*Handler).seed},
		{http.MethodGet, "/v1/snapshot", "The directory and the meetings of a tenant, to be restored later.", []parameter{ofTenant}, nil, lab.Snapshot{}, true, (*Handler).saveSnapshot},
		{http.MethodPut, "/v1/snapshot", "Bring a tenant back to a snapshot of it.", nil, lab.Snapshot{}, lab.RestoreAnswer{}, true, (*Handler).restoreSnapshot},
	}
}

// A file is a body that is no JSON of its own: its media type.
type file string

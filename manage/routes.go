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
		{http.MethodGet, "/v1/user", "A user by name or id.", []parameter{ofTenant, {"user", "Principal name or id; without a tenant that of the name counts."}}, nil, UserInfo{}, false, (*Handler).user},
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
		{http.MethodGet, "/v1/snapshot", "The directory and the meetings of a tenant, to be restored later.", []parameter{ofTenant}, nil, opaque{}, true, (*Handler).saveSnapshot},
		{http.MethodPut, "/v1/snapshot", "Bring a tenant back to a snapshot of it.", nil, opaque{}, lab.RestoreAnswer{}, true, (*Handler).restoreSnapshot},

		{http.MethodGet, "/v1/clock", "What time it is for a tenant.", []parameter{ofTenant}, nil, lab.ClockState{}, true, (*Handler).clock},
		{http.MethodPatch, "/v1/clock", "Set, move, stop or start the clock of a tenant.", nil, lab.ClockRequest{}, lab.ClockState{}, true, (*Handler).setClock},
		{http.MethodDelete, "/v1/clock", "Give a tenant the server's own time again.", []parameter{ofTenant}, nil, lab.ClockState{}, true, (*Handler).resetClock},
		{http.MethodGet, "/v1/faults", "The faults of a tenant, and how often each has happened.", []parameter{ofTenant}, nil, list[lab.FaultState]{}, true, (*Handler).listFaults},
		{http.MethodPost, "/v1/faults", "Have requests of a tenant fail, or take long.", nil, lab.Fault{}, lab.FaultState{}, true, (*Handler).addFault},
		{http.MethodDelete, "/v1/faults", "Clear the faults of a tenant.", []parameter{ofTenant, {"id", "Only this one."}}, nil, nil, true, (*Handler).clearFaults},
		{http.MethodGet, "/v1/throttle", "How many requests each application may send in a tenant.", []parameter{ofTenant}, nil, lab.Throttle{}, true, (*Handler).throttle},
		{http.MethodPut, "/v1/throttle", "Limit how many requests each application may send in a tenant.", nil, lab.Throttle{}, lab.Throttle{}, true, (*Handler).setThrottle},
		{http.MethodDelete, "/v1/throttle", "Take the limit away.", []parameter{ofTenant}, nil, nil, true, (*Handler).endThrottle},
		{http.MethodGet, "/v1/policy-delay", "How long changes of a tenant's policies take to be in effect.", []parameter{ofTenant}, nil, lab.PolicyDelay{}, true, (*Handler).policyDelay},
		{http.MethodPut, "/v1/policy-delay", "Say how long changes of a tenant's policies take from now on.", nil, lab.PolicyDelay{}, lab.PolicyDelay{}, true, (*Handler).setPolicyDelay},
		{http.MethodDelete, "/v1/policy-delay", "Give a tenant the server's own delay again.", []parameter{ofTenant}, nil, lab.PolicyDelay{}, true, (*Handler).resetPolicyDelay},
		{http.MethodGet, "/v1/requests", "The last requests to the API, oldest first.", []parameter{
			ofTenant, {"all", "true: of every tenant, and those that name none."}, {"after", "Only those after the one with this seq."},
			{"wait", "How long to wait for the first one, such as 25s; at most 30s."}, {"limit", "At most so many."},
		}, nil, lab.Requests{}, true, (*Handler).requests},
		{http.MethodGet, "/v1/openapi.json", "This document.", nil, nil, nil, false, (*Handler).openAPI},
	}
}

// Opaque is JSON that is kept and sent back as it is.
type opaque = map[string]any

// A file is a body that is no JSON of its own: its media type.
type file string

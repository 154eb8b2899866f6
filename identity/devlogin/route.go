package devlogin

import (
	"net/http"
	"slices"
	"strings"
)

// An endpoint is what one path does: which methods it has, who serves it, and
// whether its errors are for a program or for a person.
type endpoint struct {
	methods []string
	serve   func(*Provider, *call) error
	fail    func(*Provider, *call, *Error)
}

var (
	readOnly = []string{http.MethodGet, http.MethodHead}
	pageLike = []string{http.MethodGet, http.MethodHead, http.MethodPost}
	postOnly = []string{http.MethodPost}
)

var (
	devicePage      = &endpoint{pageLike, (*Provider).devicePage, (*Provider).failPage}
	realmOf         = &endpoint{readOnly, (*Provider).userRealm, (*Provider).failJSON}
	unknownEndpoint = &endpoint{nil, (*Provider).unknown, (*Provider).failJSON}
)

// endpoints are the paths below /{tenant}/, in lower case.
var endpoints = map[string]*endpoint{
	"v2.0/.well-known/openid-configuration": {readOnly, (*Provider).configuration, (*Provider).failJSON},
	".well-known/openid-configuration":      {readOnly, (*Provider).configurationV1, (*Provider).failJSON},
	"discovery/instance":                    {readOnly, (*Provider).instance, (*Provider).failJSON},
	"discovery/v2.0/keys":                   {readOnly, (*Provider).keys, (*Provider).failJSON},
	"discovery/keys":                        {readOnly, (*Provider).keys, (*Provider).failJSON},
	"oauth2/v2.0/authorize":                 {pageLike, (*Provider).authorize, (*Provider).failPage},
	"oauth2/v2.0/token":                     {postOnly, (*Provider).token, (*Provider).failJSON},
	"oauth2/v2.0/devicecode":                {postOnly, (*Provider).deviceCode, (*Provider).failJSON},
	"oauth2/v2.0/logout":                    {pageLike, (*Provider).logout, (*Provider).failPage},
}

// route finds the endpoint of a path and the {tenant} in it. What follows the
// tenant is compared without regard to case, as Entra ID does.
func route(path string) (e *endpoint, tenant string, ok bool) {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	tenant, rest, _ := strings.Cut(path, "/")
	switch strings.ToLower(tenant) {
	case "device":
		return devicePage, "", rest == ""
	case "", "v1.0", "beta": // Graph's
		return nil, "", false
	}
	rest = strings.ToLower(rest)
	if e, ok := endpoints[rest]; ok {
		return e, tenant, true
	} else if strings.HasPrefix(rest, realmPrefix) {
		return realmOf, tenant, true
	}
	return unknownEndpoint, tenant, strings.HasPrefix(rest, "oauth2/")
}

// unknown answers for paths that look like an endpoint of ours and are none,
// such as those of Entra's first version.
func (p *Provider) unknown(*call) error {
	return refuse("invalid_request", 90023, "There is no such endpoint. Those of this server are under /{tenant}/oauth2/v2.0/: authorize, token, devicecode and logout. An authority is https://host:port/{tenant}.").as(http.StatusNotFound)
}

// allow refuses methods that an endpoint does not have.
func (c *call) allow(methods []string) error {
	if methods == nil || slices.Contains(methods, c.r.Method) {
		return nil
	}
	c.w.Header().Set("Allow", strings.Join(methods, ", "))
	return refuse("invalid_request", 900561, "The endpoint only accepts %s requests. Received a %s request.",
		strings.Join(methods, ", "), shorten(c.r.Method)).as(http.StatusMethodNotAllowed)
}

package devlogin

import (
	"slices"
	"strings"

	"github.com/convene-meet/convene/identity"
)

// A permit is what a request for scopes comes to: a resource, and what the
// token for it says.
type permit struct {
	resource    string   // the token's audience, as asked for
	permissions []string // the token's roles or, with oidc, its scp
	oidc        []string // of openid, profile, email and offline_access those asked for
	answer      []string // for the member scope of the token's answer
}

func (g *permit) has(scope string) bool { return slices.Contains(g.oidc, scope) }

// scp is the value of the claim of that name.
func (g *permit) scp() string {
	all := slices.Clone(g.permissions)
	for _, s := range g.oidc {
		if s != "offline_access" { // says something of the answer, not of the token
			all = append(all, s)
		}
	}
	return strings.Join(all, " ")
}

// oidcScopes are the scopes that belong to no resource, in lower case.
var oidcScopes = []string{"openid", "profile", "email", "offline_access"}

const everything = ".default"

const maxScopes = 256

// A scopeRequest is the value of a scope parameter, taken apart.
type scopeRequest struct {
	resource string   // as it was written first
	names    []string // permissions, or ".default"
	asked    []string // the scopes as sent, of which names are the ends
	oidc     []string
}

// parseScope takes a scope parameter apart. A scope is {resource}/{name} or a
// name of the first resource; all must be of one resource.
func (p *Provider) parseScope(origin, scope string) (*scopeRequest, error) {
	scopes := strings.Fields(scope)
	if len(scopes) == 0 {
		return nil, missing("scope")
	} else if len(scopes) > maxScopes {
		return nil, refuse("invalid_scope", 70011, "The parameter 'scope' names %d scopes; at most %d are read.", len(scopes), maxScopes)
	}
	resources := p.Resources(origin)
	r := &scopeRequest{}
	for _, asked := range scopes {
		if lower := strings.ToLower(asked); slices.Contains(oidcScopes, lower) {
			r.oidc = addNew(r.oidc, lower)
			continue
		}
		resource, name := resources[0], asked
		if slash := strings.LastIndexByte(asked, '/'); slash >= 0 {
			resource, name = asked[:slash], asked[slash+1:]
		}
		if !slices.ContainsFunc(resources, func(known string) bool { return sameResource(known, resource) }) {
			return nil, refuse("invalid_resource", 500011, "The resource of the scope '%s' was not found. A scope is a resource, a slash and a name, as in %s/.default; the resources here are %s.",
				shorten(asked), resources[0], strings.Join(resources, ", "))
		}
		if r.resource == "" {
			r.resource = resource
		} else if !sameResource(r.resource, resource) {
			return nil, refuse("invalid_scope", 28000, "The value of the parameter 'scope' is not valid because it contains more than one resource: %s and %s. Ask for one token each.", r.resource, resource)
		}
		r.names, r.asked = append(r.names, name), append(r.asked, asked)
	}
	if r.resource == "" {
		r.resource = resources[0]
	}
	return r, nil
}

func addNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func sameResource(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

// application reads the scope of a client credentials request: exactly one
// {resource}/.default. MSAL for Go adds OIDC scopes to it; they mean nothing.
func (p *Provider) application(origin string, app *identity.App, scope string) (*permit, error) {
	r, err := p.parseScope(origin, scope)
	if err != nil {
		return nil, err
	}
	if len(r.names) != 1 || !strings.EqualFold(r.names[0], everything) || r.asked[0] == r.names[0] {
		return nil, refuse("invalid_scope", 1002012, "The provided value for scope '%s' is not valid. Client credential flows must have a scope value with /.default suffixed to the resource: %s/.default.", shorten(scope), p.Resources(origin)[0])
	}
	return &permit{resource: r.resource, permissions: app.ApplicationPermissions}, nil
}

// delegated reads the scope of a request for a user. Scopes that the
// application was not given are left out; there must be one that it has.
func (p *Provider) delegated(origin string, app *identity.App, scope string) (*permit, error) {
	r, err := p.parseScope(origin, scope)
	if err != nil {
		return nil, err
	}
	g := &permit{resource: r.resource, oidc: r.oidc}
	if i := slices.IndexFunc(r.names, func(n string) bool { return strings.EqualFold(n, everything) }); i >= 0 {
		if len(r.names) > 1 {
			return nil, refuse("invalid_scope", 70011, "The scope '%s' stands for everything that the application was given, and cannot be combined with others of its resource.", shorten(r.asked[i]))
		}
		g.permissions = app.DelegatedPermissions
		prefix := r.asked[i][:len(r.asked[i])-len(everything)]
		for _, permission := range g.permissions {
			g.answer = append(g.answer, prefix+permission)
		}
		g.answer = append(g.answer, r.asked[i]) // clients look for what they asked for
	} else {
		for i, name := range r.names {
			if permission, ok := given(app.DelegatedPermissions, name); ok {
				prefix := r.asked[i][:len(r.asked[i])-len(name)]
				g.permissions = addNew(g.permissions, permission)
				g.answer = addNew(g.answer, prefix+permission)
			}
		}
	}
	if len(r.names) > 0 && len(g.permissions) == 0 {
		return nil, ungiven(app.ID, "delegated", strings.Join(r.asked, " "), app.DelegatedPermissions)
	}
	g.answer = append(g.answer, r.oidc...)
	return g, nil
}

// given finds a permission in the directory's own spelling.
func given(permissions []string, name string) (string, bool) {
	i := slices.IndexFunc(permissions, func(p string) bool { return strings.EqualFold(p, name) })
	if i < 0 {
		return "", false
	}
	return permissions[i], true
}

// ungiven says that nothing of what was asked for is the application's to ask.
func ungiven(app, kind, asked string, has []string) error {
	return refuse("invalid_scope", 65001, "Application %s was given no %s permission that was asked for (%s). It has: %s. Ask for one of these, or give the application another.", app, kind, shorten(asked), list(has))
}

// list is for messages.
func list(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

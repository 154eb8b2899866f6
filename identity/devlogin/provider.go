// Package devlogin is the identity provider of "convene dev": sign-in, tokens
// and discovery for the directory's tenants, users and applications, at the
// paths, in the shapes and with the errors of Microsoft Entra ID, so that its
// clients work by configuration alone. It signs in with passwords that everyone
// knows and remembers no browser, so it is nothing for production. It knows
// neither meetings nor Graph, and not which hosts are allowed.
//
// Start at [Provider]. Its routes are in route.go; what tokens say is in
// issue.go, and how they are asked for in token.go, authorize.go and device.go.
package devlogin

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/convene-meet/convene/identity"
)

// A Provider is an identity provider for one directory. Every field is needed.
// All state is in the store, so several processes on one store are one
// provider; only the limits on guessing and on password checks are each
// process's own.
type Provider struct {
	Directory *identity.Directory
	Keys      *identity.Keys
	Store     identity.Store
	Now       func() time.Time
	// TokenTimeOf is the time by which access tokens of a tenant begin and end;
	// nil: Now.
	TokenTimeOf func(tenant string) time.Time

	// Origin says under which origin ("https://host:port") a request came. The
	// caller has refused hosts that are not allowed.
	Origin func(*http.Request) string

	// OriginOf returns the origin under which requests to a host ("host" or
	// "host:port") are answered, empty where it is none of this server's.
	OriginOf func(host string) string

	// Resources lists the audiences that tokens may be asked for under an
	// origin. Scopes that name no resource are those of the first.
	Resources func(origin string) []string

	// Asset returns the address of "convene.css", "convene.js" or "favicon.svg".
	Asset func(name string) string

	Log *slog.Logger

	once      sync.Once
	passwords *gate
	guesses   *guesses
	crossSite *http.CrossOriginProtection
}

func (p *Provider) init() {
	p.passwords = newGate()
	p.guesses = newGuesses()
	p.crossSite = http.NewCrossOriginProtection()
}

// Serves reports whether ServeHTTP answers a path: /device, or the endpoints
// under /{tenant}/.
func (p *Provider) Serves(path string) bool {
	_, _, ok := route(path)
	return ok
}

// ServeHTTP serves the endpoints of Entra ID and the pages for people.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.once.Do(p.init)
	e, tenant, ok := route(r.URL.Path)
	if !ok {
		e, tenant = unknownEndpoint, ""
	}
	c := p.newCall(w, r, tenant)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("x-ms-request-id", c.trace)
	if strings.EqualFold(r.Header.Get("return-client-request-id"), "true") {
		header.Set("client-request-id", c.correlation)
	}
	err := c.allow(e.methods)
	if err == nil {
		err = e.serve(p, c)
	}
	if err != nil {
		e.fail(p, c, p.explain(c, err))
	}
}

// Misdirected answers a request whose Host header names no origin of this server,
// as the endpoint that it is for answers errors.
func (p *Provider) Misdirected(w http.ResponseWriter, r *http.Request) {
	e, _, ok := route(r.URL.Path)
	if !ok {
		e = unknownEndpoint
	}
	c := &call{w: w, r: r, now: p.Now(), trace: newGUID(), correlation: newGUID()}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	refused := refuse("invalid_request", 90023, "The Host header names no address of this server. Use the address that it printed when it started, or start it with --public-url.")
	e.fail(p, c, p.explain(c, refused.as(http.StatusMisdirectedRequest)))
}

// A call is one request on its way through the provider.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	origin string
	tenant string // of the path, as sent
	now    time.Time
	// trace is this request's id and correlation the client's, or one of ours.
	trace, correlation string
}

func (c *call) ctx() context.Context { return c.r.Context() }

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

func (p *Provider) newCall(w http.ResponseWriter, r *http.Request, tenant string) *call {
	c := &call{w: w, r: r, origin: p.Origin(r), tenant: tenant, now: p.Now(), trace: newGUID()}
	c.correlation = r.Header.Get("client-request-id")
	if !guid.MatchString(c.correlation) {
		c.correlation = r.URL.Query().Get("client-request-id")
	}
	if !guid.MatchString(c.correlation) {
		c.correlation = newGUID()
	}
	return c
}

// An authority is whom the {tenant} of a path admits: "common" everybody,
// "organizations" everybody but personal accounts, "consumers" these alone;
// otherwise it is the id of one tenant.
type authority string

const (
	common        authority = "common"
	organizations authority = "organizations"
	consumers     authority = "consumers"
)

// tenantName is what may stand for a tenant in a path: an id or a domain name.
var tenantName = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$`)

// authority finds out what the {tenant} of the call's path means.
func (p *Provider) authority(c *call) (authority, error) {
	switch a := authority(strings.ToLower(c.tenant)); a {
	case common, organizations, consumers:
		return a, nil
	}
	if !tenantName.MatchString(c.tenant) {
		return "", refuse("invalid_request", 900023, "The tenant %q in the path is neither an id nor a domain name. Use one of them, or common, organizations or consumers.", shorten(c.tenant))
	}
	t, err := p.Directory.Tenant(c.ctx(), c.tenant)
	if absent(err) {
		return "", refuse("invalid_request", 90002, "Tenant %q was not found. Check the tenant in the authority's address: it is an id, a domain name of the directory, common, organizations or consumers.", c.tenant)
	} else if err != nil {
		return "", outage(err)
	}
	return authority(strings.ToLower(t.ID)), nil
}

// admits reports whether accounts of a tenant may sign in here.
func (a authority) admits(tenant string) bool {
	personal := strings.EqualFold(tenant, identity.PersonalTenant)
	switch a {
	case common:
		return true
	case organizations:
		return !personal
	case consumers:
		return personal
	}
	return strings.EqualFold(string(a), tenant)
}

// single returns the tenant's id where the authority is one tenant.
func (a authority) single() (id string, ok bool) {
	switch a {
	case common, organizations:
		return "", false
	case consumers:
		return identity.PersonalTenant, true
	}
	return string(a), true
}

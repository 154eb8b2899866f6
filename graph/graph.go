// Package graph is the wire of Microsoft Graph: routes, JSON shapes, OData
// options, content negotiation and the error envelope. It knows nothing of SQL,
// pages or how tokens are made.
//
// Start at [Handler]. What a path means is in route.go, the order of checks in
// handler.go, the one map from error codes to statuses in errors.go, and each
// operation in a file of its own, as createOrGet in create_or_get.go.
package graph

import (
	"log/slog"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// A Version is the first segment of a path.
type Version string

// The versions of the API.
const (
	V1   Version = "v1.0"
	Beta Version = "beta"
)

// A Site is the origin under which a request came, and what is offered there:
// links, contexts and challenges of the answer are that origin's.
type Site struct {
	Origin string          // "https://host:port", without a slash at its end
	Login  string          // the origin at which callers sign in
	Realm  *identity.Realm // the tokens that are accepted here
	// WithoutCreateOrGet are the versions that do not offer createOrGet here:
	// not every national cloud has it.
	WithoutCreateOrGet []Version
}

// A Handler serves the paths that begin with "/v1.0" and "/beta". The server
// has checked the Host header before, and puts the request's [Site] into its
// context with [WithSite].
type Handler struct {
	Meetings *meeting.Service
	Identity *identity.Service
	Log      *slog.Logger
	// Origins says whether a host, with its port, is one of this server: join
	// URLs of any of them name the same meetings.
	Origins func(host string) bool
	// HSTS sends Strict-Transport-Security. On localhost it would force https
	// on people's other servers.
	HSTS bool
	// Watch sees every request, and may have it fail; nil: nobody does.
	Watch Watcher
	// Stopping is closed when the server stops: what only waits, waits no longer.
	Stopping <-chan struct{}
}

// Package manage is how a running server is administered: an API of JSON over
// HTTP on the management socket, and the client that the commands use. It never
// stands on the public origin. It knows neither Graph's wire nor the terminal.
//
// Start at [Handler], whose routes are the table in routes.go; [Client] calls
// them. What the tester's kit does is in the room lab.
package manage

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/world"
)

// A Handler serves management. A request over the Unix socket is trusted, since
// only the socket's owner can open it; one over TCP needs the token, and a Host
// header that names the listener, so that no web page can reach it by rebinding
// a name.
type Handler struct {
	Policies  *identity.Policies
	Directory *identity.Directory
	Store     identity.Store
	Log       *slog.Logger
	Now       func() time.Time

	URL     string // origin of the public API
	CAFile  string
	Version string

	TCPToken string
	TCPHosts []string

	// Lab is the tester's kit; nil where the server has none.
	Lab *lab.Kit

	// Issue makes an access token for an application or a user. Nil where the
	// identity provider is somebody else's.
	Issue func(context.Context, TokenRequest) (Token, error)
	// Approve lets a user say yes to a device code. Nil as Issue.
	Approve func(ctx context.Context, userCode, user string) error
}

type localKey struct{}

// WithLocal marks the context of a connection: local is true for the Unix
// socket.
func WithLocal(ctx context.Context, local bool) context.Context {
	return context.WithValue(ctx, localKey{}, local)
}

// A ServerInfo is what a running server says of itself.
type ServerInfo struct {
	URL     string `json:"url"`
	CAFile  string `json:"caFile"`
	Version string `json:"version"`
}

// A TokenRequest asks for an access token. User is a UPN, or an id in the
// application's tenant; empty for a token of the application itself. No scopes
// means all that the application has.
type TokenRequest struct {
	Tenant   string   `json:"tenant,omitempty"` // of the application: id, domain or name
	App      string   `json:"app"`              // id, or name
	User     string   `json:"user,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
	Resource string   `json:"resource,omitempty"`
	Lifetime int      `json:"lifetimeSeconds,omitempty"`
}

// A Token is an access token and when it expires.
type Token struct {
	AccessToken string    `json:"accessToken"`
	Expires     time.Time `json:"expires"`
}

// A UserInfo is who a user's name or id stands for.
type UserInfo struct {
	ID     string `json:"id"`
	UPN    string `json:"upn"`
	Tenant string `json:"tenant"`
}

// A Policy is an application access policy as management shows it.
type Policy struct {
	Identity      string    `json:"identity"`
	Tenant        string    `json:"tenant"`
	Description   string    `json:"description"`
	AppIDs        []string  `json:"appIds"`
	GrantedTo     []string  `json:"grantedTo"` // "tenant", "user:{id}", "group:{id} rank {n}"; " from {time}" while it is not in effect
	EffectiveFrom time.Time `json:"effectiveFrom,omitzero"`
	Unchanged     bool      `json:"unchanged,omitempty"` // it was so before the call
}

// A PolicyChange makes or changes a policy. Of a change, nil leaves as it is.
// Applications are named by id, or by name.
type PolicyChange struct {
	Tenant      string    `json:"tenant,omitempty"`
	Identity    string    `json:"identity"`
	Description *string   `json:"description,omitempty"`
	Apps        *[]string `json:"appIds,omitempty"` // the whole list
	Add         []string  `json:"add,omitempty"`
	Remove      []string  `json:"remove,omitempty"`
}

// A GrantChange grants a policy to one of User, Group or the whole tenant. An
// empty Policy takes the grant away.
type GrantChange struct {
	Tenant string `json:"tenant,omitempty"`
	Policy string `json:"policy"`
	User   string `json:"user,omitempty"`
	Group  string `json:"group,omitempty"`
	Global bool   `json:"global,omitempty"`
	Rank   int    `json:"rank,omitempty"`
}

// A Grant is what a policy is granted to after a GrantChange. Policy is empty
// where there is no grant.
type Grant struct {
	Tenant        string    `json:"tenant"`
	GrantedTo     string    `json:"grantedTo"`
	Policy        string    `json:"policy"`
	Rank          int       `json:"rank"`
	EffectiveFrom time.Time `json:"effectiveFrom,omitzero"`
	Unchanged     bool      `json:"unchanged,omitempty"` // it was so before the call
}

// An AuditEntry is one change that was made.
type AuditEntry struct {
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Tenant string    `json:"tenant,omitempty"`
	Target string    `json:"target,omitempty"`
	Detail any       `json:"detail,omitempty"`
}

// An Error is a request that was refused. Message says what to change.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Message }

func badRequest(message string) error { return &Error{400, "BadRequest", message} }

func isNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == 404
}

func notFound(message string) error { return &Error{404, "NotFound", message} }

// explain decides what a caller may learn of err.
func explain(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*identity.PolicyError](err); ok {
		if e.NotFound {
			return &Error{404, "NotFound", e.Message}
		}
		return &Error{400, "BadRequest", e.Message}
	}
	if e, ok := errors.AsType[*lab.RefusedError](err); ok {
		return &Error{400, "BadRequest", e.Message}
	}
	if e, ok := errors.AsType[*world.CollisionError](err); ok {
		return &Error{409, "Conflict", e.Error()}
	}
	if errors.Is(err, identity.ErrConflict) {
		return &Error{409, "Conflict", "Others change the same thing at the same time. Try again."}
	}
	if errors.Is(err, meeting.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Error{503, "ServiceUnavailable", "The service is temporarily unavailable, and the outcome is not known. Try again in a few seconds; the server's log says more."}
	}
	return &Error{500, "InternalServerError", "An internal error occurred. The server's log says more."}
}

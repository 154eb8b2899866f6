package devlogin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
)

// A family is the line of refresh tokens that began with one sign-in, of which
// the newest is good. Its record is there as long as the family is not ended.
type family struct {
	Grant grant
}

// A refreshToken is one of a family. It stays on record when it is used, to be
// known when it comes again.
type refreshToken struct {
	Family  string
	Used    bool `json:",omitempty"`
	Expires time.Time
}

func join(scopes []string) string { return strings.Join(scopes, " ") }

// firstTokens makes the first tokens of a grant. With offline_access these
// begin a family of refresh tokens. spend returns the change that uses up the
// code, to be made together with them; it may be nil.
func (p *Provider) firstTokens(c *tokenCall, g grant, scope string, spend func(family string) identity.Change) (*tokenAnswer, error) {
	whole, err := p.delegated(c.origin, c.app, g.Scope)
	if err != nil {
		return nil, err
	}
	answer, permit, err := p.userTokens(c, &g, scope)
	if err != nil {
		return nil, err
	}
	if !within(permit.permissions, whole.permissions) || !within(permit.oidc, whole.oidc) {
		return nil, refuse("invalid_scope", 70011, "The scope '%s' goes beyond that of the sign-in, which was '%s'. Ask there for all of it, or leave the parameter out.", shorten(scope), shorten(g.Scope))
	}
	var id string
	var changes []identity.Change
	if whole.has("offline_access") {
		id = newGUID()
		g.Nonce = "" // belongs to the first ID token alone
		answer.RefreshToken = newSecret()
		changes = p.newest(id, g, answer.RefreshToken, 0)
	}
	if spend != nil {
		changes = append(changes, spend(id))
	}
	if len(changes) > 0 {
		if err := p.apply(c.ctx(), changes...); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// newest makes the changes that add a refresh token to a family.
func (p *Provider) newest(id string, g grant, token string, revision int64) []identity.Change {
	life := p.Now().Add(refreshLife)
	return []identity.Change{
		write(identity.KindFamily, id, "", family{g}, life, revision),
		write(identity.KindRefresh, keyOf(token), "", refreshToken{Family: id, Expires: life}, life, 0),
	}
}

// end ends a family: none of its refresh tokens is good any more.
func (p *Provider) end(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	return p.apply(ctx, identity.Change{
		Record: identity.Record{Kind: identity.KindFamily, ID: id}, Expect: identity.AnyRevision, Delete: true,
	})
}

// redeemRefresh exchanges a refresh token for new tokens (RFC 6749 section 6),
// of which one is its successor. A token that was used before has been stolen
// from one of the two who sent it, so the family ends (RFC 9700 section 4.14).
func (p *Provider) redeemRefresh(c *tokenCall) (*tokenAnswer, error) {
	if c.form["refresh_token"] == "" {
		return nil, missing("refresh_token")
	}
	return retry(func() (*tokenAnswer, error) { return p.rotate(c, keyOf(c.form["refresh_token"])) })
}

func (p *Provider) rotate(c *tokenCall, key string) (*tokenAnswer, error) {
	token, revision, err := load[refreshToken](c.ctx(), p, identity.KindRefresh, key)
	if absent(err) {
		return nil, refuse("invalid_grant", 70000, "The refresh token is not valid: it is none of this server's. Sign in again.")
	} else if err != nil {
		return nil, err
	}
	line, lineRevision, err := load[family](c.ctx(), p, identity.KindFamily, token.Family)
	switch {
	case absent(err):
		return nil, refuse("invalid_grant", 50173, "The refresh token was revoked, with all others of its sign-in. Sign in again.")
	case err != nil:
		return nil, err
	case line.Grant.App != c.app.ID:
		return nil, refuse("invalid_grant", 70000, "The refresh token was issued to another application than %s.", c.app.ID)
	case token.Used:
		if err := p.end(c.ctx(), token.Family); err != nil {
			return nil, err
		}
		return nil, refuse("invalid_grant", 50173, "The refresh token was used before, so it may have been stolen: it is revoked now, with all others of its sign-in. Sign in again, and always keep the newest refresh token.")
	case !p.Now().Before(token.Expires):
		return nil, refuse("invalid_grant", 70008, "The refresh token has expired due to inactivity, at %s. Sign in again.", token.Expires.UTC().Format(time.RFC3339))
	}
	scope := c.form["scope"]
	if scope == "" {
		scope = line.Grant.Scope
	}
	// Every permission of the application is consented to, so the scope may also
	// be one that the sign-in did not name, as with Entra ID.
	answer, _, err := p.userTokens(c, &line.Grant, scope)
	if gone(err) {
		// Who comes back signs in again.
		return nil, errors.Join(err, p.end(c.ctx(), token.Family))
	} else if err != nil {
		return nil, err
	}
	answer.RefreshToken = newSecret()
	used := token
	used.Used = true
	changes := append(p.newest(token.Family, line.Grant, answer.RefreshToken, lineRevision),
		write(identity.KindRefresh, key, "", used, token.Expires, revision))
	if err := p.apply(c.ctx(), changes...); err != nil {
		return nil, err
	}
	return answer, nil
}

// gone reports that the user of a grant was removed or disabled.
func gone(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Number == 50034 || e.Number == 50057)
}

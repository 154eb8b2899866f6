package devlogin

import (
	"net/http"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
)

// tokenAnswer is the answer of the token endpoint (RFC 6749 section 5.1, OpenID
// Connect Core section 3.1.3.3, and what Entra ID adds).
type tokenAnswer struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope,omitempty"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	ClientInfo   string `json:"client_info,omitempty"`
}

// A tokenCall is a call of the token endpoint by an application that is known.
type tokenCall struct {
	*call
	authority authority
	app       *identity.App
	proven    bool // it has shown a secret
	form      params
}

// token serves POST /{tenant}/oauth2/v2.0/token.
func (p *Provider) token(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	a, err := p.authority(c)
	if err != nil {
		return err
	}
	grantType := form["grant_type"]
	if grantType == "" {
		return missing("grant_type")
	}
	redeem, ok := grantTypes[grantType]
	if !ok {
		return refuse("unsupported_grant_type", 70003, "The grant type '%s' is not supported. Use client_credentials, authorization_code, refresh_token, password or urn:ietf:params:oauth:grant-type:device_code.", shorten(grantType))
	}
	app, proven, err := p.client(c, form)
	if err != nil {
		return err
	}
	answer, err := redeem(p, &tokenCall{c, a, app, proven, form})
	if err != nil {
		return err
	}
	p.Log.DebugContext(c.ctx(), "tokens issued", "grant", grantType, "app", app.ID, "trace", c.trace)
	c.writeJSON(http.StatusOK, answer)
	return nil
}

// grantTypes maps the values of grant_type to what redeems them. MSAL calls the
// device code by its old name.
var grantTypes = map[string]func(*Provider, *tokenCall) (*tokenAnswer, error){
	"client_credentials": (*Provider).clientCredentials,
	"authorization_code": (*Provider).redeemCode,
	"refresh_token":      (*Provider).redeemRefresh,
	"password":           (*Provider).passwordGrant,
	"device_code":        (*Provider).redeemDevice,
	"urn:ietf:params:oauth:grant-type:device_code": (*Provider).redeemDevice,
}

// clientCredentials gives an application a token of its own (RFC 6749 section 4.4).
func (p *Provider) clientCredentials(c *tokenCall) (*tokenAnswer, error) {
	if !c.proven {
		return nil, refuse("invalid_client", 7000218, "The request body must contain the following parameter: 'client_secret'. Application %s is a public client, which gets tokens for users only.", c.app.ID)
	}
	tenant, ok := c.authority.single()
	if !ok {
		return nil, refuse("invalid_request", 50059, "No tenant is named in the request. An application asks for its own token at an authority that is one tenant: put %s in the place of %s.", c.app.Tenant, c.authority)
	}
	if !strings.EqualFold(tenant, c.app.Tenant) {
		return nil, refuse("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory %s: it belongs to the tenant %s.", c.app.ID, tenant, c.app.Tenant)
	}
	permit, err := p.application(c.origin, c.app, c.form["scope"])
	if err != nil {
		return nil, err
	}
	m := &minting{origin: c.origin, app: c.app, permit: permit, proven: true, lifetime: tokenLife}
	token, _, err := p.accessToken(c.ctx(), m)
	if err != nil {
		return nil, err
	}
	return newAnswer(token), nil
}

func newAnswer(accessToken string) *tokenAnswer {
	seconds := int(tokenLife / time.Second)
	return &tokenAnswer{TokenType: "Bearer", ExpiresIn: seconds, ExtExpiresIn: seconds, AccessToken: accessToken}
}

// passwordGrant signs a user in by name and password (RFC 6749 section 4.3).
func (p *Provider) passwordGrant(c *tokenCall) (*tokenAnswer, error) {
	for _, name := range []string{"username", "password", "scope"} {
		if c.form[name] == "" {
			return nil, missing(name)
		}
	}
	if _, err := p.delegated(c.origin, c.app, c.form["scope"]); err != nil {
		return nil, err // before the work of checking a password
	}
	user, err := p.signIn(c.ctx(), c.authority, c.form["username"], c.form["password"])
	if err != nil {
		return nil, err
	}
	g := grant{
		App: c.app.ID, Tenant: user.Tenant, User: user.ID, Scope: c.form["scope"], SignedIn: c.now,
	}
	return p.firstTokens(c, g, g.Scope, nil)
}

// A grant is what a user lets an application do: it is what a code, a device
// code and a family of refresh tokens stand for.
type grant struct {
	App      string
	Tenant   string
	User     string
	Scope    string // as asked for; what it comes to is the application's permissions at the time
	Nonce    string `json:",omitempty"`
	SignedIn time.Time
}

// userTokens makes the tokens of a grant for the application that calls, all
// but a refresh token. A scope in the request goes before that of the grant.
// The user is looked at anew: who was disabled or removed gets nothing.
func (p *Provider) userTokens(c *tokenCall, g *grant, scope string) (*tokenAnswer, *permit, error) {
	if !c.authority.admits(g.Tenant) {
		return nil, nil, refuse("invalid_grant", 700005, "The grant is of the tenant %s and was sent to the authority %s. Redeem it where it was asked for.", g.Tenant, c.authority)
	}
	user, err := p.Directory.UserByID(c.ctx(), g.Tenant, g.User)
	if absent(err) {
		return nil, nil, refuse("invalid_grant", 50034, "The user account %s does not exist in the tenant %s any more.", g.User, g.Tenant)
	} else if err != nil {
		return nil, nil, outage(err)
	}
	if user.Disabled {
		return nil, nil, disabled(user)
	}
	permit, err := p.delegated(c.origin, c.app, scope)
	if err != nil {
		return nil, nil, err
	}
	m := &minting{
		origin: c.origin, app: c.app, user: user, permit: permit, nonce: g.Nonce,
		signedIn: g.SignedIn, proven: c.proven, lifetime: tokenLife,
	}
	token, _, err := p.accessToken(c.ctx(), m)
	if err != nil {
		return nil, nil, err
	}
	answer := newAnswer(token)
	answer.Scope, answer.ClientInfo = join(permit.answer), clientInfo(user)
	if permit.has("openid") {
		if answer.IDToken, err = p.idToken(c.ctx(), m); err != nil {
			return nil, nil, err
		}
	}
	return answer, permit, nil
}

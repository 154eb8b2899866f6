package devlogin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
)

// How long things are good for.
const (
	tokenLife   = 3599 * time.Second // as Entra ID: the second less pays for exp in whole seconds
	refreshLife = 90 * 24 * time.Hour
	codeLife    = 10 * time.Minute
	deviceLife  = 15 * time.Minute

	// memory is how long a record is kept beyond its life, so that what comes
	// too late is told so.
	memory = 24 * time.Hour

	maxLifetime = 24 * time.Hour // of a token from Issue
)

// A minting is what the tokens of one answer say.
type minting struct {
	origin   string
	app      *identity.App
	user     *identity.User // nil: a token of the application itself
	permit   *permit
	nonce    string
	signedIn time.Time // when the user did
	proven   bool      // the application has shown a secret
	lifetime time.Duration
}

// accessClaims are the claims of an access token in Entra's v1 shape
// (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
type accessClaims struct {
	Audience   string   `json:"aud"`
	Issuer     string   `json:"iss"`
	IssuedAt   int64    `json:"iat"`
	NotBefore  int64    `json:"nbf"`
	Expires    int64    `json:"exp"`
	ACR        string   `json:"acr,omitempty"`
	AMR        []string `json:"amr,omitempty"`
	AppName    string   `json:"app_displayname,omitempty"`
	App        string   `json:"appid"`
	AppACR     string   `json:"appidacr"` // "0" public client, "1" client secret
	FamilyName string   `json:"family_name,omitempty"`
	GivenName  string   `json:"given_name,omitempty"`
	IDP        string   `json:"idp,omitempty"`
	Type       string   `json:"idtyp"`
	Name       string   `json:"name,omitempty"`
	Object     string   `json:"oid"`
	Roles      []string `json:"roles,omitempty"`
	Scopes     *string  `json:"scp,omitempty"` // there, if empty, when a user signed in
	Subject    string   `json:"sub"`
	Tenant     string   `json:"tid"`
	UniqueName string   `json:"unique_name,omitempty"`
	UPN        string   `json:"upn,omitempty"`
	Unique     string   `json:"uti"`
	Version    string   `json:"ver"`
}

// accessToken signs an access token and says when it ends.
func (p *Provider) accessToken(ctx context.Context, m *minting) (token string, expires time.Time, err error) {
	tenant := m.app.Tenant
	if m.user != nil {
		tenant = m.user.Tenant
	}
	now := p.Now()
	if p.TokenTimeOf != nil {
		now = p.TokenTimeOf(tenant)
	}
	expires = time.Unix(now.Add(m.lifetime).Unix(), 0).UTC()
	claims := accessClaims{
		Audience: m.permit.resource, IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: expires.Unix(),
		AppName: m.app.Name, App: m.app.ID, AppACR: "0", Unique: newSecret()[:22], Version: "1.0",
	}
	if m.proven {
		claims.AppACR = "1"
	}
	if u := m.user; u != nil {
		claims.Tenant, claims.Object, claims.Subject = u.Tenant, u.ID, pairwise(u, m.permit.resource)
		claims.Type, claims.Scopes = "user", new(m.permit.scp())
		claims.ACR, claims.AMR = "1", []string{"pwd"}
		claims.Name, claims.GivenName, claims.FamilyName = u.DisplayName, u.GivenName, u.Surname
		claims.UPN, claims.UniqueName = u.UPN, u.UPN
	} else {
		claims.Tenant, claims.Object, claims.Subject = m.app.Tenant, m.app.ObjectID, m.app.ObjectID
		claims.Type, claims.Roles = "app", m.permit.permissions
		claims.IDP = issuerV1(m.origin, m.app.Tenant)
	}
	claims.Issuer = issuerV1(m.origin, claims.Tenant)
	token, err = p.sign(ctx, claims)
	return token, expires, err
}

// idClaims are the claims of an ID token in Entra's v2 shape
// (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
type idClaims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	SignedIn  int64  `json:"auth_time"`
	Email     string `json:"email,omitempty"`
	Name      string `json:"name,omitempty"`
	Nonce     string `json:"nonce,omitempty"`
	Object    string `json:"oid"`
	Preferred string `json:"preferred_username"`
	Subject   string `json:"sub"`
	Tenant    string `json:"tid"`
	Unique    string `json:"uti"`
	Version   string `json:"ver"`
}

func (p *Provider) idToken(ctx context.Context, m *minting) (string, error) {
	now, u := p.Now(), m.user
	claims := idClaims{
		Audience: m.app.ID, Issuer: issuerV2(m.origin, u.Tenant), SignedIn: m.signedIn.Unix(),
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(m.lifetime).Unix(),
		Name: u.DisplayName, Nonce: m.nonce, Object: u.ID, Preferred: u.UPN,
		Subject: pairwise(u, m.app.ID), Tenant: u.Tenant, Unique: newSecret()[:22], Version: "2.0",
	}
	if m.permit.has("email") {
		claims.Email = u.Mail
	}
	return p.sign(ctx, claims)
}

func (p *Provider) sign(ctx context.Context, claims any) (string, error) {
	key, err := p.Keys.Signing(ctx)
	if err != nil {
		return "", outage(err)
	}
	return key.Sign(claims)
}

func issuerV1(origin, tenant string) string { return origin + "/" + tenant + "/" }

func issuerV2(origin, tenant string) string { return origin + "/" + tenant + "/v2.0" }

// pairwise is the subject under which one audience knows a user: always the
// same, and another for every other audience.
func pairwise(u *identity.User, audience string) string {
	sum := sha256.Sum256([]byte(u.Tenant + "\x00" + u.ID + "\x00" + strings.TrimSuffix(audience, "/")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// clientInfo is the client_info of a token answer, from which MSAL makes the
// account's id.
func clientInfo(u *identity.User) string {
	raw, err := json.Marshal(struct {
		UID  string `json:"uid"`
		UTID string `json:"utid"`
	}{u.ID, u.Tenant})
	if err != nil {
		panic(err) // two strings
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// An IssueRequest asks for an access token without any sign-in.
type IssueRequest struct {
	Origin   string        // that issues: "https://host:port"
	App      string        // application id
	User     string        // object id or user principal name; empty for the application's own token
	Scopes   []string      // permissions; empty means all that the application has
	Resource string        // audience; empty means the first of the origin
	Lifetime time.Duration // at most a day; 0 means what a sign-in gets
}

// Issue signs an access token for an application or one of its users, for whom
// the caller vouches: no secret and no password is asked for. It returns an
// [*Error] where a sign-in would be refused.
func (p *Provider) Issue(ctx context.Context, r IssueRequest) (token string, expires time.Time, err error) {
	m := &minting{origin: r.Origin, lifetime: tokenLife, signedIn: p.Now()}
	if r.Lifetime < 0 || r.Lifetime > maxLifetime {
		return "", time.Time{}, refuse("invalid_request", 90100, "The lifetime %v of the token is not between 1s and %v.", r.Lifetime, maxLifetime)
	} else if r.Lifetime > 0 {
		m.lifetime = r.Lifetime
	}
	if m.app, err = p.Directory.App(ctx, r.App); absent(err) {
		return "", time.Time{}, unknownApp(r.App)
	} else if err != nil {
		return "", time.Time{}, outage(err)
	}
	m.proven = !m.app.Public
	if r.User != "" {
		if m.user, err = p.anyUser(ctx, m.app.Tenant, r.User); err != nil {
			return "", time.Time{}, err
		}
		if m.user.Disabled {
			return "", time.Time{}, disabled(m.user)
		}
	}
	if m.permit, err = p.permitFor(m, r); err != nil {
		return "", time.Time{}, err
	}
	return p.accessToken(ctx, m)
}

// permitFor is what an issued token may say: of the permissions asked for,
// those that the application has.
func (p *Provider) permitFor(m *minting, r IssueRequest) (*permit, error) {
	resource := r.Resource
	if resource == "" {
		resource = p.Resources(r.Origin)[0]
	}
	has, kind := m.app.ApplicationPermissions, "application"
	if m.user != nil {
		has, kind = m.app.DelegatedPermissions, "delegated"
	}
	if _, err := p.parseScope(r.Origin, resource+"/"+everything); err != nil {
		return nil, err
	}
	g := &permit{resource: resource, permissions: has}
	if len(r.Scopes) == 0 {
		return g, nil
	}
	g.permissions = nil
	for _, s := range r.Scopes {
		if permission, ok := given(has, s); ok {
			g.permissions = addNew(g.permissions, permission)
		}
	}
	if len(g.permissions) == 0 {
		return nil, ungiven(m.app.ID, kind, strings.Join(r.Scopes, " "), has)
	}
	return g, nil
}

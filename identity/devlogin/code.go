package devlogin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"github.com/convene-meet/convene/identity"
)

// A code is an authorization code, kept under its hash.
type code struct {
	Grant       grant
	RedirectURI string // as asked for
	Challenge   string `json:",omitempty"` // of PKCE, S256
	Expires     time.Time
	Used        bool   `json:",omitempty"`
	Family      string `json:",omitempty"` // of the refresh tokens it led to
}

// newCode keeps a code for what the user agreed to.
func (p *Provider) newCode(c *call, a *authorization, user *identity.User) (string, error) {
	secret := newSecret()
	life := c.now.Add(codeLife)
	err := p.apply(c.ctx(), write(identity.KindCode, keyOf(secret), "", code{
		Grant: grant{
			App: a.app.ID, Tenant: user.Tenant, User: user.ID, Scope: a.scope, Nonce: a.nonce, SignedIn: c.now,
		},
		RedirectURI: a.redirectURI, Challenge: a.challenge, Expires: life,
	}, life, 0))
	return secret, err
}

// redeemCode exchanges an authorization code for tokens (RFC 6749 section
// 4.1.3): once, for the application and the redirect address it was made for,
// and to the one who knows the verifier of its challenge (RFC 7636).
func (p *Provider) redeemCode(c *tokenCall) (*tokenAnswer, error) {
	for _, name := range []string{"code", "redirect_uri"} {
		if c.form[name] == "" {
			return nil, missing(name)
		}
	}
	return retry(func() (*tokenAnswer, error) { return p.spendCode(c, keyOf(c.form["code"])) })
}

func (p *Provider) spendCode(c *tokenCall, key string) (*tokenAnswer, error) {
	kept, revision, err := load[code](c.ctx(), p, identity.KindCode, key)
	switch {
	case absent(err):
		return nil, refuse("invalid_grant", 70000, "The authorization code is not valid: it is none of this server's.")
	case err != nil:
		return nil, err
	case kept.Grant.App != c.app.ID:
		return nil, refuse("invalid_grant", 70000, "The authorization code was issued to another application than %s.", c.app.ID)
	case kept.Used:
		// One of the two who sent it is not the one it was for, so what the first
		// got is taken back (RFC 6749 section 4.1.2).
		if err := p.end(c.ctx(), kept.Family); err != nil {
			return nil, err
		}
		return nil, redeemed("authorization code")
	case !p.Now().Before(kept.Expires):
		return nil, refuse("invalid_grant", 70008, "The authorization code has expired, at %s. Redeem it within %v.", kept.Expires.UTC().Format(time.RFC3339), codeLife)
	case c.form["redirect_uri"] != kept.RedirectURI:
		return nil, refuse("invalid_grant", 500112, "The redirect_uri '%s' is not the one that the authorization code was asked for with: send the same twice.", shorten(c.form["redirect_uri"]))
	}
	if err := checkVerifier(c.form["code_verifier"], kept.Challenge); err != nil {
		return nil, err
	}
	scope := c.form["scope"]
	if scope == "" {
		scope = kept.Grant.Scope
	}
	return p.firstTokens(c, kept.Grant, scope, func(family string) identity.Change {
		used := kept
		used.Used, used.Family = true, family
		return write(identity.KindCode, key, "", used, kept.Expires, revision)
	})
}

func redeemed(what string) error {
	return refuse("invalid_grant", 54005, "The %s was already redeemed. Sign in again for a new one, or use the refresh token.", what)
}

// checkVerifier compares verifier and challenge (RFC 7636 section 4.6). Where
// there is one there must be the other: otherwise a code that was asked for
// without a challenge could be slipped to a client that sends verifiers.
func checkVerifier(verifier, challenge string) error {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return refuse("invalid_grant", 501481, "The request has a code_verifier, but the authorization code was asked for without a code_challenge.")
	case verifier == "":
		return refuse("invalid_grant", 501481, "The code_verifier is missing: the authorization code was asked for with a code_challenge.")
	}
	sum := sha256.Sum256([]byte(verifier))
	computed := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(computed), []byte(challenge)) != 1 {
		return refuse("invalid_grant", 501481, "The code_verifier does not match the code_challenge of the authorization request.")
	}
	return nil
}

package devlogin

import (
	"context"
	"net/url"

	"github.com/convene-meet/convene/identity"
)

// PagesApp is the application that the pages of meetings are. It is not in the
// directory, and nobody gets tokens for it: its codes are redeemed in this process
// alone, by [Provider.Redeem].
const PagesApp = "a9900000-00ff-4a00-8000-000000000001"

// signedIn is where its browsers come back to, below the origin.
const signedIn = "/sign-in/done"

func pagesApp(origin string) *identity.App {
	return &identity.App{ID: PagesApp, Name: "Convene", Public: true, RedirectURIs: []string{origin + signedIn}}
}

// AuthorizeURL is where somebody signs in to the pages, with PKCE (RFC 7636), to
// come back to redirect with a code and the state.
func (p *Provider) AuthorizeURL(origin, redirect, state, challenge string) string {
	return origin + "/" + string(common) + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {PagesApp}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"openid profile"},
		"state": {state}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
}

// Redeem spends a code of [PagesApp] and says who signed in.
func (p *Provider) Redeem(ctx context.Context, origin, redirect, secret, verifier string) (tenant, user string, err error) {
	g, err := retry(func() (grant, error) {
		key := keyOf(secret)
		kept, revision, err := load[code](ctx, p, identity.KindCode, key)
		switch {
		case absent(err) || err == nil && kept.Grant.App != PagesApp:
			return grant{}, refuse("invalid_grant", 70000, "The authorization code is not valid: it is none of this server's.")
		case err != nil:
			return grant{}, err
		case kept.Used:
			return grant{}, redeemed("authorization code")
		case !p.Now().Before(kept.Expires) || kept.RedirectURI != redirect || redirect != origin+signedIn:
			return grant{}, refuse("invalid_grant", 70008, "The authorization code has expired, or was asked for with another redirect_uri.")
		}
		if err := checkVerifier(verifier, kept.Challenge); err != nil {
			return grant{}, err
		}
		used := kept
		used.Used = true
		return kept.Grant, p.apply(ctx, write(identity.KindCode, key, "", used, kept.Expires, revision))
	})
	return g.Tenant, g.User, err
}

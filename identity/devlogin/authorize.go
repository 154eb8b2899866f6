package devlogin

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/convene-meet/convene/identity"
)

// An authorization is a request of the authorization endpoint whose application
// and redirect address are known, so that it can be answered there.
type authorization struct {
	authority   authority
	app         *identity.App
	redirect    *url.URL
	redirectURI string // as asked for: the token endpoint must hear the same
	mode        string // query, fragment or form_post
	state       string
	scope       string
	nonce       string
	challenge   string // of PKCE, S256
	loginHint   string
}

// authorize serves /{tenant}/oauth2/v2.0/authorize (RFC 6749 section 4.1,
// OpenID Connect Core section 3.1.2). GET shows the sign-in page. The page's
// form is posted to the same address, so that the request stays in the query.
func (p *Provider) authorize(c *call) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	var form params
	if c.r.Method == http.MethodPost {
		if form, err = c.form(); err != nil {
			return err
		}
		if form["client_id"] != "" {
			return c.asQuery(form)
		}
		if err := p.sameSite(c); err != nil {
			return err
		}
	}
	a, err := p.authorization(c, query)
	if err != nil {
		return err // with a page: nobody has said where else to
	}
	if err := a.check(p, c, query); err != nil {
		return p.answerError(c, a, err)
	}
	if c.r.Method != http.MethodPost {
		return p.showSignIn(c, a, a.loginHint, nil)
	}
	user, err := p.trySignIn(c, a.authority, form)
	if err != nil {
		return p.showSignIn(c, a, form["username"], err)
	}
	secret, err := p.newCode(c, a, user)
	if err != nil {
		return err
	}
	return p.answer(c, a, url.Values{"code": {secret}})
}

// requestParameters are those of an authorization request.
var requestParameters = []string{
	"client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "response_mode", "prompt",
	"login_hint", "code_challenge", "code_challenge_method", "request", "request_uri",
}

// asQuery sends the browser to the same request with its parameters in the
// query: an application may also post it (OpenID Connect Core section 3.1.2.1),
// from its own site, which the sign-in form must never be.
func (c *call) asQuery(form params) error {
	maps.DeleteFunc(form, func(name, _ string) bool { return !slices.Contains(requestParameters, name) })
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	c.redirect((&url.URL{Path: c.r.URL.Path, RawQuery: values.Encode()}).String())
	return nil
}

// sameSite refuses forms that another site has filled in and sent: they would
// sign the visitor in as somebody else.
func (p *Provider) sameSite(c *call) error {
	if err := p.crossSite.Check(c.r); err != nil {
		return refuse("access_denied", 90023, "The form was sent by another site. Open the page itself, and sign in there.").as(http.StatusForbidden)
	}
	return nil
}

// authorization finds out who asks and where the answer goes. What it refuses
// must not be answered by redirecting.
func (p *Provider) authorization(c *call, query params) (*authorization, error) {
	auth, err := p.authority(c)
	if err != nil {
		return nil, err
	}
	if query["client_id"] == "" {
		return nil, missing("client_id")
	}
	app := pagesApp(c.origin)
	if query["client_id"] != app.ID {
		if app, err = p.app(c, query["client_id"]); err != nil {
			return nil, err
		}
	}
	asked := query["redirect_uri"]
	if asked == "" {
		return nil, missing("redirect_uri")
	}
	to, ok := matchRedirect(app, asked)
	if !ok {
		return nil, refuse("invalid_request", 50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application %s. It has: %s. Send one of these, or give the application another.", shorten(asked), app.ID, redirects(app))
	}
	return &authorization{
		authority: auth, app: app, redirect: to, redirectURI: asked, mode: mode(query), state: query["state"],
		scope: query["scope"], nonce: query["nonce"], challenge: query["code_challenge"], loginHint: query["login_hint"],
	}, nil
}

// mode is how the answer gets to the application, as far as that can be known
// before the rest of the request is checked.
func mode(query params) string {
	switch m := query["response_mode"]; m {
	case "fragment", "form_post":
		return m
	}
	return "query"
}

// challengeForm is a SHA-256 in base64url (RFC 7636 section 4.2).
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

var prompts = []string{"login", "select_account", "consent", "create", "none"}

// check refuses what the application may be told of.
func (a *authorization) check(p *Provider, c *call, query params) error {
	switch responseType := query["response_type"]; {
	case query["request"] != "":
		return refuse("request_not_supported", 90023, "Request objects are not supported. Send the parameters themselves.")
	case query["request_uri"] != "":
		return refuse("request_uri_not_supported", 90023, "Request objects are not supported. Send the parameters themselves.")
	case responseType == "":
		return missing("response_type")
	case responseType != "code":
		return refuse("unsupported_response_type", 70005, "The response type '%s' is not supported. Use code, with PKCE.", shorten(responseType))
	case query["response_mode"] != "" && query["response_mode"] != a.mode:
		return refuse("invalid_request", 70007, "The response mode '%s' is not supported. Use query, fragment or form_post.", shorten(query["response_mode"]))
	}
	if _, err := p.delegated(c.origin, a.app, a.scope); err != nil {
		return err
	}
	method := query["code_challenge_method"]
	switch {
	case a.challenge == "" && method != "":
		return missing("code_challenge")
	case a.challenge == "" && a.app.Public:
		return refuse("invalid_request", 50147, "The code_challenge is missing. Application %s is a public client, which must use PKCE with the method S256.", a.app.ID)
	case a.challenge != "" && method != "S256":
		return refuse("invalid_request", 9002313, "The code_challenge_method must be S256, not '%s'.", shorten(method))
	case a.challenge != "" && !challengeForm.MatchString(a.challenge):
		return refuse("invalid_request", 501491, "The code_challenge is not the SHA-256 of a code_verifier: it has 43 characters of base64url.")
	}
	return checkPrompt(strings.Fields(query["prompt"]))
}

func checkPrompt(asked []string) error {
	for _, prompt := range asked {
		if !slices.Contains(prompts, prompt) {
			return refuse("invalid_request", 90023, "The prompt '%s' is not supported. Use login, select_account, consent or none.", shorten(prompt))
		}
	}
	switch {
	case !slices.Contains(asked, "none"):
		return nil
	case len(asked) > 1:
		return refuse("invalid_request", 90023, "The prompt 'none' cannot be combined with others.")
	}
	return refuse("login_required", 50058, "A silent sign-in request was sent but no user is signed in: this server remembers no browser. Send the request without prompt=none.")
}

// trySignIn signs the user of a form in.
func (p *Provider) trySignIn(c *call, a authority, form params) (*identity.User, error) {
	if form["username"] == "" || form["password"] == "" {
		return nil, refuse("invalid_request", 90014, "Give both the user name and the password.")
	}
	return p.signIn(c.ctx(), a, form["username"], form["password"])
}

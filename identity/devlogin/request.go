package devlogin

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/convene-meet/convene/identity"
)

// How much of a request is read, in bytes. A client that needs more makes a
// mistake.
const (
	maxBody  = 64 << 10
	maxQuery = 16 << 10
	maxValue = 8 << 10
	maxName  = 256 // an id or a user name
)

// parameters lists those that this provider reads. They may be given once
// each (RFC 6749 section 3.2); others are ignored, however often.
var parameters = []string{
	"grant_type", "client_id", "client_secret", "client_assertion", "scope",
	"code", "redirect_uri", "code_verifier", "refresh_token", "device_code", "username", "password",
	"response_type", "response_mode", "state", "nonce", "prompt", "login_hint",
	"code_challenge", "code_challenge_method", "request", "request_uri",
	"user_code", "action", "post_logout_redirect_uri", "authorization_endpoint",
}

// names are those of them that are looked up in the directory.
var names = []string{"client_id", "username", "login_hint", "user_code"}

// params are the parameters of a request, each at most once. One without a
// value counts as left out, as RFC 6749 section 3.2 has it.
type params map[string]string

// parse reads form-encoded parameters. What a store or a page could not take,
// such as control characters, does not get past it.
func parse(encoded string) (params, error) {
	// A semicolon is an ordinary character (RFC 3986 section 3.4), which Go refuses.
	values, err := url.ParseQuery(strings.ReplaceAll(encoded, ";", "%3B"))
	if err != nil {
		return nil, refuse("invalid_request", 90004, "The request is not properly formatted: it is not form-encoded (application/x-www-form-urlencoded).")
	}
	p := params{}
	for _, name := range parameters {
		given := values[name]
		if len(given) > 1 {
			return nil, refuse("invalid_request", 9000411, "The request is not properly formatted. The parameter '%s' is duplicated.", name)
		}
		if len(given) == 0 || given[0] == "" {
			continue
		}
		if most := maxLength(name); len(given[0]) > most {
			return nil, refuse("invalid_request", 9002313, "The parameter '%s' has %d bytes; at most %d are read.", name, len(given[0]), most)
		}
		if !utf8.ValidString(given[0]) || strings.ContainsFunc(given[0], unicode.IsControl) {
			return nil, refuse("invalid_request", 9002313, "The parameter '%s' has control characters or is not UTF-8.", name)
		}
		p[name] = given[0]
	}
	return p, nil
}

func maxLength(name string) int {
	if slices.Contains(names, name) {
		return maxName
	}
	return maxValue
}

// query reads the parameters in the call's address.
func (c *call) query() (params, error) {
	if len(c.r.URL.RawQuery) > maxQuery {
		return nil, refuse("invalid_request", 90015, "The query string is too long: it has %d bytes, and at most %d are read.", len(c.r.URL.RawQuery), maxQuery).as(http.StatusRequestURITooLong)
	}
	return parse(c.r.URL.RawQuery)
}

// form reads the parameters in the call's body. The query is not looked at:
// secrets do not belong there, and clients put other things into it.
func (c *call) form() (params, error) {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse("invalid_request", 9002313, "The request is malformed: its Content-Type must be application/x-www-form-urlencoded, not %q.", shorten(c.r.Header.Get("Content-Type"))).as(http.StatusUnsupportedMediaType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return nil, refuse("invalid_request", 9002313, "The request body is too long: at most %d bytes are read.", maxBody).as(http.StatusRequestEntityTooLarge)
	} else if err != nil {
		return nil, refuse("invalid_request", 9002313, "The request body could not be read to its end.")
	}
	return parse(string(body))
}

// client finds the application that calls the token endpoint. An application
// with secrets has shown one of them; proven is false for a public one.
func (p *Provider) client(c *call, form params) (app *identity.App, proven bool, err error) {
	id, secret, err := credentials(c.r, form)
	if err != nil {
		return nil, false, err
	}
	app, err = p.app(c, id)
	if err != nil {
		return nil, false, err
	}
	switch {
	case form["client_assertion"] != "":
		return nil, false, refuse("invalid_client", 700027, "The client assertion cannot be checked, since no certificate is registered for the application. Send its secret as 'client_secret'.")
	case secret == "" && app.Public:
		return app, false, nil
	case secret == "":
		return nil, false, refuse("invalid_client", 7000218, "The request body must contain the following parameter: 'client_secret'. Application %s is not a public client.", app.ID)
	case len(app.Secrets) == 0:
		return nil, false, refuse("invalid_client", 700025, "Application %s is public and has no secret, so 'client_secret' must not be sent.", app.ID)
	case !slices.ContainsFunc(app.Secrets, func(h identity.Hash) bool { return h.Matches(secret) }):
		return nil, false, refuse("invalid_client", 7000215, "Invalid client secret provided for application %s. Send the secret's value, not its id.", app.ID)
	}
	return app, true, nil
}

// credentials reads id and secret from the form or from HTTP Basic, in which
// both are form-encoded (RFC 6749 section 2.3.1).
func credentials(r *http.Request, form params) (id, secret string, err error) {
	id, secret = form["client_id"], form["client_secret"]
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); !strings.EqualFold(scheme, "Basic") {
		if id == "" {
			return "", "", missing("client_id")
		}
		return id, secret, nil
	}
	name, password, ok := r.BasicAuth()
	basicID, err1 := url.QueryUnescape(name)
	basicSecret, err2 := url.QueryUnescape(password)
	if !ok || err1 != nil || err2 != nil || !utf8.ValidString(basicID) || strings.ContainsFunc(basicID, unicode.IsControl) || len(basicID) > maxName {
		return "", "", refuse("invalid_client", 9002313, "The Authorization header is malformed. It is Basic, and base64 of the form-encoded client id, a colon and the form-encoded secret.")
	}
	if id != "" && !strings.EqualFold(id, basicID) || secret != "" && secret != basicSecret {
		return "", "", refuse("invalid_request", 9002313, "The Authorization header and the form name different clients or secrets. Use one of the two.")
	}
	if basicID == "" {
		return "", "", missing("client_id")
	}
	return basicID, basicSecret, nil
}

// app finds the application with a client id.
func (p *Provider) app(c *call, id string) (*identity.App, error) {
	app, err := p.Directory.App(c.ctx(), id)
	if absent(err) {
		return nil, unknownApp(id)
	} else if err != nil {
		return nil, outage(err)
	}
	return app, nil
}

func unknownApp(id string) error {
	return refuse("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory. Check the client id, and the tenant in the authority's address.", shorten(id))
}

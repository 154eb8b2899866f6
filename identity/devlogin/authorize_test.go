package devlogin_test

import (
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-meet/convene/identity"
)

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

var asked = form{
	"client_id": portal, "response_type": "code", "redirect_uri": back, "scope": meetings + " openid profile offline_access",
	"state": "a b&c=d", "nonce": "n1", "code_challenge": challenge, "code_challenge_method": "S256",
}

var credentials = form{"username": ann, "password": "convene"}

// signingIn is the form of a user, Ann unless named.
func signingIn(user string) form {
	if user == "" {
		return credentials
	}
	return credentials.with(form{"username": user})
}

func target(query form) string { return authorizePath + "?" + query.encode() }

// redirected is where an answer sends the browser, and with what.
func (s *site) redirected(w *httptest.ResponseRecorder) (address string, values url.Values) {
	s.Helper()
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil || u.String() == "" {
		s.Fatalf("status %d, location %q, body %s; want a redirect", w.Code, u, w.Body)
	}
	values, err = url.ParseQuery(u.RawQuery)
	if err != nil {
		s.Fatal(err)
	}
	u.RawQuery = ""
	return u.String(), values
}

// page checks that an answer is a page of ours that can do no harm, and
// returns its text.
func (s *site) page(w *httptest.ResponseRecorder, status int) string {
	s.Helper()
	h := w.Header()
	if w.Code != status || h.Get("Location") != "" || h.Get("Content-Type") != "text/html; charset=utf-8" {
		s.Fatalf("status %d, header %v, body %s; want a page with %d", w.Code, h, w.Body, status)
	}
	policy := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") ||
		h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
		s.Errorf("headers %v; want those of a page that is safe", h)
	}
	if n := strings.Count(w.Body.String(), "<h1>"); n != 1 {
		s.Errorf("page %s has %d headings; want one", w.Body, n)
	}
	return html.UnescapeString(w.Body.String())
}

// What these refuse is said on a page: redirecting would send the visitor, or
// worse a code, to an address that nobody registered.
func TestAuthorizeNeverRedirectsThere(t *testing.T) {
	for _, tt := range []struct {
		name   string
		path   string
		change form
		more   string // of the query
		number string
		status int
	}{
		{name: "an unknown application", change: form{"client_id": "b6f5d2a0-0000-4000-8000-000000000000"}, number: "700016"},
		{name: "no application", change: form{"client_id": ""}, number: "900144"},
		{name: "no redirect address", change: form{"redirect_uri": ""}, number: "900144"},
		{name: "another site", change: form{"redirect_uri": "https://evil.example/callback"}, number: "50011"},
		{name: "a subdomain", change: form{"redirect_uri": "https://x.portal.example/callback"}, number: "50011"},
		{name: "a longer host", change: form{"redirect_uri": "https://portal.example.evil.example/callback"}, number: "50011"},
		{name: "the host as user", change: form{"redirect_uri": "https://portal.example@evil.example/callback"}, number: "50011"},
		{name: "localhost as user", change: form{"redirect_uri": "http://localhost:1@evil.example/"}, number: "50011"},
		{name: "localhost with a backslash", change: form{"redirect_uri": `http://localhost:1\@evil.example/`}, number: "50011"},
		{name: "localhost as a label", change: form{"redirect_uri": "http://localhost.evil.example/"}, number: "50011"},
		{name: "localhost over https", change: form{"redirect_uri": "https://localhost/callback"}, number: "50011"},
		{name: "127.0.0.1 for localhost", change: form{"redirect_uri": "http://127.0.0.1/callback"}, number: "50011"},
		{name: "the pattern itself", change: form{"redirect_uri": "http://localhost:*"}, number: "50011"},
		{name: "a longer path", change: form{"redirect_uri": "https://portal.example/callback/x"}, number: "50011"},
		{name: "a path that climbs", change: form{"redirect_uri": "https://portal.example/callback/../x"}, number: "50011"},
		{name: "an escaped path", change: form{"redirect_uri": "https://portal.example/%63allback"}, number: "50011"},
		{name: "another case in the path", change: form{"redirect_uri": "https://portal.example/Callback"}, number: "50011"},
		{name: "a query", change: form{"redirect_uri": "https://portal.example/callback?x=1"}, number: "50011"},
		{name: "a query on localhost", change: form{"redirect_uri": back + "?code=x"}, number: "50011"},
		{name: "a fragment", change: form{"redirect_uri": "https://portal.example/callback#x"}, number: "50011"},
		{name: "a fragment on localhost", change: form{"redirect_uri": back + "#"}, number: "50011"},
		{name: "a port", change: form{"redirect_uri": "https://portal.example:444/callback"}, number: "50011"},
		{name: "http", change: form{"redirect_uri": "http://portal.example/callback"}, number: "50011"},
		{name: "no scheme", change: form{"redirect_uri": "//portal.example/callback"}, number: "50011"},
		{name: "a path alone", change: form{"redirect_uri": "/callback"}, number: "50011"},
		{name: "a script", change: form{"redirect_uri": "javascript:alert(1)"}, number: "50011"},
		{name: "two addresses", more: "&redirect_uri=https%3A%2F%2Fevil.example", number: "9000411"},
		{name: "two states", more: "&state=x", number: "9000411"},
		{name: "a line feed", change: form{"redirect_uri": back + "\r\nSet-Cookie: x=y"}, number: "9002313"},
		{name: "a line feed in the state", change: form{"state": "x\r\ny"}, number: "9002313"},
		{name: "a broken query", more: "&x=%zz", number: "90004"},
		{name: "a long query", more: "&x=" + strings.Repeat("a", 16<<10), number: "90015", status: http.StatusRequestURITooLong},
		{name: "an unknown tenant", path: "/nowhere.example/oauth2/v2.0/authorize", number: "90002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			path, status := tt.path, tt.status
			if path == "" {
				path = authorizePath
			}
			if status == 0 {
				status = http.StatusBadRequest
			}
			where := path + "?" + asked.with(tt.change).encode() + tt.more
			for _, w := range []*httptest.ResponseRecorder{s.get(where), s.post(where, credentials)} {
				if text := s.page(w, status); !strings.Contains(text, "AADSTS"+tt.number+": ") || !strings.Contains(text, `role="alert"`) {
					t.Errorf("page %s; want AADSTS%s", text, tt.number)
				}
			}
		})
	}
}

// A semicolon separates nothing: in a query it is a character like others.
func TestSemicolon(t *testing.T) {
	s := open(t)
	w := s.get(target(asked.with(form{"state": "", "prompt": "none"})) + "&state=a;b&login_hint;=x;y")
	if _, values := s.redirected(w); values.Get("state") != "a;b" || values.Get("error") != "login_required" {
		t.Errorf("answer %v; want the state a;b", values)
	}
}

// Who sends another address is told which there are: the port of a loopback
// host is none of it.
func TestRedirectsAreListed(t *testing.T) {
	s := open(t)
	for app, want := range map[string]string{
		studio: "It has: http://localhost/callback (any port), " + studioBack + ".",
		portal: "It has: http://localhost (any port, any path), https://portal.example/callback, msauth.portal://auth.",
		bare:   "It has: http://localhost (any port).",
	} {
		text := html.UnescapeString(s.page(s.get(target(asked.with(form{"client_id": app, "redirect_uri": "https://evil.example"}))), http.StatusBadRequest))
		if !strings.Contains(text, want) {
			t.Errorf("page %s; want %q", text, want)
		}
	}
	s.app(portal, func(a *identity.App) {
		a.RedirectURIs = []string{"http://[::1]:7/x", "http://localhost:1/x", "http://localhost:2/x"}
	})
	if text := s.page(s.get(target(asked)), http.StatusBadRequest); !strings.Contains(text, "It has: http://[::1]/x (any port), http://localhost/x (any port).") {
		t.Errorf("page %s", text)
	}
}

func TestRedirectAddresses(t *testing.T) {
	for _, tt := range []struct {
		registered, asked string
		want              bool
	}{
		{"http://localhost:*", "http://localhost", true},
		{"http://localhost:*", "http://localhost:3000/any/path", true},
		{"http://localhost:*/callback", "http://localhost:3000/callback", true},
		{"http://localhost:*/callback", "http://localhost:3000/other", false},
		{"http://localhost", "http://localhost:3000", true},
		{"http://localhost", "http://localhost:3000/", true},
		{"http://localhost", "http://localhost:3000/callback", false},
		{"http://localhost:53682/callback", "http://localhost:1/callback", true},
		{"http://localhost:53682/callback", "http://LocalHost:1/callback", true},
		{"http://localhost:53682/callback", "http://localhost:1/callback/", false},
		{"http://localhost/callback?a=1", "http://localhost:1/callback?a=1", true},
		{"http://localhost/callback?a=1", "http://localhost:1/callback", false},
		{"http://127.0.0.1/callback", "http://127.0.0.1:9/callback", true},
		{"http://[::1]/callback", "http://[::1]:9/callback", true},
		{"https://app.example/callback", "https://app.example:443/callback", false},
		{"https://app.example", "https://app.example/", false},
		{"https://app.example:*", "https://app.example:9/", false},
		{"msauth.app://auth", "msauth.app://auth", true},
		{"javascript:alert(1)", "javascript:alert(1)", false},
		{"javascript://app/%0aalert(1)", "javascript://app/%0aalert(1)", false},
		{"data://text/html,x", "data://text/html,x", false},
		{"urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob", false},
		{"https://user@app.example/", "https://user@app.example/", false},
	} {
		s := open(t)
		s.app(portal, func(a *identity.App) { a.RedirectURIs = []string{"https://other.example", tt.registered} })
		w := s.get(target(asked.with(form{"redirect_uri": tt.asked, "prompt": "none"})))
		if got := w.Code == http.StatusFound; got != tt.want {
			t.Errorf("%s for %s: status %d; want a redirect: %v", tt.asked, tt.registered, w.Code, tt.want)
		}
	}
}

func TestAuthorizeTellsTheApplication(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change form
		code   string
		says   string
	}{
		{"no response type", form{"response_type": ""}, "invalid_request", "AADSTS900144: "},
		{"an implicit token", form{"response_type": "token"}, "unsupported_response_type", "AADSTS70005: "},
		{"a hybrid", form{"response_type": "code id_token"}, "unsupported_response_type", "AADSTS70005: "},
		{"an unknown response mode", form{"response_mode": "web_message"}, "invalid_request", "AADSTS70007: "},
		{"a request object", form{"request": "x"}, "request_not_supported", "AADSTS90023: "},
		{"the address of one", form{"request_uri": "https://evil.example"}, "request_uri_not_supported", "AADSTS90023: "},
		{"no scope", form{"scope": ""}, "invalid_request", "'scope'"},
		{"scopes that were not given", form{"scope": "Mail.Read"}, "invalid_scope", "AADSTS65001: "},
		{"an unknown resource", form{"scope": "https://vault.example/x"}, "invalid_resource", "AADSTS500011: "},
		{"two resources", form{"scope": "User.Read " + origin + "/User.Read"}, "invalid_scope", "AADSTS28000: "},
		{"a public application without PKCE", form{"code_challenge": "", "code_challenge_method": ""}, "invalid_request", "AADSTS50147: "},
		{"a method without challenge", form{"code_challenge": ""}, "invalid_request", "code_challenge"},
		{"a plain challenge", form{"code_challenge_method": "plain"}, "invalid_request", "S256"},
		{"a challenge without method", form{"code_challenge_method": ""}, "invalid_request", "S256"},
		{"a challenge that is no hash", form{"code_challenge": "short"}, "invalid_request", "AADSTS501491: "},
		{"a silent sign-in", form{"prompt": "none"}, "login_required", "AADSTS50058: "},
		{"silent and not", form{"prompt": "none login"}, "invalid_request", "AADSTS90023: "},
		{"an unknown prompt", form{"prompt": "perhaps"}, "invalid_request", "perhaps"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			where := target(asked.with(tt.change))
			for _, w := range []*httptest.ResponseRecorder{s.get(where), s.post(where, credentials)} {
				address, values := s.redirected(w)
				if address != back || values.Get("error") != tt.code || values.Get("state") != "a b&c=d" || values.Has("code") ||
					!strings.HasPrefix(values.Get("error_description"), "AADSTS") || !strings.Contains(values.Get("error_description"), tt.says) {
					t.Errorf("sent to %s with %v; want %s with %s, %q", address, values, back, tt.code, tt.says)
				}
			}
		})
	}
}

var input = regexp.MustCompile(`<input [^>]*name="(\w+)"[^>]*>`)

func TestSignInPage(t *testing.T) {
	s := open(t)
	text := s.page(s.get(target(asked.with(form{"login_hint": `"><script>x`, "prompt": "select_account"}))), http.StatusOK)
	for _, want := range []string{`<label for="username">User name</label>`, `<label for="password">Password</label>`, ">Sign in</button>", `value=""><script>x"`} {
		if !strings.Contains(text, want) {
			t.Errorf("page %s has no %q", text, want)
		}
	}
	raw := s.get(target(asked.with(form{"login_hint": `"><script>x`}))).Body.String()
	if strings.Contains(raw, "<script>x") || strings.Contains(raw, "portal <b>") || strings.Count(raw, "<button") != 1 || strings.Contains(raw, `role="alert"`) {
		t.Errorf("page %s; want one button, no alert, and everything escaped", raw)
	}
	for _, tt := range []struct {
		name   string
		change form
		number string
	}{
		{"a wrong password", form{"password": "wrong-password"}, "50126"},
		{"no password", form{"password": ""}, "90014"},
		{"no user name", form{"username": ""}, "90014"},
		{"an unknown user", form{"username": "who@contoso.example"}, "50034"},
		{"no name but a word", form{"username": "ann"}, "50034"},
		{"a disabled user", form{"username": erik}, "50057"},
		{"a user of another tenant", form{"username": fred}, "50020"},
		{"a personal account", form{"username": pat}, "50020"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := credentials.with(tt.change)
			w := s.post(target(asked), f)
			text := s.page(w, http.StatusBadRequest)
			if !strings.Contains(text, `role="alert"`) || !strings.Contains(text, "AADSTS"+tt.number+": ") {
				t.Errorf("page %s; want an alert with AADSTS%s", text, tt.number)
			}
			for _, field := range input.FindAllStringSubmatch(w.Body.String(), -1) {
				switch kept := strings.Contains(field[0], `value="`+f["username"]+`"`); field[1] {
				case "username":
					if !kept {
						t.Errorf("field %s; want the user name kept", field[0])
					}
				case "password":
					if strings.Contains(field[0], "value") {
						t.Errorf("field %s; want no password in it", field[0])
					}
				}
			}
			if strings.Contains(text, "wrong-password") {
				t.Error("the page repeats the password")
			}
		})
	}
}

func TestSignInAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tenant string
		user   string
		change form
		want   string // the answer's address, up to the parameters
	}{
		{name: "in the query", want: back + "?"},
		{name: "in the query, said so", change: form{"response_mode": "query"}, want: back + "?"},
		{name: "in the fragment", change: form{"response_mode": "fragment"}, want: back + "#"},
		{name: "behind a query", change: form{"client_id": studio, "redirect_uri": studioBack}, want: studioBack + "&"},
		{name: "to a program", change: form{"redirect_uri": "msauth.portal://auth"}, want: "msauth.portal://auth?"},
		{name: "without state", change: form{"state": ""}, want: back + "?"},
		{name: "fred in organizations", tenant: "organizations", user: fred, want: back + "?"},
		{name: "pat in common", tenant: "common", user: pat, want: back + "?"},
		{name: "pat in consumers", tenant: "consumers", user: pat, want: back + "?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			query, path := asked.with(tt.change), authorizePath
			if tt.tenant != "" {
				path = "/" + tt.tenant + "/oauth2/v2.0/authorize"
			}
			w := s.post(path+"?"+query.encode(), signingIn(tt.user))
			rest, ok := strings.CutPrefix(w.Header().Get("Location"), tt.want)
			values, err := url.ParseQuery(rest)
			if w.Code != http.StatusSeeOther || !ok || err != nil || values.Get("code") == "" || values.Get("state") != query["state"] || values.Has("state") != (query["state"] != "") {
				t.Errorf("status %d, location %q, body %s; want 303 to %s with code and state", w.Code, w.Header().Get("Location"), w.Body, tt.want)
			}
		})
	}
}

func TestFormPost(t *testing.T) {
	s := open(t)
	w := s.post(target(asked.with(form{"response_mode": "form_post", "state": `"><b>`})), credentials)
	text := s.page(w, http.StatusOK)
	for _, want := range []string{`<form method="post" action="` + back + `">`, `name="code" value="`, `name="state" value=""><b>"`, ">Continue</button>", "<script>document.forms[0].submit()</script>"} {
		if !strings.Contains(text, want) {
			t.Errorf("page %s has no %q", text, want)
		}
	}
	if strings.Contains(w.Body.String(), `"><b>`) || strings.Count(w.Body.String(), "<script>") != 1 {
		t.Errorf("page %s; want everything escaped, and one script in it", w.Body)
	}
	const hash = "script-src 'self' 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='"
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, hash) {
		t.Errorf("policy %q; want it to allow the one script: %s", policy, hash)
	}
}

// An application may post its request; the parameters then go into the query,
// and the sign-in form is this site's own again.
func TestAuthorizeByPost(t *testing.T) {
	s := open(t)
	r := request(authorizePath, asked.with(form{"password": "x", "username": "y"}).encode())
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := do(s, r)
	want := target(asked)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
		t.Errorf("status %d, location %q; want 303 to %s", w.Code, w.Header().Get("Location"), want)
	}
}

func TestCrossSiteForms(t *testing.T) {
	for _, header := range []form{
		{"Sec-Fetch-Site": "cross-site"},
		{"Sec-Fetch-Site": "same-site"},
		{"Origin": "https://evil.example"},
		{"Origin": "null"},
	} {
		for where, f := range map[string]form{
			target(asked): credentials,
			"/device":     credentials.with(form{"user_code": "BCDFGHJK"}),
		} {
			s := open(t)
			r := request(where, f.encode())
			r.Host = "localhost:8443"
			for name, value := range maps.All(header) {
				r.Header.Set(name, value)
			}
			if text := s.page(do(s, r), http.StatusForbidden); !strings.Contains(text, "another site") {
				t.Errorf("%s with %v: %s", where, header, text)
			}
		}
	}
	s := open(t)
	r := request(target(asked), credentials.encode())
	r.Host = "localhost:8443"
	r.Header.Set("Origin", origin)
	if w := do(s, r); w.Code != http.StatusSeeOther {
		t.Errorf("a browser that says its origin only: status %d; want 303", w.Code)
	}
}

func TestLogout(t *testing.T) {
	const path = "/" + contoso + "/oauth2/v2.0/logout"
	for _, tt := range []struct {
		name  string
		query form
		want  string // where to; empty for the page
	}{
		{"nothing", nil, ""},
		{"a registered address", form{"post_logout_redirect_uri": "https://portal.example/callback"}, "https://portal.example/callback"},
		{"with state", form{"post_logout_redirect_uri": studioBack, "state": "x y"}, studioBack + "&state=x+y"},
		{"localhost", form{"post_logout_redirect_uri": "http://localhost:99/out"}, "http://localhost:99/out"},
		{"another site", form{"post_logout_redirect_uri": "https://evil.example"}, ""},
		{"a script", form{"post_logout_redirect_uri": "javascript:alert(1)"}, ""},
	} {
		s := open(t)
		for _, w := range []*httptest.ResponseRecorder{s.get(path + "?" + tt.query.encode()), s.post(path, tt.query)} {
			if got := w.Header().Get("Location"); got != tt.want {
				t.Errorf("%s: sent to %q; want %q", tt.name, got, tt.want)
			}
			if tt.want == "" {
				s.page(w, http.StatusOK)
			}
		}
	}
	s := open(t)
	s.page(s.get("/nowhere.example/oauth2/v2.0/logout"), http.StatusBadRequest)
}

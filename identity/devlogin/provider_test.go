package devlogin_test

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/identity/devlogin"
)

const (
	origin   = "https://localhost:8443"
	contoso  = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"
	fabrikam = "7a11ad00-2b7d-4c1a-9e64-7d1b8a2f3c11"

	annID = "c0ffee00-0001-4a00-8000-000000000002"
	ann   = "ann@contoso.example"
	erik  = "erik@contoso.example" // disabled
	fred  = "fred@fabrikam.example"
	pat   = "pat@outlook.example" // a personal account

	booking = "a9900000-0001-4a00-8000-000000000001" // application permissions
	portal  = "a9900000-0004-4a00-8000-000000000004" // public
	studio  = "a9900000-0006-4a00-8000-000000000006" // confidential, delegated
	bare    = "a9900000-0009-4a00-8000-000000000009" // public, without any permission

	graphDefault = "https://graph.microsoft.com/.default"
	meetings     = "https://graph.microsoft.com/OnlineMeetings.ReadWrite"
	back         = "http://localhost:7001/callback"
	studioBack   = "https://studio.example/callback?from=convene"

	tokenPath     = "/" + contoso + "/oauth2/v2.0/token"
	authorizePath = "/" + contoso + "/oauth2/v2.0/authorize"
	devicePath    = "/" + contoso + "/oauth2/v2.0/devicecode"
)

var signingKey = sync.OnceValues(identity.NewKey)

// A site is a provider with a small world, a clock and a store of its own.
type site struct {
	*testing.T
	*devlogin.Provider
	store   *memory
	service *identity.Service
	realm   *identity.Realm

	mu  sync.Mutex
	now time.Time
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func open(t testing.TB) *site {
	t.Helper()
	s := &site{store: newMemory(), now: time.Date(2031, 2, 6, 9, 0, 0, 500_000_000, time.UTC)}
	s.T, _ = t.(*testing.T)
	s.Provider = node(s)
	s.service = &identity.Service{Store: s.store, Keys: s.Keys, Now: s.clock}
	s.realm = &identity.Realm{Audiences: []string{"https://graph.microsoft.com", identity.GraphAppID, origin}, Issuers: []string{origin}}
	// One round, so that tests do not wait for passwords.
	password := identity.HashSecret("convene")
	delegated := []string{"OnlineMeetings.ReadWrite", "OnlineMeetings.Read", "User.Read"}
	s.put(t,
		&identity.Tenant{ID: contoso, Name: "contoso", Domain: "contoso.example"},
		&identity.Tenant{ID: fabrikam, Name: "fabrikam", Domain: "fabrikam.example"},
		&identity.Tenant{ID: identity.PersonalTenant, Name: "personal", Domain: "outlook.example"},
		&identity.User{Tenant: contoso, ID: annID, UPN: ann, DisplayName: "Ann Arbor", Mail: ann, Password: password},
		&identity.User{Tenant: contoso, ID: "c0ffee00-0001-4a00-8000-000000000005", UPN: erik, DisplayName: "Erik", Disabled: true, Password: password},
		&identity.User{Tenant: contoso, ID: "c0ffee00-0001-4a00-8000-000000000007", UPN: "nobody@contoso.example", DisplayName: "No password"},
		&identity.User{Tenant: fabrikam, ID: "c0ffee00-0002-4a00-8000-000000000001", UPN: fred, DisplayName: "Fred", Password: password},
		&identity.User{Tenant: identity.PersonalTenant, ID: "c0ffee00-0003-4a00-8000-000000000001", UPN: pat, DisplayName: "Pat", Password: password},
		&identity.App{ID: booking, Tenant: contoso, ObjectID: "b0000000-0001-4a00-8000-000000000001", Name: "booking",
			Secrets:                []identity.Hash{identity.HashSecret("old"), identity.HashSecret("booking-secret+%&")},
			ApplicationPermissions: []string{"OnlineMeetings.ReadWrite.All", "User.Read.All"}},
		&identity.App{ID: portal, Tenant: contoso, ObjectID: "b0000000-0004-4a00-8000-000000000004", Name: "portal <b>", Public: true,
			RedirectURIs: []string{"http://localhost:*", "https://portal.example/callback", "msauth.portal://auth"}, DelegatedPermissions: delegated},
		&identity.App{ID: studio, Tenant: contoso, ObjectID: "b0000000-0006-4a00-8000-000000000006", Name: "studio",
			Secrets:      []identity.Hash{identity.HashSecret("studio-secret")},
			RedirectURIs: []string{"http://localhost:53682/callback", studioBack}, DelegatedPermissions: delegated},
		&identity.App{ID: bare, Tenant: contoso, ObjectID: "b0000000-0009-4a00-8000-000000000009", Name: "bare", Public: true, RedirectURIs: []string{"http://localhost"}},
	)
	return s
}

// node is one more process on the site's store.
func node(s *site) *devlogin.Provider {
	return &devlogin.Provider{
		Directory: &identity.Directory{Store: s.store, Now: s.clock},
		Keys:      &identity.Keys{Store: s.store, Now: s.clock, Make: signingKey},
		Store:     s.store,
		Now:       s.clock,
		Origin:    func(*http.Request) string { return origin },
		OriginOf: func(host string) string {
			if strings.EqualFold(host, "localhost:8443") {
				return origin
			}
			return map[string]string{"127.0.0.1:8443": origin, "login.microsoftonline.com": "https://login.microsoftonline.com"}[host]
		},
		Resources: func(origin string) []string {
			return []string{"https://graph.microsoft.com", identity.GraphAppID, origin}
		},
		Asset: func(name string) string { return "/assets/" + name },
		Log:   slog.New(slog.DiscardHandler),
	}
}

// put writes objects of the directory, whatever is there.
func (s *site) put(t testing.TB, objects ...any) {
	t.Helper()
	var changes []identity.Change
	for _, o := range objects {
		r, err := identity.Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, identity.Change{Record: r, Expect: identity.AnyRevision})
	}
	if err := s.store.Apply(t.Context(), s.clock(), changes); err != nil {
		t.Fatal(err)
	}
}

// user and app change what the directory knows.
func (s *site) user(tenant, name string, change func(*identity.User)) {
	s.Helper()
	u, err := s.Directory.User(s.Context(), tenant, name)
	if err != nil {
		s.Fatal(err)
	}
	change(u)
	s.put(s.T, u)
}

func (s *site) app(id string, change func(*identity.App)) {
	s.Helper()
	a, err := s.Directory.App(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	change(a)
	s.put(s.T, a)
}

// form is a value per parameter; with replaces some, "" takes one out.
type form map[string]string

func (f form) with(more form) form {
	all := maps.Clone(f)
	maps.Copy(all, more)
	maps.DeleteFunc(all, func(_, v string) bool { return v == "" })
	return all
}

func (f form) encode() string {
	values := url.Values{}
	for k, v := range f {
		values.Set(k, v)
	}
	return values.Encode()
}

// do sends a request as it is.
func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (s *site) get(target string) *httptest.ResponseRecorder {
	return do(s, httptest.NewRequest(http.MethodGet, target, nil))
}

// request is a form posted by a program.
func request(target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// post is a form posted by a browser from a page of the site.
func (s *site) post(target string, f form) *httptest.ResponseRecorder {
	r := request(target, f.encode())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return do(s, r)
}

// tokens is what a token endpoint answers, errors included.
type tokens struct {
	status       int
	TokenType    string  `json:"token_type"`
	Access       string  `json:"access_token"`
	Refresh      string  `json:"refresh_token"`
	ID           string  `json:"id_token"`
	ClientInfo   string  `json:"client_info"`
	Scope        string  `json:"scope"`
	ExpiresIn    float64 `json:"expires_in"`
	ExtExpiresIn float64 `json:"ext_expires_in"`
	Error        string  `json:"error"`
	Description  string  `json:"error_description"`
	Codes        []int   `json:"error_codes"`
}

// number is the error's, 0 when there is none.
func (a tokens) number() int {
	if len(a.Codes) != 1 {
		return 0
	}
	return a.Codes[0]
}

func (s *site) answer(w *httptest.ResponseRecorder) tokens {
	s.Helper()
	a := tokens{status: w.Code}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		s.Fatalf("answer %q: %v", w.Body, err)
	}
	return a
}

func (s *site) token(f form) tokens {
	s.Helper()
	return s.answer(do(s, request(tokenPath, f.encode())))
}

// refused checks the number and the code of an error.
func (s *site) refused(got tokens, number int, code string) {
	s.Helper()
	if got.number() != number || got.Error != code || got.Access != "" {
		s.Errorf("status %d, error %q %v %q, access token %q; want %d %s", got.status, got.Error, got.Codes, got.Description, got.Access, number, code)
	}
}

// caller is what Graph learns of an access token.
func (s *site) caller(access string) *identity.Caller {
	s.Helper()
	c, err := s.service.Authenticate(s.Context(), access, s.realm)
	if err != nil {
		s.Fatalf("access token %q: %v", access, err)
	}
	return c
}

// claims are those of a token, unverified.
func (s *site) claims(token string) map[string]any {
	s.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		s.Fatalf("%q is no token", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		s.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		s.Fatal(err)
	}
	return claims
}

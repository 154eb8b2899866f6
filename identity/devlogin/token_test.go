package devlogin_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/google/go-cmp/cmp"
)

var asBooking = form{
	"grant_type": "client_credentials", "client_id": booking, "client_secret": "booking-secret+%&", "scope": graphDefault,
}

func TestClientCredentials(t *testing.T) {
	basic := func(r *http.Request) {
		r.SetBasicAuth(url.QueryEscape(booking), url.QueryEscape("booking-secret+%&"))
	}
	for _, tt := range []struct {
		name     string
		tenant   string
		change   form
		header   func(*http.Request)
		audience string
	}{
		{name: "as documented"},
		{name: "the tenant by domain", tenant: "Contoso.Example"},
		{name: "the scopes of MSAL for Go", change: form{"scope": graphDefault + " openid offline_access profile"}},
		{name: "this server's origin", change: form{"scope": origin + "/.default"}, audience: origin},
		{name: "the id of Graph", change: form{"scope": identity.GraphAppID + "/.default"}, audience: identity.GraphAppID},
		{name: "a resource with a slash", change: form{"scope": "https://graph.microsoft.com//.default"}, audience: "https://graph.microsoft.com/"},
		{name: "an older secret", change: form{"client_secret": "old"}},
		{name: "an id in capitals", change: form{"client_id": strings.ToUpper(booking)}},
		{name: "HTTP Basic", change: form{"client_id": "", "client_secret": ""}, header: basic},
		{name: "HTTP Basic and the same in the form", header: basic},
		{name: "parameters that mean nothing here", change: form{"claims": `{"access_token":{"xms_cc":{"values":["CP1"]}}}`, "client_info": "1", "x-client-SKU": "MSAL.Go"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			tenant := tt.tenant
			if tenant == "" {
				tenant = contoso
			}
			r := request("/"+tenant+"/oauth2/v2.0/token?client-request-id=1", asBooking.with(tt.change).encode())
			if tt.header != nil {
				tt.header(r)
			}
			w := do(s, r)
			got := s.answer(w)
			if got.status != http.StatusOK || got.TokenType != "Bearer" || got.ExpiresIn != 3599 || got.ExtExpiresIn != 3599 {
				t.Fatalf("answer %s; want 200 with a bearer token for 3599 s", w.Body)
			}
			if got.Refresh+got.ID+got.ClientInfo+got.Scope != "" {
				t.Errorf("answer %s; want nothing that belongs to users", w.Body)
			}
			want := &identity.Caller{
				Tenant: contoso, App: booking, Permissions: []string{"OnlineMeetings.ReadWrite.All", "User.Read.All"},
				Expires: s.now.Truncate(time.Second).Add(3599 * time.Second),
			}
			if diff := cmp.Diff(want, s.caller(got.Access)); diff != "" {
				t.Errorf("caller differs (-want +got):\n%s", diff)
			}
			audience := tt.audience
			if audience == "" {
				audience = "https://graph.microsoft.com"
			}
			if claims := s.claims(got.Access); claims["aud"] != audience || claims["idtyp"] != "app" || claims["appidacr"] != "1" || claims["ver"] != "1.0" || claims["scp"] != nil {
				t.Errorf("claims %v; want an application's for %s", claims, audience)
			}
		})
	}
}

func TestTokenRefusals(t *testing.T) {
	asAnn := form{"grant_type": "password", "client_id": portal, "username": ann, "password": "convene", "scope": meetings}
	for _, tt := range []struct {
		name   string
		path   string
		base   form
		change form
		raw    string
		header http.Header
		status int
		number int
		code   string
		says   string // a part of the description
	}{
		{name: "a wrong secret", change: form{"client_secret": "no"}, status: 401, number: 7000215, code: "invalid_client"},
		{name: "no secret", change: form{"client_secret": ""}, status: 401, number: 7000218, code: "invalid_client", says: "client_secret"},
		{name: "a certificate", change: form{"client_assertion": "x"}, status: 401, number: 700027, code: "invalid_client", says: "client_secret"},
		{name: "an unknown application", change: form{"client_id": "b6f5d2a0-0000-4000-8000-000000000000"}, status: 400, number: 700016, code: "unauthorized_client", says: "b6f5d2a0"},
		{name: "another tenant's application", path: "/" + fabrikam + "/oauth2/v2.0/token", status: 400, number: 700016, code: "unauthorized_client", says: contoso},
		{name: "a public application for itself", base: form{"grant_type": "client_credentials", "client_id": portal, "scope": graphDefault}, status: 401, number: 7000218, code: "invalid_client", says: "public"},
		{name: "a secret of a public application", base: asAnn, change: form{"client_secret": "x"}, status: 401, number: 700025, code: "invalid_client"},
		{name: "no client id", change: form{"client_id": ""}, status: 400, number: 900144, code: "invalid_request", says: "client_id"},
		{name: "no grant type", change: form{"grant_type": ""}, status: 400, number: 900144, code: "invalid_request", says: "grant_type"},
		{name: "no body", raw: " ", status: 400, number: 900144, code: "invalid_request", says: "grant_type"},
		{name: "an unknown grant type", change: form{"grant_type": "implicit"}, status: 400, number: 70003, code: "unsupported_grant_type", says: "client_credentials"},
		{name: "no scope", change: form{"scope": ""}, status: 400, number: 900144, code: "invalid_request", says: "scope"},
		{name: "a permission as scope", change: form{"scope": "https://graph.microsoft.com/OnlineMeetings.ReadWrite.All"}, status: 400, number: 1002012, code: "invalid_scope", says: graphDefault},
		{name: ".default without resource", change: form{"scope": ".default"}, status: 400, number: 1002012, code: "invalid_scope", says: graphDefault},
		{name: "OIDC scopes alone", change: form{"scope": "openid profile"}, status: 400, number: 1002012, code: "invalid_scope", says: graphDefault},
		{name: "two resources", change: form{"scope": graphDefault + " " + origin + "/.default"}, status: 400, number: 28000, code: "invalid_scope", says: origin},
		{name: "an unknown resource", change: form{"scope": "https://vault.example/.default"}, status: 400, number: 500011, code: "invalid_resource", says: "vault.example"},
		{name: "a resource without scope", change: form{"scope": "https://graph.microsoft.com"}, status: 400, number: 500011, code: "invalid_resource", says: graphDefault},
		{name: "common for an application", path: "/common/oauth2/v2.0/token", status: 400, number: 50059, code: "invalid_request", says: contoso},
		{name: "an unknown tenant", path: "/nowhere.example/oauth2/v2.0/token", status: 400, number: 90002, code: "invalid_request", says: "nowhere.example"},
		{name: "no name of a tenant", path: "/con%20toso/oauth2/v2.0/token", status: 400, number: 900023, code: "invalid_request", says: "con toso"},
		{name: "the first version's endpoint", path: "/" + contoso + "/oauth2/token", status: 404, number: 90023, code: "invalid_request", says: "oauth2/v2.0"},
		{name: "a parameter twice", raw: asBooking.encode() + "&scope=x", status: 400, number: 9000411, code: "invalid_request", says: "scope"},
		{name: "a control character", change: form{"client_id": "a\x00b"}, status: 400, number: 9002313, code: "invalid_request", says: "client_id"},
		{name: "not UTF-8", change: form{"client_id": "a\xffb"}, status: 400, number: 9002313, code: "invalid_request", says: "client_id"},
		{name: "a long name", change: form{"client_id": strings.Repeat("a", 300)}, status: 400, number: 9002313, code: "invalid_request", says: "client_id"},
		{name: "not form-encoded", raw: "grant_type=%zz", status: 400, number: 90004, code: "invalid_request"},
		{name: "too long", raw: "x=" + strings.Repeat("a", 64<<10), status: 413, number: 9002313, code: "invalid_request", says: "65536"},
		{name: "too many scopes", change: form{"scope": strings.Repeat("a ", 300)}, status: 400, number: 70011, code: "invalid_scope"},
		{name: "JSON", raw: `{"grant_type":"client_credentials"}`, header: http.Header{"Content-Type": {"application/json"}}, status: 415, number: 9002313, code: "invalid_request", says: "application/x-www-form-urlencoded"},
		{name: "two secrets", header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(booking+":other"))}}, status: 400, number: 9002313, code: "invalid_request", says: "Authorization"},
		{name: "a wrong secret in the header", change: form{"client_id": "", "client_secret": ""}, header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(booking+":other"))}}, status: 401, number: 7000215, code: "invalid_client"},
		{name: "a header that is not Basic's", header: http.Header{"Authorization": {"Basic !"}}, status: 401, number: 9002313, code: "invalid_client"},
		{name: "a bad escape in the header", change: form{"client_id": "", "client_secret": ""}, header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(booking+":%z"))}}, status: 401, number: 9002313, code: "invalid_client"},

		{name: "a wrong password", base: asAnn, change: form{"password": "no"}, status: 400, number: 50126, code: "invalid_grant"},
		{name: "a user without password", base: asAnn, change: form{"username": "nobody@contoso.example"}, status: 400, number: 50126, code: "invalid_grant"},
		{name: "an unknown user", base: asAnn, change: form{"username": "who@contoso.example"}, status: 400, number: 50034, code: "invalid_grant", says: "who@contoso.example"},
		{name: "an object id as user name", base: asAnn, change: form{"username": annID}, status: 400, number: 50034, code: "invalid_grant"},
		{name: "a disabled user", base: asAnn, change: form{"username": erik}, status: 400, number: 50057, code: "invalid_grant"},
		{name: "a disabled user's wrong password", base: asAnn, change: form{"username": erik, "password": "no"}, status: 400, number: 50126, code: "invalid_grant"},
		{name: "a user of another tenant", base: asAnn, change: form{"username": fred}, status: 400, number: 50020, code: "invalid_grant", says: fabrikam},
		{name: "a personal account in a tenant", base: asAnn, change: form{"username": pat}, status: 400, number: 50020, code: "invalid_grant"},
		{name: "a personal account in organizations", path: "/organizations/oauth2/v2.0/token", base: asAnn, change: form{"username": pat}, status: 400, number: 50020, code: "invalid_grant"},
		{name: "a work account in consumers", path: "/consumers/oauth2/v2.0/token", base: asAnn, status: 400, number: 50020, code: "invalid_grant"},
		{name: "no user name", base: asAnn, change: form{"username": ""}, status: 400, number: 900144, code: "invalid_request", says: "username"},
		{name: "no password", base: asAnn, change: form{"password": ""}, status: 400, number: 900144, code: "invalid_request", says: "password"},
		{name: "no scope of a user", base: asAnn, change: form{"scope": ""}, status: 400, number: 900144, code: "invalid_request", says: "scope"},
		{name: "scopes that were not given", base: asAnn, change: form{"scope": "Mail.Read"}, status: 400, number: 65001, code: "invalid_scope", says: "OnlineMeetings.Read, User.Read"},
		{name: ".default beside another", base: asAnn, change: form{"scope": graphDefault + " User.Read"}, status: 400, number: 70011, code: "invalid_scope"},

		{name: "no code", base: form{"grant_type": "authorization_code", "client_id": portal, "redirect_uri": back}, status: 400, number: 900144, code: "invalid_request", says: "'code'"},
		{name: "no redirect_uri", base: form{"grant_type": "authorization_code", "client_id": portal, "code": "x"}, status: 400, number: 900144, code: "invalid_request", says: "redirect_uri"},
		{name: "a code of nobody's", base: form{"grant_type": "authorization_code", "client_id": portal, "code": "x", "redirect_uri": back}, status: 400, number: 70000, code: "invalid_grant"},
		{name: "no refresh token", base: form{"grant_type": "refresh_token", "client_id": portal}, status: 400, number: 900144, code: "invalid_request", says: "refresh_token"},
		{name: "a refresh token of nobody's", base: form{"grant_type": "refresh_token", "client_id": portal, "refresh_token": "x"}, status: 400, number: 70000, code: "invalid_grant"},
		{name: "no device code", base: form{"grant_type": "device_code", "client_id": portal}, status: 400, number: 900144, code: "invalid_request", says: "device_code"},
		{name: "a device code of nobody's", base: form{"grant_type": "device_code", "client_id": portal, "device_code": "x"}, status: 400, number: 70000, code: "bad_verification_code"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			path, base := tt.path, tt.base
			if path == "" {
				path = tokenPath
			}
			if base == nil {
				base = asBooking
			}
			body := base.with(tt.change).encode()
			if tt.raw != "" {
				body = strings.TrimSpace(tt.raw)
			}
			const correlation = "5aa1b2c3-0000-1000-9000-00000000000F"
			r := request(path, body)
			r.Header.Set("client-request-id", correlation)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			w := do(s, r)
			got := s.answer(w)
			if got.status != tt.status || !strings.Contains(got.Description, tt.says) {
				t.Errorf("status %d, description %q; want %d and %q in it", got.status, got.Description, tt.status, tt.says)
			}
			s.refused(got, tt.number, tt.code)
			s.entraShaped(w, correlation)
			if basic := strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic "); basic != (tt.status == 401 && r.Header.Get("Authorization") != "" && !strings.HasSuffix(r.Header.Get("Authorization"), "!")) {
				t.Errorf("WWW-Authenticate %q with Authorization %q", w.Header().Get("WWW-Authenticate"), r.Header.Get("Authorization"))
			}
		})
	}
}

var description = regexp.MustCompile(`^AADSTS[0-9]{5,7}: [A-Z].*[^ ] Trace ID: ([0-9a-f-]{36}) Correlation ID: ([0-9A-Fa-f-]{36}) Timestamp: (.*)$`)

// entraShaped checks that an error has the members, types and headers of Entra's.
func (s *site) entraShaped(w *httptest.ResponseRecorder, correlation string) {
	s.Helper()
	if kind := w.Header().Get("Content-Type"); kind != "application/json; charset=utf-8" {
		s.Errorf("Content-Type %q; want JSON", kind)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Pragma") != "no-cache" {
		s.Errorf("headers %v; want what forbids caching", w.Header())
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
		Timestamp   string `json:"timestamp"`
		Trace       string `json:"trace_id"`
		Correlation string `json:"correlation_id"`
	}
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		s.Fatal(err)
	}
	parts := description.FindStringSubmatch(body.Description)
	if parts == nil || parts[1] != body.Trace || parts[2] != body.Correlation || parts[3] != body.Timestamp {
		s.Errorf("description %q; want AADSTS, a sentence, and the other members of %+v", body.Description, body)
	}
	if body.Correlation != correlation || w.Header().Get("x-ms-request-id") != body.Trace {
		s.Errorf("correlation %q, header %v; want %q and the trace id", body.Correlation, w.Header(), correlation)
	}
	if at, err := time.Parse("2006-01-02 15:04:05Z", body.Timestamp); err != nil || !at.Equal(s.clock().Truncate(time.Second)) {
		s.Errorf("timestamp %q (%v); want the time", body.Timestamp, err)
	}
}

func TestMethods(t *testing.T) {
	for path, allowed := range map[string][]string{
		tokenPath: {"POST"}, devicePath: {"POST"}, authorizePath: {"GET", "HEAD", "POST"}, "/device": {"GET", "HEAD", "POST"},
		"/common/oauth2/v2.0/logout":                    {"GET", "HEAD", "POST"},
		"/common/v2.0/.well-known/openid-configuration": {"GET", "HEAD"},
		"/common/discovery/v2.0/keys":                   {"GET", "HEAD"},
		"/common/discovery/instance":                    {"GET", "HEAD"},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
			s := open(t)
			w := do(s, httptest.NewRequest(method, path, nil))
			if refused := w.Code == http.StatusMethodNotAllowed; refused == slices.Contains(allowed, method) {
				t.Errorf("%s %s: status %d; allowed are %v", method, path, w.Code, allowed)
			}
			if w.Code == http.StatusMethodNotAllowed && w.Header().Get("Allow") != strings.Join(allowed, ", ") {
				t.Errorf("%s %s: Allow %q; want %v", method, path, w.Header().Get("Allow"), allowed)
			}
		}
	}
}

func TestPasswordGrant(t *testing.T) {
	const all = "OnlineMeetings.ReadWrite OnlineMeetings.Read User.Read"
	for _, tt := range []struct {
		name, tenant, user string
		app                string
		scope              string
		want               string // permissions in the token
		answer             string // scope of the answer
		refresh, id        bool
	}{
		{name: "in the tenant", tenant: contoso, user: ann, scope: meetings, want: "OnlineMeetings.ReadWrite", answer: meetings},
		{name: "what MSAL asks for", tenant: contoso, user: ann, scope: meetings + " openid profile offline_access", want: "OnlineMeetings.ReadWrite", answer: meetings + " openid profile offline_access", refresh: true, id: true},
		{name: "in common", tenant: "common", user: ann, scope: "OnlineMeetings.Read", want: "OnlineMeetings.Read", answer: "OnlineMeetings.Read"},
		{name: "in organizations", tenant: "organizations", user: fred, scope: "user.read", want: "User.Read", answer: "User.Read"},
		{name: "in capitals", tenant: "COMMON", user: "ANN@Contoso.example", scope: "USER.READ", want: "User.Read", answer: "User.Read"},
		{name: "a personal account in common", tenant: "common", user: pat, scope: meetings, answer: meetings},
		{name: "a personal account in consumers", tenant: "consumers", user: pat, scope: meetings, answer: meetings},
		{name: "a personal account in its tenant", tenant: identity.PersonalTenant, user: pat, scope: meetings, answer: meetings},
		{name: "everything", tenant: contoso, user: ann, scope: graphDefault, want: all,
			answer: "https://graph.microsoft.com/OnlineMeetings.ReadWrite https://graph.microsoft.com/OnlineMeetings.Read https://graph.microsoft.com/User.Read " + graphDefault},
		{name: "one of two was given", tenant: contoso, user: ann, scope: "Mail.Read User.Read", want: "User.Read", answer: "User.Read"},
		{name: "two spellings of one", tenant: contoso, user: ann, scope: meetings + " OnlineMeetings.ReadWrite", want: "OnlineMeetings.ReadWrite", answer: meetings + " OnlineMeetings.ReadWrite"},
		{name: "only to know who it is", tenant: contoso, user: ann, scope: "openid", answer: "openid", id: true},
		{name: "a confidential application", tenant: contoso, user: ann, app: studio, scope: meetings, want: "OnlineMeetings.ReadWrite", answer: meetings},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			f := form{"grant_type": "password", "client_id": portal, "username": tt.user, "password": "convene", "scope": tt.scope}
			if tt.app != "" {
				f = f.with(form{"client_id": tt.app, "client_secret": "studio-secret"})
			}
			got := s.answer(do(s, request("/"+tt.tenant+"/oauth2/v2.0/token", f.encode())))
			if got.status != http.StatusOK || got.Scope != tt.answer || (got.Refresh != "") != tt.refresh || (got.ID != "") != tt.id {
				t.Fatalf("answer %+v; want scope %q, a refresh token: %v, an ID token: %v", got, tt.answer, tt.refresh, tt.id)
			}
			claims := s.claims(got.Access)
			if tt.user == pat {
				if claims["tid"] != identity.PersonalTenant {
					t.Errorf("claims %v; want the tenant of personal accounts", claims)
				}
				if _, err := s.service.Authenticate(t.Context(), got.Access, s.realm); err == nil || !strings.HasPrefix(err.Error(), "Error authenticating with resource") {
					t.Errorf("Graph says %v to a personal account", err)
				}
				return
			}
			c := s.caller(got.Access)
			if strings.Join(c.Permissions, " ") != tt.want || !c.Delegated() {
				t.Errorf("caller %+v; want a user with %q", c, tt.want)
			}
			info, err := base64.RawURLEncoding.DecodeString(got.ClientInfo)
			if want := `{"uid":"` + c.User + `","utid":"` + c.Tenant + `"}`; err != nil || string(info) != want {
				t.Errorf("client_info %q, %v; want %s", info, err, want)
			}
		})
	}
}

func TestUserClaims(t *testing.T) {
	s := open(t)
	got := s.token(form{"grant_type": "password", "client_id": portal, "username": ann, "password": "convene", "scope": meetings + " openid profile email offline_access"})
	access, id := s.claims(got.Access), s.claims(got.ID)
	at := float64(s.now.Unix())
	for _, c := range []map[string]any{access, id} {
		if c["iat"] != at || c["nbf"] != at || c["exp"] != at+3599 || c["tid"] != contoso || c["oid"] != annID || c["name"] != "Ann Arbor" {
			t.Errorf("claims %v; want Ann's, from %v", c, at)
		}
	}
	for name, want := range map[string]any{
		"iss": origin + "/" + contoso + "/", "aud": "https://graph.microsoft.com", "ver": "1.0", "appid": portal, "appidacr": "0",
		"idtyp": "user", "scp": "OnlineMeetings.ReadWrite openid profile email", "upn": ann, "roles": nil,
	} {
		if access[name] != want {
			t.Errorf("access token: %s is %v; want %v", name, access[name], want)
		}
	}
	for name, want := range map[string]any{
		"iss": origin + "/" + contoso + "/v2.0", "aud": portal, "ver": "2.0", "preferred_username": ann, "email": ann, "nonce": nil, "auth_time": at,
	} {
		if id[name] != want {
			t.Errorf("ID token: %s is %v; want %v", name, id[name], want)
		}
	}
	again := s.claims(s.token(form{"grant_type": "password", "client_id": portal, "username": ann, "password": "convene", "scope": "openid"}).ID)
	other := s.claims(s.token(form{"grant_type": "password", "client_id": studio, "client_secret": "studio-secret", "username": ann, "password": "convene", "scope": "openid"}).ID)
	if again["sub"] != id["sub"] || other["sub"] == id["sub"] || id["sub"] == annID {
		t.Errorf("subjects %v and %v for one application, %v for another; want the same twice, then another", id["sub"], again["sub"], other["sub"])
	}
}

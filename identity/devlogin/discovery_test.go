package devlogin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/google/go-cmp/cmp"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

func TestConfiguration(t *testing.T) {
	for _, tt := range []struct {
		name, tenant string
		issuer       string // of the tenant
		endpoints    string // the tenant in their paths
	}{
		{"by id", contoso, contoso, contoso},
		{"by id in capitals", strings.ToUpper(contoso), contoso, contoso},
		{"by domain name", "Fabrikam.example", fabrikam, fabrikam},
		{"common", "common", "{tenantid}", "common"},
		{"organizations", "organizations", "{tenantid}", "organizations"},
		{"consumers", "Consumers", identity.PersonalTenant, "consumers"},
		{"the tenant of personal accounts", identity.PersonalTenant, identity.PersonalTenant, identity.PersonalTenant},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			path := "/" + tt.tenant + "/v2.0/.well-known/openid-configuration"
			w := s.get(path)
			var got map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
				t.Fatalf("status %d, body %s: %v", w.Code, w.Body, err)
			}
			base := origin + "/" + tt.endpoints
			for name, want := range map[string]string{
				"issuer":                        origin + "/" + tt.issuer + "/v2.0",
				"authorization_endpoint":        base + "/oauth2/v2.0/authorize",
				"token_endpoint":                base + "/oauth2/v2.0/token",
				"device_authorization_endpoint": base + "/oauth2/v2.0/devicecode",
				"end_session_endpoint":          base + "/oauth2/v2.0/logout",
				"jwks_uri":                      base + "/discovery/v2.0/keys",
			} {
				if got[name] != want {
					t.Errorf("%s is %v; want %s", name, got[name], want)
				}
				if path := strings.TrimPrefix(want, origin); name != "issuer" && !s.Serves(path) {
					t.Errorf("%s is not served", path)
				}
			}
			for name, want := range map[string][]any{
				"response_types_supported":              {"code"},
				"subject_types_supported":               {"pairwise"},
				"id_token_signing_alg_values_supported": {"RS256"},
				"code_challenge_methods_supported":      {"S256"},
				"token_endpoint_auth_methods_supported": {"client_secret_post", "client_secret_basic", "none"},
			} {
				if diff := cmp.Diff(any(want), got[name]); diff != "" {
					t.Errorf("%s differs (-want +got):\n%s", name, diff)
				}
			}
			for _, query := range []string{"?", "?appid=x&%zz"} {
				if again := s.get(path + query); again.Body.String() != w.Body.String() {
					t.Errorf("with %q: status %d, body %s; want the same", query, again.Code, again.Body)
				}
			}
			// The first version's issuer is that of access tokens.
			w = s.get("/" + tt.tenant + "/.well-known/openid-configuration")
			if want := `"issuer":"` + origin + "/" + tt.issuer + `/"`; !strings.Contains(w.Body.String(), want) {
				t.Errorf("first version: %s; want %s in it", w.Body, want)
			}
		})
	}
}

func TestConfigurationOfNoTenant(t *testing.T) {
	for tenant, number := range map[string]int{"nowhere.example": 90002, "5f0c9a3e-0000-4c1a-9e64-7d1b8a2f3c10": 90002, "a%00b": 900023, "-": 900023} {
		s := open(t)
		got := s.answer(s.get("/" + tenant + "/v2.0/.well-known/openid-configuration"))
		if s.refused(got, number, "invalid_tenant"); got.status != http.StatusBadRequest {
			t.Errorf("%s: status %d; want 400", tenant, got.status)
		}
	}
}

type instance struct {
	Discovery string
	Aliases   []string
}

func TestInstanceDiscovery(t *testing.T) {
	const path = "/common/discovery/instance?api-version=1.1&authorization_endpoint="
	s := open(t)
	w := s.get(path + "https%3A%2F%2FLOCALHOST%3A8443%2Fcontoso.example%2Foauth2%2Fv2.0%2Fauthorize")
	var got any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	want := map[string]any{
		"tenant_discovery_endpoint": origin + "/contoso.example/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []any{map[string]any{
			"preferred_network": "localhost:8443", "preferred_cache": "localhost:8443", "aliases": []any{"localhost:8443"},
		}},
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("answer differs (-want +got):\n%s", diff)
	}
	if w := s.get("/common/discovery/instance"); !strings.Contains(w.Body.String(), origin+"/common/v2.0/") {
		t.Errorf("without a question: %s", w.Body)
	}
	for asked, want := range map[string]instance{ // each origin of the server for itself
		"https://login.microsoftonline.com/common/oauth2/v2.0/authorize": {"https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration", []string{"login.microsoftonline.com"}},
		"https://127.0.0.1:8443/organizations":                           {origin + "/organizations/v2.0/.well-known/openid-configuration", []string{"127.0.0.1:8443", "localhost:8443"}}, // answered as the other
	} {
		var got struct {
			Discovery string `json:"tenant_discovery_endpoint"`
			Metadata  []struct{ Aliases []string }
		}
		w := s.get(path + url.QueryEscape(asked))
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Metadata) != 1 {
			t.Fatalf("%s: body %q: %v", asked, w.Body, err)
		}
		if diff := cmp.Diff(want, instance{got.Discovery, got.Metadata[0].Aliases}); diff != "" {
			t.Errorf("%s: answer differs (-want +got):\n%s", asked, diff)
		}
	}
	for asked, number := range map[string]int{
		"https://evil.example/common/oauth2/v2.0/authorize": 50049,
		"https://localhost/common/oauth2/v2.0/authorize":    50049, // another port
		"http://localhost:8443/common":                      50049,
		"https://localhost:8443@evil.example/common":        50049,
		"https://localhost:8443/..%2f/":                     900023,
		"https://localhost:8443":                            900023,
		"::":                                                50049,
	} {
		if got := s.answer(s.get(path + strings.ReplaceAll(asked, "%", "%25"))); got.number() != number {
			t.Errorf("%s: %+v; want %d", asked, got, number)
		}
	}
}

func TestUserRealm(t *testing.T) {
	s := open(t)
	w := s.get("/common/UserRealm/ann@Contoso.example?api-version=1.0")
	var got any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	want := map[string]any{
		"ver": "1.0", "account_type": "Managed", "domain_name": "Contoso.example",
		"cloud_instance_name": "localhost:8443", "cloud_audience_urn": "urn:federation:MicrosoftOnline",
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("answer differs (-want +got):\n%s", diff)
	}
	for _, name := range []string{"ann", "ann@", "ann@%00", "a%2f"} {
		s.refused(s.answer(s.get("/common/userrealm/"+name)), 90100, "invalid_request")
	}
}

func TestKeysVerifyWhatWasIssued(t *testing.T) {
	s := open(t)
	w := s.get("/common/discovery/v2.0/keys")
	set, err := jwk.Parse(w.Body.Bytes())
	if err != nil || set.Len() != 1 || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("keys %s: %v", w.Body, err)
	}
	got := s.token(form{"grant_type": "password", "client_id": portal, "username": ann, "password": "convene", "scope": meetings + " openid"})
	for name, token := range map[string]string{"access": got.Access, "ID": got.ID, "application": s.token(asBooking).Access} {
		if _, err := jws.Verify([]byte(token), jws.WithKeySet(set)); err != nil {
			t.Errorf("%s token: %v", name, err)
		}
	}
	s.refused(s.answer(s.get("/nowhere.example/discovery/v2.0/keys")), 90002, "invalid_request")
}

func TestServes(t *testing.T) {
	s := open(t)
	for path, want := range map[string]bool{
		tokenPath: true, authorizePath: true, "/device": true, "/device/": true,
		"/contoso.example/OAuth2/v2.0/Token": true, "/x/oauth2/authorize": true,
		"/common/discovery/instance": true,
		"":                           false, "/": false, "/v1.0": false, "/v1.0/me": false, "/v1.0/oauth2/v2.0/token": false, "/beta/oauth2/x": false,
		"//oauth2/v2.0/token": false, "/oauth2/v2.0/token": false, "/device/x": false, "/l/meetup-join/x/0": false, "/common": false,
		"//evil.example/oauth2/v2.0/authorize": false,
	} {
		if got := s.Serves(path); got != want {
			t.Errorf("Serves(%q) = %v; want %v", path, got, want)
		}
	}
	if got := s.answer(s.get("/v1.0/me")); got.status != http.StatusNotFound {
		t.Errorf("a path that is not served: status %d; want 404", got.status)
	}
}

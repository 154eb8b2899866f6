package graph_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/server"
)

const (
	annID     = "c0ffee00-0001-4a00-8000-000000000002"
	bookingID = "a9900000-0001-4a00-8000-000000000001"
	portalID  = "a9900000-0004-4a00-8000-000000000004"
)

// A forge signs whatever it is told with the key of a server.
type forge struct {
	srv *graphtest.Server
	key *identity.Key
	now time.Time
}

func newForge(t *testing.T, options ...graphtest.Option) *forge {
	t.Helper()
	key, err := identity.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	options = append(options, graphtest.With(func(c *server.Config) { c.MakeKey = func() (*identity.Key, error) { return key, nil } }))
	return &forge{graphtest.New(t, options...), key, time.Now()}
}

// claims are those of a good token of booking, with changes: nil removes one.
func (f *forge) claims(changes map[string]any) map[string]any {
	c := map[string]any{
		"aud": "https://graph.microsoft.com", "iss": f.srv.URL + "/" + contoso + "/", "tid": contoso, "oid": "0000000b-0000-4000-8000-000000000000",
		"appid": bookingID, "roles": []string{"OnlineMeetings.ReadWrite.All"}, "ver": "1.0", "idtyp": "app",
		"iat": f.now.Unix(), "nbf": f.now.Unix(), "exp": f.now.Add(time.Hour).Unix(),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (f *forge) sign(t *testing.T, changes map[string]any) string {
	t.Helper()
	token, err := f.key.Sign(f.claims(changes))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// raw signs a payload as it stands, under a header with changes.
func (f *forge) raw(t *testing.T, payload string, header map[string]any) string {
	t.Helper()
	h := jws.NewHeaders()
	for name, value := range map[string]any{"typ": "JWT", "kid": f.key.ID} {
		if err := h.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range header {
		if err := h.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	token, err := jws.Sign([]byte(payload), jws.WithKey(jwa.RS256(), f.key.Private, jws.WithProtectedHeaders(h)))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// unsigned puts a header of one's own before a good payload.
func (f *forge) unsigned(t *testing.T, header string, signature func(signed string) []byte) string {
	t.Helper()
	payload, err := json.Marshal(f.claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature(signed))
}

// ask sends one request to the handler, without a network.
func ask(srv *graphtest.Server, method, target, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	srv.Inside().API().ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), srv.Inside().Site())))
	return w
}

func TestTokenAttacks(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	foreign, err := identity.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	publicDER, err := x509.MarshalPKIXPublicKey(f.key.Private.Public())
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER})
	hs256 := func(secret []byte) func(string) []byte {
		return func(signed string) []byte {
			m := hmac.New(sha256.New, secret)
			_, _ = m.Write([]byte(signed))
			return m.Sum(nil)
		}
	}
	foreignSigned := func(header map[string]any) string {
		g := &forge{f.srv, &identity.Key{ID: f.key.ID, Private: foreign.Private}, f.now}
		payload, err := json.Marshal(f.claims(nil))
		if err != nil {
			t.Fatal(err)
		}
		return g.raw(t, string(payload), header)
	}
	embedded, err := jwk.Import(foreign.Private.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := f.sign(t, nil)
	payload, err := json.Marshal(f.claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	other := newForge(t)

	for _, tt := range []struct {
		name, token, want string // want is how the message begins; empty: the token is good
	}{
		{"good", good, ""},
		{"good, audience with a slash", f.sign(t, map[string]any{"aud": "https://graph.microsoft.com/"}), ""},
		{"good, audience is Graph's app id", f.sign(t, map[string]any{"aud": "00000003-0000-0000-c000-000000000000"}), ""},
		{"good, audience is the origin", f.sign(t, map[string]any{"aud": f.srv.URL}), ""},
		{"good, header names a foreign key set, which is not asked", f.raw(t, string(payload), map[string]any{"jku": "https://attacker.example/keys"}), ""},

		{"alg none", f.unsigned(t, `{"alg":"none","kid":"`+f.key.ID+`"}`, func(string) []byte { return nil }), "Access token validation failure. Signature verification failed."},
		{"alg None in other letters", f.unsigned(t, `{"alg":"nOnE","kid":"`+f.key.ID+`"}`, func(string) []byte { return nil }), "Access token validation failure. Signature verification failed."},
		{"HS256 with the public key in PEM", f.unsigned(t, `{"alg":"HS256","kid":"`+f.key.ID+`"}`, hs256(publicPEM)), "Access token validation failure. Signature verification failed."},
		{"HS256 with the public key in DER", f.unsigned(t, `{"alg":"HS256","kid":"`+f.key.ID+`"}`, hs256(publicDER)), "Access token validation failure. Signature verification failed."},
		{"HS256 called RS256", f.unsigned(t, `{"alg":"RS256","kid":"`+f.key.ID+`"}`, hs256(publicDER)), "Access token validation failure. Signature verification failed."},
		{"RS512 by the right key", f.unsigned(t, `{"alg":"RS512","kid":"`+f.key.ID+`"}`, func(string) []byte { return make([]byte, 256) }), "Access token validation failure. Signature verification failed."},
		{"foreign key under our key id", foreignSigned(nil), "Access token validation failure. Signature verification failed."},
		{"foreign key id", foreignSigned(map[string]any{"kid": foreign.ID}), "Invalid x5t claim."},
		{"no key id", f.unsigned(t, `{"alg":"RS256"}`, func(string) []byte { return make([]byte, 256) }), "Invalid x5t claim."},
		{"foreign key offered in the header", foreignSigned(map[string]any{"jwk": embedded}), "Access token validation failure. Signature verification failed."},
		{"foreign key set in the header", foreignSigned(map[string]any{"jku": "https://attacker.example/keys", "kid": foreign.ID}), "Invalid x5t claim."},
		{"critical extension", f.unsigned(t, `{"alg":"RS256","kid":"`+f.key.ID+`","crit":["exp"]}`, func(string) []byte { return make([]byte, 256) }), "Access token validation failure. Signature verification failed."},
		{"header member twice", f.unsigned(t, `{"alg":"RS256","alg":"none","kid":"`+f.key.ID+`"}`, func(string) []byte { return nil }), "CompactToken parsing failed"},

		{"no signature", parts[0] + "." + parts[1] + ".", "Access token validation failure. Signature verification failed."},
		{"another payload", parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), contoso, annID, 2))) + "." + parts[2], "Access token validation failure. Signature verification failed."},
		{"padded base64", parts[0] + "." + parts[1] + "=." + parts[2], "CompactToken parsing failed"},
		{"four parts", good + ".x", "CompactToken parsing failed"},
		{"two parts", parts[0] + "." + parts[1], "CompactToken parsing failed"},
		{"no dots", "abc", "IDX14100"},
		{"oversized", strings.Repeat("a", identity.MaxToken) + ".b.c", "CompactToken parsing failed"},

		{"claim twice", f.raw(t, strings.Replace(string(payload), `"tid":`, `"tid":"`+annID+`","tid":`, 1), nil), "CompactToken parsing failed"},
		{"claim twice, in other letters", f.raw(t, strings.Replace(string(payload), `"tid":`, `"TID":"`+annID+`","tid":`, 1), nil), "CompactToken parsing failed"},
		{"something behind the claims", f.raw(t, string(payload)+"{}", nil), "CompactToken parsing failed"},
		{"claims of wrong types", f.sign(t, map[string]any{"exp": "tomorrow"}), "CompactToken parsing failed"},
		{"an array", f.raw(t, "[]", nil), "CompactToken parsing failed"},

		{"expired", f.sign(t, map[string]any{"exp": f.now.Add(-time.Second).Unix()}), "Lifetime validation failed, the token is expired."},
		{"not yet valid", f.sign(t, map[string]any{"nbf": f.now.Add(time.Minute).Unix()}), "Lifetime validation failed, the token is not yet valid."},
		{"for ever", f.sign(t, map[string]any{"exp": nil}), "Access token validation failure. The token has no exp claim."},
		{"another audience", f.sign(t, map[string]any{"aud": "https://vault.azure.net"}), "Access token validation failure. Invalid audience."},
		{"an ID token's audience", f.sign(t, map[string]any{"aud": portalID}), "Access token validation failure. Invalid audience."},
		{"a list of audiences", f.sign(t, map[string]any{"aud": []string{"https://graph.microsoft.com"}}), "CompactToken parsing failed"},
		{"no audience", f.sign(t, map[string]any{"aud": nil}), "Access token validation failure. Invalid audience."},
		{"another issuer", f.sign(t, map[string]any{"iss": "https://sts.windows.net/" + contoso + "/"}), "Access token validation failure. Invalid issuer."},
		{"an issuer of another tenant", f.sign(t, map[string]any{"iss": f.srv.URL + "/" + annID + "/"}), "Access token validation failure. Invalid issuer."},
		{"a v2 issuer", f.sign(t, map[string]any{"iss": f.srv.URL + "/" + contoso + "/v2.0"}), "Access token validation failure. Invalid issuer."},
		{"no tenant", f.sign(t, map[string]any{"tid": nil, "iss": f.srv.URL + "//"}), "Access token validation failure. Invalid issuer."},
		{"a tenant of which the app is not", f.sign(t, map[string]any{"tid": fabrikam, "iss": f.srv.URL + "/" + fabrikam + "/"}), "Access token validation failure. The application"},
		{"an unknown app", f.sign(t, map[string]any{"appid": annID}), "Access token validation failure. The application"},
		{"no app", f.sign(t, map[string]any{"appid": nil}), "Access token validation failure. The token has no appid"},
		{"an unknown user", f.sign(t, map[string]any{"roles": nil, "scp": "OnlineMeetings.ReadWrite", "appid": portalID}), "Access token validation failure. The user"},
		{"a disabled user", f.sign(t, map[string]any{"roles": nil, "scp": "OnlineMeetings.ReadWrite", "appid": portalID, "oid": erikID}), "Access token validation failure. The account of erik@contoso.example is disabled."},
		{"another server's", other.sign(t, nil), "Invalid x5t claim."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(f.srv, http.MethodPost, "/v1.0/users/"+annID+"/onlineMeetings/createOrGet", tt.token, `{"externalId":"a"}`)
			if tt.want == "" {
				if w.Code != http.StatusOK && w.Code != http.StatusCreated {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
				return
			}
			e := envelope(t, w.Result(), w.Body.Bytes())
			if w.Code != http.StatusUnauthorized || e.Code != "InvalidAuthenticationToken" || !strings.HasPrefix(e.Message, tt.want) {
				t.Errorf("status %d, code %s, message %q; want 401 and %q", w.Code, e.Code, e.Message, tt.want)
			}
			if w.Header().Get("WWW-Authenticate") == "" {
				t.Error("no challenge")
			}
		})
	}
}

// A role that a token has and its application was not given counts for nothing.
func TestPermissionsOfTheTokenAloneCountForNothing(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	const reader = "a9900000-0003-4a00-8000-000000000003"
	w := ask(f.srv, http.MethodPost, "/v1.0/users/"+annID+"/onlineMeetings/createOrGet", f.sign(t, map[string]any{"appid": reader}), `{"externalId":"a"}`)
	if w.Code != http.StatusForbidden {
		t.Errorf("status %d: %s; want 403", w.Code, w.Body)
	}
}

package server_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/server"
)

const (
	annID     = "c0ffee00-0001-4a00-8000-000000000002"
	bookingID = "a9900000-0001-4a00-8000-000000000001"
	contoso   = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"
)

// via returns a client that reaches srv under any name, as a hosts entry would,
// and checks the certificate for that name.
func via(t *testing.T, srv *graphtest.Server) *http.Client {
	t.Helper()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: srv.CA},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", u.Host)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func do(t *testing.T, c *http.Client, method, address, host, token, body string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer), resp.Header
}

func portOf(t *testing.T, srv *graphtest.Server) string {
	t.Helper()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// A request on an allowed origin gets issuer, contexts and links of that
// origin; any other is misdirected, whatever it asks for.
func TestHosts(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	client, port := via(t, srv), portOf(t, srv)
	token := srv.UserToken("ann@contoso.example", "portal")
	for _, host := range []string{
		"127.0.0.1:" + port, "localhost:" + port, "LOCALHOST:" + port, "[::1]:" + port,
		"graph.microsoft.com", "graph.microsoft.com:443", "graph.microsoft.com:" + port, "login.microsoftonline.com",
	} {
		t.Run(host, func(t *testing.T) {
			origin := "https://" + strings.ToLower(strings.TrimSuffix(host, ":443"))
			status, body, _ := do(t, client, http.MethodPost, srv.URL+"/v1.0/me/onlineMeetings/createOrGet?$select=joinWebUrl", host, token, `{"externalId":"hosts"}`)
			if status != http.StatusOK && status != http.StatusCreated || !strings.Contains(body, `"@odata.context":"`+origin+`/v1.0/$metadata`) || !strings.Contains(body, `"joinWebUrl":"`+origin+`/l/meetup-join/`) {
				t.Errorf("status %d: %s; want links of %s", status, body, origin)
			}
			status, body, _ = do(t, client, http.MethodGet, srv.URL+"/"+contoso+"/v2.0/.well-known/openid-configuration", host, "", "")
			if status != http.StatusOK || !strings.Contains(body, `"`+origin+`/`+contoso+`/v2.0"`) {
				t.Errorf("status %d: %s; want the issuer of %s", status, body, origin)
			}
			// Asked about one origin at another, instance discovery vouches for it too.
			status, body, _ = do(t, client, http.MethodGet, srv.URL+"/common/discovery/instance?authorization_endpoint="+url.QueryEscape(origin+"/common/oauth2/v2.0/authorize"), "login.microsoftonline.com", "", "")
			if status != http.StatusOK || !strings.Contains(body, `"`+origin+`/common/v2.0/.well-known/openid-configuration"`) {
				t.Errorf("status %d: %s; want the authority %s", status, body, origin)
			}
		})
	}
	for _, host := range []string{
		"attacker.example", "localhost", "127.0.0.1:1", "graph.microsoft.com.attacker.example", "localhost.:" + port, "attacker.example:" + port,
		"graph.microsoft.us", "127.0.0.1:" + port + "0", "localhost:" + port + "@attacker.example",
	} {
		for _, path := range []string{"/v1.0/me/onlineMeetings/createOrGet", "/", "/l/meetup-join/x/0", "/dialin", "/" + contoso + "/v2.0/.well-known/openid-configuration", "/assets/x.css", "/nothing"} {
			status, body, header := do(t, client, http.MethodGet, srv.URL+path, host, token, "")
			if status != http.StatusMisdirectedRequest && status != http.StatusBadRequest || strings.Contains(body, "attacker") {
				t.Errorf("%s at %s: status %d, body %s; want 421", path, host, status, body)
			}
			if status != http.StatusMisdirectedRequest {
				continue
			}
			// Each in the form that it has there: an envelope, OAuth's JSON, a page.
			switch kind := header.Get("Content-Type"); {
			case path == "/" || strings.HasPrefix(path, "/l/"), strings.HasPrefix(path, "/dialin"):
				if !strings.HasPrefix(kind, "text/html") || !strings.Contains(body, "<h1") {
					t.Errorf("%s at %s: %s, body %s; want a page", path, host, kind, body)
				}
			case strings.HasPrefix(path, "/"+contoso):
				if !strings.Contains(body, `"error":"invalid_request"`) || !strings.Contains(body, `"error_description":"AADSTS`) {
					t.Errorf("%s at %s: body %s; want OAuth's JSON", path, host, body)
				}
			case !strings.Contains(body, `"code":"MisdirectedRequest"`) || header.Get("request-id") == "":
				t.Errorf("%s at %s: body %s, headers %v; want an envelope", path, host, body, header)
			}
		}
	}
}

// The certificate is good for the names that the README promises.
func TestCertificateNames(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	client := via(t, srv)
	for _, name := range []string{"localhost", "127.0.0.1", "[::1]", "graph.microsoft.com", "login.microsoftonline.com"} {
		if status, body, _ := do(t, client, http.MethodGet, "https://"+name+":"+portOf(t, srv)+"/common/v2.0/.well-known/openid-configuration", "", "", ""); status != http.StatusOK {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
	}
	if resp, err := client.Get("https://other.microsoft.com:" + portOf(t, srv)); err == nil {
		_ = resp.Body.Close()
		t.Error("the certificate is good for other.microsoft.com")
	}
}

// With a public URL, links and issuer are that one's, whoever stands in front.
func TestPublicURL(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t, graphtest.With(func(c *server.Config) { c.PublicURL = "https://meet.contoso.example" }))
	if srv.URL != "https://meet.contoso.example" {
		t.Fatalf("URL %s; want the public one", srv.URL)
	}
	l := srv.Inside().Addr().String()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: srv.CA, ServerName: "localhost"}, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", l)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	token := srv.UserToken("ann@contoso.example", "portal")
	for _, host := range []string{"meet.contoso.example", "meet.contoso.example:443", l} {
		status, body, _ := do(t, client, http.MethodPost, "https://"+l+"/v1.0/me/onlineMeetings/createOrGet?$select=joinWebUrl", host, token, `{"externalId":"public"}`)
		if status >= 300 || !strings.Contains(body, `"joinWebUrl":"https://meet.contoso.example/l/`) {
			t.Errorf("%s: status %d: %s; want links of the public URL", host, status, body)
		}
	}
}

// Two clouds in one process: each has its own audience and issuers, offers what
// it offers, and does not take the other's tokens.
func TestClouds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		other    server.Cloud
		v1, beta int
	}{
		{server.USGovL4, 201, 400},
		{server.USGovL5, 201, 400},
		{server.China, 400, 400},
	} {
		t.Run(tt.other.Name, func(t *testing.T) {
			t.Parallel()
			other := tt.other
			other.Hosts = []string{"localhost"}
			srv := graphtest.New(t, graphtest.With(func(c *server.Config) { c.Clouds = []server.Cloud{server.Global, other} }))
			client := via(t, srv)
			otherURL := "https://localhost:" + portOf(t, srv)
			token := func(origin, resource string) string {
				token, _, err := srv.Inside().Provider().Issue(t.Context(), devlogin.IssueRequest{Origin: origin, App: bookingID, Resource: resource})
				if err != nil {
					t.Fatal(err)
				}
				return token
			}
			ask := func(origin, version, token string) int {
				status, body, _ := do(t, client, http.MethodPost, origin+"/"+version+"/users/"+annID+"/onlineMeetings/createOrGet", "", token, `{"externalId":"`+version+origin+`"}`)
				if status == http.StatusBadRequest && !strings.Contains(body, "Resource not found for the segment 'createOrGet'.") {
					t.Errorf("%s: %s", origin, body)
				}
				return status
			}
			global, foreign := token(srv.URL, ""), token(otherURL, "")
			for _, c := range []struct {
				origin, version, token string
				want                   int
			}{
				{srv.URL, "v1.0", global, 201}, {srv.URL, "beta", global, 201},
				{otherURL, "v1.0", foreign, tt.v1}, {otherURL, "beta", foreign, tt.beta},
				{srv.URL, "v1.0", foreign, 401}, {otherURL, "v1.0", global, 401},
			} {
				if got := ask(c.origin, c.version, c.token); got != c.want {
					t.Errorf("%s at %s: status %d, want %d", c.version, c.origin, got, c.want)
				}
			}
			if _, _, err := srv.Inside().Provider().Issue(t.Context(), devlogin.IssueRequest{Origin: otherURL, App: bookingID, Resource: server.Global.Graph}); err == nil {
				t.Error("the other cloud issues tokens for the global one")
			}
		})
	}
}

func TestNamesInPathsCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t, graphtest.WithoutNamesInPaths())
	status, body, _ := do(t, via(t, srv), http.MethodPost, srv.URL+"/v1.0/users/ann@contoso.example/onlineMeetings/createOrGet", "", srv.AppToken("booking"), `{"externalId":"a"}`)
	if status != http.StatusNotFound || !strings.Contains(body, `"code":"UnknownError"`) || !strings.Contains(body, "by object id") {
		t.Errorf("status %d: %s; want 404 UnknownError that says what to do", status, body)
	}
}

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A caller is the barest client: one application's token and net/http.
type caller struct {
	url, token string
	http       *http.Client
}

// newCaller returns a caller of p that trusts its certificate authority alone.
func newCaller(t *testing.T, p *process) *caller {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(p.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in ca.pem: %s", pem)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{url: p.url, http: &http.Client{Transport: transport}}
}

// signIn gets a token by client credentials.
func (c *caller) signIn(t *testing.T, app, secret string) {
	t.Helper()
	resp, err := c.http.PostForm(c.url+"/"+contoso+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {secret}, "scope": {graphDefault},
	})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if status, err := read(resp, &answer); err != nil || status != http.StatusOK || answer.AccessToken == "" {
		t.Fatalf("token: status %d, error %v; want 200 with one", status, err)
	}
	c.token = answer.AccessToken
}

// createOrGet returns the status and the id in the answer. An error means that
// the outcome is not known.
func (c *caller) createOrGet(ctx context.Context, user, externalID string) (status int, id string, err error) {
	body := fmt.Sprintf(`{"externalId":%q,"startDateTime":"2031-02-06T09:00:00Z","endDateTime":"2031-02-06T10:00:00Z"}`, externalID)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/v1.0/users/"+user+"/onlineMeetings/createOrGet", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	var answer struct {
		ID string `json:"id"`
	}
	status, err = read(resp, &answer)
	return status, answer.ID, err
}

func read(resp *http.Response, into any) (status int, err error) {
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // all of it has been read, or will never be
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return 0, fmt.Errorf("status %d, body %q: %w", resp.StatusCode, raw, err)
	}
	return resp.StatusCode, nil
}

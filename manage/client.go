package manage

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/convene-meet/convene/lab"
)

// A Client calls the management of a running server.
type Client struct {
	base  string
	token string
	http  *http.Client
	where string // for errors
}

// Local returns a client of the server that keeps its state in dir, by its
// management socket.
func Local(dir, socket string) *Client {
	name := filepath.Join(dir, socket)
	return &Client{base: "http://management", where: name, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			address, done, err := SocketAddress(name)
			if err != nil {
				return nil, err
			}
			defer done()
			var d net.Dialer
			return d.DialContext(ctx, "unix", address)
		},
	}}}
}

// Remote returns a client of management over TCP.
func Remote(address, token string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("management address %q is not http://HOST:PORT", address)
	}
	return &Client{base: strings.TrimSuffix(address, "/"), token: token, where: address,
		http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}}, nil
}

// SocketAddress returns an address for the Unix socket at name that fits the
// system's limit of about 100 bytes: a long one is reached through the open
// directory. done is to be called after use.
func SocketAddress(name string) (address string, done func(), err error) {
	const most = 100
	if len(name) <= most {
		return name, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return "", nil, err
	}
	address = fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(name))
	return address, func() { _ = dir.Close() }, nil
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	kind := ""
	switch v := in.(type) {
	case nil:
	case json.RawMessage:
		body, kind = bytes.NewReader(v), "application/json"
	case []byte:
		body, kind = bytes.NewReader(v), "application/yaml"
	default:
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body, kind = bytes.NewReader(raw), "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("no server answers at %s. Start one with convene dev, or say where it is with --data or --management", c.where)
		}
		return fmt.Errorf("management at %s: %w", c.where, err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("management at %s: %w", c.where, err)
	}
	if resp.StatusCode != http.StatusOK {
		var e struct {
			Error struct{ Code, Message string }
		}
		if json.Unmarshal(raw, &e) != nil || e.Error.Message == "" {
			return fmt.Errorf("management at %s answered %s", c.where, resp.Status)
		}
		return &Error{resp.StatusCode, e.Error.Code, e.Error.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// Server asks the server who it is.
func (c *Client) Server(ctx context.Context) (info ServerInfo, err error) {
	return info, c.call(ctx, http.MethodGet, "/v1/server", nil, &info)
}

// Token asks for an access token.
func (c *Client) Token(ctx context.Context, q TokenRequest) (t Token, err error) {
	return t, c.call(ctx, http.MethodPost, "/v1/token", q, &t)
}

// Approve lets a user say yes to a device code.
func (c *Client) Approve(ctx context.Context, userCode, user string) error {
	return c.call(ctx, http.MethodPost, "/v1/device/approve", map[string]string{"userCode": userCode, "user": user}, nil)
}

// User finds out who a user's name stands for.
func (c *Client) User(ctx context.Context, name string) (u UserInfo, err error) {
	return u, c.call(ctx, http.MethodGet, "/v1/user?"+url.Values{"user": {name}}.Encode(), nil, &u)
}

// Policies lists a tenant's policies, or the one named.
func (c *Client) Policies(ctx context.Context, tenant, identity string) ([]Policy, error) {
	var answer struct{ Value []Policy }
	err := c.call(ctx, http.MethodGet, "/v1/policies?"+url.Values{"tenant": {tenant}, "identity": {identity}}.Encode(), nil, &answer)
	return answer.Value, err
}

// NewPolicy makes a policy.
func (c *Client) NewPolicy(ctx context.Context, q PolicyChange) (p Policy, err error) {
	return p, c.call(ctx, http.MethodPost, "/v1/policies", q, &p)
}

// SetPolicy changes a policy.
func (c *Client) SetPolicy(ctx context.Context, q PolicyChange) (p Policy, err error) {
	return p, c.call(ctx, http.MethodPatch, "/v1/policies", q, &p)
}

// RemovePolicy removes a policy that is granted to nobody.
func (c *Client) RemovePolicy(ctx context.Context, tenant, identity string) error {
	return c.call(ctx, http.MethodDelete, "/v1/policies?"+url.Values{"tenant": {tenant}, "identity": {identity}}.Encode(), nil, nil)
}

// Grant grants a policy, or takes a grant away.
func (c *Client) Grant(ctx context.Context, q GrantChange) (g Grant, err error) {
	return g, c.call(ctx, http.MethodPost, "/v1/grants", q, &g)
}

// Audit lists the changes after one, oldest first.
func (c *Client) Audit(ctx context.Context, tenant string, after int64) ([]AuditEntry, error) {
	var answer struct{ Value []AuditEntry }
	err := c.call(ctx, http.MethodGet, "/v1/audit?"+url.Values{"tenant": {tenant}, "after": {fmt.Sprint(after)}}.Encode(), nil, &answer)
	return answer.Value, err
}

// ApplyWorld brings the directory to a world file. name is what errors call the
// file.
func (c *Client) ApplyWorld(ctx context.Context, name string, file []byte) error {
	return c.call(ctx, http.MethodPut, "/v1/world?"+url.Values{"name": {name}}.Encode(), file, nil)
}

// Tenants lists every tenant.
func (c *Client) Tenants(ctx context.Context) ([]lab.TenantInfo, error) {
	var answer list[lab.TenantInfo]
	err := c.call(ctx, http.MethodGet, "/v1/tenants", nil, &answer)
	return answer.Value, err
}

// CreateTenant makes a fresh tenant.
func (c *Client) CreateTenant(ctx context.Context, q lab.TenantRequest) (t lab.Tenant, err error) {
	return t, c.call(ctx, http.MethodPost, "/v1/tenants", q, &t)
}

// DeleteTenant deletes a fresh tenant with everything in it.
func (c *Client) DeleteTenant(ctx context.Context, tenant string) error {
	return c.call(ctx, http.MethodDelete, "/v1/tenants?"+url.Values{"tenant": {tenant}}.Encode(), nil, nil)
}

// Reset brings one tenant, or all, back to what they were.
func (c *Client) Reset(ctx context.Context, q lab.ResetRequest) (a lab.ResetAnswer, err error) {
	return a, c.call(ctx, http.MethodPost, "/v1/reset", q, &a)
}

// Seed makes the meetings of a file that are not there yet. name is what errors
// call the file.
func (c *Client) Seed(ctx context.Context, tenant, name string, file []byte) (a lab.SeedAnswer, err error) {
	return a, c.call(ctx, http.MethodPost, "/v1/seed?"+url.Values{"tenant": {tenant}, "name": {name}}.Encode(), file, &a)
}

// Snapshot takes a snapshot of a tenant.
func (c *Client) Snapshot(ctx context.Context, tenant string) (s json.RawMessage, err error) {
	return s, c.call(ctx, http.MethodGet, "/v1/snapshot?"+url.Values{"tenant": {tenant}}.Encode(), nil, &s)
}

// Restore brings a tenant back to a snapshot of it.
func (c *Client) Restore(ctx context.Context, s json.RawMessage) (a lab.RestoreAnswer, err error) {
	return a, c.call(ctx, http.MethodPut, "/v1/snapshot", s, &a)
}

// Clock asks what time it is for a tenant.
func (c *Client) Clock(ctx context.Context, tenant string) (s lab.ClockState, err error) {
	return s, c.call(ctx, http.MethodGet, "/v1/clock?"+url.Values{"tenant": {tenant}}.Encode(), nil, &s)
}

// SetClock changes the clock of a tenant.
func (c *Client) SetClock(ctx context.Context, q lab.ClockRequest) (s lab.ClockState, err error) {
	return s, c.call(ctx, http.MethodPatch, "/v1/clock", q, &s)
}

// ResetClock gives a tenant the server's own time again.
func (c *Client) ResetClock(ctx context.Context, tenant string) (s lab.ClockState, err error) {
	return s, c.call(ctx, http.MethodDelete, "/v1/clock?"+url.Values{"tenant": {tenant}}.Encode(), nil, &s)
}

// Faults lists the faults of a tenant.
func (c *Client) Faults(ctx context.Context, tenant string) ([]lab.FaultState, error) {
	var answer list[lab.FaultState]
	err := c.call(ctx, http.MethodGet, "/v1/faults?"+url.Values{"tenant": {tenant}}.Encode(), nil, &answer)
	return answer.Value, err
}

// AddFault has requests of a tenant fail, or take long.
func (c *Client) AddFault(ctx context.Context, q lab.Fault) (f lab.FaultState, err error) {
	return f, c.call(ctx, http.MethodPost, "/v1/faults", q, &f)
}

// ClearFaults clears one fault of a tenant, or all where id is 0.
func (c *Client) ClearFaults(ctx context.Context, tenant string, id int) error {
	query := url.Values{"tenant": {tenant}}
	if id != 0 {
		query.Set("id", fmt.Sprint(id))
	}
	return c.call(ctx, http.MethodDelete, "/v1/faults?"+query.Encode(), nil, nil)
}

// Throttle asks for the limit of a tenant.
func (c *Client) Throttle(ctx context.Context, tenant string) (t lab.Throttle, err error) {
	return t, c.call(ctx, http.MethodGet, "/v1/throttle?"+url.Values{"tenant": {tenant}}.Encode(), nil, &t)
}

// SetThrottle limits what each application may send in a tenant.
func (c *Client) SetThrottle(ctx context.Context, q lab.Throttle) (t lab.Throttle, err error) {
	return t, c.call(ctx, http.MethodPut, "/v1/throttle", q, &t)
}

// EndThrottle takes the limit of a tenant away.
func (c *Client) EndThrottle(ctx context.Context, tenant string) error {
	return c.call(ctx, http.MethodDelete, "/v1/throttle?"+url.Values{"tenant": {tenant}}.Encode(), nil, nil)
}

// PolicyDelay asks how long changes of a tenant's policies take.
func (c *Client) PolicyDelay(ctx context.Context, tenant string) (d lab.PolicyDelay, err error) {
	return d, c.call(ctx, http.MethodGet, "/v1/policy-delay?"+url.Values{"tenant": {tenant}}.Encode(), nil, &d)
}

// SetPolicyDelay says how long changes of a tenant's policies take.
func (c *Client) SetPolicyDelay(ctx context.Context, q lab.PolicyDelay) (d lab.PolicyDelay, err error) {
	return d, c.call(ctx, http.MethodPut, "/v1/policy-delay", q, &d)
}

// Requests reads the log of requests. Tenant is a domain, name or id.
func (c *Client) Requests(ctx context.Context, q lab.RequestQuery) (page lab.Requests, err error) {
	query := url.Values{"after": {fmt.Sprint(q.After)}, "wait": {q.Wait.String()}, "tenant": {q.Tenant}}
	if q.All {
		query.Set("all", "true")
	}
	if q.Limit > 0 {
		query.Set("limit", fmt.Sprint(q.Limit))
	}
	return page, c.call(ctx, http.MethodGet, "/v1/requests?"+query.Encode(), nil, &page)
}

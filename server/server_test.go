package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/server"
)

func TestSettingsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*server.Config)
		want   string
	}{
		{"no port", func(c *server.Config) { c.Listen = "localhost" }, "listen: "},
		{"exposed", func(c *server.Config) { c.Listen = "0.0.0.0:0" }, "--expose"},
		{"exposed by name", func(c *server.Config) { c.Listen = "example.org:0" }, "--expose"},
		{"exposed everywhere", func(c *server.Config) { c.Listen = ":0" }, "--expose"},
		{"public URL over http", func(c *server.Config) { c.PublicURL = "http://localhost" }, "public-url: "},
		{"public URL with a path", func(c *server.Config) { c.PublicURL = "https://localhost/x" }, "public-url: "},
		{"no world", func(c *server.Config) { c.World = nil }, "world: "},
		{"no cloud", func(c *server.Config) { c.Clouds = nil }, "cloud: "},
		{"negative delay", func(c *server.Config) { c.PolicyDelay = -1 }, "policy-delay: "},
		{"a frame that is no origin", func(c *server.Config) { c.Frames = []string{"https://a.example; script-src *"} }, "frame-ancestor: "},
		{"management for others", func(c *server.Config) {
			c.ManagementListen, c.ManagementToken = "0.0.0.0:0", "a token of management"
		}, "management-listen: "},
		{"management without a token", func(c *server.Config) { c.ManagementListen = "127.0.0.1:0" }, "management-token: "},
		{"management with a short token", func(c *server.Config) { c.ManagementListen, c.ManagementToken = "127.0.0.1:0", "short" }, "management-token: "},
		{"no such database", func(c *server.Config) { c.Database = "mysql://x" }, "database: "},
		{"database in no place", func(c *server.Config) { c.Database = "sqlite:" }, "database: "},
		{"address in use", func(c *server.Config) { c.Listen = "127.0.0.1:99999" }, "listen: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := server.Default()
			cfg.Listen, cfg.Data = "127.0.0.1:0", filepath.Join(t.TempDir(), "data")
			tt.change(&cfg)
			s, err := server.New(t.Context(), cfg)
			if err == nil {
				t.Fatal("accepted", s.Close())
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q; want %q in it", err, tt.want)
			}
		})
	}
}

// Every problem is reported at once.
func TestSettingsAreRefusedTogether(t *testing.T) {
	t.Parallel()
	cfg := server.Config{Listen: "x", PolicyDelay: -1}
	for _, name := range []string{"listen: ", "policy-delay: ", "world: ", "cloud: "} {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v; want %q in it", err, name)
		}
	}
}

// Several processes may start on one empty directory for the certificate
// authority: all get the same, and its names are constrained.
func TestAuthorityIsShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pems := make([]string, 4)
	var starting sync.WaitGroup
	for i := range pems {
		starting.Go(func() {
			srv := graphtest.New(t, graphtest.With(func(c *server.Config) { c.CADir = dir }))
			pem, err := os.ReadFile(srv.CAFile)
			if err != nil {
				t.Error(err)
			}
			pems[i] = string(pem)
		})
	}
	starting.Wait()
	for _, pem := range pems[1:] {
		if pem != pems[0] {
			t.Error("there are several authorities")
		}
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key has mode %v, error %v; want 0600", info.Mode(), err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(pems[0]))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if ca := pair.Leaf; !ca.PermittedDNSDomainsCritical || len(ca.PermittedDNSDomains) != 3 || len(ca.PermittedIPRanges) != 2 || !ca.MaxPathLenZero {
		t.Errorf("constraints %v, %v, critical %v", ca.PermittedDNSDomains, ca.PermittedIPRanges, ca.PermittedDNSDomainsCritical)
	}
}

func TestAuthorityIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		damage func(dir string) error
		want   string
	}{
		{"key readable by others", func(dir string) error { return os.Chmod(filepath.Join(dir, "ca-key.pem"), 0o644) }, "chmod 600"},
		{"certificate damaged", func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o644) }, "Delete it"},
		{"key missing", func(dir string) error { return os.Remove(filepath.Join(dir, "ca-key.pem")) }, "ca-key.pem is missing. Put it back, or delete "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cfg := server.Default()
			cfg.Listen, cfg.Data, cfg.CADir = "127.0.0.1:0", t.TempDir(), dir
			s, err := server.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Close(), tt.damage(dir)); err != nil {
				t.Fatal(err)
			}
			if s, err = server.New(t.Context(), cfg); err == nil {
				t.Fatal("accepted", s.Close())
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q; want %q in it", err, tt.want)
			}
		})
	}
}

// Keys, policies and codes live in the store: after a restart, tokens of before
// are good and what was changed stays changed, whatever the world says.
func TestRestart(t *testing.T) {
	t.Parallel()
	cfg := server.Default()
	cfg.Listen, cfg.Data = "127.0.0.1:0", t.TempDir()
	run := func(use func(*server.Server)) {
		s, err := server.New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Listen = s.Addr().String() // tokens name their issuer
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx, nil) }()
		use(s)
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	var token manage.Token
	run(func(s *server.Server) {
		var err error
		client := manage.Local(cfg.Data, server.SocketName)
		if token, err = client.Token(t.Context(), manage.TokenRequest{App: "crm"}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Grant(t.Context(), manage.GrantChange{Policy: "Crm-policy", User: "ann@contoso.example"}); err != nil {
			t.Fatal(err)
		}
	})
	world := *cfg.World
	world.Tenants = append(world.Tenants[:0:0], world.Tenants...)
	world.Tenants[0].Name = "Contoso, renamed" // another world, so that it is applied again
	cfg.World = &world
	run(func(s *server.Server) {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(s.CA())
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
		defer client.CloseIdleConnections()
		if status, body, _ := do(t, client, http.MethodPost, s.URL()+"/v1.0/users/"+annID+"/onlineMeetings/createOrGet", "", token.AccessToken, `{"externalId":"a"}`); status != http.StatusCreated {
			t.Errorf("status %d: %s; want 201", status, body)
		}
		tenant, err := (&identity.Directory{Store: s.Store(), Now: time.Now}).Tenant(t.Context(), "contoso.example")
		if err != nil || tenant.Name != "Contoso, renamed" {
			t.Errorf("tenant %+v, error %v; want the world's new name", tenant, err)
		}
	})
	if _, err := os.Stat(filepath.Join(cfg.Data, server.SocketName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("management socket after the end: %v; want none", err)
	}
}

// Requests that run when the server is told to end are finished.
func TestEndLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	cfg := server.Default()
	cfg.Listen, cfg.Data = "127.0.0.1:0", t.TempDir()
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, nil) }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CA())
	c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	token, err := manage.Local(cfg.Data, server.SocketName).Token(t.Context(), manage.TokenRequest{App: "booking"})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"externalId":"half"}`
	// The head says that a body follows, and asks to be told to go on: the answer shows that the request is being served.
	head := "POST /v1.0/users/" + annID + "/onlineMeetings/createOrGet HTTP/1.1\r\nHost: " + s.Addr().String() + "\r\nAuthorization: Bearer " + token.AccessToken +
		"\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 21\r\nConnection: close\r\n\r\n"
	if _, err := c.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	if n, err := c.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 100 ") {
		t.Fatalf("%q, %v; want 100 Continue", buf[:n], err)
	}
	cancel()
	for { // until nobody is let in any more
		probe, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			break
		}
		_ = probe.Close()
	}
	if _, err := c.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 201 ") {
		t.Errorf("%q, %v; want 201", buf[:n], err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// A client that never sends the rest of its request does not keep the server
// from ending well.
func TestStuckClientIsCutOff(t *testing.T) {
	t.Parallel()
	cfg := server.Default()
	cfg.Listen, cfg.Data, cfg.Grace = "127.0.0.1:0", t.TempDir(), 50*time.Millisecond
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, nil) }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CA())
	c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	head := "POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: " + s.Addr().String() +
		"\r\nContent-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
	if _, err := c.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 4096)); err != nil || n == 0 { // it is being served
		t.Fatal(n, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v; want a clean end", err)
	}
}

// Management over TCP asks for the token and for its own Host, and the public
// origin has no management at all.
func TestManagementOverTCP(t *testing.T) {
	t.Parallel()
	const secret = "a token of management"
	dir := t.TempDir()
	srv := graphtest.New(t, graphtest.With(func(c *server.Config) {
		c.Data, c.ManagementListen, c.ManagementToken = dir, "127.0.0.1:0", secret
	}))
	address := "http://" + srv.Inside().ManagementAddr().String()
	for _, tt := range []struct {
		name, address, host, token string
		want                       int
	}{
		{"good", address, "", secret, 200},
		{"no token", address, "", "", 401},
		{"another token", address, "", secret + "x", 401},
		{"a name that was rebound", address, "attacker.example", secret, 421},
		{"the public origin", srv.URL, "", secret, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body, _ := do(t, srv.Client(), http.MethodGet, tt.address+"/v1/server", tt.host, tt.token, "")
			var e struct{ Error struct{ Message string } }
			if status != tt.want || status != 200 && (json.Unmarshal([]byte(body), &e) != nil || e.Error.Message == "") {
				t.Errorf("status %d: %s; want %d", status, body, tt.want)
			}
		})
	}
	remote, err := manage.Remote(address, secret)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := remote.Server(t.Context()); err != nil || info.URL != srv.URL {
		t.Errorf("%+v, %v; want %s", info, err, srv.URL)
	}
	socket, err := os.Stat(filepath.Join(dir, server.SocketName))
	if err != nil || socket.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v; want mode 0600", socket, err)
	}
}

// A path that is nobody's, and a method that is nobody's, get an envelope too.
func TestEveryFailureIsEnveloped(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	for _, tt := range []struct {
		method, path string
		want         int
		kind         string
	}{
		{"GET", "/nothing", 404, "application/json"}, {"POST", "/v1.0x/me", 404, "application/json"}, {"PROPFIND", "/v1.0/me", 401, "application/json"},
		{"GET", "/v1.0/%2e%2e/me", 401, "application/json"}, {"GET", "//v1.0/me", 404, "application/json"}, {"POST", "/", 405, "text/html"},
		{"GET", "/meet/1", 404, "text/html"}, {"GET", "/assets/nothing.css", 404, "text/html"}, {"GET", "/" + contoso + "/oauth2/v2.0/token", 405, "application/json"},
	} {
		status, body, header := do(t, srv.Client(), tt.method, srv.URL+tt.path, "", "", "")
		if status != tt.want || !strings.HasPrefix(header.Get("Content-Type"), tt.kind) {
			t.Errorf("%s %s: status %d, %s: %s; want %d, %s", tt.method, tt.path, status, header.Get("Content-Type"), body, tt.want, tt.kind)
		}
		if tt.kind == "application/json" && !strings.Contains(body, `"error"`) {
			t.Errorf("%s %s: %s; want an error in JSON", tt.method, tt.path, body)
		}
	}
}

func TestPolicyDelay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	srv := graphtest.New(t, graphtest.WithClock(clock), graphtest.WithPolicyDelay(30*time.Minute))
	token := srv.AppToken("crm")
	ask := func() int {
		status, _, _ := do(t, srv.Client(), http.MethodPost, srv.URL+"/v1.0/users/"+annID+"/onlineMeetings/createOrGet", "", token, `{"externalId":"a"}`)
		return status
	}
	if got := ask(); got != http.StatusForbidden {
		t.Errorf("before: status %d, want 403", got)
	}
	if _, err := srv.Policies().Grant(t.Context(), "test", contoso, identity.ToUser, annID, "Crm-policy", 0); err != nil {
		t.Fatal(err)
	}
	status, answer, _ := do(t, srv.Client(), http.MethodPost, srv.URL+"/v1.0/users/"+annID+"/onlineMeetings/createOrGet", "", token, `{"externalId":"a"}`)
	if status != http.StatusForbidden || !strings.Contains(answer, "is in effect from 2031-01-01T12:30:00Z") {
		t.Errorf("granted just now: status %d, %s; want 403 and the time", status, answer)
	}
	mu.Lock()
	now = now.Add(30*time.Minute - time.Nanosecond)
	mu.Unlock()
	if got := ask(); got != http.StatusForbidden {
		t.Errorf("an instant before: status %d, want 403", got)
	}
	mu.Lock()
	now = now.Add(time.Nanosecond)
	mu.Unlock()
	if got := ask(); got != http.StatusCreated {
		t.Errorf("30 minutes later: status %d, want 201", got)
	}
}

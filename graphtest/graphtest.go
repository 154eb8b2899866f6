// Package graphtest gives tests of other projects a whole Convene in their own
// process: real HTTPS, real sign-in, a real database in a temporary directory.
// Many servers may run at once, and none knows of another. It does not start
// the media engine.
//
// Start at [New]. The world of the server is that of "convene dev", or one made
// with [NewWorld].
package graphtest

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/server"
)

// A Server is a running Convene. It ends with the test that started it.
type Server struct {
	// URL is the origin of everything: Graph root, sign-in authority, pages.
	URL string
	// CA has the certificate authority that signed the server's certificate.
	CA *x509.CertPool
	// CAFile is that authority's certificate in PEM, for clients that read
	// SSL_CERT_FILE or NODE_EXTRA_CA_CERTS.
	CAFile string

	t      testing.TB
	server *server.Server
	client *http.Client
}

// An Option changes the server that New starts.
type Option func(*server.Config)

// WithWorld replaces the built-in world.
func WithWorld(w *World) Option {
	return func(c *server.Config) { c.World = &w.file }
}

// WithClock replaces the clock: meetings, tokens and policies follow it.
func WithClock(now func() time.Time) Option {
	return func(c *server.Config) { c.Now = now }
}

// WithPolicyDelay lets changes of application access policies take so long to
// be in effect.
func WithPolicyDelay(d time.Duration) Option {
	return func(c *server.Config) { c.PolicyDelay = d }
}

// WithoutNamesInPaths refuses applications that name users by UPN, as Graph
// does.
func WithoutNamesInPaths() Option {
	return func(c *server.Config) { c.NamesInPaths = false }
}

// With changes the configuration in any way. server.Config is not promised to
// stay as it is.
func With(change func(*server.Config)) Option { return change }

// signingKey is one for the whole process: making it takes most of a start.
var signingKey = sync.OnceValues(identity.NewKey)

// New starts a server, which ends with the test.
func New(t testing.TB, options ...Option) *Server {
	t.Helper()
	cfg := server.Default()
	cfg.Listen, cfg.Data = "127.0.0.1:0", t.TempDir()
	cfg.MakeKey = signingKey
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	for _, o := range options {
		o(&cfg)
	}
	if err := cfg.World.Complete(); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, nil) }() // its listener is open: requests wait until it serves
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("graphtest: the server ended with %v", err)
		}
	})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CA())
	srv := &Server{URL: s.URL(), CA: pool, CAFile: s.CAFile(), t: t, server: s}
	srv.client = newClient(pool)
	t.Cleanup(srv.client.CloseIdleConnections)
	return srv
}

// Client returns an HTTP client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.client }

// AppToken returns an access token of an application, named by name or id, with
// the given application permissions: all that it has when none is given.
func (s *Server) AppToken(app string, permissions ...string) string {
	s.t.Helper()
	return s.token(app, "", permissions)
}

// UserToken returns an access token of a user, named by UPN or id, who signed
// in to an application, with the given delegated permissions: all that the
// application has when none is given.
func (s *Server) UserToken(user, app string, permissions ...string) string {
	s.t.Helper()
	return s.token(app, user, permissions)
}

func (s *Server) token(app, user string, permissions []string) string {
	s.t.Helper()
	ctx := s.t.Context()
	found, err := s.app(app)
	if err != nil {
		s.t.Fatal(err)
	} else if found == nil {
		s.t.Fatalf("graphtest: the world has no application %q", app)
	}
	token, _, err := s.server.Provider().Issue(ctx, devlogin.IssueRequest{Origin: s.URL, App: found.ID, User: user, Scopes: permissions})
	if err != nil {
		s.t.Fatalf("graphtest: %v", err)
	}
	return token
}

// app finds an application by id, or by name in the first tenant that has it;
// nil: there is none.
func (s *Server) app(name string) (*identity.App, error) {
	ctx, directory := s.t.Context(), s.directory()
	if a, err := directory.App(ctx, name); !errors.Is(err, identity.ErrUnknown) {
		return a, err
	}
	apps, err := directory.Apps(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(apps, func(a *identity.App) bool { return a.Name == name && !s.fresh(a.Tenant) })
	if i < 0 {
		return nil, nil
	}
	return apps[i], nil
}

func (s *Server) fresh(tenant string) bool {
	kit := s.server.Lab()
	if kit == nil {
		return false
	}
	fresh, err := kit.Fresh(s.t.Context(), tenant)
	return err == nil && fresh
}

// Policies administers the server's application access policies.
func (s *Server) Policies() *identity.Policies { return s.server.Policies() }

// Inside is the server itself, for Convene's own tests; it is not promised to
// stay as it is.
func (s *Server) Inside() *server.Server { return s.server }

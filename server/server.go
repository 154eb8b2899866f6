// Package server puts the rooms together: it opens the store, makes the
// certificate, and serves the API, sign-in, pages and management until it is
// told to stop. It knows neither flags nor the terminal, and not the media
// engine.
//
// Start at [New] and [Server.Run]; tests and the program start the same thing.
// Which host is answered how is in sites.go.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/web"
	"github.com/convene-meet/convene/world"
)

// Config is everything that can be chosen. Start from [Default], not from zero.
type Config struct {
	Listen    string // "host:port"; port 0 picks a free one
	Expose    bool   // allows Listen to be an address that others reach
	PublicURL string // "https://host:port" of issuer and links; empty: the address asked for
	Data      string // directory of state; made when missing
	Database  string // "sqlite:DIRECTORY" or "postgres://…"; empty: SQLite in Data
	CADir     string // directory of the certificate authority; empty: Data
	World     *world.World
	Clouds    []Cloud // the first one is that of the server's own addresses

	NamesInPaths bool          // applications may name users by UPN
	PolicyDelay  time.Duration // until a changed application access policy is in effect

	// Media makes the engine of the rooms in which people meet, which asks gate at
	// every handshake; nil: meetings have pages and no rooms. It is closed with the
	// server.
	Media func(gate media.Gate) (media.Engine, error)
	// Frames are origins whose pages may show those of meetings in a frame.
	Frames []string

	// Lab gives management the tester's kit, with which whoever administers the
	// server can reset, seed and break it.
	Lab bool

	ManagementListen string // "host:port" of management over TCP; empty: the Unix socket alone
	ManagementToken  string // bearer token of management over TCP

	Grace     time.Duration // how long running requests may take to finish at the end
	Log       *slog.Logger
	AccessLog io.Writer // a line for each request; nil: none
	Now       func() time.Time
	MakeKey   func() (*identity.Key, error) // the first signing key; nil: a new one
	Version   string
}

// Default is the configuration of "convene dev".
func Default() Config {
	return Config{
		Listen: "localhost:8443", Data: "convene-data", World: world.BuiltIn(), Clouds: []Cloud{Global}, NamesInPaths: true, Lab: true,
		Grace: 10 * time.Second, Log: slog.New(slog.DiscardHandler), Now: time.Now, Version: "unknown",
	}
}

// A Server is a whole Convene, ready to run.
type Server struct {
	cfg      Config
	url      string
	ca       *authority
	store    Store
	lock     io.Closer
	listener net.Listener
	http     *http.Server
	manage   *managed
	access   *accessLog
	provider *devlogin.Provider
	policies *identity.Policies
	api      *graph.Handler
	site     *graph.Site // of url
	lab      *lab.Kit    // nil where there is none
	rooms    *join.Rooms
	fatal    chan error
	stopping chan struct{} // closed when Run begins to end
	close    func() error
}

// New opens everything that a server needs, listens, and answers nothing yet:
// the caller has to call Run, or Close. Every problem that stands in the way is
// an error that says what to change.
func New(ctx context.Context, cfg Config) (_ *Server, err error) {
	s := &Server{cfg: cfg, fatal: make(chan error, 1), stopping: make(chan struct{})}
	s.close = sync.OnceValue(s.closeAll)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if s.store, s.lock, err = openStore(ctx, cfg, s.stop); err != nil {
		return nil, err
	}
	// Certificates are for TLS stacks, which know no other clock than the real one.
	caDir := cfg.CADir
	if caDir == "" {
		caDir = cfg.Data
	}
	if s.ca, err = openAuthority(caDir, time.Now()); err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	if err := cfg.World.Apply(ctx, s.store, cfg.Now()); err != nil {
		if _, ok := errors.AsType[*world.CollisionError](err); ok {
			return nil, err // names file, line and key
		}
		return nil, fmt.Errorf("world: %w", err)
	}
	if s.listener, err = listen(ctx, cfg.Listen); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("listen: another program uses %s. Choose another port with --listen HOST:PORT, or port 0 for a free one", cfg.Listen)
		}
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := s.assemble(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// listen binds an address. Where a name stands for several addresses, as
// localhost does for ::1 and 127.0.0.1, it binds the first one that works.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

// assemble builds the handlers on the open store and listener.
func (s *Server) assemble(ctx context.Context) error {
	cfg := s.cfg
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return err
	}
	sites, own := newSites(cfg, host, port)
	s.url, s.site = own, sites.of(own)
	if cfg.Lab {
		s.lab = lab.New(s.store, s.store, s.store, cfg.World, cfg.Now)
	}
	timeOf := func(string) time.Time { return cfg.Now() }
	tokenTimeOf, delayOf := timeOf, func(string) time.Duration { return cfg.PolicyDelay }
	if s.lab != nil {
		timeOf, tokenTimeOf = s.lab.Clocks.Now, s.lab.Clocks.TokenTime
		delayOf = func(tenant string) time.Duration { return s.lab.Delays.Of(tenant, cfg.PolicyDelay) }
	}
	keys := &identity.Keys{Store: s.store, Now: cfg.Now, Make: cfg.MakeKey}
	if _, err := keys.Signing(ctx); err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	directory := &identity.Directory{Store: s.store, Now: cfg.Now}
	meetings := &meeting.Service{Store: s.store, Now: timeOf, Reports: s.store}
	s.policies = &identity.Policies{Store: s.store, Now: cfg.Now, TimeOf: timeOf, DelayOf: delayOf}
	s.provider = &devlogin.Provider{
		Directory: directory, Keys: keys, Store: s.store, Now: cfg.Now, TokenTimeOf: tokenTimeOf, Log: cfg.Log, Asset: web.Path,
		Origin:    func(r *http.Request) string { return siteOf(r).Origin },
		OriginOf:  sites.originOf,
		Resources: sites.resources,
	}
	s.api = &graph.Handler{
		Meetings: meetings, Log: cfg.Log,
		Origins:  func(host string) bool { return sites.find(host) != nil },
		Identity: &identity.Service{Store: s.store, Keys: keys, Now: cfg.Now, TimeOf: timeOf, TokenTimeOf: tokenTimeOf, NamesInPaths: cfg.NamesInPaths},
	}
	if s.lab != nil {
		s.api.Watch, s.api.Stopping = s.lab, s.stopping
	}
	s.rooms = join.NewRooms(s.store, meetings, cfg.Now, cfg.Log)
	if cfg.Media != nil {
		if s.rooms.Engine, err = cfg.Media(s.rooms.Admits); err != nil {
			return fmt.Errorf("media: %w", err)
		}
	}
	pages := join.NewHandler()
	pages.Rooms, pages.Meetings, pages.Directory, pages.Accounts, pages.SignIn = s.rooms, meetings, directory, s.store, s.provider
	pages.Log, pages.Now, pages.Frames = cfg.Log, cfg.Now, cfg.Frames
	pages.Origin = func(r *http.Request) string {
		if site := siteOf(r); site != nil {
			return site.Origin
		}
		return ""
	}
	public := &publicHandler{sites: sites, api: s.api, provider: s.provider, pages: pages, media: s.rooms.Engine, assets: web.Handler(), log: cfg.Log}
	s.access = newAccessLog(cfg.AccessLog, cfg.Now)
	certificate, err := s.ca.leaf(time.Now())
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	s.http = newHTTPServer(s.access.wrap(public), certificate, cfg.Log)
	s.manage, err = newManaged(ctx, cfg, &manage.Handler{
		Policies: s.policies, Directory: directory, Store: s.store, Log: cfg.Log, Now: cfg.Now, Lab: s.lab,
		URL: s.url, CAFile: s.ca.file, Version: cfg.Version, Issue: s.issue, Approve: s.approve,
	})
	return err
}

// URL is the origin under which the server is reached: "https://host:port".
func (s *Server) URL() string { return s.url }

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// ManagementAddr is where management over TCP listens, or nil.
func (s *Server) ManagementAddr() net.Addr {
	if len(s.manage.listeners) < 2 {
		return nil
	}
	return s.manage.listeners[1].Addr()
}

// CA is the certificate of the authority that signed the server's, in PEM.
func (s *Server) CA() []byte { return s.ca.pem }

// CAFile is where that certificate lies.
func (s *Server) CAFile() string { return s.ca.file }

// Policies administers application access policies, as management does.
func (s *Server) Policies() *identity.Policies { return s.policies }

// Lab is the tester's kit, or nil.
func (s *Server) Lab() *lab.Kit { return s.lab }

// Store is the open store. It is closed with the server.
func (s *Server) Store() Store { return s.store }

// Provider is the embedded identity provider, which issues tokens to whoever
// has it in hand.
func (s *Server) Provider() *devlogin.Provider { return s.provider }

// API is the handler of the API, and Site the site of [Server.URL], for tests
// that call it without a network.
func (s *Server) API() *graph.Handler { return s.api }

// Site is the site of [Server.URL].
func (s *Server) Site() *graph.Site { return s.site }

// stop ends Run with an error that leaves no other way.
func (s *Server) stop(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}

// Run serves until ctx is done, and then lets running requests finish and
// closes everything. It calls ready once requests are answered.
func (s *Server) Run(ctx context.Context, ready func()) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	failed := make(chan error, 2)
	var serving sync.WaitGroup
	serving.Go(func() { failed <- notClosed(s.http.ServeTLS(s.listener, "", "")) })
	serving.Go(func() { failed <- notClosed(s.manage.serve()) })
	inRooms, leaveRooms := context.WithCancel(context.WithoutCancel(ctx))
	defer leaveRooms()
	serving.Go(func() { s.rooms.Run(inRooms) })
	if ready != nil {
		ready()
	}
	select {
	case err = <-failed:
	case err = <-s.fatal:
	case <-ctx.Done():
	}
	close(s.stopping)
	leaveRooms() // whose streams would not end by themselves
	if s.lab != nil {
		s.lab.Stop()
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Grace)
	defer cancel()
	err = errors.Join(err, s.finish(s.http, grace), s.finish(s.manage.http, grace))
	serving.Wait()
	return err
}

// finish stops accepting and lets requests end. Whoever takes longer than the
// grace is cut off: a client that never sends the rest must not keep a server
// from ending well.
func (s *Server) finish(h *http.Server, grace context.Context) error {
	err := h.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		s.cfg.Log.Warn("requests did not end in time and were cut off", "grace", s.cfg.Grace)
		return h.Close()
	}
	return err
}

func notClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// Close frees what New opened. After Run it does nothing.
func (s *Server) Close() error { return s.close() }

func (s *Server) closeAll() error {
	var errs []error
	if s.http != nil {
		errs = append(errs, s.http.Close())
	}
	if s.listener != nil {
		if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.manage != nil {
		errs = append(errs, s.manage.close())
	}
	if s.access != nil {
		s.access.close()
	}
	if s.rooms != nil && s.rooms.Engine != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Grace)
		errs = append(errs, s.rooms.Engine.Close(ctx))
		cancel()
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Validate reports every wrong setting at once, each opening with its name.
func (c Config) Validate() error {
	var errs []error
	host, port, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("listen: %q is not HOST:PORT, such as localhost:8443", c.Listen))
	case !c.Expose && !isLoopback(host):
		errs = append(errs, fmt.Errorf("listen: %s is reached from other machines, and everybody knows the passwords of the built-in world. Listen on localhost, or give --expose to allow it", c.Listen))
	case port == "":
		errs = append(errs, fmt.Errorf("listen: %q has no port", c.Listen))
	}
	if c.PublicURL != "" {
		if _, _, err := splitOrigin(c.PublicURL); err != nil {
			errs = append(errs, fmt.Errorf("public-url: %w", err))
		}
	}
	for _, origin := range c.Frames {
		if _, _, err := splitOrigin(origin); err != nil || strings.ContainsAny(origin, "; ,") {
			errs = append(errs, fmt.Errorf("frame-ancestor: %q is not https://HOST or https://HOST:PORT", origin))
		}
	}
	if c.World == nil {
		errs = append(errs, errors.New("world: none is given"))
	}
	if _, _, err := database(c); err != nil {
		errs = append(errs, err)
	}
	if len(c.Clouds) == 0 {
		errs = append(errs, errors.New("cloud: none is given"))
	}
	if c.PolicyDelay < 0 {
		errs = append(errs, fmt.Errorf("policy-delay: %v is negative", c.PolicyDelay))
	}
	if host, _, err := net.SplitHostPort(c.ManagementListen); c.ManagementListen != "" && (err != nil || !isLoopback(host)) {
		errs = append(errs, fmt.Errorf("management-listen: %q is no loopback address such as localhost:9443; its token would cross the network in clear text. Use an SSH tunnel or a proxy with TLS", c.ManagementListen))
	}
	if c.ManagementListen != "" && len(c.ManagementToken) < 16 {
		errs = append(errs, errors.New("management-token: management over TCP needs a token of at least 16 characters"))
	}
	return errors.Join(errs...)
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// dataFile is a file of the data directory.
func dataFile(cfg Config, name string) string { return filepath.Join(cfg.Data, name) }

// Now is the server's clock.
func (s *Server) Now() func() time.Time { return s.cfg.Now }

// TLS is the configuration that the public listener serves with.
func (s *Server) TLS() *tls.Config { return s.http.TLSConfig }

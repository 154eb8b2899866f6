package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/manage"
)

// SocketName is the management socket in the data directory.
const SocketName = "convene.sock"

// managed serves management, on the Unix socket and where asked for over TCP.
type managed struct {
	http      *http.Server
	listeners []net.Listener
}

func newManaged(ctx context.Context, cfg Config, h *manage.Handler) (*managed, error) {
	m := &managed{http: &http.Server{
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}}
	socket, err := listenSocket(ctx, dataFile(cfg, SocketName))
	if err != nil {
		return nil, fmt.Errorf("management socket: %w", err)
	}
	m.listeners = append(m.listeners, socket)
	h.TCPToken = cfg.ManagementToken
	if cfg.ManagementListen != "" {
		tcp, err := listen(ctx, cfg.ManagementListen)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("management-listen: %w", err), m.close())
		}
		h.TCPHosts = []string{cfg.ManagementListen, tcp.Addr().String()}
		if _, port, err := net.SplitHostPort(tcp.Addr().String()); err == nil {
			h.TCPHosts = append(h.TCPHosts, "localhost:"+port, "127.0.0.1:"+port, "[::1]:"+port)
		}
		cfg.Log.Info("management over TCP", "address", "http://"+tcp.Addr().String())
		m.listeners = append(m.listeners, tcp)
	}
	m.http.Handler = h
	m.http.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_, local := c.(*net.UnixConn)
		return manage.WithLocal(ctx, local)
	}
	return m, nil
}

// listenSocket listens on a Unix socket that is its owner's alone. The caller
// holds the directory's lock, so an old socket is nobody's.
func listenSocket(ctx context.Context, name string) (net.Listener, error) {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	address, done, err := manage.SocketAddress(name)
	if err != nil {
		return nil, err
	}
	defer done()
	// Between listening and the change of mode, the directory's own mode guards it.
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Clean(name), err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // its address may be a short form of the name
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &socketListener{l, name}, nil
}

// A socketListener removes its socket when it is closed.
type socketListener struct {
	net.Listener
	name string
}

func (l *socketListener) Close() error {
	err := l.Listener.Close()
	if removed := os.Remove(l.name); removed != nil && !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

func (m *managed) serve() error {
	var serving sync.WaitGroup
	errs := make(chan error, len(m.listeners))
	for _, l := range m.listeners {
		serving.Go(func() { errs <- m.http.Serve(l) })
	}
	err := <-errs
	if !errors.Is(err, http.ErrServerClosed) {
		_ = m.http.Close() // one listener failed: the others go with it
	}
	serving.Wait()
	return err
}

func (m *managed) close() error {
	errs := []error{m.http.Close()}
	for _, l := range m.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// issue makes an access token for management, whose caller vouches for whom it
// is.
func (s *Server) issue(ctx context.Context, q manage.TokenRequest) (manage.Token, error) {
	token, expires, err := s.provider.Issue(ctx, devlogin.IssueRequest{
		Origin: s.url, App: q.App, User: q.User, Scopes: q.Scopes, Resource: q.Resource, Lifetime: time.Duration(q.Lifetime) * time.Second,
	})
	return manage.Token{AccessToken: token, Expires: expires}, refused(err)
}

func (s *Server) approve(ctx context.Context, userCode, user string) error {
	return refused(s.provider.Approve(ctx, userCode, user))
}

// refused says what the provider refused as management says it.
func refused(err error) error {
	if e, ok := errors.AsType[*devlogin.Error](err); ok {
		return &manage.Error{Status: http.StatusBadRequest, Code: "BadRequest", Message: e.Message}
	}
	return err
}

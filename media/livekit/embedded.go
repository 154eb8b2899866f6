package livekit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/livekit/livekit-server/pkg/config"
	"github.com/livekit/livekit-server/pkg/routing"
	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/livekit-server/pkg/telemetry/prometheus"
	"gopkg.in/yaml.v3"

	"github.com/convene-meet/convene/media"
)

// Options are how the embedded server is reached by browsers.
type Options struct {
	// NodeIP is the address that browsers send media to.
	NodeIP string
	// UDPPort is the one port of all media; 0 takes a free one.
	UDPPort int
	// TCPPort takes media where UDP is blocked, on every interface; 0: none.
	TCPPort int
	// Redis ("redis://host:port") makes the servers of several processes one
	// system, in which a room is on one of them and signalling on any; empty: this
	// process is alone. The nodes then need the same Key and Secret.
	Redis       string
	Key, Secret string // empty: new ones
}

// Embedded returns the engine that is a LiveKit server in this process. It is
// started by the first admission: until then it costs nothing. There can be one
// in a process, since LiveKit's metrics and logs are the process's own. Without a
// key and secret they are new with each start, so that no token outlives it.
func Embedded(o Options, gate media.Gate) *Engine {
	s := &embedded{options: o}
	return &Engine{gate: gate, server: s.start, close: s.stop}
}

type embedded struct {
	options Options

	mu       sync.Mutex
	begun    bool
	endpoint *endpoint
	err      error
	server   *service.LivekitServer
	ended    chan error
}

// startTimeout is how long the server may take to answer.
const startTimeout = 20 * time.Second

func (s *embedded) start(ctx context.Context) (*endpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		s.begun = true
		if s.endpoint, s.err = s.run(context.WithoutCancel(ctx)); s.err != nil {
			s.err = fmt.Errorf("%w: LiveKit does not start: %w", media.ErrUnavailable, s.err)
		}
	}
	return s.endpoint, s.err
}

func (s *embedded) run(ctx context.Context) (*endpoint, error) {
	port, err := freePort("tcp")
	if err != nil {
		return nil, err
	}
	key, secret := s.options.Key, s.options.Secret
	if key == "" {
		key, secret = rand.Text(), rand.Text()+rand.Text()
	}
	text, err := s.options.config(port, key, secret)
	if err != nil {
		return nil, err
	}
	conf, err := config.NewConfig(text, true, nil, nil)
	if err != nil {
		return nil, err
	}
	config.InitLoggerFromConfig(&conf.Logging)
	node, err := routing.NewLocalNode(conf)
	if err != nil {
		return nil, err
	}
	if err := prometheus.Init(string(node.NodeID()), node.NodeType()); err != nil {
		return nil, err
	}
	if s.server, err = service.InitializeServer(conf, node); err != nil {
		return nil, err
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.server.Start() }()
	e, err := newEndpoint(fmt.Sprintf("http://127.0.0.1:%d", port), key, secret)
	if err != nil {
		return nil, err
	}
	return e, s.answers(ctx, e)
}

// answers waits until the server does.
func (s *embedded) answers(ctx context.Context, e *endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url.String(), http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := e.client.Do(r); err == nil {
			_ = resp.Body.Close()
			if s.server.IsRunning() {
				return nil
			}
		}
		select {
		case err := <-s.ended:
			return errors.Join(errors.New("it ended at once"), err)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// config is the server's configuration file.
func (o Options) config(port int, key, secret string) (string, error) {
	udp := o.UDPPort
	if udp == 0 {
		var err error
		if udp, err = freePort("udp"); err != nil {
			return "", err
		}
	}
	ip := net.ParseIP(o.NodeIP)
	if ip == nil {
		return "", fmt.Errorf("%q is not an IP address", o.NodeIP)
	}
	rtc := map[string]any{
		"udp_port": udp, "tcp_port": o.TCPPort, "node_ip": o.NodeIP, "use_external_ip": false, "use_ice_lite": true,
		// Without an entry browsers are handed servers of others; here nobody listens.
		"stun_servers": []string{"127.0.0.1:9"},
	}
	if ip.IsLoopback() {
		rtc["enable_loopback_candidate"] = true
		rtc["interfaces"] = map[string]any{"includes": []string{loopback()}}
	}
	all := map[string]any{
		"port": port, "bind_addresses": []string{"127.0.0.1"}, "rtc": rtc,
		"keys":    map[string]string{key: secret},
		"room":    map[string]any{"auto_create": false, "empty_timeout": 300, "departure_timeout": 20, "enable_remote_unmute": false},
		"logging": map[string]any{"level": "error", "pion_level": "error"},
	}
	if o.Redis != "" {
		r, err := redisConfig(o.Redis)
		if err != nil {
			return "", err
		}
		all["redis"] = r
	}
	text, err := yaml.Marshal(all)
	return string(text), err
}

// redisConfig is LiveKit's form of a Redis URL.
func redisConfig(address string) (map[string]any, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Host == "" {
		return nil, fmt.Errorf("%q is not redis://HOST:PORT", address)
	}
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	r := map[string]any{"address": net.JoinHostPort(u.Hostname(), port), "use_tls": u.Scheme == "rediss"}
	if u.User != nil {
		r["username"] = u.User.Username()
		r["password"], _ = u.User.Password()
	}
	if db, err := strconv.Atoi(strings.TrimPrefix(u.Path, "/")); err == nil {
		r["db"] = db
	}
	return r, nil
}

// loopback is the name of the loopback interface.
func loopback() string {
	all, err := net.Interfaces()
	if err != nil {
		return "lo"
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	return "lo"
}

// freePort is a port of the loopback address that nobody uses just now.
func freePort(network string) (int, error) {
	if strings.HasPrefix(network, "udp") {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return 0, err
		}
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).Port, nil
	}
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *embedded) stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	started := s.endpoint != nil && s.err == nil
	s.begun, s.err = true, errClosed
	if !started {
		return nil
	}
	go s.server.Stop(true) // which may hang
	select {
	case err := <-s.ended:
		return err
	case <-ctx.Done():
		return fmt.Errorf("LiveKit does not end: %w", ctx.Err())
	}
}

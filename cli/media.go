package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/server"
)

// A MediaEngine makes a media engine.
type MediaEngine func(MediaOptions, media.Gate) (media.Engine, error)

// MediaOptions are which engine to make: with a URL the one that is there, and
// otherwise one within the program.
type MediaOptions struct {
	URL, Key, Secret string

	NodeIP           string // to which browsers send media
	UDPPort, TCPPort int    // 0: any, and none
	Redis            string // "redis://…", shared by the nodes of one system; empty: one node
	Data             string // where a secret that nodes share may be kept
}

type mediaFlags struct {
	URL     string `name:"url" help:"LiveKit server to use instead of the embedded one." placeholder:"wss://HOST" env:"CONVENE_MEDIA_URL"`
	Key     string `name:"key" help:"File with LiveKit's key and secret, as in its own key file: KEY: SECRET." placeholder:"FILE" type:"path" env:"CONVENE_MEDIA_KEY_FILE"`
	IP      string `name:"ip" help:"Address to which browsers send sound and video: this machine's, as they reach it (127.0.0.1, or that of --listen)." placeholder:"ADDRESS"`
	UDPPort int    `name:"udp-port" help:"The one UDP port of sound and video (any free one)." placeholder:"PORT"`
	TCPPort int    `name:"tcp-port" help:"TCP port for those whom a firewall keeps from UDP, on every interface (none)." placeholder:"PORT"`
	Redis   string `name:"redis" help:"Redis that the embedded engines of several nodes share; with --media-key the same on each." placeholder:"redis://HOST:PORT" env:"CONVENE_MEDIA_REDIS"`
}

// engine is what makes the engine that the flags ask for, or nil where the program
// has none.
func (f *mediaFlags) engine(p *Program, cfg server.Config) (func(media.Gate) (media.Engine, error), error) {
	if p.Media == nil {
		return nil, nil
	}
	o := MediaOptions{URL: f.URL, UDPPort: f.UDPPort, TCPPort: f.TCPPort, Redis: f.Redis, Data: cfg.Data, NodeIP: f.IP}
	if f.Key != "" {
		var err error
		if o.Key, o.Secret, err = readKey(f.Key); err != nil {
			return nil, &misuse{err}
		}
	}
	switch {
	case o.URL != "" && o.Key == "":
		return nil, &misuse{errors.New("--media-url needs --media-key: the file with LiveKit's key and secret")}
	case o.Redis != "" && o.Key == "":
		return nil, &misuse{errors.New("--media-redis needs --media-key: a file with KEY: SECRET that every node has")}
	case o.Redis != "" && !strings.HasPrefix(o.Redis, "redis://") && !strings.HasPrefix(o.Redis, "rediss://"):
		return nil, &misuse{fmt.Errorf("--media-redis: %q is not redis://HOST:PORT", o.Redis)}
	case !isPort(o.UDPPort) || !isPort(o.TCPPort):
		return nil, &misuse{errors.New("--media-udp-port, --media-tcp-port: a port is a number up to 65535")}
	case o.NodeIP != "" && net.ParseIP(o.NodeIP) == nil:
		return nil, &misuse{fmt.Errorf("--media-ip: %q is no IP address", o.NodeIP)}
	}
	if o.NodeIP == "" {
		o.NodeIP = "127.0.0.1"
		if host, _, err := net.SplitHostPort(cfg.Listen); err == nil {
			if ip := net.ParseIP(host); ip != nil && ip.To4() != nil && !ip.IsUnspecified() {
				o.NodeIP = ip.String()
			} else if cfg.Expose {
				o.NodeIP = outwardAddress(cfg.PublicURL)
			}
		}
	}
	return func(gate media.Gate) (media.Engine, error) { return p.Media(o, gate) }, nil
}

func isPort(n int) bool { return n >= 0 && n <= 65535 }

// outwardAddress is the address of this machine that others most likely reach: the
// one that a public URL stands for, where that is ours, or the one with which it
// would reach others. No packet is sent.
func outwardAddress(publicURL string) string {
	if u, err := url.Parse(publicURL); err == nil && net.ParseIP(u.Hostname()) != nil {
		return u.Hostname()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "udp4", "192.0.2.1:9") // a documentation address (RFC 5737)
	if err != nil {
		return "127.0.0.1"
	}
	defer c.Close()
	if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
		return a.IP.String()
	}
	return "127.0.0.1"
}

// readKey reads a key file of LiveKit's form: "KEY: SECRET".
func readKey(file string) (key, secret string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("--media-key: %w", err)
	}
	key, secret, ok := strings.Cut(strings.TrimSpace(string(text)), ":")
	key, secret = strings.TrimSpace(key), strings.TrimSpace(secret)
	if !ok || key == "" || len(secret) < 32 || strings.ContainsAny(secret, "\r\n") {
		return "", "", fmt.Errorf("--media-key: %s is not one line KEY: SECRET with a secret of at least 32 characters", file)
	}
	return key, secret, nil
}

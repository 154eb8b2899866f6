package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/identity"
)

// A Cloud is a named profile of Microsoft's national cloud deployments: where
// its clients think that Graph and sign-in are, and what it offers.
type Cloud struct {
	Name  string
	Graph string // origin of Graph, and the audience of its tokens
	Login string // origin of sign-in
	// WithoutCreateOrGet are the versions in which the page "onlineMeeting:
	// createOrGet" does not list the cloud.
	WithoutCreateOrGet []graph.Version
	// Hosts are addresses of this server ("host" or "host:port") that belong to
	// this cloud; what no cloud claims belongs to the first one.
	Hosts []string
}

// The national clouds (Graph documentation, "National cloud deployments").
var (
	Global  = Cloud{Name: "global", Graph: "https://graph.microsoft.com", Login: "https://login.microsoftonline.com"}
	USGovL4 = Cloud{Name: "usgovl4", Graph: "https://graph.microsoft.us", Login: "https://login.microsoftonline.us", WithoutCreateOrGet: []graph.Version{graph.Beta}}
	USGovL5 = Cloud{Name: "usgovl5", Graph: "https://dod-graph.microsoft.us", Login: "https://login.microsoftonline.us", WithoutCreateOrGet: []graph.Version{graph.Beta}}
	China   = Cloud{Name: "china", Graph: "https://microsoftgraph.chinacloudapi.cn", Login: "https://login.chinacloudapi.cn", WithoutCreateOrGet: []graph.Version{graph.V1, graph.Beta}}
)

// Clouds are the profiles by name.
func Clouds() []Cloud { return []Cloud{Global, USGovL4, USGovL5, China} }

// sites knows every origin of this server.
type sites struct {
	byHost    map[string]*graph.Site // "host" and "host:port", in lower case
	audiences map[string][]string    // by origin
}

// newSites lists the allowed origins: the address asked for and the other
// loopback names with its port, the public URL, and the host names of the
// clouds. own is the one to print.
func newSites(cfg Config, host, port string) (s *sites, own string) {
	s = &sites{byHost: map[string]*graph.Site{}, audiences: map[string][]string{}}
	names := []string{host}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if !strings.EqualFold(name, host) {
			names = append(names, name)
		}
	}
	own = cfg.PublicURL
	if own == "" {
		own = originOf(names[0], port)
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			own = originOf("localhost", port)
		}
	}
	own = strings.TrimSuffix(own, "/")
	realms := make([]*identity.Realm, len(cfg.Clouds))
	for i, c := range cfg.Clouds {
		realms[i] = &identity.Realm{Audiences: []string{c.Graph, identity.GraphAppID}}
		for _, origin := range []string{c.Graph, c.Login} {
			h, p, err := splitOrigin(origin)
			if err != nil || !slices.Contains(certifiedNames, h) {
				continue // no client could reach it by that name: the certificate is for others
			}
			s.add(origin, &cfg.Clouds[i], realms[i], c.Login)
			if p != port {
				s.add(originOf(h, port), &cfg.Clouds[i], realms[i], originOf(hostOf(c.Login), port))
			}
		}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		origin := originOf(name, port)
		i := claimedBy(cfg.Clouds, name, port)
		if cfg.PublicURL != "" && i == 0 {
			// Several processes are one system under one address: links and issuer are that address's.
			s.alias(origin, own, &cfg.Clouds[i], realms[i])
			continue
		}
		s.add(origin, &cfg.Clouds[i], realms[i], origin)
	}
	if cfg.PublicURL != "" {
		s.alias(own, own, &cfg.Clouds[0], realms[0])
	}
	return s, own
}

func claimedBy(clouds []Cloud, host, port string) int {
	for i, c := range clouds {
		if slices.Contains(c.Hosts, host) || slices.Contains(c.Hosts, net.JoinHostPort(host, port)) {
			return i
		}
	}
	return 0
}

func (s *sites) add(origin string, c *Cloud, realm *identity.Realm, login string) {
	realm.Audiences = append(realm.Audiences, origin)
	realm.Issuers = append(realm.Issuers, origin)
	s.put(origin, &graph.Site{Origin: origin, Login: login, Realm: realm, WithoutCreateOrGet: c.WithoutCreateOrGet})
	s.audiences[origin] = []string{c.Graph, identity.GraphAppID, origin}
}

// alias answers requests to one origin as if they had come to another.
func (s *sites) alias(origin, as string, c *Cloud, realm *identity.Realm) {
	if s.audiences[as] == nil {
		s.add(as, c, realm, as)
	}
	h, p, err := splitOrigin(as)
	if err == nil {
		s.put(origin, s.byHost[strings.ToLower(net.JoinHostPort(h, p))])
	}
}

func (s *sites) put(origin string, site *graph.Site) {
	h, p, err := splitOrigin(origin)
	if err != nil {
		return
	}
	s.byHost[strings.ToLower(net.JoinHostPort(h, p))] = site
	if p == "443" {
		if strings.Contains(h, ":") {
			h = "[" + h + "]"
		}
		s.byHost[strings.ToLower(h)] = site
	}
}

// find returns the site that a Host header names, or nil.
func (s *sites) find(host string) *graph.Site {
	if site := s.byHost[host]; site != nil {
		return site
	}
	return s.byHost[strings.ToLower(host)]
}

// of returns the site of one of our origins.
func (s *sites) of(origin string) *graph.Site {
	host, port, err := splitOrigin(origin)
	if err != nil {
		return nil
	}
	return s.find(net.JoinHostPort(host, port))
}

// originOf is the origin of the site that a host names, or empty.
func (s *sites) originOf(host string) string {
	if site := s.find(host); site != nil {
		return site.Origin
	}
	return ""
}

func (s *sites) resources(origin string) []string { return s.audiences[origin] }

// originOf writes an origin; the port of https is left out (RFC 6454, section 6.2).
func originOf(host, port string) string {
	if port == "443" {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return "https://" + host
	}
	return "https://" + net.JoinHostPort(host, port)
}

func hostOf(origin string) string {
	h, _, _ := splitOrigin(origin)
	return h
}

var errOrigin = errors.New("it must be https://HOST or https://HOST:PORT, without a path")

// splitOrigin takes an origin apart; the port of https is 443.
func splitOrigin(origin string) (host, port string, err error) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", "", errOrigin
	}
	port = u.Port()
	if port == "" {
		port = "443"
	}
	return u.Hostname(), port, nil
}

type siteKey struct{}

// withSite says to every room under which origin a request came.
func withSite(r *http.Request, site *graph.Site) *http.Request {
	return r.WithContext(graph.WithSite(context.WithValue(r.Context(), siteKey{}, site), site))
}

func siteOf(r *http.Request) *graph.Site {
	site, _ := r.Context().Value(siteKey{}).(*graph.Site)
	return site
}

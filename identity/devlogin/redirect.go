package devlogin

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/convene-meet/convene/identity"
)

// matchRedirect finds out whether an application has registered a redirect
// address, and returns it taken apart. Addresses are compared character for
// character, except that the port of a loopback host does not count, since
// programs get a free one from their system (RFC 8252 section 7.3, and Entra ID
// for "localhost", too). The pattern http://localhost:* allows any path.
func matchRedirect(app *identity.App, asked string) (*url.URL, bool) {
	u, ok := parseRedirect(asked)
	if !ok || !slices.ContainsFunc(app.RedirectURIs, func(r string) bool { return registered(r, asked, u) }) {
		return nil, false
	}
	return u, true
}

// parseRedirect reads an address that a browser can be sent to with an answer.
func parseRedirect(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Opaque != "" || u.User != nil || strings.ContainsAny(s, "#\\") {
		return nil, false
	}
	switch u.Scheme {
	case "http", "https":
		return u, u.Hostname() != ""
	case "javascript", "data", "vbscript", "file", "blob", "about":
		return nil, false // they would run in the page, or go nowhere
	}
	return u, true
}

func registered(pattern, asked string, u *url.URL) bool {
	if pattern == asked {
		return true
	}
	if !loopback(u.Hostname()) {
		return false
	}
	before, after, anyPort := strings.Cut(pattern, ":*")
	r, ok := parseRedirect(before + after)
	if !ok || r.Scheme != u.Scheme || !strings.EqualFold(r.Hostname(), u.Hostname()) || r.RawQuery != u.RawQuery || r.ForceQuery != u.ForceQuery {
		return false
	}
	if anyPort && after == "" {
		return true
	}
	return path(r) == path(u)
}

// redirects lists the addresses of an application for people: of a loopback
// host without the port, which does not count.
func redirects(app *identity.App) string {
	var all []string
	for _, r := range app.RedirectURIs {
		before, after, anyPort := strings.Cut(r, ":*")
		switch u, ok := parseRedirect(before + after); {
		case !ok || !loopback(u.Hostname()):
			all = append(all, r)
		case anyPort && after == "":
			all = append(all, before+" (any port, any path)")
		default:
			if u.Host = u.Hostname(); strings.Contains(u.Host, ":") {
				u.Host = "[" + u.Host + "]"
			}
			all = append(all, u.String()+" (any port)")
		}
	}
	return list(slices.Compact(all))
}

// path is what follows the host; none is the same as "/".
func path(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// registeredAnywhere reports whether any of the applications has registered an
// address.
func registeredAnywhere(apps []*identity.App, asked string) (*url.URL, bool) {
	for _, app := range apps {
		if u, ok := matchRedirect(app, asked); ok {
			return u, true
		}
	}
	return nil, false
}

// withQuery adds parameters to an address, behind those that it has.
func withQuery(u *url.URL, values url.Values) string {
	to := *u
	to.RawQuery = strings.TrimPrefix(to.RawQuery+"&"+values.Encode(), "&")
	return to.String()
}

// withFragment puts parameters behind an address, where only a script in the
// page sees them.
func withFragment(u *url.URL, values url.Values) string {
	return u.String() + "#" + values.Encode()
}

// withState adds a state, if there is one.
func withState(u *url.URL, state string) string {
	if state == "" {
		return u.String()
	}
	return withQuery(u, url.Values{"state": {state}})
}

package server

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/identity/devlogin"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/media"
)

// Limits of the public listener. A request is small and an answer smaller; who
// needs longer than this holds a connection for its own sake.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeader      = 32 << 10 // a token may have 16 KiB
	maxStreams     = 128      // of one HTTP/2 connection
)

func newHTTPServer(h http.Handler, certificate tls.Certificate, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// "OPTIONS *" would be answered before our code sees it.
		DisableGeneralOptionsHandler: true,
	}
}

// publicHandler is the one origin: it refuses foreign hosts, and hands every
// path to the room that serves it.
type publicHandler struct {
	sites    *sites
	api      *graph.Handler
	provider *devlogin.Provider
	pages    *join.Handler
	media    media.Engine // nil where there is none
	assets   http.Handler
	log      *slog.Logger
}

func (h *publicHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			h.api.Panicked(w, r, v)
		}
	}()
	site, path := h.sites.find(r.Host), r.URL.Path
	switch {
	case site != nil:
	case !isAPI(path) && h.pages.Serves(path):
		h.pages.Misdirected(w, r)
		return
	case !isAPI(path) && h.provider.Serves(path):
		h.provider.Misdirected(w, r)
		return
	default:
		h.api.Misdirected(w, r)
		return
	}
	if isAPI(path) {
		h.api.ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), site)))
		return
	}
	r = withSite(r, site)
	switch {
	case h.media != nil && h.media.Serves(path):
		h.signal(w, r, site)
	case strings.HasPrefix(path, "/assets/"):
		h.assets.ServeHTTP(w, r)
	case h.pages.Serves(path):
		h.pages.ServeHTTP(w, r)
	case h.provider.Serves(path):
		h.provider.ServeHTTP(w, r)
	default:
		h.api.NotFound(w, r)
	}
}

// signal hands a browser's signalling on to the media engine. Sockets have no
// same-origin policy, so that the page's origin is checked here; programs that are
// no browsers send none (RFC 6455, section 10.2).
func (h *publicHandler) signal(w http.ResponseWriter, r *http.Request, site *graph.Site) {
	if origin := r.Header.Get("Origin"); origin != "" && origin != site.Origin {
		http.Error(w, "This socket was opened by another site.", http.StatusForbidden)
		return
	}
	h.media.Signal().ServeHTTP(w, r)
}

// isAPI reports whether a path is below a version of the API.
func isAPI(path string) bool {
	for _, v := range []graph.Version{graph.V1, graph.Beta} {
		n := len(v) + 1
		if len(path) >= n && path[0] == '/' && strings.EqualFold(path[1:n], string(v)) && (len(path) == n || path[n] == '/') {
			return true
		}
	}
	return false
}

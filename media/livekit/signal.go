package livekit

import (
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"

	"github.com/livekit/protocol/auth"
)

// paths are those of LiveKit's signalling: the socket, in two forms, and what its
// client asks when a handshake has failed. Everything else of a LiveKit server is
// for its administrators.
var paths = []string{"/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"}

// Serves implements [media.Engine].
func (e *Engine) Serves(path string) bool { return slices.Contains(paths, path) }

// Signal implements [media.Engine]. A handshake passes when LiveKit would take its
// token and the gate lets its participant in.
func (e *Engine) Signal() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !e.Serves(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		server, err := e.server(r.Context())
		if err != nil {
			http.Error(w, "The media engine is not available.", http.StatusServiceUnavailable)
			return
		}
		room, participant, ok := server.holder(r)
		if !ok || !e.gate(r.Context(), room, participant) {
			http.Error(w, "This ticket lets nobody in.", http.StatusUnauthorized)
			return
		}
		server.proxy().ServeHTTP(w, r)
	})
}

// holder says for whom and for which room a request's token was made.
func (e *endpoint) holder(r *http.Request) (room, participant string, ok bool) {
	token := r.URL.Query().Get("access_token")
	if header, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		token = header // which LiveKit prefers, too
	}
	verifier, err := auth.ParseAPIToken(token)
	if err != nil || verifier.APIKey() != e.key {
		return "", "", false
	}
	_, grants, err := verifier.Verify(e.secret)
	if err != nil || grants.Video == nil || !grants.Video.RoomJoin || grants.Video.RoomAdmin {
		return "", "", false
	}
	return grants.Video.Room, grants.Identity, true
}

// proxy hands a request on to LiveKit, its socket included.
func (e *endpoint) proxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(e.url)
			r.Out.Host = e.url.Host
			r.SetXForwarded()
		},
		// LiveKit lets any site ask; ours asks from its own origin.
		ModifyResponse: func(r *http.Response) error {
			r.Header.Del("Access-Control-Allow-Origin")
			return nil
		},
		Transport: e.client.Transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	}
}

package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/meeting"
)

// failing is a store of meetings that answers with one error, or panics.
type failing struct {
	meeting.Store
	err error
}

func (f failing) CreateOrGet(context.Context, meeting.Meeting, func(*meeting.Meeting)) (meeting.Meeting, bool, error) {
	if f.err == nil {
		panic("a mistake of ours")
	}
	return meeting.Meeting{}, false, f.err
}

// Whatever the store does, the client gets an envelope, and a log line has its
// request id.
func TestFailuresAreEnveloped(t *testing.T) {
	srv := graphtest.New(t)
	site := srv.Inside().Site()
	for _, tt := range []struct {
		name         string
		err          error
		status       int
		code, logged string
		retry        bool
	}{
		{name: "panic", status: 500, code: "InternalServerError", logged: "a mistake of ours"},
		{name: "unknown error", err: io.ErrNoProgress, status: 500, code: "InternalServerError", logged: io.ErrNoProgress.Error()},
		{name: "unavailable", err: meeting.ErrUnavailable, status: 503, code: "ServiceUnavailable", retry: true, logged: "unavailable"},
		{name: "full", err: meeting.ErrFull, status: 507, code: "InsufficientStorage", logged: "space"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			h := &graph.Handler{
				Meetings: &meeting.Service{Store: failing{err: tt.err}, Now: func(string) time.Time { return time.Now() }},
				Identity: srv.Inside().API().Identity, Log: slog.New(slog.NewTextHandler(&log, nil)),
			}
			r := httptest.NewRequest(http.MethodPost, "/v1.0/me/onlineMeetings/createOrGet", strings.NewReader(`{"externalId":"a"}`))
			r.Header.Set("Authorization", "Bearer "+srv.UserToken("ann@contoso.example", "portal"))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), site)))
			e := envelope(t, w.Result(), w.Body.Bytes())
			if w.Code != tt.status || e.Code != tt.code {
				t.Errorf("answer %d %s; want %d %s", w.Code, e.Code, tt.status, tt.code)
			}
			if got := w.Header().Get("Retry-After") != ""; got != tt.retry {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			if !strings.Contains(log.String(), e.InnerError.RequestID) || !strings.Contains(log.String(), tt.logged) {
				t.Errorf("logged %q; want %q with request id %s", log.String(), tt.logged, e.InnerError.RequestID)
			}
			if strings.Contains(w.Body.String(), tt.logged) && tt.status == 500 {
				t.Errorf("the client is told %s", w.Body)
			}
		})
	}
}

type errorBody struct {
	Code, Message string
	InnerError    struct {
		RequestID       string `json:"request-id"`
		ClientRequestID string `json:"client-request-id"`
		Date            string
	} `json:"innerError"`
}

// envelope checks that an answer is Graph's error envelope with its headers.
func envelope(t *testing.T, resp *http.Response, body []byte) errorBody {
	t.Helper()
	var whole map[string]json.RawMessage
	var e errorBody
	if err := json.Unmarshal(body, &whole); err != nil || len(whole) != 1 || whole["error"] == nil || json.Unmarshal(whole["error"], &e) != nil {
		t.Fatalf("body %q is no envelope", body)
	}
	if _, err := time.Parse("2006-01-02T15:04:05", e.InnerError.Date); err != nil || e.Code == "" || e.Message == "" {
		t.Errorf("envelope %s", body)
	}
	if id := resp.Header.Get("request-id"); id == "" || id != e.InnerError.RequestID || resp.Header.Get("client-request-id") != e.InnerError.ClientRequestID {
		t.Errorf("headers %v, envelope %s", resp.Header, body)
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json;") {
		t.Errorf("Content-Type %q", kind)
	}
	return e
}

// Any bytes: never a 500, always an envelope or the meeting.
func FuzzHandler(f *testing.F) {
	srv := graphtest.New(f)
	tokens := []string{srv.UserToken("ann@contoso.example", "portal"), srv.AppToken("booking"), srv.AppToken("reader"), "", "x.y.z"}
	site := srv.Inside().Site()
	h := &graph.Handler{Meetings: srv.Inside().API().Meetings, Identity: srv.Inside().API().Identity, Log: slog.New(slog.DiscardHandler)}
	seed := func(method, target, accept, contentType, encoding, prefer string, token byte, body string) {
		f.Add(method, target, accept, contentType, encoding, prefer, token, []byte(body))
	}
	const me = "/v1.0/me/onlineMeetings/createOrGet"
	seed("POST", me, "application/json", "application/json", "", "", 0, `{"externalId":"a"}`)
	seed("POST", me+"?$select=id", "*/*", "application/json; charset=utf-8", "gzip", "include-unknown-enum-members", 0, `{"externalId":"a","subject":"é"}`)
	seed("POST", "/beta/users('c0ffee00-0001-4a00-8000-000000000002')/onlineMeetings/microsoft.graph.createOrGet", "application/json;odata.metadata=full", "application/json", "", "", 1, `{"externalId":"a","chatInfo":{"threadId":"19:a@thread.tacv2"}}`)
	seed("GET", "/v1.0", "", "", "", "", 2, "")
	seed("DELETE", "/v1.0/me/onlineMeetings/x", "text/html", "text/plain", "br", "x", 4, "\x1f\x8b")
	seed("OPTIONS", "/v1.0/%zz", "", "", "", "", 3, "")
	f.Fuzz(func(t *testing.T, method, target, accept, contentType, encoding, prefer string, token byte, body []byte) {
		r, err := http.NewRequest(method, "https://localhost", bytes.NewReader(body))
		if err != nil {
			return // net/http refuses such a method before any code of ours
		}
		if r.URL, err = r.URL.Parse(target); err != nil {
			return // and such a target
		}
		for name, value := range map[string]string{"Accept": accept, "Content-Type": contentType, "Content-Encoding": encoding, "Prefer": prefer, "Accept-Language": prefer, "Client-Request-Id": accept} {
			r.Header.Set(name, value)
		}
		if text := tokens[int(token)%len(tokens)]; text != "" {
			r.Header.Set("Authorization", "Bearer "+text)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(graph.WithSite(r.Context(), site)))
		switch {
		case w.Code >= 500:
			t.Errorf("status %d: %s", w.Code, w.Body)
		case w.Code >= 400:
			envelope(t, w.Result(), w.Body.Bytes())
		case !json.Valid(w.Body.Bytes()):
			t.Errorf("status %d, body %q", w.Code, w.Body)
		}
	})
}

// A request on which nobody has put a site is refused, not served.
func TestWithoutASiteNoTokenIsGood(t *testing.T) {
	srv := graphtest.New(t)
	h := &graph.Handler{Meetings: srv.Inside().API().Meetings, Identity: srv.Inside().API().Identity, Log: slog.New(slog.DiscardHandler)}
	r := httptest.NewRequest(http.MethodGet, "/v1.0", nil)
	r.Header.Set("Authorization", "Bearer "+srv.AppToken("booking"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d; want 401", w.Code)
	}
}

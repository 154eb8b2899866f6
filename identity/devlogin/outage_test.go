package devlogin_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/identity/devlogin"
)

// Without its store the provider says so, in the form of each endpoint, and
// does not say why: that is in the log.
func TestStoreOutage(t *testing.T) {
	s := open(t)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	code, device := s.code(nil), s.startDevice(nil)
	refresh := s.signIn().Refresh
	s.store.fail(errors.New("disk on fire"))

	for name, r := range map[string]*http.Request{
		"client credentials": request(tokenPath, asBooking.encode()),
		"code":               request(tokenPath, redeem.with(form{"code": code}).encode()),
		"refresh":            request("/common/oauth2/v2.0/token", form{"grant_type": "refresh_token", "client_id": portal, "refresh_token": refresh}.encode()),
		"password":           request(tokenPath, form{"grant_type": "password", "client_id": portal, "scope": meetings}.with(credentials).encode()),
		"device code":        request(devicePath, deviceAsk.encode()),
		"configuration":      httptest.NewRequest("GET", "/"+contoso+"/v2.0/.well-known/openid-configuration", nil),
		"keys":               httptest.NewRequest("GET", "/common/discovery/v2.0/keys", nil),
	} {
		w := do(s, r)
		got := s.answer(w)
		if s.refused(got, 90033, "temporarily_unavailable"); got.status != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" || strings.Contains(w.Body.String(), "fire") {
			t.Errorf("%s: status %d, header %v, body %s; want 503 without the cause", name, got.status, w.Header(), w.Body)
		}
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"authorize":   s.get(target(asked)),
		"sign-in":     s.post("/common/oauth2/v2.0/authorize?"+asked.encode(), credentials),
		"device page": s.get("/device?user_code=" + device.UserCode),
		"approval":    s.post("/device", credentials.with(form{"user_code": device.UserCode})),
		"logout":      s.get("/common/oauth2/v2.0/logout?post_logout_redirect_uri=https%3A%2F%2Fportal.example"),
	} {
		if text := s.page(w, http.StatusServiceUnavailable); !strings.Contains(text, "AADSTS90033: ") || strings.Contains(text, "fire") {
			t.Errorf("%s: page %s; want AADSTS90033 without the cause", name, text)
		}
	}
	for name, err := range map[string]error{
		"Approve": s.Approve(t.Context(), device.UserCode, ann),
		"Issue": func() error {
			_, _, err := s.Issue(t.Context(), devlogin.IssueRequest{Origin: origin, App: portal, User: ann})
			return err
		}(),
	} {
		if _, refused := errors.AsType[*devlogin.Error](err); refused || err == nil || !strings.Contains(err.Error(), "fire") {
			t.Errorf("%s: %v; want the store's error", name, err)
		}
	}
	if !strings.Contains(log.String(), "disk on fire") {
		t.Error("the log has no word of the cause")
	}

	s.store.fail(nil)
	if got := s.token(redeem.with(form{"code": code})); got.status != http.StatusOK {
		t.Errorf("the code afterwards: %+v; want it as good as before", got)
	}
}

// A store that fails at each later step in turn leads to 503, never to
// anything half done.
func TestOutageAtEachStep(t *testing.T) {
	for _, tt := range []struct {
		name string
		ask  func(*site) func() tokens
	}{
		{"code", func(s *site) func() tokens {
			f := redeem.with(form{"code": s.code(nil)})
			return func() tokens { return s.token(f) }
		}},
		{"refresh", func(s *site) func() tokens {
			token := s.signIn().Refresh
			return func() tokens { return s.renew(token, nil) }
		}},
		{"device", func(s *site) func() tokens {
			d := s.startDevice(nil)
			s.approve(d, ann)
			return func() tokens { return s.poll(d, nil) }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for step := 0; ; step++ {
				s := open(t)
				ask := tt.ask(s)
				s.Store = &failing{s.store, step}
				s.Directory = &identity.Directory{Store: s.Store, Now: s.clock}
				got := ask()
				if got.status == http.StatusOK {
					if step < 4 {
						t.Errorf("it took %d steps; want the steps of a redemption", step)
					}
					return
				}
				s.refused(got, 90033, "temporarily_unavailable")
				s.Store, s.Directory.Store = s.store, s.store
				if again := ask(); again.status != http.StatusOK {
					t.Errorf("after a failure at step %d: %+v; want nothing used up", step, again)
				}
			}
		})
	}
}

// A failing store answers so many calls, and fails once.
type failing struct {
	*memory
	left int
}

func (f *failing) step() error {
	f.left--
	if f.left == -1 {
		return errors.New("connection lost")
	}
	return nil
}

func (f *failing) Record(ctx context.Context, kind identity.Kind, tenant, id string, now time.Time) (identity.Record, error) {
	if err := f.step(); err != nil {
		return identity.Record{}, err
	}
	return f.memory.Record(ctx, kind, tenant, id, now)
}

func (f *failing) Apply(ctx context.Context, now time.Time, changes []identity.Change, audit ...identity.AuditEntry) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.memory.Apply(ctx, now, changes, audit...)
}

// What the store holds and cannot be read is an internal error, and still JSON.
func TestUnreadableRecord(t *testing.T) {
	s := open(t)
	f := redeem.with(form{"code": s.code(nil)})
	for key, r := range s.store.records {
		if key.kind == identity.KindCode {
			r.Doc = []byte("{")
			s.store.records[key] = r
		}
	}
	got := s.token(f)
	if s.refused(got, 50000, "server_error"); got.status != http.StatusInternalServerError {
		t.Errorf("status %d; want 500", got.status)
	}
}

package graph_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/lab"
)

// send makes a createOrGet as a user, or another request where the method is GET.
func send(t *testing.T, srv *graphtest.Server, method, path, token, body string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := srv.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp, string(raw), err
}

const createPath = "/v1.0/me/onlineMeetings/createOrGet"

// Each fault looks like the real thing, whatever it is, and the operation takes
// place where that is said, and only there.
func TestFaults(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	for _, tt := range []struct {
		name       string
		fault      lab.Fault
		status     int // 0: cut
		code       string
		retryAfter string
		then       int // status of the same request after it
	}{
		{"throttled", lab.Fault{Status: 429, RetryAfter: 7}, 429, "TooManyRequests", "7", 201},
		{"unavailable", lab.Fault{Status: 503}, 503, "ServiceUnavailable", "", 201},
		{"gateway", lab.Fault{Status: 504}, 504, "GatewayTimeout", "", 201},
		{"internal", lab.Fault{Status: 500}, 500, "InternalServerError", "", 201},
		{"bandwidth", lab.Fault{Status: 509}, 509, "BandwidthLimitExceeded", "", 201},
		{"of no status we know", lab.Fault{Status: 418}, 418, "UnknownError", "", 201},
		{"own words", lab.Fault{Status: 423, Code: "generalException", Message: "Not \"today\"."}, 423, "generalException", "", 201},
		{"challenge", lab.Fault{Status: 401}, 401, "InvalidAuthenticationToken", "", 201},
		{"late", lab.Fault{Latency: lab.Duration(time.Millisecond)}, 201, "", "", 200},
		{"cut", lab.Fault{Cut: true}, 0, "", "", 201},
		{"lost answer", lab.Fault{Cut: true, Done: true}, 0, "", "", 200},
		{"error although done", lab.Fault{Status: 500, Done: true}, 500, "InternalServerError", "", 200},
		{"late answer", lab.Fault{Latency: lab.Duration(time.Millisecond), Done: true}, 201, "", "", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tenant := srv.NewTenant(t)
			token := tenant.UserToken(tenant.Users[0].UPN)
			tt.fault.Next, tt.fault.Operation = 1, "createOrGet"
			tenant.Fault(tt.fault)
			const body = `{"externalId":"x","subject":"Σ"}`
			resp, answer, err := send(t, srv, http.MethodPost, createPath, token, body)
			switch {
			case tt.status == 0 && err == nil:
				t.Errorf("an answer of status %d; want none", resp.StatusCode)
			case tt.status == 0:
			case err != nil:
				t.Fatal(err)
			case resp.StatusCode != tt.status:
				t.Errorf("status %d: %s; want %d", resp.StatusCode, answer, tt.status)
			case tt.status >= 400:
				envelope(t, resp, []byte(answer))
				var e struct {
					Error struct{ Code, Message string }
				}
				if err := json.Unmarshal([]byte(answer), &e); err != nil || e.Error.Code != tt.code {
					t.Errorf("%s; want the code %s", answer, tt.code)
				}
				if tt.fault.Message != "" && e.Error.Message != tt.fault.Message {
					t.Errorf("message %q; want %q", e.Error.Message, tt.fault.Message)
				}
				if got := resp.Header.Get("Retry-After"); got != tt.retryAfter {
					t.Errorf("Retry-After %q; want %q", got, tt.retryAfter)
				}
				if resp.Header.Get("Convene-Fault") == "" {
					t.Error("the answer has no Convene-Fault")
				}
			}
			if resp, _, err := send(t, srv, http.MethodPost, createPath, token, body); err != nil || resp.StatusCode != tt.then {
				t.Errorf("then %v, error %v; want %d", resp, err, tt.then)
			}
			log := tenant.Requests()
			if len(log) != 2 || log[0].Status != tt.status || log[0].Code != tt.code || log[0].Fault == "" || log[1].Fault != "" {
				t.Fatalf("logged %+v", log)
			}
			for _, r := range log {
				if r.Body != body || r.Operation != "createOrGet" || r.Path != createPath || r.App != tenant.Portal || r.User != tenant.Users[0].ID || r.Headers["Authorization"] != "" {
					t.Errorf("logged %+v", r)
				}
			}
		})
	}
}

// What is throttled is answered to the letter of Graph's guidance.
func TestThrottled(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	tenant := srv.NewTenant(t)
	tenant.Throttle(2, time.Hour)
	token := tenant.UserToken(tenant.Users[0].UPN)
	for i, want := range []int{200, 200, 429, 429} {
		resp, answer, err := send(t, srv, http.MethodGet, "/v1.0/me", token, "")
		if err != nil || resp.StatusCode != want {
			t.Fatalf("request %d: %v, %v; want %d", i, resp, err, want)
		}
		if want != 429 {
			continue
		}
		var e struct {
			Error struct {
				Code, Message string
				InnerError    map[string]string
			}
		}
		if err := json.Unmarshal([]byte(answer), &e); err != nil {
			t.Fatal(err)
		}
		in := e.Error.InnerError
		if e.Error.Code != "TooManyRequests" || e.Error.Message != "Please retry again later." || in["code"] != "429" || in["status"] != "429" || in["message"] != "Please retry after" {
			t.Errorf("answered %s", answer)
		}
		if after := resp.Header.Get("Retry-After"); after != "3600" {
			t.Errorf("Retry-After %q; want 3600", after)
		}
	}
	// Another application has a count of its own, and so has another tenant.
	if resp, _, err := send(t, srv, http.MethodGet, "/v1.0/users/"+tenant.Users[0].ID, tenant.AppToken(), ""); err != nil || resp.StatusCode != 200 {
		t.Errorf("another application: %v, %v", resp, err)
	}
	other := srv.NewTenant(t)
	if resp, _, err := send(t, srv, http.MethodGet, "/v1.0/me", other.UserToken(other.Users[0].UPN), ""); err != nil || resp.StatusCode != 200 {
		t.Errorf("another tenant: %v, %v", resp, err)
	}
	tenant.Throttle(0, 0)
	if resp, _, err := send(t, srv, http.MethodGet, "/v1.0/me", token, ""); err != nil || resp.StatusCode != 200 {
		t.Errorf("without a limit: %v, %v", resp, err)
	}
}

// Each part of a batch meets faults and limits alone; a part that is cut is
// answered, since the batch is.
func TestFaultsOfParts(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	tenant := srv.NewTenant(t)
	token := tenant.UserToken(tenant.Users[0].UPN)
	batch := func() map[string]int {
		var parts []string
		for _, id := range []string{"a", "b", "c"} {
			parts = append(parts, fmt.Sprintf(`{"id":%q,"method":"POST","url":"/me/onlineMeetings/createOrGet","headers":{"Content-Type":"application/json"},"body":{"externalId":"x"}}`, id))
		}
		resp, answer, err := send(t, srv, http.MethodPost, "/v1.0/$batch", token, `{"requests":[`+strings.Join(parts, ",")+`]}`)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("batch: %v, %v", resp, err)
		}
		var whole struct {
			Responses []struct {
				Status  int
				Headers map[string]string
			}
		}
		if err := json.Unmarshal([]byte(answer), &whole); err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, r := range whole.Responses {
			count[strings.TrimSpace(fmt.Sprint(r.Status, " ", r.Headers["Retry-After"]))]++
		}
		return count
	}
	tenant.Fault(lab.Fault{Operation: "createOrGet", Cut: true, Next: 2})
	if got := batch(); got["504"] != 2 || got["201"] != 1 {
		t.Errorf("answers %v; want two that are cut", got)
	}
	tenant.Throttle(2, time.Hour)
	if got := batch(); got["200"] != 2 || got["429 3600"] != 1 {
		t.Errorf("answers %v; want one that is throttled", got)
	}
	tenant.Throttle(0, 0)
	tenant.Fault(lab.Fault{Operation: "batch", Status: 503, Next: 1})
	if resp, _, err := send(t, srv, http.MethodPost, "/v1.0/$batch", token, `{"requests":[]}`); err != nil || resp.StatusCode != 503 {
		t.Errorf("the batch itself: %v, %v; want 503", resp, err)
	}
}

// Also what asks for nothing there is belongs to who asked for it.
func TestWrongPathsAreLogged(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	tenant := srv.NewTenant(t)
	token := tenant.UserToken(tenant.Users[0].UPN)
	tenant.Fault(lab.Fault{Status: http.StatusServiceUnavailable, Next: 1})
	for _, want := range []int{503, 400} {
		if resp, answer, err := send(t, srv, http.MethodGet, "/v1.0/me/nothing", token, ""); err != nil || resp.StatusCode != want {
			t.Errorf("%v %s, error %v; want %d", resp, answer, err, want)
		}
	}
	if resp, answer, err := send(t, srv, http.MethodPut, createPath, token, "{}"); err != nil || resp.StatusCode != 405 {
		t.Errorf("%v %s, error %v; want 405", resp, answer, err)
	}
	log := tenant.Requests()
	if len(log) != 3 || log[1].Path != "/v1.0/me/nothing" || log[1].Operation != "" || log[2].Status != 405 || log[2].Body != "{}" {
		t.Errorf("logged %+v", log)
	}
}

// The body of a request that fails before anybody reads it is logged all the
// same, as far as it goes.
func TestBodiesAreLogged(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	tenant := srv.NewTenant(t)
	user := tenant.UserToken(tenant.Users[0].UPN)
	long := `{"externalId":"` + strings.Repeat("é", 30_000) + `"}`
	for _, tt := range []struct {
		token, path, body, want string
		status                  int
		cut                     bool
	}{
		{user, createPath, `{"externalId":1}`, `{"externalId":1}`, 400, false},
		{user, createPath, long, long[:32<<10-1], 400, true},
		// Refused before it is read.
		{tenant.AppToken(), "/v1.0/users/nobody/onlineMeetings/createOrGet", `{"externalId":"a"}`, `{"externalId":"a"}`, 404, false},
	} {
		if resp, answer, err := send(t, srv, http.MethodPost, tt.path, tt.token, tt.body); err != nil || resp.StatusCode != tt.status {
			t.Errorf("%v %s, error %v; want %d", resp, answer, err, tt.status)
		}
		log := tenant.Requests()
		if got := log[len(log)-1]; got.Body != tt.want || got.BodyCut != tt.cut || got.Status != tt.status {
			t.Errorf("logged %d bytes, cut %t, status %d; want %d bytes", len(got.Body), got.BodyCut, got.Status, len(tt.want))
		}
	}
}

// slow is a watcher that has every request come late.
type slow time.Duration

func (s slow) Before(*graph.Request) *graph.Fault { return &graph.Fault{Latency: time.Duration(s)} }
func (slow) After(*graph.Request)                 {}

// A batch is answered before the server gives it up, whatever its parts wait for.
func TestTimeOfBatches(t *testing.T) {
	now := time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)
	srv := graphtest.New(t, graphtest.WithClock(func() time.Time { return now }))
	r := httptest.NewRequest(http.MethodPost, "/v1.0/$batch", strings.NewReader(`{"requests":[
		{"id":"1","method":"GET","url":"/me"},{"id":"2","method":"GET","url":"/me","dependsOn":["1"]},{"id":"3","method":"GET","url":"/me","dependsOn":["2"]}]}`))
	r.Header.Set("Authorization", "Bearer "+srv.UserToken("ann@contoso.example", "portal"))
	r.Header.Set("Content-Type", "application/json")
	api := &graph.Handler{Identity: srv.Inside().API().Identity, Log: slog.New(slog.DiscardHandler), Watch: slow(20 * time.Second)}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r.WithContext(graph.WithSite(t.Context(), srv.Inside().Site())))
		if took := time.Since(began); took != 50*time.Second {
			t.Errorf("it took %s; want 50s", took)
		}
		got := map[string]int{}
		for _, a := range batchOf(t, w) {
			got[a.ID] = a.Status
		}
		if want := map[string]int{"1": 200, "2": 503, "3": 424}; !maps.Equal(got, want) {
			t.Errorf("parts %v; want %v", got, want)
		}
	})
}

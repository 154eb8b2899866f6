package devlogin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/identity/devlogin"
)

type deviceStart struct {
	UserCode   string  `json:"user_code"`
	DeviceCode string  `json:"device_code"`
	Page       string  `json:"verification_uri"`
	Complete   string  `json:"verification_uri_complete"`
	ExpiresIn  float64 `json:"expires_in"`
	Interval   float64 `json:"interval"`
	Message    string  `json:"message"`
}

var deviceAsk = form{"client_id": portal, "scope": meetings + " openid profile offline_access"}

func (s *site) startDevice(change form) (d deviceStart) {
	s.Helper()
	w := do(s, request(devicePath, deviceAsk.with(change).encode()))
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != http.StatusOK || d.DeviceCode == "" {
		s.Fatalf("status %d, body %s: %v", w.Code, w.Body, err)
	}
	return d
}

func (s *site) poll(d deviceStart, change form) tokens {
	s.Helper()
	return s.token(form{"grant_type": "device_code", "client_id": portal, "device_code": d.DeviceCode}.with(change))
}

func TestDeviceCode(t *testing.T) {
	s := open(t)
	d := s.startDevice(nil)
	if !regexp.MustCompile(`^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$`).MatchString(d.UserCode) {
		t.Errorf("user code %q; want two times four consonants", d.UserCode)
	}
	if d.Page != origin+"/device" || d.Complete != d.Page+"?user_code="+d.UserCode || d.ExpiresIn != 900 || d.Interval != 1 {
		t.Errorf("answer %+v", d)
	}
	if !strings.Contains(d.Message, d.UserCode) || !strings.Contains(d.Message, d.Page) {
		t.Errorf("message %q; want code and page in it", d.Message)
	}

	s.refused(s.poll(d, nil), 70016, "authorization_pending")
	s.refused(s.poll(d, nil), 70016, "slow_down")
	s.pass(900 * time.Millisecond) // a timer that was early
	s.refused(s.poll(d, form{"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}), 70016, "authorization_pending")
	s.pass(-time.Hour) // a clock that was set back
	s.refused(s.poll(d, nil), 70016, "authorization_pending")

	if err := s.Approve(t.Context(), " "+strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " ")), "Ann@contoso.example"); err != nil {
		t.Fatal(err)
	}
	got := s.poll(d, nil)
	if got.status != http.StatusOK || got.Scope != deviceAsk["scope"] || s.caller(got.Access).User != annID {
		t.Fatalf("answer %+v; want Ann's tokens", got)
	}
	renewed := s.renew(got.Refresh, nil)
	if renewed.status != http.StatusOK {
		t.Errorf("refresh: %+v", renewed)
	}
	s.refused(s.poll(d, nil), 54005, "invalid_grant")
	s.refused(s.renew(renewed.Refresh, nil), 50173, "invalid_grant")
}

func TestDeviceConcurrently(t *testing.T) {
	s := open(t)
	d := s.startDevice(nil)
	pending := 0
	for _, got := range race(func() tokens { return s.poll(d, nil) }) {
		if got.Error == "authorization_pending" {
			pending++
		} else {
			s.refused(got, 70016, "slow_down")
		}
	}
	if pending != 1 {
		t.Errorf("%d polls at once are in time; want one", pending)
	}
	approvals := 0
	for _, err := range race(func() error { return s.Approve(t.Context(), d.UserCode, ann) }) {
		if e, ok := errors.AsType[*devlogin.Error](err); err == nil {
			approvals++
		} else if !ok || e.Number != 90120 {
			t.Errorf("approval: %v; want that it was used", err)
		}
	}
	if approvals != 1 {
		t.Errorf("%d approvals; want one", approvals)
	}
	s.oneWinner(race(func() tokens { return s.poll(d, nil) }), 54005)
}

func TestDeviceCodeRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		path   string
		change form
		number int
		code   string
	}{
		{name: "no application", change: form{"client_id": ""}, number: 900144, code: "invalid_request"},
		{name: "an unknown one", change: form{"client_id": "x"}, number: 700016, code: "unauthorized_client"},
		{name: "no scope", change: form{"scope": ""}, number: 900144, code: "invalid_request"},
		{name: "scopes that were not given", change: form{"scope": "Mail.Read"}, number: 65001, code: "invalid_scope"},
		{name: "an unknown tenant", path: "/nowhere.example/oauth2/v2.0/devicecode", number: 90002, code: "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			path := tt.path
			if path == "" {
				path = devicePath
			}
			s.refused(s.answer(do(s, request(path, deviceAsk.with(tt.change).encode()))), tt.number, tt.code)
		})
	}
}

func TestPollRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(*site, deviceStart)
		change form
		number int
		code   string
	}{
		{"by another application", nil, form{"client_id": bare}, 70000, "bad_verification_code"},
		{"with the user code", nil, form{"device_code": "BCDFGHJK"}, 70000, "bad_verification_code"},
		{"too late", func(s *site, _ deviceStart) { s.pass(15 * time.Minute) }, nil, 70019, "expired_token"},
		{"approved, but too late", func(s *site, d deviceStart) { s.approve(d, ann); s.pass(15 * time.Minute) }, nil, 70019, "expired_token"},
		{"long forgotten", func(s *site, _ deviceStart) { s.pass(25 * time.Hour) }, nil, 70000, "bad_verification_code"},
		{"declined", func(s *site, d deviceStart) {
			s.page(s.post("/device", form{"user_code": d.UserCode, "action": "decline"}), http.StatusOK)
		}, nil, 65004, "authorization_declined"},
		{"disabled meanwhile", func(s *site, d deviceStart) {
			s.approve(d, ann)
			s.user(contoso, ann, func(u *identity.User) { u.Disabled = true })
		}, nil, 50057, "invalid_grant"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			d := s.startDevice(nil)
			if tt.before != nil {
				tt.before(s, d)
			}
			s.refused(s.poll(d, tt.change), tt.number, tt.code)
		})
	}
	t.Run("by a confidential application without secret", func(t *testing.T) {
		s := open(t)
		d := s.startDevice(form{"client_id": studio})
		s.refused(s.poll(d, form{"client_id": studio}), 7000218, "invalid_client")
		s.refused(s.poll(d, form{"client_id": studio, "client_secret": "studio-secret"}), 70016, "authorization_pending")
	})
}

func (s *site) approve(d deviceStart, user string) {
	s.Helper()
	if err := s.Approve(s.Context(), d.UserCode, user); err != nil {
		s.Fatal(err)
	}
}

func TestApproveRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, tenant, user string
		code               string // instead of the right one
		after              time.Duration
		number             int
	}{
		{name: "ann in contoso", user: ann},
		{name: "ann by id", user: annID},
		{name: "fred in common", tenant: "common", user: fred},
		{name: "pat in consumers", tenant: "consumers", user: pat},
		{name: "fred in contoso", user: fred, number: 50020},
		{name: "pat in organizations", tenant: "organizations", user: pat, number: 50020},
		{name: "an unknown user", user: "who@contoso.example", number: 50034},
		{name: "an unknown id", user: "c0ffee00-0000-4000-8000-000000000000", number: 50034},
		{name: "no user", number: 50034},
		{name: "a disabled user", user: erik, number: 50057},
		{name: "a wrong code", user: ann, code: "BCDF-GHJK", number: 70018},
		{name: "a short code", user: ann, code: "BCDF", number: 70018},
		{name: "a code of other letters", user: ann, code: "БЦДФ-ГХЙК", number: 90119},
		{name: "no code", user: ann, code: " - ", number: 90119},
		{name: "too late", user: ann, after: 15 * time.Minute, number: 70019},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			tenant := tt.tenant
			if tenant == "" {
				tenant = contoso
			}
			var d deviceStart
			w := do(s, request("/"+tenant+"/oauth2/v2.0/devicecode", deviceAsk.encode()))
			if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			s.pass(tt.after)
			code := d.UserCode
			if tt.code != "" {
				code = tt.code
			}
			err := s.Approve(t.Context(), code, tt.user)
			e, ok := errors.AsType[*devlogin.Error](err)
			if ok != (tt.number != 0) || ok && (e.Number != tt.number || !strings.HasPrefix(err.Error(), fmt.Sprintf("AADSTS%d: ", tt.number))) || !ok && err != nil {
				t.Errorf("error %v; want AADSTS%d", err, tt.number)
			}
		})
	}
}

func TestDevicePage(t *testing.T) {
	s := open(t)
	d := s.startDevice(nil)
	for where, status := range map[string]int{"/device": 200, "/device?user_code=": 200, "/device?user_code=BCDFGHJK": 400, "/device?user_code=%22%3E%3Cb%3E": 400} {
		text := s.page(s.get(where), status)
		if !strings.Contains(text, `<label for="user_code">Code</label>`) || strings.Contains(text, `role="alert"`) != (status == 400) {
			t.Errorf("%s: %s; want it to ask for a code", where, text)
		}
	}
	w := s.get("/device?user_code=" + strings.ToLower(d.UserCode))
	text := s.page(w, http.StatusOK)
	for _, want := range []string{"<strong>portal <b></strong>", "OnlineMeetings.ReadWrite", `class="code">` + d.UserCode + "<", ">User name</label>", ">Password</label>"} {
		if !strings.Contains(text, want) {
			t.Errorf("page %s has no %q", text, want)
		}
	}
	yes, no := strings.Index(text, ">Sign in</button>"), strings.Index(text, ">Decline</button>")
	if yes < 0 || no < yes || strings.Contains(w.Body.String(), "portal <b>") {
		t.Errorf("page %s; want Sign in as the first button, and everything escaped", text)
	}

	f := credentials.with(form{"user_code": d.UserCode, "action": "approve"})
	for number, change := range map[string]form{"50126": {"password": "no"}, "50020": {"username": fred}, "50057": {"username": erik}, "90014": {"password": ""}} {
		if text := s.page(s.post("/device", f.with(change)), http.StatusBadRequest); !strings.Contains(text, "AADSTS"+number+": ") || !strings.Contains(text, ">User name</label>") {
			t.Errorf("%v: %s; want AADSTS%s", change, text, number)
		}
	}
	s.refused(s.poll(d, nil), 70016, "authorization_pending")
	if text := s.page(s.post("/device", f), http.StatusOK); !strings.Contains(text, "You are signed in to portal <b>.") {
		t.Errorf("page %s", text)
	}
	if got := s.poll(d, nil); s.caller(got.Access).User != annID {
		t.Errorf("answer %+v; want Ann's tokens", got)
	}
	if text := s.page(s.post("/device", f), http.StatusBadRequest); !strings.Contains(text, "AADSTS90120: ") {
		t.Errorf("again: %s", text)
	}
}

func TestGuessingUserCodes(t *testing.T) {
	s := open(t)
	d := s.startDevice(nil)
	visit := func(source, code string) int {
		r := request("/device", form{"user_code": code}.encode())
		r.Method, r.RemoteAddr, r.URL.RawQuery = http.MethodGet, source, "user_code="+code
		return do(s, r).Code
	}
	for i := range 20 {
		if got := visit(fmt.Sprintf("[2001:db8::%x]:999", i), "BCDFGHJK"); got != http.StatusBadRequest {
			t.Fatalf("wrong code %d: status %d; want 400", i, got)
		}
	}
	if got := visit("[2001:db8::ffff]:1", d.UserCode); got != http.StatusTooManyRequests {
		t.Errorf("the right code after 20 wrong ones from one network: status %d; want 429", got)
	}
	if got := visit("192.0.2.1:1", d.UserCode); got != http.StatusOK {
		t.Errorf("from another place: status %d; want 200", got)
	}
	s.pass(5 * time.Minute)
	if got := visit("[2001:db8::ffff]:1", d.UserCode); got != http.StatusOK {
		t.Errorf("five minutes later: status %d; want 200", got)
	}
}

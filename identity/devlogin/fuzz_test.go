package devlogin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Whatever a client sends to the token endpoint, the answer is JSON in one of
// two shapes, and never an internal error.
func FuzzToken(f *testing.F) {
	for _, body := range []string{
		asBooking.encode(), redeem.with(form{"code": "x"}).encode(), "grant_type=refresh_token&client_id=" + portal + "&refresh_token=x",
		"grant_type=password&client_id=" + portal + "&username=ann%40contoso.example&password=convene&scope=openid", "grant_type=device_code&device_code=%00&client_id=" + portal,
		"a=1;b=2", "client_id=%ff&client_id=x", "%", "grant_type=client_credentials&client_id=" + booking + "&client_secret=old&scope=%2F.default",
	} {
		f.Add(contoso, body, "", "application/x-www-form-urlencoded")
	}
	f.Add("common", asBooking.with(form{"client_id": ""}).encode(), "Basic eDp5", "application/x-www-form-urlencoded;charset=UTF-8")
	f.Add("a b", "{}", "Basic", "application/json")
	s := open(f)
	f.Fuzz(func(t *testing.T, tenant, body, authorization, kind string) {
		r := httptest.NewRequest(http.MethodPost, tokenPath, strings.NewReader(body))
		r.URL.Path = "/" + tenant + "/oauth2/v2.0/token"
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Authorization", authorization)
		w := do(s, r)
		var got struct {
			Access      string  `json:"access_token"`
			ExpiresIn   float64 `json:"expires_in"`
			Error       string  `json:"error"`
			Description string  `json:"error_description"`
			Codes       []int   `json:"error_codes"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("body %q: %v", w.Body, err)
		}
		issued := w.Code == http.StatusOK && got.Access != "" && got.ExpiresIn > 0 && got.Error == ""
		refused := w.Code >= 400 && w.Code < 500 && got.Access == "" && got.Error != "" && len(got.Codes) == 1 && strings.HasPrefix(got.Description, "AADSTS")
		if !issued && !refused {
			t.Errorf("status %d, body %s; want tokens or a refusal", w.Code, w.Body)
		}
	})
}

// Whatever stands in the query of an authorization request, the answer is a
// page of ours or a redirect to an address that its application has registered.
func FuzzAuthorize(f *testing.F) {
	for _, change := range []form{
		nil, {"prompt": "none"}, {"response_mode": "fragment"}, {"response_mode": "form_post"}, {"scope": ""},
		{"redirect_uri": "https://portal.example/callback"}, {"redirect_uri": "https://evil.example"}, {"redirect_uri": `http://localhost:1\@evil.example`},
		{"redirect_uri": "http://localhost:1/%2e%2e/a"}, {"redirect_uri": "msauth.portal://auth"}, {"client_id": studio, "redirect_uri": studioBack},
	} {
		f.Add(asked.with(change).encode(), true)
		f.Add(asked.with(change).encode(), false)
	}
	s := open(f)
	f.Fuzz(func(t *testing.T, query string, post bool) {
		r := httptest.NewRequest(http.MethodGet, authorizePath, nil)
		if post {
			r = request(authorizePath, credentials.encode())
		}
		r.URL.RawQuery = query
		w := do(s, r)
		if w.Code >= 500 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		location := w.Header().Get("Location")
		if location == "" {
			if !strings.HasPrefix(w.Body.String(), "<!doctype html>") || w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("status %d, body %q; want a page of ours", w.Code, w.Body)
			}
			return
		}
		u, err := url.Parse(location)
		if err != nil {
			t.Fatalf("location %q: %v", location, err)
		}
		local := u.Scheme == "http" && strings.EqualFold(u.Hostname(), "localhost") && u.User == nil
		known := []string{"https://portal.example/callback", "msauth.portal://auth", studioBack}
		if !local && !slices.ContainsFunc(known, func(k string) bool {
			rest, ok := strings.CutPrefix(location, k)
			return ok && rest != "" && strings.ContainsRune("?#&", rune(rest[0]))
		}) {
			t.Errorf("location %q; want an address that was registered", location)
		}
		if strings.ContainsAny(location, "\r\n\x00 ") {
			t.Errorf("location %q has characters that no header may have", location)
		}
	})
}

// Whatever is typed or sent to the device page, the answer is a page.
func FuzzDevicePage(f *testing.F) {
	f.Add("BCDF-GHJK", false, ann, "convene", "approve")
	f.Add("", true, ann, "wrong", "approve")
	f.Add("", true, "\xff", "convene", "")
	f.Add("\x00", false, "@", "", "decline")
	f.Fuzz(func(t *testing.T, code string, right bool, name, password, action string) {
		s := open(t)
		if right {
			code = s.startDevice(nil).UserCode
		}
		fields := url.Values{"user_code": {code}, "username": {name}, "password": {password}, "action": {action}}
		w := do(s, request("/device", fields.Encode()))
		if w.Code >= 500 || !strings.HasPrefix(w.Body.String(), "<!doctype html>") {
			t.Errorf("status %d, body %q; want a page", w.Code, w.Body)
		}
	})
}

package join_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/convene-meet/convene/graphtest"
)

// page gets a page and checks what every page must have.
func page(t *testing.T, srv *graphtest.Server, method, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s %s: %s is %q, want %q", method, path, name, got, want)
		}
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("%s %s: policy %q", method, path, csp)
	}
	return resp.StatusCode, string(body)
}

// made is what the pages are reached by.
type made struct {
	ID, JoinWebURL, MeetingOptionsWebURL string
	JoinMeetingIDSettings                struct{ JoinMeetingID string }
	AudioConferencing                    *struct{ ConferenceID, DialinURL string }
}

func create(t *testing.T, srv *graphtest.Server, path, token, body string) made {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v1.0"+path+"/onlineMeetings/createOrGet", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var m made
	if err := json.NewDecoder(resp.Body).Decode(&m); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("status %d, error %v", resp.StatusCode, err)
	}
	return m
}

func TestPages(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	m := create(t, srv, "/me", srv.UserToken("ann@contoso.example", "portal"),
		`{"externalId":"a","subject":"Plans <script>alert(1)</script> & \"more\"","startDateTime":"2031-02-06T23:30:00Z","endDateTime":"2031-02-07T00:15:00Z"}`)
	other := create(t, srv, "/users/c0ffee00-0002-4a00-8000-000000000001", srv.AppToken("booking-fabrikam"), `{"externalId":"a"}`)
	local := func(address string) string { return strings.TrimPrefix(address, srv.URL) }
	digits := m.JoinMeetingIDSettings.JoinMeetingID
	for _, tt := range []struct {
		name, path string
		status     int
		want       []string
	}{
		{"home", "/", 200, []string{"<h1>Join a meeting</h1>", `<label for="id">Meeting ID</label>`}},
		{"meeting", local(m.JoinWebURL), 200, []string{
			`<h1 dir="auto">Plans &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;more&#34;</h1>`, `<dd dir="auto">Ann</dd>`,
			`datetime="2031-02-06T23:30:00Z" data-end="2031-02-07T00:15:00Z" data-localtime>6 February 2031, 23:30 – 7 February 2031, 00:15 UTC</time>`,
			`href="tel:&#43;12065550100,,` + m.AudioConferencing.ConferenceID + `#"`, "contoso.example",
		}},
		{"meeting by its digits", "/meet/" + digits, 200, []string{`<dd dir="auto">Ann</dd>`}},
		{"the form, with digits", "/meet?id=" + digits[:3] + "+" + digits[3:], 200, []string{"<h1>Join a meeting</h1>", `value="` + digits[:3] + ` `}},
		{"meeting without subject and numbers", local(other.JoinWebURL), 200, []string{`<h1 dir="auto">Meeting</h1>`, `<dd dir="auto">Fred</dd>`}},
		{"dial-in", local(m.AudioConferencing.DialinURL), 200, []string{"&#43;1 206-555-0100", `,,` + m.AudioConferencing.ConferenceID + `#"`}},
		{"dial-in without a meeting", "/dialin/contoso.example", 200, []string{"&#43;1 206-555-0100"}},
		{"dial-in with a foreign id", "/dialin/contoso.example?id=%3Cscript%3E", 200, []string{"&#43;1 206-555-0100"}},
		{"dial-in of a tenant without", "/dialin/fabrikam.example", 404, []string{"no dial-in"}},
		{"dial-in of nobody", "/dialin/nobody.example", 404, []string{"This meeting does not exist"}},
		{"no such digits", "/meet/100000000000000", 404, []string{"This meeting does not exist"}},
		{"digits that are none", "/meet/abc", 404, []string{"This meeting does not exist"}},
		{"another organizer in the link", strings.Replace(local(m.JoinWebURL), "000000000002%22%7d", "000000000003%22%7d", 1), 404, []string{"This meeting does not exist"}},
		{"another tenant in the link", strings.Replace(local(m.JoinWebURL), "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10", "7a11ad00-2b7d-4c1a-9e64-7d1b8a2f3c11", 1), 404, []string{"This meeting does not exist"}},
		{"another message in the link", strings.Replace(local(m.JoinWebURL), "/0?", "/1?", 1), 404, []string{"This meeting does not exist"}},
		{"no context in the link", strings.Split(local(m.JoinWebURL), "?")[0], 404, []string{"This meeting does not exist"}},
		{"half an options link", "/meetingOptions/?organizerId=x", 404, []string{"This meeting does not exist"}},
		{"broken escapes", "/l/meetup-join/%ff/0?context=%7b%7d", 404, []string{"This meeting does not exist"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := page(t, srv, http.MethodGet, tt.path)
			if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(body, want) {
					t.Errorf("no %q in %s", want, body)
				}
			}
			if strings.Contains(body, "<script>") || strings.Contains(body, "ZgotmplZ") {
				t.Errorf("something came through: %s", body)
			}
		})
	}
	if status, _ := page(t, srv, http.MethodPost, "/"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d, want 405", status)
	}
}

// Whoever guesses meeting ids has to wait; the link of the invitation still
// works meanwhile.
func TestGuessingIsSlow(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	m := create(t, srv, "/me", srv.UserToken("ann@contoso.example", "portal"), `{"externalId":"a"}`)
	last := 0
	for i := range 30 {
		last, _ = page(t, srv, http.MethodGet, fmt.Sprintf("/meet/10000000000%04d", i))
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("30 guesses: status %d, want 429", last)
	}
	if status, _ := page(t, srv, http.MethodGet, strings.TrimPrefix(m.JoinWebURL, srv.URL)); status != http.StatusOK {
		t.Errorf("the link: status %d, want 200", status)
	}
}

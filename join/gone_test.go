package join_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
)

// Links to a meeting that there was say so, on its pages and to their calls. A link
// that names another organizer is one to a meeting that never was.
func TestGone(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)
	srv := graphtest.New(t, graphtest.WithClock(func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}))
	graph := func(method, path, body string) []byte {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/v1.0/me/onlineMeetings"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+srv.UserToken("ann@contoso.example", "portal"))
		return answer(t, srv, r, http.StatusOK, http.StatusCreated, http.StatusNoContent)
	}
	type links struct{ ID, JoinWebURL, MeetingOptionsWebURL string }
	book := func(externalID string) (m links) {
		t.Helper()
		if err := json.Unmarshal(graph(http.MethodPost, "/createOrGet", `{"externalId":"`+externalID+`"}`), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	knock := func(link string, want int, code string) {
		t.Helper()
		body, err := json.Marshal(map[string]string{"link": link, "name": "Vera"})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/room/knock", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", srv.URL)
		r.Header.Set("Cookie", "__Host-convene="+strings.Repeat("v", 26))
		if got := answer(t, srv, r, want); !strings.Contains(string(got), `"code":"`+code+`"`) {
			t.Errorf("knocking at %s: %s; want code %s", link, got, code)
		}
	}
	check := func(what string, m links, want int, code string) {
		t.Helper()
		for _, address := range []string{m.JoinWebURL, m.MeetingOptionsWebURL} {
			path := strings.TrimPrefix(address, srv.URL)
			if status, _ := page(t, srv, http.MethodGet, path); status != want {
				t.Errorf("%s: %s is answered with %d, want %d", what, path, status, want)
			}
		}
		knock(strings.TrimPrefix(m.JoinWebURL, srv.URL), want, code)
	}

	deleted, expired := book("deleted"), book("expired")
	graph(http.MethodDelete, "/"+deleted.ID, "")
	check("a deleted meeting", deleted, http.StatusGone, "gone")
	mu.Lock()
	now = now.Add(100 * 24 * time.Hour)
	mu.Unlock()
	check("an expired meeting", expired, http.StatusGone, "gone")
	if next := book("expired"); next.JoinWebURL == expired.JoinWebURL {
		t.Errorf("the next meeting has the link %s, too", next.JoinWebURL)
	}
	check("an expired meeting that has a successor", expired, http.StatusGone, "gone")

	const ann, bob = "c0ffee00-0001-4a00-8000-000000000002", "c0ffee00-0001-4a00-8000-000000000003"
	for name, m := range map[string]links{"another organizer": {
		JoinWebURL: strings.Replace(deleted.JoinWebURL, ann, bob, 1), MeetingOptionsWebURL: strings.Replace(deleted.MeetingOptionsWebURL, ann, bob, 1),
	}, "another thread": {
		JoinWebURL:           strings.Replace(deleted.JoinWebURL, "meeting_", "meeting_X", 1),
		MeetingOptionsWebURL: strings.Replace(deleted.MeetingOptionsWebURL, "meeting_", "meeting_X", 1),
	}} {
		check(name, m, http.StatusNotFound, "notFound")
	}
}

func answer(t *testing.T, srv *graphtest.Server, r *http.Request, want ...int) []byte {
	t.Helper()
	r.Header.Set("Content-Type", "application/json")
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(want, resp.StatusCode) {
		t.Errorf("%s %s: status %d, want %v: %s", r.Method, r.URL.Path, resp.StatusCode, want, body)
	}
	return body
}

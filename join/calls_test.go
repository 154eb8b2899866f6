package join_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/media/mediatest"
	"github.com/convene-meet/convene/server"
)

// A house is a server with an engine in memory.
type house struct {
	*graphtest.Server
	engine *mediatest.Scripted
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{}
	h.Server = graphtest.New(t, graphtest.With(func(c *server.Config) {
		c.Media = func(gate media.Gate) (media.Engine, error) {
			h.engine = mediatest.NewScripted(gate)
			return h.engine, nil
		}
	}))
	return h
}

// A browser is a client with cookies, and one tab in it.
type browser struct {
	*http.Client
	house     *house
	link, tab string
	t         *testing.T
}

// visit opens a meeting's page, as a guest or as a user of contoso who signs in.
func (h *house) visit(t *testing.T, m made, user string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{Client: &http.Client{Transport: h.Client().Transport, Jar: jar}, house: h, link: strings.TrimPrefix(m.JoinWebURL, h.URL), t: t}
	if user == "" {
		b.get(b.link)
		return b
	}
	page := b.get("/sign-in?return=" + url.QueryEscape(b.link))
	form := url.Values{"username": {user + "@contoso.example"}, "password": {"convene"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page.Request.URL.String(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Request.URL.Path, "/l/") {
		t.Fatalf("signing in ended at %s with %d", resp.Request.URL, resp.StatusCode)
	}
	return b
}

func (b *browser) get(path string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.house.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

// An answered is what a call may get.
type answered struct {
	Tab, State string
	Ticket     struct{ Token, URL string }
	Error      struct{ Code, Message string }
}

func (b *browser) call(path string, body map[string]any) (status int, a answered) {
	b.t.Helper()
	all := map[string]any{"link": b.link, "tab": b.tab}
	for k, v := range body {
		all[k] = v
	}
	text, err := json.Marshal(all)
	if err != nil {
		b.t.Fatal(err)
	}
	resp := b.post(path, string(text), map[string]string{"Origin": b.house.URL, "Content-Type": "application/json"})
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, a
}

func (b *browser) post(path, body string, header map[string]string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.house.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp
}

// knock asks to come in, and returns the state.
func (b *browser) knock(name string) string {
	b.t.Helper()
	status, a := b.call("/room/knock", map[string]any{"name": name})
	if status != http.StatusOK {
		b.t.Fatalf("knocking: %d %+v", status, a.Error)
	}
	b.tab = a.Tab
	return a.State
}

// do does something in the room, and returns the code of a refusal.
func (b *browser) do(what string, with map[string]any) string {
	b.t.Helper()
	all := map[string]any{"do": what}
	for k, v := range with {
		all[k] = v
	}
	_, a := b.call("/room/act", all)
	return a.Error.Code
}

// A shown is what a tab was shown last.
type shown struct {
	State   string
	People  []struct{ ID, Label, Role string }
	Waiting []struct{ ID, Name string }
}

// watch opens the stream of a tab, which stays open until the test ends.
func (b *browser) watch() <-chan shown {
	b.t.Helper()
	text, err := json.Marshal(map[string]any{"link": b.link, "tab": b.tab})
	if err != nil {
		b.t.Fatal(err)
	}
	resp := b.post("/room/events", string(text), map[string]string{"Origin": b.house.URL, "Content-Type": "application/json"})
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("events: %d", resp.StatusCode)
	}
	views := make(chan shown, 100)
	go func() {
		defer close(views)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			var line struct{ View *shown }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.View != nil {
				views <- *line.View
			}
		}
	}()
	return views
}

// until waits for a view.
func until(t *testing.T, views <-chan shown, what string, holds func(shown) bool) shown {
	t.Helper()
	late := time.After(20 * time.Second)
	var last shown
	for {
		select {
		case v, ok := <-views:
			if !ok {
				t.Fatalf("%s: the stream ended after %+v", what, last)
			}
			if last = v; holds(v) {
				return v
			}
		case <-late:
			t.Fatalf("%s: not after 20s; last %+v", what, last)
		}
	}
}

// inside comes in and waits for being there.
func (b *browser) inside(name string) <-chan shown {
	b.t.Helper()
	if state := b.knock(name); state != "admitted" {
		b.t.Fatalf("%s is %s", name, state)
	}
	views := b.watch()
	until(b.t, views, name+" is in the room", func(v shown) bool { return v.State == "admitted" })
	return views
}

const open = `"lobbyBypassSettings":{"scope":"everyone"}`

// room makes a meeting of Dora's.
func (h *house) room(t *testing.T, settings string) made {
	t.Helper()
	body := `{"subject":"Room"`
	if settings != "" {
		body += "," + settings
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/v1.0/me/onlineMeetings", strings.NewReader(body+"}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.UserToken("dora@contoso.example", "portal"))
	r.Header.Set("Content-Type", "application/json")
	resp, err := h.Client().Do(r)
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

// Who waits gets nothing: no ticket, no names, no way to act.
func TestWhoWaitsGetsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.room(t, "")
	dora := h.visit(t, m, "dora")
	atDoras := dora.inside("")
	vera := h.visit(t, m, "")
	if state := vera.knock("Vera"); state != "waiting" {
		t.Fatalf("Vera is %s", state)
	}
	views := vera.watch()
	if v := until(t, views, "Vera waits", func(shown) bool { return true }); v.State != "waiting" || len(v.People) > 0 || len(v.Waiting) > 0 {
		t.Errorf("who waits is shown %+v", v)
	}
	until(t, atDoras, "Dora sees who waits", func(v shown) bool { return len(v.Waiting) == 1 && v.Waiting[0].Name == "Vera" })
	for _, what := range []string{"ticket", "admit", "admitAll", "decline", "mute", "muteAll", "remove", "role", "hand", "react", "say", "rename", "end"} {
		if code := vera.do(what, map[string]any{"target": vera.tab, "text": "hello", "role": "presenter", "kind": "like", "name": "V"}); code != "notInMeeting" {
			t.Errorf("%s: %q, want notInMeeting", what, code)
		}
	}
	if code := dora.do("admit", map[string]any{"target": vera.tab}); code != "" {
		t.Fatal(code)
	}
	until(t, views, "Vera is in the room", func(v shown) bool { return v.State == "admitted" && len(v.People) == 2 })
}

// Nobody acts with a tab that is somebody else's, or from another site.
func TestCallsAreTheTabsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.room(t, open)
	dora := h.visit(t, m, "dora")
	dora.inside("")
	mallory := h.visit(t, m, "")
	mallory.inside("Mallory")
	own := mallory.tab
	mallory.tab = dora.tab
	for _, what := range []string{"ticket", "end", "leave", "say", "muteAll"} {
		if code := mallory.do(what, map[string]any{"text": "x"}); code != "notInMeeting" {
			t.Errorf("%s with another's tab: %q", what, code)
		}
	}
	if status, _ := mallory.call("/room/events", nil); status != http.StatusConflict {
		t.Errorf("events of another's tab: %d", status)
	}
	mallory.tab = own
	body := `{"link":"` + mallory.link + `","tab":"` + own + `","do":"hand","up":true}`
	for name, tt := range map[string]struct {
		header map[string]string
		body   string
		status int
	}{
		"another site":    {map[string]string{"Origin": "https://elsewhere.example", "Content-Type": "application/json"}, body, 403},
		"no origin":       {map[string]string{"Content-Type": "application/json"}, body, 403},
		"a form":          {map[string]string{"Origin": h.URL, "Content-Type": "text/plain"}, body, 415},
		"no JSON":         {map[string]string{"Origin": h.URL, "Content-Type": "application/json"}, "{", 400},
		"too much":        {map[string]string{"Origin": h.URL, "Content-Type": "application/json"}, `{"text":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
		"broken UTF-8":    {map[string]string{"Origin": h.URL, "Content-Type": "application/json"}, "{\"text\":\"\xff\"}", 400},
		"a name as tab":   {map[string]string{"Origin": h.URL, "Content-Type": "application/json"}, `{"tab":"../x"}`, 400},
		"no such meeting": {map[string]string{"Origin": h.URL, "Content-Type": "application/json"}, `{"link":"/l/meetup-join/x/0?context=%7b%7d"}`, 404},
		"the right one":   {map[string]string{"Origin": h.URL, "Content-Type": "application/json"}, body, 200},
	} {
		resp := mallory.post("/room/act", tt.body, tt.header)
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d: %s", name, resp.StatusCode, tt.status, text)
		}
	}
}

// A removed guest who signs in and out is the same guest.
func TestSigningOutMakesNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.room(t, open)
	dora := h.visit(t, m, "dora")
	dora.inside("")
	vera := h.visit(t, m, "")
	vera.inside("Vera")
	if code := dora.do("remove", map[string]any{"target": vera.tab}); code != "" {
		t.Fatal(code)
	}
	resp := vera.post("/sign-out?return=/", "", map[string]string{"Origin": h.URL, "Sec-Fetch-Site": "same-origin"})
	_ = resp.Body.Close()
	vera.get(vera.link)
	if status, a := vera.call("/room/knock", map[string]any{"name": "Vera", "tab": ""}); a.Error.Code != "barred" {
		t.Errorf("after signing out: %d %+v", status, a)
	}
}

// What a role may do, the server decides.
func TestWhoMayAct(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.room(t, open+`,"allowedPresenters":"roleIsPresenter","allowParticipantsToChangeName":true,
		"participants":{"attendees":[{"upn":"ann@contoso.example","role":"coorganizer"},{"upn":"bob@contoso.example","role":"presenter"}]}`)
	people := map[string]*browser{}
	for name, user := range map[string]string{"organizer": "dora", "co-organizer": "ann", "presenter": "bob", "attendee": "gina"} {
		people[name] = h.visit(t, m, user)
		people[name].inside("")
	}
	victim := h.visit(t, m, "")
	victim.inside("Victim")
	managers := []string{"organizer", "co-organizer", "presenter"}
	all := append([]string{"attendee"}, managers...)
	for _, tt := range []struct {
		do     string
		target *browser
		with   map[string]any
		may    []string
	}{
		{"hand", victim, map[string]any{"up": true}, all},
		{"react", victim, map[string]any{"kind": "heart"}, all},
		{"say", victim, map[string]any{"text": "hello"}, all},
		{"rename", victim, map[string]any{"name": "Other"}, all},
		{"mute", victim, nil, managers},
		{"muteAll", victim, nil, managers},
		{"role", victim, map[string]any{"role": "attendee"}, managers},
		{"admitAll", victim, nil, managers},
		{"mute", people["organizer"], nil, nil},
		{"remove", people["organizer"], nil, nil},
		{"role", people["co-organizer"], map[string]any{"role": "attendee"}, nil},
		{"remove", people["co-organizer"], nil, nil},
	} {
		for name, b := range people {
			with := map[string]any{"target": tt.target.tab}
			for k, v := range tt.with {
				with[k] = v
			}
			code := b.do(tt.do, with)
			want := "forbidden"
			for _, may := range tt.may {
				if may == name {
					want = ""
				}
			}
			if code != want {
				t.Errorf("%s, %s: %q, want %q", name, tt.do, code, want)
			}
		}
	}
	for _, name := range []string{"attendee", "presenter"} {
		if code := people[name].do("end", nil); code != "forbidden" {
			t.Errorf("%s ends the meeting: %q", name, code)
		}
	}
	if code := people["presenter"].do("remove", map[string]any{"target": victim.tab}); code != "" {
		t.Errorf("removing: %q", code)
	}
	if status, a := victim.call("/room/knock", map[string]any{"name": "Victim"}); status != http.StatusForbidden || a.Error.Code != "barred" {
		t.Errorf("who was removed knocks: %d %+v", status, a)
	}
	if code := people["co-organizer"].do("end", nil); code != "" {
		t.Errorf("a co-organizer ends the meeting: %q", code)
	}
}

// A ticket is worth nothing once its tab was removed, and rights follow the
// meeting.
func TestTicketsAndRights(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.room(t, open)
	dora := h.visit(t, m, "dora")
	dora.inside("")
	vera := h.visit(t, m, "")
	vera.inside("Vera")
	_, a := vera.call("/room/act", map[string]any{"do": "ticket"})
	if a.Ticket.Token == "" || a.Ticket.URL != "wss"+strings.TrimPrefix(h.URL, "https") {
		t.Fatalf("ticket %+v", a.Ticket)
	}
	if code := dora.do("remove", map[string]any{"target": vera.tab}); code != "" {
		t.Fatal(code)
	}
	if _, err := mediatest.Connect(t.Context(), h.Client(), h.URL, media.Ticket{Token: a.Ticket.Token}); err == nil {
		t.Error("a removed person's ticket connects")
	}
	if code := vera.do("ticket", nil); code != "removed" {
		t.Errorf("a removed person asks for another: %q", code)
	}
}

// Pages have no script of their own but data, and name no other host to load from.
func TestMeetingPageIsStrict(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.room(t, "")
	_, body := page(t, h.Server, http.MethodGet, strings.TrimPrefix(m.JoinWebURL, h.URL))
	for _, tag := range regexp.MustCompile(`<(?:script|link|img|iframe|style)[^>]*>`).FindAllString(body, -1) {
		if strings.Contains(tag, "://") || strings.HasPrefix(tag, "<style") || strings.HasPrefix(tag, "<iframe") ||
			strings.HasPrefix(tag, "<script") && !strings.Contains(tag, ` src="/assets/`) && !strings.Contains(tag, `type="application/json"`) {
			t.Errorf("%s", tag)
		}
	}
	if regexp.MustCompile(`\son\w+=|style=`).MatchString(body) {
		t.Error("the page has inline script or style")
	}
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := create(t, h.Server, "/me", h.UserToken("dora@contoso.example", "portal"), `{"externalId":"a","subject":"A; B, C\r\nATTENDEE:mailto:x@example.com `+strings.Repeat("é", 100)+`"}`)
	link := strings.TrimPrefix(m.JoinWebURL, h.URL)
	path, query, _ := strings.Cut(link, "?")
	resp, err := h.Client().Get(h.URL + path + "/invite.ics?" + query)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Content-Type") != "text/calendar; charset=utf-8; method=PUBLISH" {
		t.Fatalf("%v %v", resp.Header, err)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(body), "\r\n"), "\r\n") {
		if len(line) > 75 || strings.Contains(line, "\n") {
			t.Errorf("line %q", line)
		}
		if strings.HasPrefix(line, "ATTENDEE") {
			t.Error("the subject added a line")
		}
	}
	unfolded := strings.ReplaceAll(string(body), "\r\n ", "")
	if !strings.Contains(unfolded, `SUMMARY:A\; B\, C\nATTENDEE:mailto:x@example.com é`) || !strings.Contains(unfolded, "URL:"+m.JoinWebURL) {
		t.Errorf("%s", unfolded)
	}
}

// A source that knocks too often at one door has to wait, and does not keep others
// from knocking elsewhere.
func TestKnockingIsLimited(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m, other := h.room(t, ""), h.room(t, "")
	status := 0
	var last answered
	for range 301 {
		status, last = h.visit(t, m, "").call("/room/knock", map[string]any{"name": "Vera"})
	}
	if status != http.StatusTooManyRequests || last.Error.Code != "tooMany" {
		t.Errorf("the 301st knock: %d %+v", status, last)
	}
	if status, a := h.visit(t, other, "").call("/room/knock", map[string]any{"name": "Vera"}); status != http.StatusOK {
		t.Errorf("another door: %d %+v", status, a)
	}
}

// With a meeting that is deleted ends its room, for everybody who is in it.
func TestRoomsEndWithMeetings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.room(t, open)
	token := h.UserToken("dora@contoso.example", "portal")
	dora := h.visit(t, m, "dora")
	views := dora.inside("")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, h.URL+"/v1.0/me/onlineMeetings/"+m.ID, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := h.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("deleting: %d", resp.StatusCode)
	}
	until(t, views, "the room is over", func(v shown) bool { return v.State == "gone" })
	if status, a := dora.call("/room/knock", nil); status != http.StatusGone || a.Error.Code != "gone" {
		t.Errorf("knocking afterwards: %d %+v", status, a)
	}
}

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/server"
	"github.com/convene-meet/convene/store/postgres/pgtest"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLikeTheModel does random things over the wire, as several users and
// applications of two tenants, and compares each answer with a model in which
// every rule is a line. What fails here, shrunk, belongs into a script of
// graph/testdata/scripts.
func TestLikeTheModel(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]string{"sqlite": "", "postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, database)
			rapid.Check(t, func(r *rapid.T) {
				w.run++
				m := &wireModel{wire: w, meetings: map[string]*modelled{}}
				r.Repeat(map[string]func(*rapid.T){
					"createOrGet": m.createOrGet,
					"create":      m.create,
					"get":         m.get,
					"find":        m.find,
					"patch":       m.patch,
					"delete":      m.remove,
					"list":        m.list,
					"wait":        m.wait,
				})
			})
		})
	}
}

// A wire is a server and those who talk to it.
type wire struct {
	srv     *graphtest.Server
	clock   sync.Mutex // of now, which the server reads
	now     time.Time
	callers []caller
	run     int  // external ids of one run are no other's
	batched bool // requests go as parts of a batch
}

// A caller acts for a user of a tenant: the user, or an application.
type caller struct {
	tenant, upn, id, root, token string
}

func newWire(t *testing.T, database string) *wire {
	w := &wire{now: time.Date(2031, 1, 1, 12, 0, 0, 123456700, time.UTC)}
	world := graphtest.NewWorld()
	apps := map[string]string{}
	for _, domain := range []string{"acme.example", "other.example"} {
		tenant := world.Tenant(domain).DialIn("+1 206-555-0199").VideoInterop().Extensions("listMeetings")
		for _, name := range []string{"ann", "bob"} {
			tenant.User(name)
		}
		app := "booking of " + domain
		tenant.App(app, "OnlineMeetings.ReadWrite.All", "User.Read.All").PublicApp("portal of "+domain, "OnlineMeetings.ReadWrite", "User.Read").Policy("all", []string{app})
		apps[domain] = app
	}
	w.srv = graphtest.New(t, graphtest.WithWorld(world), graphtest.WithClock(func() time.Time {
		w.clock.Lock()
		defer w.clock.Unlock()
		return w.now
	}),
		graphtest.With(func(c *server.Config) { c.Database = database }))
	for domain, app := range apps {
		token := w.srv.AppToken(app)
		for _, name := range []string{"ann", "bob"} {
			c := caller{tenant: domain, upn: name + "@" + domain, token: token}
			var user struct{ ID string }
			w.ask(t, c, http.MethodGet, "/users/"+c.upn, nil, &user)
			c.id, c.root = user.ID, "/users/"+user.ID
			me := c
			me.root, me.token = "/me", w.srv.UserToken(c.upn, "portal of "+domain)
			w.callers = append(w.callers, c, me)
		}
	}
	slices.SortFunc(w.callers, func(a, b caller) int { return strings.Compare(a.upn+a.root, b.upn+b.root) })
	return w
}

type fataler interface{ Fatal(...any) }

// ask sends a request and returns the status, and the code and the beginning of
// the message of an error.
func (w *wire) ask(t fataler, c caller, method, path string, body, into any) (status int, refusal string) {
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, content := w.send(t, c, method, path, text)
	if status >= 400 {
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(content, &e); err != nil {
			t.Fatal(method, path, status, string(content))
		}
		message, _, _ := strings.Cut(e.Error.Message, " ")
		return status, e.Error.Code + " " + message
	}
	if into != nil && len(content) > 0 {
		if err := json.Unmarshal(content, into); err != nil {
			t.Fatal(method, path, string(content), err)
		}
	}
	return status, ""
}

// send sends a request by itself, or in a batch: after another part, on which it
// depends, and before one that depends on it.
func (w *wire) send(t fataler, c caller, method, path string, text []byte) (status int, content []byte) {
	if !w.batched {
		return w.sendAlone(t, c, method, path, text)
	}
	kind := map[string]string{"Content-Type": "application/json"}
	batch, err := json.Marshal(map[string]any{"requests": []any{
		map[string]any{"id": "after", "method": "GET", "url": "/users/" + c.id, "dependsOn": []string{"it"}},
		map[string]any{"id": "it", "method": method, "url": path, "headers": kind, "body": json.RawMessage(text), "dependsOn": []string{"before"}},
		map[string]any{"id": "before", "method": "GET", "url": "/users/" + c.id},
	}})
	if err != nil {
		t.Fatal(err)
	}
	status, content = w.sendAlone(t, c, http.MethodPost, "/$batch", batch)
	var answer struct {
		Responses []struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
	}
	if err := json.Unmarshal(content, &answer); err != nil || status != 200 || len(answer.Responses) != 3 {
		t.Fatal("batch:", status, string(content))
	}
	parts := map[string]int{}
	for _, part := range answer.Responses {
		if parts[part.ID] = part.Status; part.ID == "it" {
			content = part.Body
		}
	}
	after := 200
	if parts["it"] >= 400 {
		after = 424
	}
	if parts["before"] != 200 || parts["after"] != after {
		t.Fatal("parts of a batch:", parts)
	}
	return parts["it"], content
}

func (w *wire) sendAlone(t fataler, c caller, method, path string, text []byte) (status int, content []byte) {
	r, err := http.NewRequest(method, w.srv.URL+"/v1.0"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := w.srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if content, err = io.ReadAll(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, content
}

// A wireMeeting is what the model knows of a meeting, as the wire writes it.
type wireMeeting struct {
	ID                    string   `json:"id"`
	ExternalID            *string  `json:"externalId"`
	Subject               *string  `json:"subject"`
	Start                 string   `json:"startDateTime"`
	End                   string   `json:"endDateTime"`
	Created               string   `json:"creationDateTime"`
	Expires               string   `json:"expiryDateTime"`
	AllowedPresenters     string   `json:"allowedPresenters"`
	AllowRecording        bool     `json:"allowRecording"`
	Lobby                 wireWord `json:"lobbyBypassSettings"`
	JoinWebURL            string   `json:"joinWebUrl"`
	JoinMeetingID         wireJoin `json:"joinMeetingIdSettings"`
	VideoTeleconferenceID string   `json:"videoTeleconferenceId"`
	Participants          struct {
		Organizer wireUPN   `json:"organizer"`
		Attendees []wireUPN `json:"attendees"`
	} `json:"participants"`
}

type (
	wireWord struct{ Scope string }
	wireJoin struct{ JoinMeetingID string }
	wireUPN  struct{ UPN string }
)

// A modelled meeting is what the server should have.
type modelled struct {
	wireMeeting
	owner   caller
	expires time.Time
}

type wireModel struct {
	*wire
	meetings map[string]*modelled // by id
}

func (m *wireModel) caller(r *rapid.T) caller {
	m.batched = rapid.Bool().Draw(r, "in a batch")
	return rapid.SampledFrom(m.callers).Draw(r, "caller")
}

// any draws a meeting of this run, dead or alive; nil where there was none.
func (m *wireModel) any(r *rapid.T) *modelled {
	if len(m.meetings) == 0 {
		return nil
	}
	return m.meetings[rapid.SampledFrom(slices.Sorted(maps.Keys(m.meetings))).Draw(r, "meeting")]
}

func (m *wireModel) alive(x *modelled) bool { return x.ID != "" && m.now.Before(x.expires) }

const written = "2006-01-02T15:04:05.9999999Z"

// draft draws what a request says, and the meeting that it makes.
func (m *wireModel) draft(r *rapid.T, c caller, options bool) (map[string]any, *modelled) {
	body := map[string]any{}
	x := &modelled{owner: c}
	x.Participants.Organizer.UPN = c.upn
	x.Participants.Attendees = []wireUPN{}
	x.AllowedPresenters, x.AllowRecording, x.Lobby.Scope = "everyone", true, "organization"
	if rapid.Bool().Draw(r, "subject") {
		s := rapid.SampledFrom([]string{"", "Kickoff", "Überblick \"x\""}).Draw(r, "text")
		body["subject"], x.Subject = s, &s
	}
	start := m.now
	if rapid.Bool().Draw(r, "start") {
		start = m.now.Truncate(time.Second).Add(time.Duration(rapid.IntRange(-3, 100).Draw(r, "days")) * 24 * time.Hour)
		body["startDateTime"] = start.Format(written)
	}
	end := start.Add(time.Hour)
	x.Start, x.End, x.Created = start.Format(written), end.Format(written), m.now.Format(written)
	m.expiry(x, end)
	if rapid.Bool().Draw(r, "attendees") {
		other := rapid.SampledFrom(m.callers).Draw(r, "attendee")
		body["participants"] = map[string]any{"attendees": []any{map[string]any{"upn": other.upn}}}
		x.Participants.Attendees = []wireUPN{{other.upn}}
	}
	if rapid.Bool().Draw(r, "options") {
		body["allowedPresenters"], body["allowRecording"] = "organizer", false
		if options {
			x.AllowedPresenters, x.AllowRecording = "organizer", false
		}
	}
	return body, x
}

func (m *wireModel) expiry(x *modelled, end time.Time) {
	if end.Before(m.now) {
		end = m.now
	}
	x.expires = end.Add(60 * 24 * time.Hour)
	x.Expires = x.expires.Format(written)
}

// keep takes over what the server has drawn, and compares the rest.
func (m *wireModel) keep(r *rapid.T, x *modelled, got wireMeeting) {
	x.ID, x.JoinWebURL, x.JoinMeetingID, x.VideoTeleconferenceID = got.ID, got.JoinWebURL, got.JoinMeetingID, got.VideoTeleconferenceID
	if m.meetings[x.ID] != nil {
		r.Fatalf("the id %s is another meeting's", x.ID)
	}
	m.meetings[x.ID] = x
	m.same(r, x, got)
}

func (m *wireModel) same(r *rapid.T, x *modelled, got wireMeeting) {
	if diff := cmp.Diff(x.wireMeeting, got); diff != "" {
		r.Fatalf("the meeting differs (- want, + got):\n%s", diff)
	}
}

func (m *wireModel) expect(r *rapid.T, what string, status, want int, refusal, wantRefusal string) {
	if status != want || refusal != wantRefusal {
		r.Fatalf("%s: %d %q, want %d %q", what, status, refusal, want, wantRefusal)
	}
}

func (m *wireModel) createOrGet(r *rapid.T) {
	c := m.caller(r)
	body, x := m.draft(r, c, false)
	key := fmt.Sprintf("%d-%d", m.run, rapid.IntRange(0, 4).Draw(r, "external id"))
	body["externalId"], x.ExternalID = key, &key
	var there *modelled
	for _, o := range m.meetings {
		if o.ExternalID != nil && *o.ExternalID == key && o.owner.id == c.id && m.alive(o) {
			there = o
		}
	}
	var got wireMeeting
	status, refusal := m.ask(r, c, http.MethodPost, c.root+"/onlineMeetings/createOrGet", body, &got)
	if there != nil {
		m.expect(r, "createOrGet of an existing meeting", status, 200, refusal, "")
		m.same(r, there, got)
		return
	}
	m.expect(r, "createOrGet of a new meeting", status, 201, refusal, "")
	m.keep(r, x, got)
}

func (m *wireModel) create(r *rapid.T) {
	c := m.caller(r)
	body, x := m.draft(r, c, true)
	var got wireMeeting
	status, refusal := m.ask(r, c, http.MethodPost, c.root+"/onlineMeetings", body, &got)
	m.expect(r, "create", status, 201, refusal, "")
	m.keep(r, x, got)
}

// invited reports whether the user of c is an attendee.
func invited(x *modelled, c caller) bool {
	return x.owner.tenant == c.tenant && slices.Contains(x.Participants.Attendees, wireUPN{c.upn})
}

func (m *wireModel) get(r *rapid.T) {
	c, x := m.caller(r), m.any(r)
	if x == nil {
		return
	}
	var got wireMeeting
	status, refusal := m.ask(r, c, http.MethodGet, c.root+"/onlineMeetings/"+x.ID, nil, &got)
	switch {
	case m.alive(x) && (x.owner.id == c.id || invited(x, c)):
		m.expect(r, "get", status, 200, refusal, "")
		m.same(r, x, got)
	case x.owner.id == c.id:
		m.expect(r, "get of what is gone", status, 404, refusal, "NotFound 3004:")
	default:
		m.expect(r, "get of another's", status, 404, refusal, "NotFound Organizer")
	}
}

func (m *wireModel) find(r *rapid.T) {
	c, x := m.caller(r), m.any(r)
	if x == nil {
		return
	}
	filter := "JoinWebUrl eq '" + x.JoinWebURL + "'"
	if rapid.Bool().Draw(r, "by number") {
		filter = "joinMeetingIdSettings/joinMeetingId eq '" + x.JoinMeetingID.JoinMeetingID + "'"
	}
	var got struct{ Value []wireMeeting }
	status, refusal := m.ask(r, c, http.MethodGet, c.root+"/onlineMeetings?$filter="+url.QueryEscape(filter), nil, &got)
	switch {
	case !m.alive(x) || x.owner.tenant != c.tenant:
		m.expect(r, "find of what is gone or another tenant's", status, 404, refusal, "NotFound 3004:")
	case x.owner.id != c.id:
		m.expect(r, "find of another's", status, 403, refusal, "Forbidden 3003:")
	default:
		m.expect(r, "find", status, 200, refusal, "")
		if len(got.Value) != 1 {
			r.Fatalf("find: %d meetings", len(got.Value))
		}
		m.same(r, x, got.Value[0])
	}
}

func (m *wireModel) patch(r *rapid.T) {
	c, x := m.caller(r), m.any(r)
	if x == nil {
		return
	}
	body := map[string]any{}
	after := *x
	if rapid.Bool().Draw(r, "subject") {
		s := "Changed"
		body["subject"], after.Subject = s, &s
	}
	if rapid.Bool().Draw(r, "lobby") {
		body["lobbyBypassSettings"], after.Lobby.Scope = map[string]any{"scope": "everyone"}, "everyone"
	}
	end, err := time.Parse(time.RFC3339, x.End)
	if err != nil {
		r.Fatal(err)
	}
	if rapid.Bool().Draw(r, "times") {
		start := m.now.Truncate(time.Second).Add(time.Hour)
		end = start.Add(2 * time.Hour)
		body["startDateTime"], body["endDateTime"] = start.Format(written), end.Format(written)
		after.Start, after.End = start.Format(written), end.Format(written)
	}
	m.expiry(&after, end)
	var got wireMeeting
	status, refusal := m.ask(r, c, http.MethodPatch, c.root+"/onlineMeetings/"+x.ID, body, &got)
	switch {
	case m.alive(x) && x.owner.id == c.id:
		m.expect(r, "patch", status, 200, refusal, "")
		*x = after
		m.same(r, x, got)
	case x.owner.id == c.id:
		m.expect(r, "patch of what is gone", status, 404, refusal, "NotFound 3004:")
	case m.alive(x) && invited(x, c):
		m.expect(r, "patch by an attendee", status, 403, refusal, "Forbidden Only")
	default:
		m.expect(r, "patch of another's", status, 404, refusal, "NotFound Organizer")
	}
}

func (m *wireModel) remove(r *rapid.T) {
	c, x := m.caller(r), m.any(r)
	if x == nil {
		return
	}
	status, refusal := m.ask(r, c, http.MethodDelete, c.root+"/onlineMeetings/"+x.ID, nil, nil)
	switch {
	case m.alive(x) && x.owner.id == c.id:
		m.expect(r, "delete", status, 204, refusal, "")
		x.expires = time.Time{}
	case x.owner.id == c.id:
		m.expect(r, "delete of what is gone", status, 404, refusal, "NotFound 3004:")
	case m.alive(x) && invited(x, c):
		m.expect(r, "delete by an attendee", status, 403, refusal, "Forbidden Only")
	default:
		m.expect(r, "delete of another's", status, 404, refusal, "NotFound Organizer")
	}
}

// list follows the pages of a user's meetings, of which those of this run have to
// be there.
func (m *wireModel) list(r *rapid.T) {
	c := m.caller(r)
	want := map[string]*modelled{}
	for id, x := range m.meetings {
		if x.owner.id == c.id && m.alive(x) {
			want[id] = x
		}
	}
	path := c.root + "/onlineMeetings?$top=" + fmt.Sprint(rapid.SampledFrom([]int{17, 200}).Draw(r, "top"))
	if rapid.Bool().Draw(r, "down") {
		path += "&$orderby=startDateTime%20desc"
	}
	// What earlier runs have left is followed no further than it may be of this one.
	path += "&$filter=" + url.QueryEscape("startDateTime ge "+m.now.AddDate(0, 0, -200).Format(written))
	for path != "" {
		var got struct {
			Next  string `json:"@odata.nextLink"`
			Value []wireMeeting
		}
		status, refusal := m.ask(r, c, http.MethodGet, path, nil, &got)
		m.expect(r, "list", status, 200, refusal, "")
		for _, meeting := range got.Value {
			if x := want[meeting.ID]; x != nil {
				m.same(r, x, meeting)
				delete(want, meeting.ID)
			} else if x := m.meetings[meeting.ID]; x != nil {
				r.Fatalf("the list of %s has %s twice, or it is gone or another's", c.upn, meeting.ID)
			}
		}
		path = strings.TrimPrefix(got.Next, m.srv.URL+"/v1.0")
	}
	if len(want) > 0 {
		r.Fatalf("the list of %s lacks %d meetings", c.upn, len(want))
	}
}

// wait lets time pass: some meetings expire. Tokens live for an hour of the same
// clock, so new ones are had.
func (m *wireModel) wait(r *rapid.T) {
	if rapid.IntRange(0, 3).Draw(r, "wait") != 0 {
		return
	}
	wait := time.Duration(rapid.IntRange(1, 70*24).Draw(r, "hours")) * time.Hour
	m.clock.Lock()
	m.now = m.now.Add(wait)
	m.clock.Unlock()
	for i := range m.callers {
		c := &m.callers[i]
		if c.root == "/me" {
			c.token = m.srv.UserToken(c.upn, "portal of "+c.tenant)
		} else {
			c.token = m.srv.AppToken("booking of " + c.tenant)
		}
	}
}

package join

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// A Key names the meeting whose room it is.
type Key struct{ Tenant, Thread, Message string }

// KeyOf is the key of a meeting's room.
func KeyOf(m *meeting.Meeting) Key { return Key{m.Tenant, m.ThreadID, m.MessageID} }

// Room is the name of the room, as media engines take it. It says nothing about
// the meeting.
func (k Key) Room() string {
	h := sha256.New()
	for _, part := range []string{k.Tenant, k.Thread, k.Message} {
		h.Write([]byte(part))
		h.Write([]byte{0}) // which no part has
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// A Room is who waits for a meeting, who is in it, and what they may do there.
type Room struct {
	Key
	Revision int64 `json:"-"` // counts the changes; kept by the engine

	// People are those who knocked since the session began, by their key: see
	// [Visitor.Key].
	People map[string]*Person `json:",omitempty"`
	// Tabs are their browsers' tabs, by id, which is the participant's id in the
	// media engine.
	Tabs map[string]*Tab `json:",omitempty"`
	// Session is nil while nobody is in the room.
	Session   *Session   `json:",omitempty"`
	Reactions []Reaction `json:",omitempty"`
	// Closed is when the last session was ended for everybody.
	Closed time.Time `json:",omitzero"`

	// Ended are sessions that are over: the engine stores them as reports.
	Ended []meeting.Report `json:"-"`
}

// Open reports whether somebody waits or is in the room, or a session has not been
// reported yet.
func (r *Room) Open() bool { return len(r.Tabs) > 0 || r.Session != nil }

// A Person is somebody who knocked: an account, or a guest, who is known by a
// cookie.
type Person struct {
	Name  string
	Email string `json:",omitempty"`
	// Tenant and User are empty for a guest.
	Tenant string `json:",omitempty"`
	User   string `json:",omitempty"`
	UPN    string `json:",omitempty"`
	// Admitted lets further tabs in, until the session is over.
	Admitted bool `json:",omitempty"`
	// Barred is until when a person who was declined or removed may not knock.
	Barred  time.Time `json:",omitzero"`
	Refused State     `json:",omitempty"` // Declined or Removed
	// MustWait has somebody wait whatever the scope, until admitted.
	MustWait bool `json:",omitempty"`
	// Given is a role that was given in the room, and Base the one that it
	// replaces. It holds as long as the meeting says Base.
	Given, Base Role `json:",omitempty"`
	// Since is when the person first came in: what was said before may be
	// withheld.
	Since time.Time `json:",omitzero"`
}

// A Tab is one browser tab of a person.
type Tab struct {
	Person string // key in People
	State  State
	Asked  time.Time // when it knocked
	Joined time.Time `json:",omitzero"` // when it came into the room; zero: it is not there
	Seen   time.Time // when a node last had it connected
	Hand   time.Time `json:",omitzero"`  // when the hand was raised
	Number int       `json:",omitempty"` // of several with one name, beginning with 1
}

// A State is where a tab stands.
type State string

// The states. Who was declined or removed stays for a while, to be told.
const (
	Waiting  State = "waiting"
	Admitted State = "admitted"
	Declined State = "declined"
	Removed  State = "removed"
)

// A Role is what a person is in the room.
type Role string

// The roles, from the least to the most.
const (
	Attendee    Role = "attendee"
	Presenter   Role = "presenter"
	Coorganizer Role = "coorganizer"
	Organizer   Role = "organizer"
)

// A Session lasts from the first one who comes in until the last one has left.
type Session struct {
	ID      string // a GUID, which the report will have
	Start   time.Time
	Records map[string]*meeting.Attendance // by person; intervals as they ended
	Left    time.Time                      `json:",omitzero"` // when somebody last left
}

// A Reaction is shown for some seconds.
type Reaction struct {
	Seq  int64
	Time time.Time
	Tab  string
	Kind string // like, heart, applause, laugh, surprised
}

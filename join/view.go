package join

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// A view is everything that one tab may show: docs/room-api.md. Who waits learns
// no more than that, and of which meeting.
type view struct {
	State   string      `json:"state"`
	Meeting meetingView `json:"meeting"`
	*inside
}

type meetingView struct {
	Subject   string    `json:"subject"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Organizer string    `json:"organizer"`
}

// inside is what those see who were let in.
type inside struct {
	Me                  meView         `json:"me"`
	May                 verdicts       `json:"may"`
	People              []personView   `json:"people"`
	Waiting             []waitingView  `json:"waiting"`
	Reactions           []reactionView `json:"reactions"`
	Announce            bool           `json:"announce"`
	Watermark           watermarkView  `json:"watermark"`
	RecordAutomatically bool           `json:"recordAutomatically"`
	Session             string         `json:"session"`
}

type meView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Label string `json:"label"`
	Email string `json:"email,omitzero"` // for the watermark
	Role  Role   `json:"role"`
	Guest bool   `json:"guest"`
	Hand  bool   `json:"hand"`
}

type personView struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Label       string    `json:"label"`
	Role        Role      `json:"role"`
	Guest       bool      `json:"guest"`
	Hand        int       `json:"hand"`
	Joined      time.Time `json:"joined"`
	Me          bool      `json:"me"`
	MayRemove   bool      `json:"mayRemove"`
	MayMute     bool      `json:"mayMute"`
	RoleChanges []Role    `json:"role_changes"`
}

type waitingView struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Guest bool      `json:"guest"`
	Since time.Time `json:"since"`
}

type reactionView struct {
	Seq  int64  `json:"seq"`
	From string `json:"from"`
	Kind string `json:"kind"`
}

type watermarkView struct {
	Screen bool `json:"screen"`
	Video  bool `json:"video"`
}

// reactionLife is how long a reaction is shown.
const reactionLife = 5 * time.Second

// viewOf is what a tab may show of a scene. organizer is the name of the
// meeting's.
func viewOf(sc *scene, tab, organizer string, begun, now time.Time) view {
	if sc.meeting == nil {
		return view{State: "gone"}
	}
	m, r := sc.meeting, &sc.room
	v := view{Meeting: meetingView{title(*m), m.Start.UTC(), m.End.UTC(), organizer}}
	t := r.Tabs[tab]
	switch {
	case t != nil && t.State == Admitted && !t.Joined.IsZero():
		v.State = string(Admitted)
	case t != nil && t.State == Admitted:
		v.State = string(Waiting) // for the moment until it has come in
		return v
	case t != nil:
		v.State = string(t.State)
		return v
	case !r.Closed.Before(begun):
		v.State = "ended"
		return v
	default:
		v.State = "lost" // it was away for too long
		return v
	}
	me := r.People[t.Person]
	role := me.role(m)
	in := &inside{
		May: verdictsOn(m, me), People: []personView{}, Waiting: []waitingView{}, Reactions: []reactionView{},
		Me:        meView{tab, me.Name, label(me.Name, t.Number), me.Email, role, me.User == "", !t.Hand.IsZero()},
		Announce:  m.Options.IsEntryExitAnnounced,
		Watermark: watermarkView{m.Options.WatermarkSharedContent, m.Options.WatermarkVideo}, RecordAutomatically: m.Options.RecordAutomatically,
	}
	if r.Session != nil {
		in.Session = r.Session.ID
	}
	hands := r.hands()
	for _, id := range r.present() {
		other := r.Tabs[id]
		p := r.People[other.Person]
		may := id != tab && other.Person != t.Person && mayChange(m, me, p)
		one := personView{
			ID: id, Name: p.Name, Label: label(p.Name, other.Number), Role: p.role(m), Guest: p.User == "", Hand: slices.Index(hands, id) + 1,
			Joined: other.Joined.UTC(), Me: id == tab, MayRemove: may, MayMute: may, RoleChanges: []Role{},
		}
		if may {
			one.RoleChanges = append(one.RoleChanges, opposite(one.Role))
		}
		in.People = append(in.People, one)
	}
	if admits(m, role) {
		seen := map[string]bool{}
		for _, id := range r.waiting() {
			if w := r.Tabs[id]; !seen[w.Person] {
				seen[w.Person] = true
				p := r.People[w.Person]
				in.Waiting = append(in.Waiting, waitingView{id, p.Name, p.User == "", w.Asked.UTC()})
			}
		}
	}
	for _, re := range r.Reactions {
		if from := r.Tabs[re.Tab]; from != nil && now.Sub(re.Time) < reactionLife {
			in.Reactions = append(in.Reactions, reactionView{re.Seq, label(r.People[from.Person].Name, from.Number), re.Kind})
		}
	}
	v.inside = in
	return v
}

func opposite(r Role) Role {
	if r == Attendee {
		return Presenter
	}
	return Attendee
}

// since is the time from which somebody may read what was said: all of it, or
// from when they first came in (shareMeetingChatHistoryDefault). Those who were
// invited belong to the thread from the beginning.
func since(m *meeting.Meeting, p *Person) time.Time {
	if m.Options.ShareMeetingChatHistoryDefault == meeting.ChatHistoryAll || baseRole(m, p.person()).rank() >= Coorganizer.rank() {
		return time.Time{}
	}
	if _, invited := m.Named(p.person()); invited && p.User != "" {
		return time.Time{}
	}
	return p.Since
}

// displayName makes a name of what somebody typed: one line, without characters
// that are not seen or turn the text around, and not longer than can be shown.
func displayName(typed string) string {
	visible := strings.Map(func(c rune) rune {
		switch {
		case c < ' ', c == 0x7f, c >= 0x80 && c < 0xa0, c == 0xad, c == 0x200b, c == 0x200e, c == 0x200f, c >= 0x2028 && c <= 0x202e,
			c >= 0x2060 && c <= 0x206f, c == 0xfeff, c == 0xfffd, c == 0x115f, c == 0x1160, c == 0x2800, c == 0x3164, c == 0xffa0:
			return ' '
		}
		return c
	}, typed)
	if strings.Trim(visible, " \u200c\u200d") == "" {
		return "" // joiners join nothing
	}
	name := []rune(strings.Join(strings.Fields(visible), " "))
	return strings.TrimSpace(string(name[:min(len(name), maxName)]))
}

// maxName is how many characters a name has.
const maxName = 64

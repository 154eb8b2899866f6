package join

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convene-meet/convene/media"
)

// reactions are those that there are.
var reactions = []string{"like", "heart", "applause", "laugh", "surprised"}

// act serves POST /room/act.
func (h *Handler) act(c *call) (any, error) {
	switch c.Do {
	case "ticket":
		r, err := h.Rooms.Store.Room(c.Context(), c.key.Room())
		if err != nil {
			return nil, err
		}
		tab := r.Tabs[c.Tab]
		if tab == nil || tab.Person != c.visitor.Key {
			return nil, errNotThere
		}
		if tab.State == Removed {
			return nil, errRemoved
		}
		t, err := h.ticket(c, &r, c.Tab)
		return struct {
			Ticket *ticketAnswer `json:"ticket"`
		}{t}, err
	case "leave":
		return h.leave(c)
	case "say":
		return h.say(c)
	}
	if !h.acts.take(c.Tab, h.Now()) {
		return nil, tooMany(&h.acts)
	}
	change, ok := actions[c.Do]
	if !ok {
		return nil, badRequest("do is none of what docs/room-api.md lists.")
	}
	var then []func(media.Engine) error
	_, err := h.Rooms.Store.UpdateRoom(c.Context(), c.key, func(r *Room) (err error) {
		me := r.Tabs[c.Tab]
		if me == nil || me.Person != c.visitor.Key || me.State != Admitted {
			return errNotThere
		}
		a := &actor{call: c, room: r, tab: me, person: r.People[me.Person], now: h.Now()}
		a.role = a.person.role(&c.meeting)
		err = change(a)
		then = a.then
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, f := range then {
		h.Rooms.engine(c.Context(), c.Do, f)
	}
	return struct{}{}, nil
}

// An actor is somebody in a room who does something there.
type actor struct {
	*call
	room   *Room
	tab    *Tab
	person *Person
	role   Role
	now    time.Time
	// then is what the media engine has to do once the change is stored.
	then []func(media.Engine) error
}

// actions are what is done to a room, by name.
var actions = map[string]func(*actor) error{
	"admit": func(a *actor) error {
		if !admits(&a.meeting, a.role) {
			return errForbidden
		}
		return a.room.admit(a.Target)
	},
	"admitAll": func(a *actor) error {
		if !admits(&a.meeting, a.role) {
			return errForbidden
		}
		a.room.admitAll()
		return nil
	},
	"decline": func(a *actor) error {
		if !admits(&a.meeting, a.role) {
			return errForbidden
		}
		_, err := a.room.turnAway(a.Target, Declined, a.now)
		return err
	},
	"remove": func(a *actor) error {
		if _, err := a.other(); err != nil {
			return err
		}
		gone, err := a.room.turnAway(a.Target, Removed, a.now)
		for _, id := range gone {
			a.have(func(e media.Engine) error { return e.Remove(a.Context(), a.key.Room(), id) })
		}
		return err
	},
	"mute": func(a *actor) error {
		if _, err := a.other(); err != nil {
			return err
		}
		a.mute(a.Target)
		return nil
	},
	"muteAll": func(a *actor) error {
		if !manages(a.role) {
			return errForbidden
		}
		for _, id := range a.room.present() {
			if other := a.room.People[a.room.Tabs[id].Person]; other != a.person && mayChange(&a.meeting, a.person, other) {
				a.mute(id)
			}
		}
		return nil
	},
	"role": func(a *actor) error {
		other, err := a.other()
		if err != nil {
			return err
		}
		if a.Role != Presenter && a.Role != Attendee {
			return badRequest("role is presenter or attendee.")
		}
		other.Given, other.Base = a.Role, baseRole(&a.meeting, other.person())
		if a.room.Session != nil {
			if record := a.room.Session.Records[a.room.Tabs[a.Target].Person]; record != nil {
				record.Role = reportRole(a.Role)
			}
		}
		return nil
	},
	"hand": func(a *actor) error {
		switch {
		case !a.Up:
			a.tab.Hand = time.Time{}
		case a.tab.Hand.IsZero():
			a.tab.Hand = a.now
		}
		return nil
	},
	"react": func(a *actor) error {
		if !a.meeting.Options.AllowTeamworkReactions {
			return errForbidden
		}
		if !slices.Contains(reactions, a.Kind) {
			return badRequest("kind is one of " + strings.Join(reactions, ", ") + ".")
		}
		seq := int64(1)
		if n := len(a.room.Reactions); n > 0 {
			seq = a.room.Reactions[n-1].Seq + 1
		}
		a.room.Reactions = append(a.room.Reactions, Reaction{seq, a.now, a.Tab, a.Kind})
		a.room.Reactions = slices.Clone(a.room.Reactions[max(0, len(a.room.Reactions)-20):])
		return nil
	},
	"rename": func(a *actor) error {
		if !a.meeting.Options.AllowParticipantsToChangeName {
			return errForbidden
		}
		name := displayName(a.Name)
		if name == "" {
			return badRequest("Give a name that can be seen.")
		}
		a.person.Name = name
		for id, t := range a.room.Tabs {
			if t.Person == a.tab.Person && !t.Joined.IsZero() {
				t.Number = a.room.number(name, id)
			}
		}
		return nil
	},
	"end": func(a *actor) error {
		if a.role.rank() < Coorganizer.rank() {
			return errForbidden
		}
		a.room.close(a.now)
		a.have(func(e media.Engine) error { return e.End(a.Context(), a.key.Room()) })
		return nil
	},
}

// have has the media engine do something once the change is stored.
func (a *actor) have(f func(media.Engine) error) { a.then = append(a.then, f) }

func (a *actor) mute(id string) {
	a.have(func(e media.Engine) error { return e.Mute(a.Context(), a.key.Room(), id, media.Microphone) })
}

// other is the person behind the target, whom the actor may mute, remove and give
// a role.
func (a *actor) other() (*Person, error) {
	tab := a.room.Tabs[a.Target]
	if !manages(a.role) {
		return nil, errForbidden
	}
	if tab == nil || tab.State != Admitted {
		return nil, errNotThere
	}
	other := a.room.People[tab.Person]
	if other == a.person || !mayChange(&a.meeting, a.person, other) {
		return nil, errForbidden
	}
	return other, nil
}

// leave takes the tab out, whether it waits or is in the room.
func (h *Handler) leave(c *call) (any, error) {
	_, err := h.Rooms.Store.UpdateRoom(c.Context(), c.key, func(r *Room) error {
		if tab := r.Tabs[c.Tab]; tab == nil || tab.Person != c.visitor.Key {
			return errNotThere
		}
		r.leave(c.Tab, h.Now())
		return nil
	})
	if err == nil {
		h.Rooms.engine(c.Context(), "leave", func(e media.Engine) error { return e.Remove(c.Context(), c.key.Room(), c.Tab) })
	}
	return struct{}{}, err
}

// say adds to the chat.
func (h *Handler) say(c *call) (any, error) {
	now := h.Now()
	if !h.says.take(c.visitor.Key, now) {
		return nil, tooMany(&h.says)
	}
	text := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, c.Text))
	if n := utf8.RuneCountInString(text); n == 0 || n > maxText {
		return nil, badRequest("A message has 1 to 4000 characters.")
	}
	r, err := h.Rooms.Store.Room(c.Context(), c.key.Room())
	if err != nil {
		return nil, err
	}
	tab := r.Tabs[c.Tab]
	if tab == nil || tab.Person != c.visitor.Key || tab.Joined.IsZero() {
		return nil, errNotThere
	}
	person := r.People[tab.Person]
	if !verdictsOn(&c.meeting, person).Chat.Allowed {
		return nil, errForbidden
	}
	m, err := h.Rooms.Store.AddMessage(c.Context(), c.key, Message{Time: now.UTC(), Author: tab.Person, Name: label(person.Name, tab.Number), Text: text})
	return struct {
		Seq int64 `json:"seq"`
	}{m.Seq}, err
}

package join

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-meet/convene/meeting"
)

const (
	// barTime is how long who was declined or removed may not knock again.
	barTime = time.Minute
	// away is how long a tab that lost its connection counts as there.
	away = 6 * time.Second
	// lost is how long a tab is kept that no node has seen, as after a crash, or
	// that was turned away and has to hear of it; a node says of its tabs every seen
	// that they are there.
	lost, seen = 20 * time.Second, 5 * time.Second
	// linger is how long a session goes on when everybody has left: who reloads the
	// page is not another session.
	linger = 10 * time.Second
	// maxTabs is how many tabs one meeting has, waiting ones included, of which
	// guests leave some to accounts; maxOwn is how many of them one person has.
	maxTabs, maxOfGuests, maxOwn = 1000, 900, 10
)

// Errors of changes to a room.
var (
	errNotThere  = errors.New("the tab is not in the meeting")
	errForbidden = errors.New("that is not allowed")
	errEnded     = errors.New("the meeting was ended for everybody")
	errRemoved   = errors.New("the person was removed")
	errTabs      = errors.New("one person has too many tabs")
	errFull      = errors.New("the meeting is full")
)

// A barredError is a knock that comes too early after a refusal.
type barredError struct {
	left    time.Duration
	refused State // Declined or Removed
}

func (e *barredError) Error() string { return fmt.Sprintf("barred for %v", e.left) }

// knock has a visitor's tab ask to come in: it waits, or is let in at once. A tab
// that is there already stays what it is, so that a reload changes nothing.
func (r *Room) knock(m *meeting.Meeting, v *Visitor, id, name string, now time.Time) (*Tab, string, error) {
	person := r.People[v.Key]
	if person != nil && now.Before(person.Barred) {
		return nil, "", &barredError{person.Barred.Sub(now), person.Refused}
	}
	if tab := r.Tabs[id]; tab != nil && tab.Person == v.Key && (tab.State == Waiting || tab.State == Admitted) {
		tab.Seen = now
		return tab, id, nil
	}
	own := 0
	for _, t := range r.Tabs {
		if t.Person == v.Key {
			own++
		}
	}
	if own >= maxOwn {
		return nil, "", errTabs
	}
	if len(r.Tabs) >= maxTabs || v.Guest() && len(r.Tabs) >= maxOfGuests {
		return nil, "", errFull
	}
	if person == nil {
		if r.People == nil {
			r.People = map[string]*Person{}
		}
		person = &Person{}
		r.People[v.Key] = person
	}
	if person.Name == "" || v.Guest() && !person.Admitted {
		person.Name = name
	}
	person.Email, person.Tenant, person.User, person.UPN = v.Email, v.Tenant, v.User, v.UPN
	tab := &Tab{Person: v.Key, State: Waiting, Asked: now, Seen: now}
	if !person.MustWait && (person.Admitted || bypasses(m, v.person())) {
		person.Admitted = true
		tab.State = Admitted
	}
	if r.Tabs == nil {
		r.Tabs = map[string]*Tab{}
	}
	id = rand.Text()
	r.Tabs[id] = tab
	return tab, id, nil
}

// come has an admitted tab be in the room, and begins the session with the first.
func (r *Room) come(m *meeting.Meeting, id string, now time.Time) {
	tab := r.Tabs[id]
	tab.Seen = now
	if tab.State != Admitted || !tab.Joined.IsZero() {
		return
	}
	if r.Session == nil {
		r.Session = &Session{ID: meeting.NewGUID(), Start: now, Records: map[string]*meeting.Attendance{}}
	}
	person := r.People[tab.Person]
	if person.Since.IsZero() {
		person.Since = now
	}
	tab.Joined = now
	tab.Number = r.number(person.Name, id)
	record := r.Session.Records[tab.Person]
	if record == nil {
		record = &meeting.Attendance{ID: meeting.NewGUID(), Tenant: person.Tenant, User: person.User, Email: person.Email}
		r.Session.Records[tab.Person] = record
	}
	record.DisplayName = person.Name
	record.Role = reportRole(person.role(m))
}

// reportRole is a role as attendance reports write it.
func reportRole(r Role) string {
	switch r {
	case Organizer, Coorganizer:
		return "Organizer"
	case Presenter:
		return "Presenter"
	case Attendee:
	}
	return "Attendee"
}

// number is which of several people of one name a tab is: the least that nobody
// in the room has.
func (r *Room) number(name, id string) int {
	taken := map[string]bool{}
	for other, t := range r.Tabs {
		if other != id && !t.Joined.IsZero() {
			taken[label(r.People[t.Person].Name, t.Number)] = true
		}
	}
	for n := 1; ; n++ {
		if !taken[label(name, n)] {
			return n
		}
	}
}

// label is the name under which a tab is shown, which no other has.
func label(name string, number int) string {
	if number <= 1 {
		return name
	}
	return fmt.Sprintf("%s (%d)", name, number)
}

// leave takes a tab out of the room and out of the lobby.
func (r *Room) leave(id string, at time.Time) {
	if tab := r.Tabs[id]; tab != nil {
		r.depart(tab, at)
		delete(r.Tabs, id)
	}
}

// depart ends the time that a tab was in the room.
func (r *Room) depart(tab *Tab, at time.Time) {
	if tab.Joined.IsZero() {
		return
	}
	if r.Session != nil {
		if record := r.Session.Records[tab.Person]; record != nil {
			if at.Before(tab.Joined) {
				at = tab.Joined
			}
			record.Intervals = append(record.Intervals, meeting.Interval{Join: tab.Joined, Leave: at})
			if at.After(r.Session.Left) {
				r.Session.Left = at
			}
		}
	}
	tab.Joined, tab.Hand = time.Time{}, time.Time{}
}

// admit lets in who waits behind a tab, with every other tab of that person.
func (r *Room) admit(id string) error {
	tab := r.Tabs[id]
	if tab == nil || tab.State != Waiting {
		return errNotThere
	}
	person := r.People[tab.Person]
	person.Admitted, person.MustWait, person.Barred = true, false, time.Time{}
	for _, t := range r.Tabs {
		if t.Person == tab.Person && t.State == Waiting {
			t.State = Admitted
		}
	}
	return nil
}

// admitAll lets in everybody who waits.
func (r *Room) admitAll() {
	for id, tab := range r.Tabs {
		if tab.State == Waiting {
			_ = r.admit(id) // it waits
		}
	}
}

// turnAway declines who waits, or removes who is in the room: every tab of the
// person, who may knock again later and then waits. It returns the tabs that were
// in the room.
func (r *Room) turnAway(id string, state State, now time.Time) (gone []string, err error) {
	tab := r.Tabs[id]
	if tab == nil || state == Declined && tab.State != Waiting || state == Removed && tab.State != Admitted {
		return nil, errNotThere
	}
	person := r.People[tab.Person]
	person.Admitted, person.MustWait, person.Barred, person.Refused = false, true, now.Add(barTime), state
	person.Given, person.Base = "", ""
	for other, t := range r.Tabs {
		if t.Person != tab.Person {
			continue
		}
		if t.State == Admitted {
			gone = append(gone, other)
		}
		r.depart(t, now)
		t.State, t.Seen = state, now
	}
	return gone, nil
}

// present are the ids of the tabs in the room, in the order in which they came.
func (r *Room) present() []string { return r.ids(func(t *Tab) time.Time { return t.Joined }) }

// waiting are those of the lobby, in the order in which they knocked.
func (r *Room) waiting() []string {
	return r.ids(func(t *Tab) time.Time {
		if t.State != Waiting {
			return time.Time{}
		}
		return t.Asked
	})
}

// hands are those with a raised hand, the first one first.
func (r *Room) hands() []string { return r.ids(func(t *Tab) time.Time { return t.Hand }) }

// ids are the tabs for which at gives a time, in its order.
func (r *Room) ids(at func(*Tab) time.Time) []string {
	all := []string{}
	for id, t := range r.Tabs {
		if !at(t).IsZero() {
			all = append(all, id)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(at(r.Tabs[a]).Compare(at(r.Tabs[b])), cmp.Compare(a, b))
	})
	return all
}

// sweep forgets tabs that nobody has seen for long, and ends the session some
// time after the last one has left. It reports whether anything changed.
func (r *Room) sweep(now time.Time) (changed bool) {
	for id, t := range r.Tabs {
		if now.Sub(t.Seen) >= lost {
			r.leave(id, t.Seen)
			changed = true
		}
	}
	if r.Session != nil && len(r.present()) == 0 && now.Sub(r.Session.idleSince()) >= linger {
		r.end(now)
		changed = true
	}
	return changed
}

func (s *Session) idleSince() time.Time {
	if s.Left.IsZero() {
		return s.Start
	}
	return s.Left
}

// close ends the session for everybody, and everybody's admission with it.
func (r *Room) close(now time.Time) {
	for id := range r.Tabs {
		r.leave(id, now)
	}
	r.end(now)
	r.Closed = now
}

// end makes a report of the session. Who was turned away is remembered, since
// that holds for the meeting; admissions and given roles were the session's.
func (r *Room) end(now time.Time) {
	if r.Session == nil {
		return
	}
	report := meeting.Report{ID: r.Session.ID, Start: r.Session.Start, End: r.Session.idleSince()}
	if len(r.present()) > 0 {
		report.End = now
	}
	for _, record := range r.Session.Records {
		record.Intervals = union(record.Intervals)
		if len(record.Intervals) > 0 {
			report.Records = append(report.Records, *record)
		}
	}
	slices.SortFunc(report.Records, func(a, b meeting.Attendance) int {
		return cmp.Or(a.Intervals[0].Join.Compare(b.Intervals[0].Join), cmp.Compare(a.ID, b.ID))
	})
	if len(report.Records) > 0 {
		r.Ended = append(r.Ended, report)
	}
	r.Session, r.Reactions = nil, nil
	for key, p := range r.People {
		if waits := slices.ContainsFunc(r.tabs(), func(t *Tab) bool { return t.Person == key }); !waits && !p.MustWait && p.Since.IsZero() {
			delete(r.People, key)
			continue
		}
		p.Admitted, p.Given, p.Base = false, "", ""
	}
}

func (r *Room) tabs() (all []*Tab) {
	for _, t := range r.Tabs {
		all = append(all, t)
	}
	return all
}

// union merges intervals that overlap or touch, as those of doubled tabs.
func union(all []meeting.Interval) (merged []meeting.Interval) {
	slices.SortFunc(all, func(a, b meeting.Interval) int { return a.Join.Compare(b.Join) })
	for _, i := range all {
		if n := len(merged); n > 0 && !i.Join.After(merged[n-1].Leave) {
			if i.Leave.After(merged[n-1].Leave) {
				merged[n-1].Leave = i.Leave
			}
			continue
		}
		merged = append(merged, i)
	}
	return merged
}

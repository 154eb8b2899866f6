package meeting

import (
	"strings"
	"time"
)

// A Change is what an update of a meeting asks for. Nil members stay as they
// are (onlineMeeting: update).
type Change struct {
	Subject    **string // a nil subject takes it away
	Start, End *time.Time
	Attendees  *[]Participant // replaces all of them
	// PasscodeRequired must be as it is: a passcode comes and goes with the
	// meeting.
	PasscodeRequired *bool
	// Settings are applied to the meeting's options, in their order.
	Settings []Setting
}

// check finds what is wrong with c whichever meeting it is meant for.
func (c *Change) check() error {
	switch {
	case c.Start != nil && c.End == nil:
		return &InvalidError{"endDateTime", "endDateTime is required when startDateTime is changed: send both."}
	case c.End != nil && c.Start == nil:
		return &InvalidError{"startDateTime", "startDateTime is required when endDateTime is changed: send both."}
	case c.Start != nil:
		if err := checkTimes(c.Start.UTC().Truncate(Tick), c.End.UTC().Truncate(Tick)); err != nil {
			return err
		}
	}
	if c.Subject != nil {
		if err := checkSubject(*c.Subject); err != nil {
			return err
		}
	}
	if c.Attendees != nil {
		return checkAttendees(*c.Attendees)
	}
	return nil
}

// apply makes the change to m, or returns an [InvalidError] and leaves m in any
// state.
func (c *Change) apply(m *Meeting, now time.Time) (err error) {
	if want := c.PasscodeRequired; want != nil && *want != (m.Passcode != "") {
		return &InvalidError{"joinMeetingIdSettings/isPasscodeRequired", "joinMeetingIdSettings cannot be changed. Make a new meeting to have one with or without a passcode."}
	}
	if c.Subject != nil {
		m.Subject = *c.Subject
	}
	if c.Start != nil {
		m.Start, m.End = c.Start.UTC().Truncate(Tick), c.End.UTC().Truncate(Tick)
	}
	if c.Attendees != nil {
		m.Attendees = *c.Attendees
	}
	m.Expires = Expiry(now.UTC().Truncate(Tick), m.End)
	m.Options, err = apply(m.Options, c.Settings)
	return err
}

// roleOf is what somebody is in m: the organizer, an attendee with a role, or
// an outsider. Attendees are those who were named with the id or the principal
// name of a user of the meeting's tenant.
func (m *Meeting) roleOf(p Person) Standing {
	if p.Tenant != m.Tenant {
		return Outsider
	}
	if p.User == m.User {
		return Organizer
	}
	standing := Outsider
	for i := range m.Attendees {
		a := &m.Attendees[i]
		if !a.is(p) {
			continue
		}
		if a.Role == RoleCoorganizer {
			return Coorganizer
		}
		standing = Attendee
	}
	return standing
}

// is reports whether the participant names p. An id of another tenant does not.
func (a *Participant) is(p Person) bool {
	for i := range a.Identities {
		id := &a.Identities[i]
		if id.Kind == "user" && id.ID != nil && strings.EqualFold(*id.ID, p.User) && (id.TenantID == nil || strings.EqualFold(*id.TenantID, p.Tenant)) {
			return true
		}
	}
	return a.UPN != nil && p.UPN != "" && strings.EqualFold(*a.UPN, p.UPN)
}

// A Person is a user of the directory as meetings see them.
type Person struct {
	Owner
	UPN string
}

// A Standing is what a person is to a meeting.
type Standing int

// The standings, from the least to the most.
const (
	Outsider Standing = iota
	Attendee
	Coorganizer
	Organizer
)

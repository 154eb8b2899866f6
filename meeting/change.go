package meeting

import "time"

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

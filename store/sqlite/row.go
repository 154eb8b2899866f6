package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// meetingColumns are the columns of a meeting in the order of scanMeeting.
const meetingColumns = `id, tenant, user, external_id, thread, message, join_meeting_id, vtc, toll_number, conference_id,
	passcode, subject, start_time, end_time, created, expires, revision, options, attendees`

// normal returns m as a reader of its row gets it: times in whole ticks and in
// UTC, and nothing shared with the caller.
func normal(m *meeting.Meeting) meeting.Meeting {
	n := clone(m)
	for _, t := range []*time.Time{&n.Start, &n.End, &n.Created, &n.Expires} {
		*t = fromTicks(toTicks(*t))
	}
	return n
}

// clone copies m with everything it points to, so that callers may change what
// they are given.
func clone(m *meeting.Meeting) meeting.Meeting {
	n := *m
	n.Subject = clonePointer(m.Subject)
	if m.Attendees == nil {
		return n
	}
	n.Attendees = make([]meeting.Participant, len(m.Attendees))
	for i, p := range m.Attendees {
		p.UPN = clonePointer(p.UPN)
		if p.Identities != nil {
			p.Identities = append(make([]meeting.Identity, 0, len(p.Identities)), p.Identities...)
			for j := range p.Identities {
				id := &p.Identities[j]
				for _, s := range []**string{&id.ID, &id.DisplayName, &id.TenantID, &id.IdentityProvider} {
					*s = clonePointer(*s)
				}
			}
		}
		n.Attendees[i] = p
	}
	return n
}

func clonePointer(s *string) *string {
	if s == nil {
		return nil
	}
	t := *s
	return &t
}

// variable holds the columns that an update may change, beside the times.
type variable struct {
	subject, options, attendees driver.Value
}

func variableOf(m *meeting.Meeting) (v variable, err error) {
	if m.Subject != nil {
		v.subject = *m.Subject
	}
	if m.Options != meeting.DefaultOptions() {
		if v.options, err = jsonText(m.Options); err != nil {
			return v, err
		}
	}
	if m.Attendees != nil {
		v.attendees, err = jsonText(m.Attendees)
	}
	return v, err
}

func jsonText(v any) (driver.Value, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// A scanner reads the columns of a row one after the other and keeps the first
// error.
type scanner struct {
	row []driver.Value
	err error
}

func (s *scanner) next() driver.Value {
	v := s.row[0]
	s.row = s.row[1:]
	return v
}

func (s *scanner) text(expand func(driver.Value) (string, error)) string {
	text, err := expand(s.next())
	if err != nil && s.err == nil {
		s.err = err
	}
	return text
}

func (s *scanner) integer() int64 {
	v := s.next()
	n, ok := v.(int64)
	if !ok && s.err == nil {
		s.err = fmt.Errorf("%w: a column holds a %T where an integer belongs", ErrDamaged, v)
	}
	return n
}

func (s *scanner) blob() []byte {
	v := s.next()
	b, ok := v.([]byte)
	if !ok && v != nil && s.err == nil {
		s.err = fmt.Errorf("%w: a column holds a %T where a blob belongs", ErrDamaged, v)
	}
	return b
}

func (s *scanner) time() time.Time { return fromTicks(s.integer()) }

func (s *scanner) json(into any) {
	text := s.text(expandText)
	if text == "" || s.err != nil {
		return
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		s.err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
}

// scanMeeting reads a row of meetingColumns.
func scanMeeting(row []driver.Value) (id int64, m meeting.Meeting, err error) {
	s := &scanner{row: row}
	id = s.integer()
	m.Tenant = s.text(expandGUID)
	m.User = s.text(expandGUID)
	m.ExternalID = s.text(expandText)
	m.ThreadID = s.text(expandThread)
	m.MessageID = s.text(expandNumber)
	m.JoinMeetingID = s.text(expandNumber)
	m.VideoTeleconferenceID = s.text(expandNumber)
	m.TollNumber = s.text(expandText)
	m.ConferenceID = s.text(expandNumber)
	m.Passcode = s.text(expandText)
	if s.row[0] != nil {
		subject := s.text(expandText)
		m.Subject = &subject
	} else {
		s.next()
	}
	m.Start, m.End, m.Created, m.Expires = s.time(), s.time(), s.time(), s.time()
	m.Revision = s.integer()
	m.Options = meeting.DefaultOptions()
	s.json(&m.Options)
	s.json(&m.Attendees)
	return id, m, s.err
}

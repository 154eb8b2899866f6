package sqlite

import (
	"encoding/json"
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
				for _, s := range id.Texts() {
					*s = clonePointer(*s)
				}
				id.Hidden = clonePointer(id.Hidden)
			}
		}
		n.Attendees[i] = p
	}
	return n
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// variable holds the columns that an update may change, beside the times.
type variable struct{ subject, options, attendees value }

func variableOf(m *meeting.Meeting) (v variable, err error) {
	if m.Subject != nil {
		v.subject = text(*m.Subject)
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

func jsonText(v any) (value, error) {
	b, err := json.Marshal(v)
	return text(string(b)), err
}

// json reads a text into what it is the JSON of; NULL leaves that as it is.
func (s *scanner) json(into any) {
	if s.null() {
		s.at++
		return
	}
	if err := json.Unmarshal([]byte(s.text()), into); err != nil {
		s.at--
		s.fail("is not the JSON that belongs there: %w", err)
		s.at++
	}
}

// scanMeeting reads a row of meetingColumns.
func scanMeeting(r *row) (id int64, m meeting.Meeting, err error) {
	s := scanner{row: r}
	id = s.integer()
	m.Tenant, m.User, m.ExternalID = s.guid(), s.guid(), s.text()
	m.ThreadID, m.MessageID = s.thread(), s.number()
	m.JoinMeetingID, m.VideoTeleconferenceID = s.number(), s.number()
	m.TollNumber, m.ConferenceID = s.text(), s.number()
	m.Passcode = s.text()
	given := !s.null()
	if subject := s.text(); given {
		m.Subject = &subject
	}
	m.Start, m.End, m.Created, m.Expires = s.time(), s.time(), s.time(), s.time()
	m.Revision = s.integer()
	m.Options = meeting.DefaultOptions()
	s.json(&m.Options)
	s.json(&m.Attendees)
	return id, m, s.err
}

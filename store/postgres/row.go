package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/convene-meet/convene/meeting"
	"github.com/jackc/pgx/v5"
)

const selectMeeting = `SELECT id, tenant, user_id, coalesce(external_id, ''), thread, message, coalesce(join_meeting_id, ''), coalesce(vtc, ''),
	coalesce(toll_number, ''), coalesce(conference_id, ''), coalesce(passcode, ''), subject,
	start_time, end_time, created, expires, revision, options, attendees FROM meetings WHERE `

// scanMeeting reads a row of selectMeeting.
func scanMeeting(row pgx.Row) (id int64, m meeting.Meeting, err error) {
	var start, end, created, expires int64
	var options, attendees []byte
	if err := row.Scan(&id, &m.Tenant, &m.User, &m.ExternalID, &m.ThreadID, &m.MessageID, &m.JoinMeetingID, &m.VideoTeleconferenceID,
		&m.TollNumber, &m.ConferenceID, &m.Passcode, &m.Subject, &start, &end, &created, &expires, &m.Revision, &options, &attendees); err != nil {
		return 0, meeting.Meeting{}, err
	}
	m.Start, m.End, m.Created, m.Expires = fromTicks(start), fromTicks(end), fromTicks(created), fromTicks(expires)
	m.Options = meeting.DefaultOptions()
	for _, c := range []struct {
		text []byte
		into any
	}{{options, &m.Options}, {attendees, &m.Attendees}} {
		if c.text == nil {
			continue
		}
		if err := json.Unmarshal(c.text, c.into); err != nil {
			return 0, meeting.Meeting{}, fmt.Errorf("meeting %d cannot be read: %w", id, err)
		}
	}
	return id, m, nil
}

// normal returns m with its times as they come back: in whole ticks and in UTC.
func normal(m meeting.Meeting) meeting.Meeting {
	for _, t := range []*time.Time{&m.Start, &m.End, &m.Created, &m.Expires} {
		*t = fromTicks(toTicks(*t))
	}
	return m
}

// variable holds the columns that are JSON, or nil.
type variable struct{ options, attendees []byte }

func variableOf(m *meeting.Meeting) (v variable, err error) {
	if m.Options != meeting.DefaultOptions() {
		if v.options, err = json.Marshal(m.Options); err != nil {
			return v, err
		}
	}
	if m.Attendees != nil {
		v.attendees, err = json.Marshal(m.Attendees)
	}
	return v, err
}

// optional keeps an empty text out of a constraint.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Times are whole ticks since the year 1, which covers every year of four
// digits.
const (
	ticksPerSecond = int64(time.Second / meeting.Tick)
	yearOne        = -62135596800 // seconds from 1970 to the year 1
)

func toTicks(t time.Time) int64 {
	return (t.Unix()-yearOne)*ticksPerSecond + int64(t.Nanosecond())/int64(meeting.Tick)
}

func fromTicks(n int64) time.Time {
	seconds, rest := n/ticksPerSecond, n%ticksPerSecond
	return time.Unix(seconds+yearOne, rest*int64(meeting.Tick)).UTC()
}

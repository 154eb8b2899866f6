package meeting

import (
	"context"
	"slices"
	"time"
)

// A Report is who took part in one session of a meeting, from the first person
// who came in until the last one had left: meetingAttendanceReport of the
// metadata.
type Report struct {
	ID         string // a GUID
	Start, End time.Time
	Records    []Attendance
}

// InUTC turns the times of a report that an engine has just read to UTC: JSON
// keeps them as they were written.
func (r *Report) InUTC() {
	r.Start, r.End = r.Start.UTC(), r.End.UTC()
	for i := range r.Records {
		r.Records[i].InUTC()
	}
}

// An Attendance is one person's part in a session: attendanceRecord of the
// metadata. Its intervals do not overlap, however many browsers the person had
// open.
type Attendance struct {
	ID          string // a GUID
	Tenant      string `json:",omitempty"` // both empty for a guest
	User        string `json:",omitempty"`
	DisplayName string
	Email       string `json:",omitempty"`
	Role        string // Organizer, Presenter or Attendee
	Intervals   []Interval
}

// Total is how long the person was there.
func (a *Attendance) Total() time.Duration {
	var sum time.Duration
	for _, i := range a.Intervals {
		sum += i.Leave.Sub(i.Join)
	}
	return sum
}

// InUTC is as [Report.InUTC].
func (a *Attendance) InUTC() {
	for i := range a.Intervals {
		n := &a.Intervals[i]
		n.Join, n.Leave = n.Join.UTC(), n.Leave.UTC()
	}
}

// anonymous is r without who its attendees are. How many they were, and when each
// of them was there, stays.
func (r *Report) anonymous() Report {
	hidden := *r
	hidden.Records = slices.Clone(r.Records)
	for i := range hidden.Records {
		if a := &hidden.Records[i]; a.Role == attendeeInReport {
			a.Tenant, a.User, a.DisplayName, a.Email = "", "", "", ""
		}
	}
	return hidden
}

// attendeeInReport is an attendee's [Attendance.Role].
const attendeeInReport = "Attendee"

// ReportsOf returns the reports of m, the newest session first, without what its
// organizer has hidden for good: [Options.AnonymizeAttendees].
func (s *Service) ReportsOf(ctx context.Context, m *Meeting) ([]Report, error) {
	if s.Reports == nil {
		return nil, nil
	}
	all, err := s.Reports.Reports(ctx, m.Tenant, m.ThreadID, m.MessageID)
	if m.Options.AnonymizeAttendees {
		for i := range all {
			all[i] = all[i].anonymous()
		}
	}
	return all, err
}

// An Interval is a span of time in which somebody was in a meeting.
type Interval struct{ Join, Leave time.Time }

// Reports keeps what happened. Every engine passes storetest.RunRooms, which has
// it together with rooms: a session becomes a report where its room is changed.
type Reports interface {
	// Reports returns the reports of a meeting, the newest session first.
	Reports(ctx context.Context, tenant, thread, message string) ([]Report, error)
}

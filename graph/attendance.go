package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// attendance serves the attendance reports of a.meeting, and what is in them.
// context is that of whatever is below the meeting.
func (h *Handler) attendance(c *call, a *answer, b []byte, context string, opts options) (result, error) {
	reports, err := h.Meetings.ReportsOf(c.Context(), a.meeting)
	if err != nil {
		return result{}, err
	}
	context += "attendanceReports"
	if c.route.action == actionReports {
		return a.collection(b, context, opts, len(reports), func(b []byte, i int) ([]byte, error) {
			return a.report(b, &reports[i], "", opts.pick, opts.expand)
		})
	}
	i := slices.IndexFunc(reports, func(r meeting.Report) bool { return strings.EqualFold(r.ID, c.route.item) })
	if i < 0 {
		return result{}, newError(codeNotFound, "The meeting has no attendance report with this id.")
	}
	report := &reports[i]
	if c.route.action == actionReport {
		b, err = a.report(b, report, context+selected(opts.pick)+"/$entity", opts.pick, opts.expand)
		return result{status: http.StatusOK, level: a.level, body: b}, err
	}
	context += "('" + report.ID + "')/attendanceRecords"
	if c.route.action == actionRecords {
		return a.collection(b, context, opts, len(report.Records), func(b []byte, i int) ([]byte, error) {
			return a.record(b, report, &report.Records[i], "", opts.pick)
		})
	}
	i = slices.IndexFunc(report.Records, func(r meeting.Attendance) bool { return strings.EqualFold(r.ID, c.route.record) })
	if i < 0 {
		return result{}, newError(codeNotFound, "The attendance report has no attendance record with this id.")
	}
	b, err = a.record(b, report, &report.Records[i], context+selected(opts.pick)+"/$entity", opts.pick)
	return result{status: http.StatusOK, level: a.level, body: b}, err
}

// collection answers with as many of count members as $top wants.
func (a *answer) collection(b []byte, context string, opts options, count int, member func(b []byte, i int) ([]byte, error)) (result, error) {
	b = a.openCollection(b, context, opts, count, "")
	if opts.top >= 0 {
		count = min(count, opts.top)
	}
	b, err := several(b, count, member)
	return result{status: http.StatusOK, level: a.level, body: append(b, `]}`...)}, err
}

// several appends the members of an array.
func several(b []byte, count int, member func(b []byte, i int) ([]byte, error)) (_ []byte, err error) {
	for i := range count {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = member(b, i); err != nil {
			return b, err
		}
	}
	return b, nil
}

// report appends a meetingAttendanceReport. Its records are in it only where they
// are expanded, and there whole; otherwise they are an empty array, as in the
// documentation's sample. An empty context is that of a member of a collection.
func (a *answer) report(b []byte, r *meeting.Report, context string, want *selection, expand []string) ([]byte, error) {
	below := "/attendanceReports('" + r.ID + "')"
	o := a.openEntity(b, typeReport, context, below)
	if a.level == metadataFull {
		o.b = append(a.appendBelow(append(o.b, `"attendanceRecords@odata.navigationLink":"`...), "/users('", below+"/attendanceRecords"), `",`...)
	}
	o.word("id", r.ID)
	o.raw("totalParticipantCount", fmt.Sprint(len(r.Records)))
	o.time("meetingStartDateTime", r.Start)
	o.time("meetingEndDateTime", r.End)
	o.raw("externalEventInformation", "[]")
	if len(expand) == 0 {
		o.raw("attendanceRecords", "[]")
		return a.closeEntity(o, len(b), typeReport, want)
	}
	done, err := a.closeEntity(o, len(b), typeReport, want)
	if err != nil {
		return done, err
	}
	o.b = done[:len(done)-1]
	if len(o.b) > len(b)+1 {
		o.b = append(o.b, ',')
	}
	if a.level != metadataNone {
		o.b = append(a.appendBelow(append(o.b, `"attendanceRecords@odata.context":"`...), "/$metadata#users('", below+"/attendanceRecords"), `",`...)
	}
	o.b, err = several(append(o.b, `"attendanceRecords":[`...), len(r.Records), func(b []byte, i int) ([]byte, error) {
		return a.record(b, r, &r.Records[i], "", nil)
	})
	return append(o.b, `]}`...), err
}

// record appends an attendanceRecord.
func (a *answer) record(b []byte, report *meeting.Report, r *meeting.Attendance, context string, want *selection) ([]byte, error) {
	o := a.openEntity(b, typeRecord, context, "/attendanceReports('"+report.ID+"')/attendanceRecords('"+r.ID+"')")
	o.word("id", r.ID)
	o.textOrNull("emailAddress", r.Email)
	o.open("identity")
	if a.level == metadataMinimal { // with full metadata every value has its type
		o.word("@odata.type", "#"+namespace+"."+typeCommunicationsUser)
	}
	o.wordOrNull("id", r.User)
	o.textOrNull("displayName", r.DisplayName)
	o.wordOrNull("tenantId", r.Tenant)
	o.end()
	o.word("role", r.Role)
	o.seconds("totalAttendanceInSeconds", r.Total())
	o.name("attendanceIntervals")
	o.b = append(o.b, '[')
	for i, n := range r.Intervals {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = append(o.b, '{')
		o.time("joinDateTime", n.Join)
		o.time("leaveDateTime", n.Leave)
		o.seconds("durationInSeconds", n.Leave.Sub(n.Join))
		o.close()
	}
	o.b = append(o.b, `],`...)
	o.raw("registrationId", "null")
	o.raw("externalRegistrationInformation", "null")
	if a.version == Beta {
		o.raw("registrantId", "null")
		o.raw("engagements", "[]")
	}
	return a.closeEntity(o, len(b), typeRecord, want)
}

func (o *object) time(name string, t time.Time) {
	o.name(name)
	o.b = append(appendTime(append(o.b, '"'), t), `",`...)
}

func (o *object) seconds(name string, d time.Duration) {
	o.raw(name, fmt.Sprint(int64(d/time.Second)))
}

// openEntity begins an entity that is found at a path below a.meeting. Nobody can
// change it, so it has no edit link.
func (a *answer) openEntity(b []byte, kind, context, below string) object {
	o := object{b: append(b, '{')}
	if a.level != metadataNone && context != "" {
		o.b = fmt.Appendf(o.b, `"@odata.context":"%s/%s/$metadata#%s",`, a.site.Origin, a.version, context)
	}
	if a.level == metadataFull {
		o.word("@odata.type", "#"+namespace+"."+kind)
		o.b = append(a.appendBelow(append(o.b, `"@odata.id":"`...), "/users('", below), `",`...)
	}
	return o
}

// closeEntity ends the entity that begins in o at begin, and leaves what is wanted
// of it.
func (a *answer) closeEntity(o object, begin int, kind string, want *selection) ([]byte, error) {
	o.close()
	b, err := o.b, error(nil)
	if a.level == metadataFull {
		if b, err = typed(b[:begin], b[begin:], kind); err != nil {
			return b, err
		}
	}
	if want != nil {
		b, err = pick(b[:begin], b[begin:], want)
	}
	return b, err
}

// appendBelow appends the address of what is at a path below a.meeting.
func (a *answer) appendBelow(b []byte, before, below string) []byte {
	b = a.meeting.AppendID(a.appendEntityURL(b, before, "')/onlineMeetings('"))
	return append(append(b, `')`...), below...)
}

package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// What is left of a meeting when it is over, and what virtual appointments need.
var (
	appointmentOp = &identity.Operation{
		Name:        "virtualAppointment: getVirtualAppointmentJoinWebUrl",
		Delegated:   []string{"VirtualAppointment.Read", "VirtualAppointment.ReadWrite", "OnlineMeetings.Read", "OnlineMeetings.ReadWrite"},
		Application: []string{"VirtualAppointment.Read.All", "VirtualAppointment.ReadWrite.All"},
		ByPolicy:    true,
	}
	smsOp = &identity.Operation{
		Name:        "virtualAppointment: send an SMS",
		Delegated:   []string{"VirtualAppointmentNotification.Send"},
		Application: []string{"VirtualAppointmentNotification.Send"},
		ByPolicy:    true,
	}
	reportsOp = &identity.Operation{
		Name:        "List meetingAttendanceReports",
		Delegated:   []string{"OnlineMeetingArtifact.Read.All"},
		Application: []string{"OnlineMeetingArtifact.Read.All"},
		ByPolicy:    true,
	}
	transcriptsOp = &identity.Operation{
		Name:        "List transcripts",
		Delegated:   []string{"OnlineMeetingTranscript.Read.All"},
		Application: []string{"OnlineMeetingTranscript.Read.All"},
		ByPolicy:    true,
	}
	recordingsOp = &identity.Operation{
		Name:        "List recordings",
		Delegated:   []string{"OnlineMeetingRecording.Read.All"},
		Application: []string{"OnlineMeetingRecording.Read.All"},
		ByPolicy:    true,
	}
)

// appointment serves GET …/{id}/getVirtualAppointmentJoinWebUrl.
func (h *Handler) appointment(c *call, b []byte) (result, error) {
	a, err := h.begin(c, appointmentOp)
	if err != nil {
		return result{}, err
	}
	if _, err := parseOptions(c.URL.RawQuery, c.route.version, noOptions); err != nil {
		return result{}, err
	}
	m, standing, err := h.named(c, a.organizer)
	if err != nil {
		return result{}, err
	}
	if standing < meeting.Coorganizer {
		return result{}, onlyOrganizers(a.organizer, "have its virtual appointment link")
	}
	b = append(b, '{')
	if a.level != metadataNone {
		b = fmt.Appendf(b, `"@odata.context":"%s/%s/$metadata#Edm.String",`, c.site.Origin, c.route.version)
	}
	b = m.AppendAppointmentLink(append(append(b, `"value":"`...), c.site.Origin...))
	return result{status: http.StatusOK, level: a.level, body: append(b, `"}`...)}, nil
}

func onlyOrganizers(o *identity.Organizer, what string) error {
	return newError(codeForbidden, "Only the organizer and co-organizers of a meeting may %s; %s is an attendee.", what, o.User.UPN)
}

// sms serves the two actions that send a text message. They are checked as if a
// gateway was there, and then refused: none can be configured.
func (h *Handler) sms(c *call, _ []byte) (result, error) {
	a, body, err := h.receive(c, smsOp, noOptions)
	defer keepBody(body)
	if err != nil {
		return result{}, err
	}
	if err := decodeSMS(body.Bytes(), c.route.action); err != nil {
		return result{}, err
	}
	if _, err := h.organizers(c, a.organizer, "send messages about"); err != nil {
		return result{}, err
	}
	if _, _, err := h.named(c, a.organizer); err != nil {
		return result{}, err
	}
	return result{}, newError(codeForbidden, "No SMS gateway is configured on this server, so no message was sent.")
}

// Enumerations of the two actions.
type (
	remindBefore string
	messageType  string
)

// maxMessages is how many people one action may send a message to.
const maxMessages = 100

func decodeSMS(body []byte, a action) error {
	kind, attendees := "", 0
	r := newReader(body)
	err := r.object("", func(name string) error {
		switch {
		case name == "remindBeforeTimeInMinutesType" && a == actionReminderSMS:
			v, err := enum(r, name, "remindBeforeTimeInMinutesType", []remindBefore{"mins15"})
			kind = string(v)
			return err
		case name == "messageType" && a == actionAppointmentSMS:
			v, err := enum(r, name, "virtualAppointmentMessageType", []messageType{"confirmation", "reschedule", "cancellation"})
			kind = string(v)
			return err
		case name == "attendees" && !r.null():
			return r.array(name, func(i int) error {
				if attendees++; attendees > maxMessages {
					return invalid(name, "attendees has more than %d entries.", maxMessages)
				}
				at := fmt.Sprintf("attendees/%d", i)
				number := ""
				err := r.object(at, func(member string) (err error) {
					switch member {
					case "phoneNumber":
						number, err = r.shortText(at+"/phoneNumber", 64)
					case "timeZone":
						_, err = r.shortText(at+"/timeZone", 128)
					default:
						err = r.skip()
					}
					return err
				})
				if err == nil && number == "" {
					err = invalid(at+"/phoneNumber", "%s/phoneNumber is required.", at)
				}
				return err
			})
		}
		return r.skip()
	})
	if err == nil {
		err = r.end()
	}
	switch {
	case err != nil:
		return err
	case kind == "" && a == actionAppointmentSMS:
		return invalid("messageType", "messageType is required: confirmation, reschedule or cancellation.")
	case attendees == 0:
		return invalid("attendees", "attendees is required: a list of {phoneNumber, timeZone}.")
	}
	return nil
}

// An artifact is a collection below a meeting: attendance reports once somebody
// has met, transcripts and recordings never, as long as nothing makes them.
type artifact struct {
	op      *identity.Operation
	options *optionSet
	one     string // what one of them, of which there is none, is called in messages
}

var artifacts = map[action]artifact{
	actionReports:            {reportsOp, reportsOptions, ""},
	actionReport:             {reportsOp, reportOptions, ""},
	actionRecords:            {reportsOp, recordsOptions, ""},
	actionRecord:             {reportsOp, recordsOptions, ""},
	actionTranscripts:        {transcriptsOp, transcriptOptions, ""},
	actionTranscript:         {transcriptsOp, transcriptOptions, "transcript"},
	actionTranscriptContent:  {transcriptsOp, contentOptions, "transcript"},
	actionTranscriptMetadata: {transcriptsOp, contentOptions, "transcript"},
	actionTranscriptsDelta:   {transcriptsOp, transcriptDeltaOptions, ""},
	actionAllTranscripts:     {transcriptsOp, transcriptOptions, ""},
	actionRecordings:         {recordingsOp, recordingOptions, ""},
	actionRecording:          {recordingsOp, recordingOptions, "recording"},
	actionRecordingContent:   {recordingsOp, contentOptions, "recording"},
	actionRecordingsDelta:    {recordingsOp, recordingDeltaOptions, ""},
	actionAllRecordings:      {recordingsOp, recordingOptions, ""},
}

// artifact serves the collections of reports, transcripts and recordings, and
// what is in them. Organizer and co-organizers may read them.
func (h *Handler) artifact(c *call, b []byte) (result, error) {
	kind := artifacts[c.route.action]
	a, err := h.beginContent(c, kind)
	if err != nil {
		return result{}, err
	}
	opts, err := parseOptions(c.URL.RawQuery, c.route.version, kind.options)
	if err != nil {
		return result{}, err
	}
	context := "users('" + a.organizer.User.ID + "')/onlineMeetings"
	switch c.route.action {
	case actionAllTranscripts, actionAllRecordings:
		if err := checkArguments(c.route.args, c.URL.RawQuery, a.organizer); err != nil {
			return result{}, err
		}
		kind := typeTranscript
		if c.route.action == actionAllRecordings {
			kind = typeRecording
		}
		return a.nothing(b, "Collection("+kind+")", opts, ""), nil
	}
	m, standing, err := h.named(c, a.organizer)
	if err != nil {
		return result{}, err
	}
	if standing < meeting.Coorganizer {
		return result{}, onlyOrganizers(a.organizer, "read what is left of it")
	}
	context += "('" + m.ID() + "')/"
	if kind.op == reportsOp {
		a.meeting = &m
		return h.attendance(c, a, b, context, opts)
	}
	if kind.one != "" {
		return result{}, newError(codeNotFound, "The meeting has no %s with this id.", kind.one)
	}
	delta := ""
	switch c.route.action {
	case actionTranscripts, actionTranscriptsDelta:
		context += "transcripts"
	case actionRecordings, actionRecordingsDelta:
		context += "recordings"
	}
	if c.route.action == actionTranscriptsDelta || c.route.action == actionRecordingsDelta {
		delta = c.site.Origin + c.route.String() + "?$deltatoken=" + deltaToken
	}
	return a.nothing(b, context, opts, delta), nil
}

// expand lets an answer have what can be reached from its meeting, for those who
// may read that by itself.
func (h *Handler) expand(c *call, a *answer, opts options, m *meeting.Meeting, standing meeting.Standing) (err error) {
	for _, name := range opts.expand {
		op := map[string]*identity.Operation{"attendanceReports": reportsOp, "recordings": recordingsOp, "transcripts": transcriptsOp}[name]
		if _, err := h.Identity.Authorize(c.Context(), c.caller, op, c.route.user); err != nil {
			return err
		}
		if standing < meeting.Coorganizer {
			return onlyOrganizers(a.organizer, "read what is left of it")
		}
		if op == reportsOp {
			if a.reports, err = h.Meetings.ReportsOf(c.Context(), m); err != nil {
				return err
			}
		}
	}
	a.expand = opts.expand
	return nil
}

// expanded puts what is expanded into the object that begins in b at begin.
func (a *answer) expanded(b []byte, begin int) ([]byte, error) {
	for _, name := range a.expand {
		b = b[:len(b)-1]
		if len(b) > begin+1 {
			b = append(b, ',')
		}
		if a.level != metadataNone {
			b = append(append(append(b, '"'), name...), `@odata.context":"`...)
			b = a.appendEntityURL(b, "/$metadata#users('", "')/onlineMeetings('")
			b = append(append(append(a.meeting.AppendID(b), `')/`...), name...), `",`...)
		}
		b = append(append(append(b, '"'), name...), `":[`...)
		if name == string(actionReports) {
			var err error
			if b, err = several(b, len(a.reports), func(b []byte, i int) ([]byte, error) { return a.report(b, &a.reports[i], "", nil, nil) }); err != nil {
				return b, err
			}
		}
		b = append(b, `]}`...)
	}
	return b, nil
}

// deltaToken stands for the state in which there is nothing yet.
const deltaToken = "0"

// beginContent is begin for what may also be asked for in another form than JSON.
func (h *Handler) beginContent(c *call, kind artifact) (*answer, error) {
	if kind.options != contentOptions {
		return h.begin(c, kind.op)
	}
	organizer, err := h.Identity.Authorize(c.Context(), c.caller, kind.op, c.route.user)
	return &answer{site: c.site, version: c.route.version, organizer: organizer}, err
}

// nothing is an empty collection.
func (a *answer) nothing(b []byte, context string, opts options, delta string) result {
	return result{status: http.StatusOK, level: a.level, body: append(a.openCollection(b, context, opts, 0, delta), `]}`...)}
}

// openCollection begins a collection that has count members.
func (a *answer) openCollection(b []byte, context string, opts options, count int, delta string) []byte {
	b = append(b, '{')
	if a.level != metadataNone {
		b = fmt.Appendf(b, `"@odata.context":"%s/%s/$metadata#%s%s",`, a.site.Origin, a.version, context, selected(opts.pick))
	}
	if opts.count {
		b = fmt.Appendf(b, `"@odata.count":%d,`, count)
	}
	if delta != "" {
		b = append(appendString(append(b, `"@odata.deltaLink":`...), delta), ',')
	}
	return append(b, `"value":[`...)
}

// checkArguments reads the arguments of getAllTranscripts and getAllRecordings:
// meetingOrganizerUserId='{oid}',startDateTime=…,endDateTime=…, all of them
// optional, in any order. A value may be an alias, startDateTime=@start, for
// the query parameter @start; the SDKs put aliases into quotes, and leave the @
// away in the query. An alias without a value is null.
func checkArguments(args, rawQuery string, o *identity.Organizer) error {
	if args == "" {
		return nil
	}
	query, err := parseQuery(rawQuery)
	if err != nil {
		return err
	}
	seen := []string{}
	for item := range strings.SplitSeq(args, ",") {
		name, value, ok := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		lower := strings.ToLower(name)
		if !ok || slices.Contains(seen, lower) {
			return newError(codeBadRequest, "The argument '%s' is malformed or given twice. Write meetingOrganizerUserId='{id}',startDateTime=2031-02-06T09:00:00Z,endDateTime=2031-02-07T09:00:00Z.", quotable(item))
		}
		seen = append(seen, lower)
		if alias := strings.Trim(value, "'"); strings.HasPrefix(alias, "@") {
			if value = query.Get(alias); value == "" {
				value = query.Get(alias[1:])
			}
			if value == "" {
				continue
			}
		}
		switch lower {
		case "meetingorganizeruserid":
			if id := strings.Trim(value, "'"); !strings.EqualFold(id, o.User.ID) {
				return newError(codeBadRequest, "meetingOrganizerUserId must be the user in the path (%s), not '%s'.", o.User.ID, quotable(id))
			}
		case "startdatetime", "enddatetime":
			if value == "null" {
				continue
			}
			if _, err := parseTime(strings.Trim(value, "'")); err != nil {
				return newError(codeBadRequest, "Cannot convert the literal '%s' to the expected type 'Edm.DateTimeOffset'. %s must be a time such as 2031-02-06T09:00:00Z.", quotable(value), quotable(name))
			}
		default:
			return newError(codeBadRequest, "The argument '%s' does not exist. The arguments are meetingOrganizerUserId, startDateTime and endDateTime.", quotable(name))
		}
	}
	return nil
}

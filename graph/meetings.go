package graph

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// Who may call what (the permissions of each operation's page).
var (
	createOp = &identity.Operation{
		Name:        "Create onlineMeeting",
		Delegated:   []string{"OnlineMeetings.ReadWrite"},
		Application: []string{"OnlineMeetings.ReadWrite.All"},
		ByPolicy:    true,
	}
	getOp = &identity.Operation{
		Name:        "Get onlineMeeting",
		Delegated:   []string{"OnlineMeetings.Read", "OnlineMeetings.ReadWrite"},
		Application: []string{"OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All"},
		ByPolicy:    true,
	}
	updateOp = &identity.Operation{
		Name:        "Update onlineMeeting",
		Delegated:   []string{"OnlineMeetings.ReadWrite"},
		Application: []string{"OnlineMeetings.ReadWrite.All"},
		ByPolicy:    true,
	}
	deleteOp = &identity.Operation{
		Name:        "Delete onlineMeeting",
		Delegated:   []string{"OnlineMeetings.ReadWrite"},
		Application: []string{"OnlineMeetings.ReadWrite.All"},
		ByPolicy:    true,
	}
	findByVTCOp = &identity.Operation{
		Name:        "Get onlineMeeting by VideoTeleconferenceId",
		Application: []string{"OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All"},
		ForTenant:   true,
	}
)

// begin authorizes the caller for op and reads how the answer is to look.
func (h *Handler) begin(c *call, op *identity.Operation) (*answer, error) {
	organizer, err := h.Identity.Authorize(c.Context(), c.caller, op, c.route.user)
	if err != nil {
		return nil, err
	}
	a := &answer{site: c.site, version: c.route.version, organizer: organizer}
	if a.level, err = accepted(c.Header["Accept"]); err != nil {
		return nil, err
	}
	return a, nil
}

// readJSON reads the body of a request that has to be JSON. The buffer is for
// keepBody, also after an error.
func readJSON(c *call) (*bytes.Buffer, error) {
	body := bodies.Get().(*bytes.Buffer)
	if err := checkContentType(c.Header); err != nil {
		return body, err
	}
	err := readBody(body, c.Request)
	if err == nil {
		c.seeBody(body.Bytes())
	}
	return body, err
}

// receive is begin for an operation with a body and one meeting as its answer.
// The body is for keepBody, also after an error.
func (h *Handler) receive(c *call, op *identity.Operation, set *optionSet) (*answer, *bytes.Buffer, error) {
	a, err := h.begin(c, op)
	if err != nil {
		return nil, nil, err
	}
	body, err := readJSON(c)
	if err != nil {
		return nil, body, err
	}
	opts, err := parseOptions(c.URL.RawQuery, c.route.version, set)
	a.pick = opts.pick
	return a, body, err
}

// own gives a draft what its organizer decides.
func own(d *meeting.Draft, o *identity.Organizer) {
	d.Owner = meeting.Owner{Tenant: o.Tenant.ID, User: o.User.ID}
	d.VideoInterop = o.Tenant.VideoInterop
	if dialIn := o.Tenant.AudioConferencing; dialIn != nil {
		d.TollNumber = dialIn.TollNumber
	}
}

// preferences reads what of the request decides how meetings are written.
func (a *answer) preferences(c *call) {
	a.language = preferredLanguage(c.Header.Get("Accept-Language"))
	if prefer := c.Header["Prefer"]; len(prefer) > 0 && prefers(prefer, includeUnknown) {
		a.unknown = true
		c.header["Preference-Applied"] = applied
	}
}

// one answers with one meeting.
func (a *answer) one(c *call, b []byte, status int, m *meeting.Meeting) (result, error) {
	a.preferences(c)
	a.meeting = m
	body, err := a.picked(b)
	return result{status: status, level: a.level, body: body}, err
}

// picked appends what is wanted of the meeting.
func (a *answer) picked(b []byte) ([]byte, error) {
	begin := len(b)
	b = a.append(b)
	if a.pick != nil {
		var err error
		if b, err = pick(b[:begin], b[begin:], a.pick); err != nil {
			return b, err
		}
	}
	return a.expanded(b, begin)
}

// found answers with a collection of meetings of one organizer.
func (a *answer) found(c *call, b []byte, context string, opts options, found ...meeting.Meeting) (result, error) {
	count := len(found)
	if opts.top >= 0 && opts.top < len(found) {
		found = found[:opts.top]
	}
	return a.page(c, b, context, opts, count, "", found)
}

// page answers with meetings of a collection that has count of them; next is the
// link to what follows them, where something does.
func (a *answer) page(c *call, b []byte, context string, opts options, count int, next string, found []meeting.Meeting) (result, error) {
	a.preferences(c)
	a.member, a.pick = true, opts.pick
	b = append(b, '{')
	if a.level != metadataNone {
		b = fmt.Appendf(b, `"@odata.context":"%s/%s/$metadata#%s%s",`, a.site.Origin, a.version, context, selected(opts.pick))
	}
	if opts.count {
		b = fmt.Appendf(b, `"@odata.count":%d,`, count)
	}
	if next != "" {
		b = append(appendString(append(b, `"@odata.nextLink":`...), next), ',')
	}
	b = append(b, `"value":[`...)
	for i := range found {
		if i > 0 {
			b = append(b, ',')
		}
		a.meeting = &found[i]
		var err error
		if b, err = a.picked(b); err != nil {
			return result{}, err
		}
	}
	return result{status: http.StatusOK, level: a.level, body: append(b, `]}`...)}, nil
}

// selected is what a context says of $select (OData protocol, section 10.7).
func selected(s *selection) string {
	if s == nil {
		return ""
	}
	return "(" + s.String() + ")"
}

// person is the user for whom the operation takes place, as meetings see users.
func person(o *identity.Organizer) meeting.Person {
	return meeting.Person{Owner: meeting.Owner{Tenant: o.Tenant.ID, User: o.User.ID}, UPN: o.User.UPN}
}

// create serves POST {root}/onlineMeetings: another meeting with each call.
func (h *Handler) create(c *call, b []byte) (result, error) {
	a, body, err := h.receive(c, createOp, meetingOptions)
	defer keepBody(body)
	if err != nil {
		return result{}, err
	}
	s, err := decodeMeeting(body.Bytes(), c.route.version, createOnly)
	if err != nil {
		return result{}, err
	}
	draft := meeting.Draft{Start: s.start, End: s.end, Settings: s.settings, Channel: s.channel, PasscodeRequired: s.passcode != nil && *s.passcode}
	if s.externalID != nil {
		draft.ExternalID = *s.externalID
	}
	if s.subject != nil {
		draft.Subject = *s.subject
	}
	if s.attendees != nil {
		draft.Attendees = *s.attendees
	}
	own(&draft, a.organizer)
	m, err := h.Meetings.Create(c.Context(), draft)
	if err != nil {
		return result{}, err
	}
	return a.one(c, b, http.StatusCreated, &m)
}

// get serves GET {root}/onlineMeetings/{id}. The organizer and those who were
// named as attendees may read a meeting.
func (h *Handler) get(c *call, b []byte) (result, error) {
	a, err := h.begin(c, getOp)
	if err != nil {
		return result{}, err
	}
	opts, err := parseOptions(c.URL.RawQuery, c.route.version, getOptions)
	if err != nil {
		return result{}, err
	}
	m, standing, err := h.named(c, a.organizer)
	if err != nil {
		return result{}, err
	}
	if err := h.expand(c, a, opts, &m, standing); err != nil {
		return result{}, err
	}
	if a.organizer, err = h.organizerOf(c, a.organizer, &m); err != nil {
		return result{}, err
	}
	a.pick = opts.pick
	return a.one(c, b, http.StatusOK, &m)
}

// named finds the meeting of the path for the user for whom the operation takes
// place, who is its organizer or one of its attendees.
func (h *Handler) named(c *call, o *identity.Organizer) (meeting.Meeting, meeting.Standing, error) {
	ref, err := h.ref(c, o)
	if err != nil {
		return meeting.Meeting{}, meeting.Outsider, err
	}
	m, standing, err := h.Meetings.Get(c.Context(), ref, person(o))
	if ref.User != o.User.ID && (standing == meeting.Outsider && err == nil || errors.Is(err, meeting.ErrNotFound)) {
		// The same whether or not there is such a meeting.
		if c.route.byLink && err == nil {
			err = noAccess(o)
		} else if !c.route.byLink {
			err = newError(codeNotFound, "Organizer Id mismatch User Id: %s. The meeting id names another organizer than the user in the path, who is not one of its attendees either.", o.User.ID)
		}
	}
	if err != nil {
		return meeting.Meeting{}, meeting.Outsider, err
	}
	return m, standing, nil
}

// ref reads the meeting that the path names.
func (h *Handler) ref(c *call, o *identity.Organizer) (meeting.Ref, error) {
	if c.route.byLink {
		return h.parseJoinURL(c, c.route.meeting)
	}
	id := c.route.meeting
	user, message, thread, err := meeting.ParseID(id)
	switch {
	case err == nil && clean(user) && clean(message) && clean(thread):
		return meeting.Ref{Owner: meeting.Owner{Tenant: o.Tenant.ID, User: strings.ToLower(user)}, Thread: thread, Message: message}, nil
	case strings.HasPrefix(id, "19:"), strings.HasPrefix(id, "0#"):
		return meeting.Ref{}, newError(codeNotFound, "Invalid meeting id %s. A thread is no meeting id: use the id that creating or finding the meeting gave.", quotable(id))
	}
	return meeting.Ref{}, newError(codeBadRequest, "Meeting Id is corrupted. Use the id that creating or finding the meeting gave, as it stands.")
}

// organizerOf is who organizes m: mostly the user for whom the operation takes
// place.
func (h *Handler) organizerOf(c *call, o *identity.Organizer, m *meeting.Meeting) (*identity.Organizer, error) {
	if o.User != nil && o.User.ID == m.User {
		return o, nil
	}
	return h.Identity.Organizer(c.Context(), m.Tenant, m.User)
}

func noAccess(o *identity.Organizer) error {
	return newError(codeForbidden, "3003: User does not have access to lookup meeting. It is the meeting of another organizer than %s.", o.User.UPN)
}

// update serves PATCH {root}/onlineMeetings/{id}.
func (h *Handler) update(c *call, b []byte) (result, error) {
	a, body, err := h.receive(c, updateOp, meetingOptions)
	defer keepBody(body)
	if err != nil {
		return result{}, err
	}
	s, err := decodeMeeting(body.Bytes(), c.route.version, nil)
	if err != nil {
		return result{}, err
	}
	ref, err := h.organizers(c, a.organizer, "change")
	if err != nil {
		return result{}, err
	}
	m, err := h.Meetings.Update(c.Context(), ref, meeting.Change{
		Subject: s.subject, Start: s.start, End: s.end, Attendees: s.attendees, PasscodeRequired: s.passcode, Settings: s.settings,
	})
	if err != nil {
		return result{}, err
	}
	if prefers(c.Header["Prefer"], "return=minimal") {
		a.preferences(c)
		c.header.Add("Preference-Applied", "return=minimal")
		return result{status: http.StatusNoContent}, nil
	}
	return a.one(c, b, http.StatusOK, &m)
}

// organizers returns the meeting of the path, which only its organizer may
// change or delete.
func (h *Handler) organizers(c *call, o *identity.Organizer, verb string) (meeting.Ref, error) {
	ref, err := h.ref(c, o)
	if err != nil || ref.User == o.User.ID && ref.Tenant == o.Tenant.ID {
		return ref, err
	}
	if _, _, err := h.named(c, o); err != nil {
		return ref, err
	}
	return ref, newError(codeForbidden, "Only the organizer may %s a meeting; %s is one of its attendees.", verb, o.User.UPN)
}

// remove serves DELETE {root}/onlineMeetings/{id}.
func (h *Handler) remove(c *call, _ []byte) (result, error) {
	a, err := h.begin(c, deleteOp)
	if err != nil {
		return result{}, err
	}
	if _, err := parseOptions(c.URL.RawQuery, c.route.version, noOptions); err != nil {
		return result{}, err
	}
	ref, err := h.organizers(c, a.organizer, "delete")
	if err != nil {
		return result{}, err
	}
	return result{status: http.StatusNoContent}, h.Meetings.Delete(c.Context(), ref)
}

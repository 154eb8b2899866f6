package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// createOrGetOp is who may call it (permissions of the page "onlineMeeting:
// createOrGet").
var createOrGetOp = &identity.Operation{
	Name:        "onlineMeeting: createOrGet",
	Delegated:   []string{"OnlineMeetings.ReadWrite"},
	Application: []string{"OnlineMeetings.ReadWrite.All"},
	ByPolicy:    true,
}

// createOrGet serves POST {root}/onlineMeetings/createOrGet: 201 with the
// meeting for the one call that made it, 200 with the same one for every other.
func (h *Handler) createOrGet(c *call, b []byte) (result, error) {
	if c.route.scope == scopeCommunications && !c.caller.Delegated() {
		return result{}, newError(codeBadRequest, "/communications/onlineMeetings/createOrGet names no user for whom an application could act. Use /users/{id}/onlineMeetings/createOrGet.")
	}
	a, body, err := h.receive(c, createOrGetOp, meetingOptions)
	defer keepBody(body)
	if err != nil {
		return result{}, err
	}
	tenant := a.organizer.Tenant
	draft, members, err := decodeCreateOrGet(body.Bytes(), c.route.version, tenant.Has(identity.CreateOrGetOptions))
	if err != nil {
		return result{}, err
	}
	own(&draft, a.organizer)
	m, created, err := h.Meetings.CreateOrGet(c.Context(), draft)
	if err != nil {
		return result{}, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	if tenant.Has(identity.IgnoredMembers) {
		members.tell(c.header, created)
	}
	return a.one(c, b, status, &m)
}

// sentMembers are the names of a request's members, but for externalId: those
// that a new meeting takes, at most all of them, and those that none does.
type sentMembers struct {
	taken   [8]string
	n       int
	more    []string // that did not fit into taken
	ignored []string
}

func (s *sentMembers) take(name string) {
	if s.n < len(s.taken) {
		s.taken[s.n] = name
		s.n++
	} else {
		s.more = append(s.more, name)
	}
}

// tell names what was ignored: of a meeting that was there, everything.
func (s *sentMembers) tell(header http.Header, created bool) {
	ignored := s.ignored
	if !created {
		ignored = slices.Concat(s.taken[:s.n], s.more, ignored)
	}
	if len(ignored) > 0 {
		header[ignoredHeader] = []string{headerList(ignored)}
	}
}

// ignoredHeader names the members of a request that were ignored (see
// [identity.IgnoredMembers]).
const ignoredHeader = "Convene-Ignored-Members"

// headerList writes names as a list in a header; what no header can hold is left
// out.
func headerList(names []string) string {
	const most = 1024
	var b strings.Builder
	for _, name := range names {
		if !fitForHeader(name) || strings.ContainsAny(name, `,"`) || b.Len()+len(name) > most {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name)
	}
	return b.String()
}

// decodeCreateOrGet reads the action's parameters. Everything else in the body
// is ignored, as Graph does, but it has to be valid JSON; with options, settings
// of a meeting are read as create reads them.
func decodeCreateOrGet(body []byte, v Version, options bool) (d meeting.Draft, members sentMembers, err error) {
	var alike string // a member that is externalId but for its case
	r := newReader(body)
	err = r.object("", func(name string) (err error) {
		var s *string
		switch name {
		case "externalId":
			if r.dec.PeekKind() != 'n' { // a null is refused as a missing one is
				err = r.expect('"', name, "a string")
			}
			if err == nil {
				s, err = r.text(name)
			}
			if s != nil {
				d.ExternalID = *s
			}
			return err
		case "subject":
			d.Subject, err = r.text(name)
		case "startDateTime":
			d.Start, err = r.time(name)
		case "endDateTime":
			d.End, err = r.time(name)
		case "participants":
			var attendees *[]meeting.Participant
			if err = r.attendees(name, &attendees); attendees != nil {
				d.Attendees = *attendees
			}
		case "chatInfo":
			if d.Channel, err = r.chatInfo(name, v); v == V1 {
				r.ignored = append(r.ignored, name)
				return err
			}
		default:
			if strings.EqualFold(name, "externalId") {
				alike = name
			}
			if options {
				if taken, err := r.option(name, &d); taken || err != nil {
					members.take(name)
					return err
				}
			}
			r.ignored = append(r.ignored, name)
			return r.skip()
		}
		members.take(name)
		return err
	})
	members.ignored = r.ignored
	if err == nil {
		err = r.end()
	}
	if err == nil && d.ExternalID == "" && alike != "" {
		err = invalid("externalId", "externalId is required. The body has '%s': names of members are case-sensitive.", quotable(alike))
	}
	return d, members, err
}

// option reads a setting of a meeting into a draft, where the name is that of one.
func (r *reader) option(name string, d *meeting.Draft) (taken bool, err error) {
	if name == "joinMeetingIdSettings" {
		required, err := r.joinMeetingIDSettings(name)
		d.PasscodeRequired = required != nil && *required
		return true, err
	}
	read, ok := settables[name]
	if !ok {
		read, ok = createOnly[name]
	}
	if !ok {
		return false, nil
	}
	set, err := read(r, name)
	d.Settings = append(d.Settings, set)
	return true, err
}

// serviceDocument serves GET /v1.0 (OData JSON format, section 5).
func (h *Handler) serviceDocument(c *call, b []byte) (result, error) {
	level, err := accepted(c.Header["Accept"])
	if err != nil {
		return result{}, err
	}
	b = append(b, '{')
	if level != metadataNone {
		b = fmt.Appendf(b, `"@odata.context":"%s/%s/$metadata",`, c.site.Origin, c.route.version)
	}
	b = append(b, `"value":[{"name":"users","kind":"EntitySet","url":"users"},{"name":"me","kind":"Singleton","url":"me"},{"name":"communications","kind":"Singleton","url":"communications"}]}`...)
	return result{status: http.StatusOK, body: b, level: level}, nil
}

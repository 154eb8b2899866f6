package graph

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	a, err := h.begin(c, createOrGetOp)
	if err != nil {
		return result{}, err
	}
	body, err := readJSON(c)
	defer keepBody(body)
	if err != nil {
		return result{}, err
	}
	opts, err := parseOptions(c.URL.RawQuery, c.route.version, meetingOptions)
	if err != nil {
		return result{}, err
	}
	tenant := a.organizer.Tenant
	draft, ignored, err := decodeCreateOrGet(body.Bytes(), c.route.version, tenant.Has(identity.CreateOrGetOptions))
	if err != nil {
		return result{}, err
	}
	if len(ignored) > 0 && tenant.Has(identity.IgnoredMembers) {
		c.header[ignoredHeader] = []string{headerList(ignored)}
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
	return a.one(c, b, status, &m, opts.pick)
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
func decodeCreateOrGet(body []byte, v Version, options bool) (d meeting.Draft, ignored []string, err error) {
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
			d.Channel, err = r.chatInfo(name, v)
		default:
			if strings.EqualFold(name, "externalId") {
				alike = name
			}
			if options {
				if taken, err := r.option(name, &d); taken || err != nil {
					return err
				}
			}
			ignored = append(ignored, name)
			err = r.skip()
		}
		return err
	})
	if err == nil {
		err = r.end()
	}
	if err == nil && d.ExternalID == "" && alike != "" {
		err = invalid("externalId", "externalId is required. The body has '%s': names of members are case-sensitive.", quotable(alike))
	}
	return d, ignored, err
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

func (r *reader) time(what string) (*time.Time, error) {
	s, err := r.text(what)
	if s == nil || err != nil {
		return nil, err
	}
	t, err := parseTime(*s)
	if err != nil {
		return nil, &Error{Code: codeBadRequest, Target: what, cause: err, Message: fmt.Sprintf(
			"Cannot convert the literal '%s' to the expected type 'Edm.DateTimeOffset'. %s must be an ISO 8601 time with Z or an offset of at most 14 hours, such as 2031-02-06T09:00:00Z; a fraction of a second may have 12 digits.", quotable(*s), what)}
	}
	return &t, nil
}

// attendees reads the attendees of meetingParticipants into all, which stays as
// it is where there are none. The organizer is ignored: the path decides.
func (r *reader) attendees(what string, all **[]meeting.Participant) error {
	if r.null() {
		return nil
	}
	return r.object(what, func(name string) error {
		if name != "attendees" {
			return r.skip()
		}
		attendees := []meeting.Participant{}
		*all = &attendees
		if r.null() {
			return nil
		}
		what := what + "/attendees"
		return r.array(what, func(i int) error {
			if i >= meeting.MaxAttendees {
				return invalid(what, "%s has more than %d entries.", what, meeting.MaxAttendees)
			}
			p, err := r.participant(what + "/" + strconv.Itoa(i))
			attendees = append(attendees, p)
			return err
		})
	})
}

func (r *reader) participant(what string) (p meeting.Participant, err error) {
	return p, r.object(what, func(name string) (err error) {
		switch name {
		case "upn":
			p.UPN, err = r.text(what + "/upn")
		case "role":
			p.Role, err = r.role(what + "/role")
		case "identity":
			p.Identities, err = r.identities(what + "/identity")
		default:
			err = r.skip()
		}
		return err
	})
}

func (r *reader) role(what string) (meeting.Role, error) {
	return enum(r, what, "onlineMeetingRole", meeting.Roles())
}

// maxIdentities is how many identities one participant may have: more than the
// metadata has kinds.
const maxIdentities = 16

// identities reads an identitySet: an open type, so that a name is the kind of
// the identity, whatever it is.
func (r *reader) identities(what string) (all []meeting.Identity, err error) {
	if r.null() {
		return nil, nil
	}
	return all, r.object(what, func(name string) error {
		if r.null() {
			return nil
		}
		at := what + "/" + quotable(name)
		if r.dec.PeekKind() != '{' {
			switch name {
			case "application", "device", "user":
				return r.expect('{', at, "an object or null")
			}
			return r.skip()
		}
		if len(all) == maxIdentities {
			return invalid(what, "%s has more than %d identities.", what, maxIdentities)
		}
		if name == "" || len(name) > 64 || !clean(name) {
			return invalid(what, "%s has a member whose name is no name of an identity.", what)
		}
		id := meeting.Identity{Kind: name}
		err := r.object(at, func(name string) (err error) {
			switch name {
			case "id":
				id.ID, err = r.text(at + "/id")
			case "displayName":
				id.DisplayName, err = r.text(at + "/displayName")
			case "tenantId":
				id.TenantID, err = r.text(at + "/tenantId")
			case "identityProvider":
				id.IdentityProvider, err = r.text(at + "/identityProvider")
			default:
				err = r.skip()
			}
			return err
		})
		all = append(all, id)
		return err
	})
}

// chatInfo reads the channel in which to hold the meeting. It works in beta
// only; v1.0 has the parameter in its metadata and ignores it.
func (r *reader) chatInfo(what string, v Version) (channel string, err error) {
	if r.null() {
		return "", nil
	}
	err = r.object(what, func(name string) error {
		if name != "threadId" {
			return r.skip()
		}
		s, err := r.text(what + "/threadId")
		if s != nil {
			channel = *s
		}
		return err
	})
	if err != nil || v != Beta || channel == "" {
		return "", err
	}
	if decoded, err := url.PathUnescape(channel); err == nil { // as the documentation once had it
		channel = decoded
	}
	if !meeting.IsChannelThread(channel) {
		return "", invalid(what+"/threadId", "%s/threadId must be the thread of a channel, such as 19:…@thread.tacv2.", what)
	}
	return channel, nil
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

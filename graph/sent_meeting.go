package graph

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// A sentMeeting is the onlineMeeting of a request: what is nil was not sent.
type sentMeeting struct {
	externalID *string
	subject    **string
	start, end *time.Time
	attendees  *[]meeting.Participant
	passcode   *bool
	channel    string
	settings   []meeting.Setting
}

// decodeMeeting reads an onlineMeeting. Members that nobody may set are ignored,
// as Graph does; extra are settings that may be set here besides the others.
func decodeMeeting(body []byte, v Version, extra map[string]settable) (s sentMeeting, err error) {
	r := newReader(body)
	err = r.object("", func(name string) (err error) {
		switch name {
		case "externalId":
			s.externalID, err = r.text(name)
		case "subject":
			var subject *string
			subject, err = r.text(name)
			s.subject = &subject
		case "startDateTime":
			s.start, err = r.time(name)
		case "endDateTime":
			s.end, err = r.time(name)
		case "participants":
			err = r.attendees(name, &s.attendees)
		case "joinMeetingIdSettings":
			s.passcode, err = r.joinMeetingIDSettings(name)
		case "chatInfo":
			if extra == nil { // it cannot be changed
				return r.skip()
			}
			s.channel, err = r.chatInfo(name, v)
		default:
			read, ok := settables[name]
			if !ok {
				read, ok = extra[name]
			}
			if !ok {
				return r.skip()
			}
			var set meeting.Setting
			set, err = read(r, name)
			s.settings = append(s.settings, set)
		}
		return err
	})
	if err == nil {
		err = r.end()
	}
	return s, err
}

// joinMeetingIDSettings reads whether a passcode is wanted. What the server
// generates is ignored.
func (r *reader) joinMeetingIDSettings(what string) (required *bool, err error) {
	if r.null() {
		return nil, nil
	}
	return required, r.object(what, func(name string) (err error) {
		if name != "isPasscodeRequired" {
			return r.skip()
		}
		required, err = r.boolean(what + "/" + name)
		return err
	})
}

func (r *reader) time(what string) (*time.Time, error) {
	s, err := r.text(what)
	if s == nil || err != nil {
		return nil, err
	}
	t, err := parseTime(*s)
	if err != nil {
		return nil, &Error{Code: codeBadRequest, Target: what, cause: err, Message: fmt.Sprintf(
			"Cannot convert the literal '%s' to the expected type 'Edm.DateTimeOffset'. %s must be an ISO 8601 time with Z or an offset of at most 14 hours, such as 2031-02-06T09:00:00Z; a fraction of a second may have 12 digits. The years are 0001 to 9998, in UTC, and no second is the 60th.", quotable(*s), what)}
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
			r.ignored = append(r.ignored, what+"/"+name)
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
			case "email":
				id.Email, err = r.text(at + "/email")
			case "applicationType":
				id.ApplicationType, err = r.text(at + "/applicationType")
			case "azureCommunicationServicesResourceId":
				id.ResourceID, err = r.text(at + "/azureCommunicationServicesResourceId")
			case "hidden":
				id.Hidden, err = r.boolean(at + "/hidden")
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

package meeting

import (
	"encoding/json"
	"net/url"
	"strings"
)

// LinkPath is what every path of a join link begins with.
const LinkPath = "/l/meetup-join/"

// AppendLink appends the path and query of m's join link in Teams' shape:
// "/l/meetup-join/{thread}/{message}?context={JSON}" with lower-case escapes,
// the context being {"Tid":"{tenant}","Oid":"{organizer}"}.
func (m Meeting) AppendLink(b []byte) []byte {
	b = append(b, LinkPath...)
	b = appendLinkPart(b, m.ThreadID)
	b = append(b, '/')
	b = appendLinkPart(b, m.MessageID)
	b = append(b, "?context=%7b%22Tid%22%3a%22"...)
	b = appendLinkPart(b, m.Tenant)
	b = append(b, "%22%2c%22Oid%22%3a%22"...)
	b = appendLinkPart(b, m.User)
	return append(b, "%22%7d"...)
}

// appendLinkPart escapes what RFC 3986 does not call unreserved, in lower case
// but for "%40", as Teams does.
func appendLinkPart(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// ParseLink takes the escaped path and the raw query of a join link apart. Its
// parts are untrusted and need not belong together. Anything else than a link
// of the form that [Meeting.AppendLink] writes is [ErrNotFound].
func ParseLink(path, query string) (owner Owner, thread, message string, err error) {
	rest, ok := strings.CutPrefix(path, LinkPath)
	if !ok {
		return Owner{}, "", "", ErrNotFound
	}
	rawThread, rawMessage, ok := strings.Cut(rest, "/")
	thread, err1 := url.PathUnescape(rawThread)
	message, err2 := url.PathUnescape(rawMessage)
	values, err3 := url.ParseQuery(query)
	if !ok || err1 != nil || err2 != nil || err3 != nil || len(values["context"]) != 1 {
		return Owner{}, "", "", ErrNotFound
	}
	var context struct{ Tid, Oid string }
	if json.Unmarshal([]byte(values["context"][0]), &context) != nil {
		return Owner{}, "", "", ErrNotFound
	}
	owner = Owner{Tenant: strings.ToLower(context.Tid), User: strings.ToLower(context.Oid)}
	if thread == "" || message == "" || !clean(thread) || !clean(message) || !clean(owner.Tenant) || !clean(owner.User) {
		return Owner{}, "", "", ErrNotFound
	}
	return owner, thread, message, nil
}

// AppendOptionsLink appends the path and query of m's options page in Teams'
// shape, in which the thread's colon is an underscore.
func (m Meeting) AppendOptionsLink(b []byte) []byte {
	b = append(b, "/meetingOptions/?organizerId="...)
	b = appendLinkPart(b, m.User)
	b = append(b, "&tenantId="...)
	b = appendLinkPart(b, m.Tenant)
	b = append(b, "&threadId="...)
	b = append(b, strings.Replace(m.ThreadID, ":", "_", 1)...) // threads need no escapes
	b = append(b, "&messageId="...)
	b = appendLinkPart(b, m.MessageID)
	return append(b, "&language=en-US"...)
}

// ParseOptionsLink takes the query of an options link apart, as [ParseLink]
// does with a join link.
func ParseOptionsLink(query url.Values) (owner Owner, thread, message string, err error) {
	owner = Owner{Tenant: strings.ToLower(query.Get("tenantId")), User: strings.ToLower(query.Get("organizerId"))}
	thread, message = query.Get("threadId"), query.Get("messageId")
	if rest, ok := strings.CutPrefix(thread, "19_"); ok {
		thread = "19:" + rest
	}
	for _, part := range []string{owner.Tenant, owner.User, thread, message} {
		if part == "" || !clean(part) {
			return Owner{}, "", "", ErrNotFound
		}
	}
	return owner, thread, message, nil
}

// AppendDialinLink appends the path and query of the page that lists the
// numbers under which m can be called.
func (m Meeting) AppendDialinLink(b []byte) []byte {
	b = append(b, "/dialin/"...)
	b = appendLinkPart(b, m.Tenant)
	b = append(b, "?id="...)
	return appendLinkPart(b, m.ConferenceID)
}

// AppendShortLink appends the path of m's short join link: "/meet/{digits}".
func (m Meeting) AppendShortLink(b []byte) []byte {
	b = append(b, "/meet/"...)
	return appendLinkPart(b, m.JoinMeetingID)
}

// AppointmentPath is the path of every virtual appointment link.
const AppointmentPath = "/webrtc-svc/api/route"

// AppendAppointmentLink appends the path and query of m's virtual appointment
// link in the shape of the real service: "…?tid={tenant}&convId={thread}".
func (m Meeting) AppendAppointmentLink(b []byte) []byte {
	b = append(append(b, AppointmentPath...), "?tid="...)
	b = append(appendLinkPart(b, m.Tenant), "&convId="...)
	b = appendLinkPart(b, m.ThreadID)
	if m.MessageID != NoMessage {
		b = append(append(b, "&messageId="...), m.MessageID...)
	}
	return b
}

// ParseAppointmentLink takes the query of a virtual appointment link apart, as
// [ParseLink] does with a join link.
func ParseAppointmentLink(query url.Values) (tenant, thread, message string, err error) {
	tenant, thread, message = strings.ToLower(query.Get("tid")), query.Get("convId"), query.Get("messageId")
	if message == "" {
		message = NoMessage
	}
	if tenant == "" || thread == "" || !clean(tenant) || !clean(thread) || !clean(message) {
		return "", "", "", ErrNotFound
	}
	return tenant, thread, message, nil
}

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

package graph

import (
	"errors"
	"net/url"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// find serves GET {root}/onlineMeetings?$filter=…: there is no list, a meeting
// is found by its join URL or its join meeting id.
func (h *Handler) find(c *call, b []byte) (result, error) {
	if c.route.scope == scopeCommunications {
		return h.findByVTC(c, b)
	}
	a, err := h.begin(c, getOp)
	if err != nil {
		return result{}, err
	}
	if a.organizer.Tenant.Has(identity.ListMeetings) && !isSearch(c.URL.RawQuery) {
		return h.list(c, b, a)
	}
	const byURL, byID = "JoinWebUrl", "joinMeetingIdSettings/joinMeetingId"
	opts, path, value, err := findBy(c, findOptions, byURL, byID)
	if err != nil {
		return result{}, err
	}
	var m meeting.Meeting
	var standing meeting.Standing
	if path == byID {
		m, standing, err = h.Meetings.FindByJoinMeetingID(c.Context(), strings.ReplaceAll(value, " ", ""), person(a.organizer))
	} else {
		var ref meeting.Ref
		if ref, err = h.parseJoinURL(c, value); err != nil {
			return result{}, err
		}
		m, standing, err = h.Meetings.Get(c.Context(), ref, person(a.organizer))
	}
	if err != nil {
		return result{}, err
	}
	allowed := meeting.Organizer
	if a.organizer.Tenant.Has(identity.FindAsAttendee) {
		allowed = meeting.Attendee
	}
	if standing < allowed {
		return result{}, noAccess(a.organizer)
	}
	if err := h.expand(c, a, opts, &m, standing); err != nil {
		return result{}, err
	}
	context := "users('" + a.organizer.User.ID + "')/onlineMeetings"
	if a.organizer, err = h.organizerOf(c, a.organizer, &m); err != nil {
		return result{}, err
	}
	return a.found(c, b, context, opts, m)
}

// findBy reads the options of a search, of which $filter has to be one equality.
func findBy(c *call, set *optionSet, paths ...string) (opts options, path, value string, err error) {
	if opts, err = parseOptions(c.URL.RawQuery, c.route.version, set); err != nil {
		return opts, "", "", err
	}
	if opts.filter == "" {
		return opts, "", "", invalid("$filter", "Filter expression expected - /onlineMeetings?$filter=%s eq '...'. Meetings are found by %s; there is no list of all.", paths[0], strings.Join(paths, " or "))
	}
	f, err := parseFilter(opts.filter)
	if err != nil {
		return opts, "", "", err
	}
	path, value, err = f.equality(typeMeeting, c.route.version, paths...)
	return opts, path, value, err
}

// findByVTC serves GET /communications/onlineMeetings?$filter=VideoTeleconferenceId
// eq '…', which applications may do in their whole tenant, without a policy.
func (h *Handler) findByVTC(c *call, b []byte) (result, error) {
	a, err := h.begin(c, findByVTCOp)
	if err != nil {
		return result{}, err
	}
	opts, _, value, err := findBy(c, findByVTCOptions, "VideoTeleconferenceId")
	if err != nil {
		return result{}, err
	}
	const context = "communications/onlineMeetings"
	m, err := h.Meetings.FindByVideoTeleconferenceID(c.Context(), a.organizer.Tenant.ID, value)
	if errors.Is(err, meeting.ErrNotFound) {
		return a.found(c, b, context, opts)
	} else if err != nil {
		return result{}, err
	}
	if a.organizer, err = h.organizerOf(c, a.organizer, &m); err != nil {
		return result{}, err
	}
	return a.found(c, b, context, opts, m)
}

// parseJoinURL reads a join URL of any origin of this server, first as it
// stands, then decoded once more: some clients do not escape what they send.
func (h *Handler) parseJoinURL(c *call, text string) (meeting.Ref, error) {
	unusable := newError(codeBadRequest, "1026: An error has occurred. '%s' is no join URL of this server. Use the joinWebUrl of a meeting as it stands, percent-encoded once.", quotable(text))
	for range 2 {
		if ref, ok := h.parseLink(text); ok {
			return ref, nil
		}
		decoded, err := url.PathUnescape(text)
		if err != nil {
			break
		}
		text = decoded
	}
	return meeting.Ref{}, unusable
}

func (h *Handler) parseLink(text string) (ref meeting.Ref, ok bool) {
	u, err := url.Parse(text)
	if err != nil || !strings.EqualFold(u.Scheme, "https") || u.User != nil || h.Origins == nil || !h.Origins(u.Host) {
		return ref, false
	}
	owner, thread, message, err := meeting.ParseLink(u.EscapedPath(), u.RawQuery)
	if err != nil {
		return ref, false
	}
	return meeting.Ref{Owner: owner, Thread: thread, Message: message}, true
}

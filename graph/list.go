package graph

import (
	"strings"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// How many meetings a page of a list has when $top does not say, and at most.
const (
	defaultPage = 50
	maxPage     = 200
)

// isSearch reports whether a query looks for one meeting, as Graph does: then it
// is that, also where a list is offered.
func isSearch(rawQuery string) bool {
	values, err := parseQuery(rawQuery)
	if err != nil {
		return true // which says what is wrong
	}
	for _, name := range []string{"$filter", "filter"} {
		f, err := parseFilter(values.Get(name))
		if err != nil || len(f) != 1 {
			continue
		}
		if f[0].is("JoinWebUrl") || f[0].is("joinMeetingIdSettings/joinMeetingId") || f[0].is("VideoTeleconferenceId") {
			return true
		}
	}
	return false
}

// list serves GET {root}/onlineMeetings in tenants that have that extension: the
// meetings that the user organizes, by their start, in pages.
func (h *Handler) list(c *call, b []byte, a *answer) (result, error) {
	opts, err := parseOptions(c.URL.RawQuery, c.route.version, listOptions)
	if err != nil {
		return result{}, err
	}
	q := meeting.Query{Tenant: a.organizer.Tenant.ID, User: a.organizer.User.ID, Limit: defaultPage}
	if opts.top >= 0 {
		if opts.top < 1 || opts.top > maxPage {
			return result{}, invalid("$top", "Invalid page size specified: '%d'. Must be between 1 and %d inclusive.", opts.top, maxPage)
		}
		q.Limit = opts.top
	}
	if err := opts.times(&q, c.route.version); err != nil {
		return result{}, err
	}
	if q.Descending, err = opts.descending(); err != nil {
		return result{}, err
	}
	if opts.paged {
		if q.After, err = readPosition(opts.skipToken, q.User); err != nil {
			return result{}, err
		}
	}
	q.Limit++ // one more says whether there is another page
	all, err := h.Meetings.List(c.Context(), q)
	if err != nil {
		return result{}, err
	}
	next := ""
	if len(all) == q.Limit {
		all = all[:q.Limit-1]
		next = nextLink(c, tokenOf(&all[len(all)-1]))
	}
	count := 0
	if opts.count {
		if count, err = h.Meetings.Count(c.Context(), q); err != nil {
			return result{}, err
		}
	}
	return a.page(c, b, "users('"+q.User+"')/onlineMeetings", opts, count, next, all)
}

// times reads a $filter of a list: comparisons of startDateTime and endDateTime
// with a time.
func (o *options) times(q *meeting.Query, v Version) error {
	if o.filter == "" {
		return nil
	}
	f, err := parseFilter(o.filter)
	if err != nil {
		return err
	}
	for _, c := range f {
		if err := findPath(typeMeeting, c.path, v); err != nil {
			return err
		}
		from, to := &q.StartFrom, &q.StartTo
		switch {
		case c.is("startDateTime"):
		case c.is("endDateTime"):
			from, to = &q.EndFrom, &q.EndTo
		default:
			return invalid("$filter", "Invalid filter clause: a list cannot be filtered by '%s', only by startDateTime and endDateTime. One meeting is found by JoinWebUrl or joinMeetingIdSettings/joinMeetingId.", quotable(c.path))
		}
		if c.value.kind != literalTime {
			return invalid("$filter", "Invalid filter clause: %s is compared with a %s, not a time such as 2031-02-06T09:00:00Z, without quotes.", c.path, c.value.kind)
		}
		at := c.value.time()
		switch c.op {
		case "eq":
			narrow(from, to, &at, &at)
		case "ge":
			narrow(from, to, &at, nil)
		case "gt":
			narrow(from, to, new(at.Add(meeting.Tick)), nil)
		case "le":
			narrow(from, to, nil, &at)
		case "lt":
			narrow(from, to, nil, new(at.Add(-meeting.Tick)))
		default:
			return invalid("$filter", "Invalid filter clause: the operator '%s' is not supported for %s; eq, ge, gt, le and lt are.", c.op, c.path)
		}
	}
	return nil
}

// narrow makes a range the part of it that another one has; nil is no bound.
func narrow(from, to **time.Time, otherFrom, otherTo *time.Time) {
	if otherFrom != nil && (*from == nil || otherFrom.After(**from)) {
		*from = otherFrom
	}
	if otherTo != nil && (*to == nil || otherTo.Before(**to)) {
		*to = otherTo
	}
}

// descending reads $orderby: startDateTime, up or down.
func (o *options) descending() (bool, error) {
	if !o.ordered {
		return false, nil
	}
	f := strings.Fields(o.orderBy)
	if len(f) == 0 || len(f) > 2 || !strings.EqualFold(f[0], "startDateTime") {
		return false, invalid("$orderby", "A list can be ordered by startDateTime, asc or desc, not by '%s'.", quotable(o.orderBy))
	}
	if len(f) == 1 || strings.EqualFold(f[1], "asc") {
		return false, nil
	}
	if !strings.EqualFold(f[1], "desc") {
		return false, invalid("$orderby", "The direction in $orderby is asc or desc, not '%s'.", quotable(f[1]))
	}
	return true, nil
}

// tokenOf says where a list of a user's meetings goes on.
func tokenOf(m *meeting.Meeting) string {
	p := meeting.PositionOf(m)
	return pageToken("meetings\x00"+p.User, p.Start.Format(time.RFC3339Nano), p.Thread, p.Message)
}

func readPosition(token, user string) (*meeting.Position, error) {
	parts, err := readPageToken("meetings\x00"+user, token, 3)
	if err != nil {
		return nil, err
	}
	start, err := parseTime(parts[0])
	if err != nil {
		return nil, invalid("$skiptoken", "The value of '$skiptoken' begins with no time.")
	}
	return &meeting.Position{User: user, Start: start, Thread: parts[1], Message: parts[2]}, nil
}

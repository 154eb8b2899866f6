package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
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
	if opts.skipToken != "" {
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
		next = c.site.Origin + c.URL.EscapedPath() + "?" + opts.next(c.URL.RawQuery, &all[len(all)-1])
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
			narrow(from, to, at, at)
		case "ge":
			narrow(from, to, at, time.Time{})
		case "gt":
			narrow(from, to, at.Add(meeting.Tick), time.Time{})
		case "le":
			narrow(from, to, time.Time{}, at)
		case "lt":
			narrow(from, to, time.Time{}, at.Add(-meeting.Tick))
		default:
			return invalid("$filter", "Invalid filter clause: the operator '%s' is not supported for %s; eq, ge, gt, le and lt are.", c.op, c.path)
		}
	}
	return nil
}

// narrow makes a range the part of it that another one has; a zero time is no
// bound.
func narrow(from, to *time.Time, otherFrom, otherTo time.Time) {
	if otherFrom.After(*from) {
		*from = otherFrom
	}
	if !otherTo.IsZero() && (to.IsZero() || otherTo.Before(*to)) {
		*to = otherTo
	}
}

// descending reads $orderby: startDateTime, up or down.
func (o *options) descending() (bool, error) {
	if o.orderBy == "" {
		return false, nil
	}
	f := strings.Fields(o.orderBy)
	if len(f) > 2 || !strings.EqualFold(f[0], "startDateTime") {
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

// next is the query of the page that follows m: the same options, from there on.
func (o *options) next(rawQuery string, m *meeting.Meeting) string {
	values, _ := parseQuery(rawQuery) // it was read before
	values.Del("$skiptoken")
	values.Del("skiptoken")
	p := meeting.PositionOf(m)
	token, _ := json.Marshal([]string{p.User, strconv.FormatInt(p.Start.Unix(), 10), strconv.Itoa(p.Start.Nanosecond()), p.Thread, p.Message})
	values.Set("$skiptoken", base64.RawURLEncoding.EncodeToString(token))
	query := url.Values(values).Encode()
	return strings.ReplaceAll(strings.ReplaceAll(query, "%24", "$"), "+", "%20")
}

func readPosition(token, user string) (*meeting.Position, error) {
	bad := invalid("$skiptoken", "$skiptoken is none that this server gave. Use the @odata.nextLink of an answer as it stands.")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	var parts []string
	if err != nil || json.Unmarshal(raw, &parts) != nil || len(parts) != 5 || parts[0] != user {
		return nil, bad
	}
	seconds, err1 := strconv.ParseInt(parts[1], 10, 64)
	nanoseconds, err2 := strconv.Atoi(parts[2])
	start := time.Unix(seconds, int64(nanoseconds)).UTC()
	if err1 != nil || err2 != nil || nanoseconds < 0 || nanoseconds >= 1e9 || start.Year() < 1 || start.Year() > 9999 || !clean(parts[3]) || !clean(parts[4]) {
		return nil, bad
	}
	return &meeting.Position{User: user, Start: start, Thread: parts[3], Message: parts[4]}, nil
}

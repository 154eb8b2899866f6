package graph

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-meet/convene/meeting"
)

// Which options there are is in testdata/scripts/options.txt. The law: a
// $select that is accepted means the same when it is written in order.
func FuzzParseOptions(f *testing.F) {
	for _, q := range []string{
		"", "$select=id", "%24select=subject,ID", "select=participants/attendees/role,participants", "$select=*", "$select=id&$select=id",
		"$filter=x", "$format=json", "a=%zz", "$select=lobbyBypassSettings/scope,lobbyBypassSettings/isDialInBypassEnabled", "$select=,", "$select=a/b/c/d",
	} {
		f.Add(q, true)
		f.Add(q, false)
	}
	f.Fuzz(func(t *testing.T, query string, beta bool) {
		v := V1
		if beta {
			v = Beta
		}
		o, err := parseOptions(query, v, meetingOptions)
		if err != nil {
			if status := explain(err).Status(); status != 400 {
				t.Errorf("%q is refused with %d; want 400", query, status)
			}
			return
		}
		again, err := parseOptions("$select="+o.pick.String(), v, meetingOptions)
		if err != nil || again.pick.String() != o.pick.String() {
			t.Errorf("%q selects %s; written so it selects %s, %v", query, o.pick, again.pick, err)
		}
	})
}

// Whatever a query says of a list: an answer or a 400, and what is said is what
// the next page is asked for, from there on.
func FuzzListOptions(f *testing.F) {
	for _, query := range []string{
		"", "$orderby=%20", "$orderby=startDateTime+desc&$top=3", "$filter=startDateTime le 0001-01-01T00:00:00Z and endDateTime gt 2031-01-01T00:00:00Z",
		"$skiptoken=WyJ1IiwiMSIsIjAiLCJ0IiwiMCJd", "$skiptoken=x", "$filter=subject eq 'x'", "$select=id;a&$count=true", "select=id&$select=subject",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		read := func(query string) (q meeting.Query, o options, err error) {
			if o, err = parseOptions(query, V1, listOptions); err == nil {
				if err = o.times(&q, V1); err == nil {
					q.Descending, err = o.descending()
				}
			}
			if err == nil && o.paged {
				q.After, err = readPosition(o.skipToken, "u")
			}
			return q, o, err
		}
		q, o, err := read(query)
		if err != nil {
			if status := explain(err).Status(); status != 400 {
				t.Errorf("%q is refused with %d, %v; want 400", query, status, err)
			}
			return
		}
		m := &meeting.Meeting{Owner: meeting.Owner{User: "u"}, Start: time.Date(2031, 2, 6, 9, 0, 0, 100, time.UTC), ThreadID: "19:x@thread.v2", MessageID: "0"}
		next, nextOptions, err := read(nextQuery(query, tokenOf(m)))
		q.After, o.skipToken, o.paged = meeting.PositionOf(m), nextOptions.skipToken, true
		if diff := cmp.Diff([]any{q, o}, []any{next, nextOptions}, cmp.AllowUnexported(options{}, selection{})); err != nil || diff != "" {
			t.Errorf("%q and its next page differ: %v %s", query, err, diff)
		}
	})
}

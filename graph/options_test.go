package graph

import "testing"

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

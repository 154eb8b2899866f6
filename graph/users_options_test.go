package graph

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Which options there are is in testdata/scripts/users.txt. The law: the link
// to the next page has the same options, and where the page begins.
func FuzzParseUserOptions(f *testing.F) {
	for _, q := range []string{
		"", "$select=id,displayName", "%24top=3&$count=true", "$filter=mail eq 'a''%2Bb%26c%23@x'", "$skiptoken=x", "top=999&select=*", "$filter=id+eq+''&$select=ID",
		"$top=1&top=1", "$orderby=x", "$wish", "a=%zz", "$count=TRUE&$format=json",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		o, err := parseUserOptions(query, V1, usersOptions)
		if err != nil {
			if status := explain(err).Status(); status != 400 {
				t.Errorf("%q is refused with %d; want 400", query, status)
			}
			return
		}
		const id, tenant = "c0ffee00-0001-4a00-8000-000000000002", "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"
		link := "https://localhost/v1.0/users?" + nextQuery(query, userToken(id, tenant))
		u, err := url.Parse(link)
		if err != nil || strings.ContainsAny(link, " +\"") {
			t.Fatalf("%q has the link %q: %v", query, link, err)
		}
		again, err := parseUserOptions(u.RawQuery, V1, usersOptions)
		if err != nil {
			t.Fatalf("%q has the link %q: %v", query, link, err)
		}
		if after, err := readUserToken(again.skipToken, tenant); err != nil || after != id {
			t.Errorf("%q goes on behind %q, %v", link, after, err)
		}
		again.skipToken, again.paged = o.skipToken, o.paged
		if diff := cmp.Diff(o, again, cmp.AllowUnexported(userOptions{}, property{}, comparison{}, literal{})); diff != "" {
			t.Errorf("%q and its link %q differ: %s", query, link, diff)
		}
	})
}

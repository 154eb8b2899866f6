package graph

import "testing"

// The forms of paths are in testdata/scripts/paths.txt; here is the law.
func FuzzParseRoute(f *testing.F) {
	for _, path := range []string{
		"/v1.0", "/v1.0/", "/beta/%24BATCH/", "/beta/me", "/v1.0/users", "/v1.0/users/ann%40contoso.example", "/v1.0/users('a''b')/onlineMeetings",
		"/v1.0/me/onlineMeetings/createOrGet", "/v1.0/users/a%2Fb/onlineMeetings/microsoft.graph.createOrGet/",
		"/v1.0/communications/onlineMeetings('createOrGet')", "/v1.0/me//onlineMeetings", "/V1.0/ME/ONLINEMEETINGS/x%00", "/v1.0/users/%ff",
		"/v1.0/users/('')/onlineMeetings/x", "/v1.0/users/me('x')", "/v1.0/me/onlineMeetings/microsoft.graph.microsoft.graph.createOrGet",
		"/v1.0/me/onlineMeetings/a/attendanceReports/b/attendanceRecords/c", "/v1.0/me/onlineMeetings('a')/transcripts('b')/content",
		"/v1.0/me/onlineMeetings/a/transcripts/microsoft.graph.delta()", "/v1.0/users/u/onlineMeetings/getAllRecordings(meetingOrganizerUserId='u')",
		"/beta/me/onlineMeetings(joinWebUrl='https%3A%2F%2Fx%2Fy')/recordings/r/content", "/v1.0/me/onlineMeetings/a/getVirtualAppointmentJoinWebUrl()",
		"/v1.0/me/onlineMeetings/a/microsoft.graph.sendVirtualAppointmentSms", "/v1.0/me/onlineMeetings(joinWebUrl='x')",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, err := parseRoute(path)
		if err != nil {
			if e := explain(err); e.Status() != 400 && e.Status() != 404 {
				t.Errorf("%q is refused with %d %v; want 400 or 404", path, e.Status(), err)
			}
			return // what is accepted must survive a round trip
		}
		if again, err := parseRoute(r.String()); err != nil || again != r {
			t.Errorf("%q parsed as %+v; its path %q as %+v, %v", path, r, r.String(), again, err)
		}
	})
}

func BenchmarkParseRoute(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if r, err := parseRoute("/v1.0/users/c0ffee00-0001-4a00-8000-000000000002/onlineMeetings/createOrGet"); err != nil || r.action != actionCreateOrGet {
			b.Fatal(r, err)
		}
	}
}

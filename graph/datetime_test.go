package graph

import (
	"regexp"
	"testing"
	"time"
)

// Which times are read is in testdata/scripts/times.txt. The law: what is
// written is read as the same instant, and written the same again; and whatever
// RFC 3339 calls a time in range, we do.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{
		"2031-02-06T09:00:00Z", "2031-02-06T09:00:00.1234567+05:30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z",
		"2031-02-06T09:00Z", "2031-02-29T00:00:00Z", "2028-02-29t00:00:00z", "2031-02-06T09:00:00.-1Z", "2031-02-06T09:00:60Z", "2031-13-01T00:00:00Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseTime(s)
		if std, stdErr := time.Parse(time.RFC3339Nano, s); stdErr == nil && rfc3339.MatchString(s) { // package time reads more
			_, offset := std.Zone()
			inRange := std.UTC().Year() >= 1 && std.UTC().Year() <= 9999 && offset <= 14*3600 && offset >= -14*3600
			if (err == nil) != inRange || err == nil && !got.Equal(std.Truncate(100*time.Nanosecond)) {
				t.Errorf("%q is %v, %v; RFC 3339 reads it as %v", s, got, err, std)
			}
		}
		if err != nil {
			return
		}
		text := string(appendTime(nil, got))
		again, err := parseTime(text)
		if err != nil || !again.Equal(got) || string(appendTime(nil, again)) != text {
			t.Errorf("%q is %v, written %q, read as %v, %v", s, got, text, again, err)
		}
	})
}

var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)$`)

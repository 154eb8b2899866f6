package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
	"pgregory.net/rapid"
)

// FuzzCompact: whatever a key is, what it becomes in a row is that key and no
// other.
func FuzzCompact(f *testing.F) {
	for _, s := range []string{"", "0", "00", "007", "-1", "+1", "1_0", "9223372036854775807", "9223372036854775808", "1234567890", " 1", "١",
		"c0ffee00-0001-4a00-8000-000000000001", "C0FFEE00-0001-4a00-8000-000000000001", "c0ffee00-0001-4a00-8000-00000000000g",
		"c0ffee00-0001-4a00-8000-0000000000-1", "c0ffee000001-4a00-8000-0000-00000001", newThread(),
		strings.ToUpper(newThread()), "19:meeting_@thread.v2", "19:meeting_AAAA@thread.v2", "19:x@thread.tacv2", "\x00", "\xff"} {
		f.Add(s)
	}
	c := echo(f)
	f.Fuzz(func(t *testing.T, s string) { compactLaw(t, c, s) })
}

// newThread draws a thread as the meetings of the API have it.
func newThread() string {
	var m meeting.Meeting
	meeting.Numbers(false)(&m)
	return m.ThreadID
}

// compactLaw keeps one key in each form and reads it back.
func compactLaw(t interface{ Errorf(string, ...any) }, c *conn, s string) {
	for _, form := range []struct {
		name    string
		compact func(string) value
		expand  func(*scanner) string
	}{
		{"GUID", compactGUID, (*scanner).guid}, {"number", compactNumber, (*scanner).number},
		{"thread", compactThread, (*scanner).thread}, {"text", text, (*scanner).text},
	} {
		err := c.stmts[0].query(func(r *row) error {
			sc := scanner{row: r}
			if got := form.expand(&sc); got != s {
				t.Errorf("%s %q becomes %s and then %q", form.name, s, r.String(0), got)
			}
			return sc.err
		}, form.compact(s))
		if err != nil {
			t.Errorf("%s %q: %v", form.name, s, err)
		}
	}
}

// echo is a connection whose only statement gives back what it is given.
func echo(t testing.TB) *conn {
	t.Helper()
	c, err := connect(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.prepare("SELECT ?"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestCompact: the usual spellings get short, and nearly usual ones stay exact.
func TestCompact(t *testing.T) {
	if v := compactGUID(meeting.NewGUID()); v.kind != isGUID {
		t.Errorf("a GUID becomes %v", v)
	}
	if v := compactThread(newThread()); v.kind != isGUID {
		t.Errorf("a thread becomes %v", v)
	}
	if v := compactNumber("123456789012345"); v != integer(123456789012345) {
		t.Errorf("a number becomes %v", v)
	}
	c := echo(t)
	hex := rapid.StringMatching(`[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	number := rapid.StringMatching(`[-+0]?[0-9]{0,21}`)
	rapid.Check(t, func(r *rapid.T) {
		compactLaw(r, c, rapid.OneOf(hex, number, rapid.String(), rapid.Just(newThread())).Draw(r, "key"))
	})
}

func TestTicks(t *testing.T) {
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC)
	if toTicks(first) != 0 || toTicks(time.Time{}) != 0 || fromTicks(0) != (time.Time{}) {
		t.Errorf("the year 1 begins with tick %d", toTicks(first))
	}
	rapid.Check(t, func(r *rapid.T) {
		at := time.Unix(rapid.Int64Range(first.Unix(), last.Unix()).Draw(r, "second"), rapid.Int64Range(0, 999_999_999).Draw(r, "ns")).UTC()
		if got := fromTicks(toTicks(at)); got != at.Truncate(meeting.Tick) {
			r.Errorf("%v becomes %v", at, got)
		}
		next := at.Add(meeting.Tick)
		if toTicks(next) != toTicks(at)+1 {
			r.Errorf("the tick after %v is %d, not one more than %d", at, toTicks(next), toTicks(at))
		}
	})
	if got := fromTicks(toTicks(last)); got != last {
		t.Errorf("%v becomes %v", last, got)
	}
}

package meeting

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2031, 1, 1, 12, 0, 0, 123456789, time.UTC)

func TestComplete(t *testing.T) {
	at := func(d time.Duration) *time.Time { t := noon.Add(d).In(time.FixedZone("x", 5*3600)); return &t }
	text := func(s string) *string { return &s }
	now := noon.Truncate(Tick)
	for _, tt := range []struct {
		name       string
		draft      Draft
		start, end time.Time
		bad        string // the property the error names
	}{
		{name: "no times", draft: Draft{ExternalID: "x"}, start: now, end: now.Add(time.Hour)},
		{name: "start alone", draft: Draft{ExternalID: "x", Start: at(time.Minute)}, start: now.Add(time.Minute), end: now.Add(61 * time.Minute)},
		{name: "both", draft: Draft{ExternalID: "x", Start: at(0), End: at(time.Second)}, start: now, end: now.Add(time.Second)},
		{name: "end is start", draft: Draft{ExternalID: "x", Start: at(0), End: at(0)}, start: now, end: now},
		{name: "past", draft: Draft{ExternalID: "x", Start: at(-1e6 * time.Second)}, start: now.Add(-1e6 * time.Second), end: now.Add(-1e6*time.Second + time.Hour)},
		{name: "end alone", draft: Draft{ExternalID: "x", End: at(0)}, bad: "startDateTime"},
		{name: "end before start", draft: Draft{ExternalID: "x", Start: at(0), End: at(-Tick)}, bad: "endDateTime"},
		{name: "less than a tick apart is the same", draft: Draft{ExternalID: "x", Start: at(0), End: at(-1)}, start: now, end: now},
		{name: "year 9999", draft: Draft{ExternalID: "x", Start: ptr(time.Date(9998, 12, 31, 23, 30, 0, 0, time.UTC))}, bad: "startDateTime"},
		{name: "ends in the year 9999", draft: Draft{ExternalID: "x", Start: at(0), End: ptr(time.Date(9999, 1, 1, 0, 0, 0, 1, time.UTC).Add(Tick))}, bad: "endDateTime"},
		{name: "no external id", draft: Draft{}, bad: "externalId"},
		{name: "blank", draft: Draft{ExternalID: "\u00a0 \t"}, bad: "externalId"},
		{name: "256 units", draft: Draft{ExternalID: strings.Repeat("😀", 128)}, start: now, end: now.Add(time.Hour)},
		{name: "257 units", draft: Draft{ExternalID: strings.Repeat("😀", 128) + "x"}, bad: "externalId"},
		{name: "no Unicode", draft: Draft{ExternalID: "a\xff"}, bad: "externalId"},
		{name: "U+0000", draft: Draft{ExternalID: "a\x00"}, bad: "externalId"},
		{name: "subject too long", draft: Draft{ExternalID: "x", Subject: text(strings.Repeat("x", MaxSubject+1))}, bad: "subject"},
		{name: "subject no Unicode", draft: Draft{ExternalID: "x", Subject: text("\xff")}, bad: "subject"},
		{name: "too many attendees", draft: Draft{ExternalID: "x", Attendees: make([]Participant, MaxAttendees+1)}, bad: "participants/attendees"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := tt.draft.Complete(noon)
			var bad string
			if e, ok := errors.AsType[*InvalidError](err); ok {
				bad = e.Property
			}
			if bad != tt.bad || err != nil && tt.bad == "" {
				t.Fatalf("error %v on %q; want one on %q", err, bad, tt.bad)
			}
			if err != nil {
				return
			}
			if !m.Start.Equal(tt.start) || !m.End.Equal(tt.end) || m.Start.Location() != time.UTC {
				t.Errorf("%v to %v; want %v to %v", m.Start, m.End, tt.start, tt.end)
			}
			later := m.End
			if m.Created.After(later) {
				later = m.Created
			}
			if !m.Created.Equal(now) || !m.Expires.Equal(later.Add(60*24*time.Hour)) || m.Options != DefaultOptions() {
				t.Errorf("%+v", m)
			}
			if m.Expired(m.Expires.Add(-1)) || !m.Expired(m.Expires) {
				t.Error("a meeting ends to exist at Expires, not before or later")
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		name                      string
		draft                     Draft
		thread, message, vtc, pin string
	}{
		{"ordinary", Draft{}, `^19:meeting_[A-Za-z0-9]{48}@thread\.v2$`, `^0$`, `^$`, `^$`},
		{"with numbers", Draft{VideoInterop: true, TollNumber: "+1"}, `^19:meeting_`, `^0$`, `^[1-9]\d{9}$`, `^[1-9]\d{8}$`},
		{"in a channel", Draft{Channel: "19:abc@thread.tacv2"}, `^19:abc@thread\.tacv2$`, `^\d{13}$`, `^$`, `^$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.draft.ExternalID = "x"
			m, err := tt.draft.Complete(noon)
			if err != nil {
				t.Fatal(err)
			}
			draw := Numbers(tt.draft.VideoInterop)
			seen := map[string]bool{}
			for range 50 {
				draw(&m)
				for pattern, got := range map[string]string{tt.thread: m.ThreadID, tt.message: m.MessageID, tt.vtc: m.VideoTeleconferenceID, tt.pin: m.ConferenceID, `^[1-9]\d{14}$`: m.JoinMeetingID} {
					if !regexp.MustCompile(pattern).MatchString(got) {
						t.Errorf("%q is not %s", got, pattern)
					}
				}
				for _, key := range []string{m.ThreadID + m.MessageID, m.JoinMeetingID} {
					if seen[key] {
						t.Errorf("%q was drawn twice", key)
					}
					seen[key] = true
				}
			}
		})
	}
}

// Digits are even: each first digit comes up about as often as another.
func TestDigitsAreEven(t *testing.T) {
	const draws = 9000
	count := map[byte]int{}
	for range draws {
		count[digits(9)[0]]++
	}
	for d := byte('1'); d <= '9'; d++ {
		if n := count[d]; n < draws/9*7/10 || n > draws/9*13/10 {
			t.Errorf("%c came first %d times of %d", d, n, draws)
		}
	}
}

// An id that is read is the id that is written.
func FuzzParseID(f *testing.F) {
	m := Meeting{Owner: Owner{"t", "c4b52c70-b74d-477e-8207-1e0c9524ce32"}, ThreadID: "19:meeting_ODcxODExMjctOTg1Ny00MjIxLWJkNWUtMjBiZTI3ZjExODQx@thread.v2", MessageID: "0"}
	f.Add(m.ID())
	f.Add("MSphKjAqKmI=")
	f.Add("MSphKjAqKmI")
	f.Add("19:meeting_x@thread.v2")
	f.Add("MCphKjAqKmI=")
	f.Fuzz(func(t *testing.T, id string) {
		user, message, thread, err := ParseID(id)
		if err != nil {
			return
		}
		if again := (Meeting{Owner: Owner{User: user}, MessageID: message, ThreadID: thread}).ID(); again != id {
			t.Errorf("%q is (%q, %q, %q), which is written %q", id, user, message, thread, again)
		}
	})
}

func TestIDIsThatOfTheRealService(t *testing.T) {
	const id = "MSpjNGI1MmM3MC1iNzRkLTQ3N2UtODIwNy0xZTBjOTUyNGNlMzIqMCoqMTk6bWVldGluZ19PRGN4T0RFeE1qY3RPVGcxTnkwME1qSXhMV0prTldVdE1qQmlaVEkzWmpFeE9EUXhAdGhyZWFkLnYy"
	m := Meeting{Owner: Owner{User: "c4b52c70-b74d-477e-8207-1e0c9524ce32"}, ThreadID: "19:meeting_ODcxODExMjctOTg1Ny00MjIxLWJkNWUtMjBiZTI3ZjExODQx@thread.v2", MessageID: "0"}
	if got := m.ID(); got != id || len(got) != 148 {
		t.Errorf("%q, want %q", got, id)
	}
}

// A link that is written is read, whatever its parts hold; one that is read and
// written again is the same meeting's.
func FuzzParseLink(f *testing.F) {
	m := Meeting{Owner: Owner{"87849f28-437a-4398-ad8f-43c09f2142a9", "c4b52c70-b74d-477e-8207-1e0c9524ce32"}, ThreadID: "19:meeting_x@thread.v2", MessageID: "0"}
	path, query, _ := strings.Cut(string(m.AppendLink(nil)), "?")
	f.Add(path, query)
	f.Add("/l/meetup-join/a/b", "context=%7b%22Tid%22%3a%22x%22%2c%22Oid%22%3a%22y%22%7d")
	f.Add("/l/meetup-join/%00/b", "context={}")
	f.Add("/l/meetup-join/", "context=1&context=2")
	f.Fuzz(func(t *testing.T, path, query string) {
		owner, thread, message, err := ParseLink(path, query)
		if err != nil {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("error %v; a link to nothing is not found", err)
			}
			return
		}
		link := string(Meeting{Owner: owner, ThreadID: thread, MessageID: message}.AppendLink(nil))
		path2, query2, _ := strings.Cut(link, "?")
		owner2, thread2, message2, err := ParseLink(path2, query2)
		if strings.ContainsAny(owner.Tenant+owner.User, `"\`) || strings.ContainsFunc(owner.Tenant+owner.User, func(c rune) bool { return c < ' ' || c >= 0x7f }) {
			return // no id has these, so that the JSON needs no escapes
		}
		if err != nil || owner2 != owner || thread2 != thread || message2 != message {
			t.Errorf("%q %q is (%v, %q, %q), written %q, read (%v, %q, %q), %v", path, query, owner, thread, message, link, owner2, thread2, message2, err)
		}
	})
}

func TestLinkIsInTeamsShape(t *testing.T) {
	m := Meeting{Owner: Owner{"87849f28-437a-4398-ad8f-43c09f2142a9", "c4b52c70-b74d-477e-8207-1e0c9524ce32"}, ThreadID: "19:meeting_ODcx@thread.v2", MessageID: "0"}
	const want = "/l/meetup-join/19%3ameeting_ODcx%40thread.v2/0?context=%7b%22Tid%22%3a%2287849f28-437a-4398-ad8f-43c09f2142a9%22%2c%22Oid%22%3a%22c4b52c70-b74d-477e-8207-1e0c9524ce32%22%7d"
	if got := string(m.AppendLink(nil)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestChannelThreads(t *testing.T) {
	for thread, want := range map[string]bool{
		"19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2": true, "19:EyZAMF5-x_y.z@thread.tacv2": true,
		"19:@thread.tacv2": false, "19:a b@thread.tacv2": false, "19:meeting_x@thread.v2": false, "a@thread.tacv2": false,
		"19:" + strings.Repeat("x", 300) + "@thread.tacv2": false, "19:a*b@thread.tacv2": false, "": false,
	} {
		if got := IsChannelThread(thread); got != want {
			t.Errorf("%q: %v, want %v", thread, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for digits, want := range map[string]string{"": "", "12": "12", "123": "123", "1234": "123 4", "359232213325013": "359 232 213 325 013"} {
		if got := Grouped(digits); got != want {
			t.Errorf("%q: %q, want %q", digits, got, want)
		}
	}
}

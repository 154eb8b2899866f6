package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// RunMeetings checks the whole contract of [meeting.Store]. open returns a new,
// empty store for each test, which is a [Crasher] and, where the engine serves
// several processes, a [Host]; the test's cleanup closes it.
func RunMeetings(t *testing.T, open func(*testing.T) meeting.Store) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, meeting.Store)
	}{
		{"what is stored comes back", comesBack},
		{"an existing meeting comes back unchanged", unchanged},
		{"owners do not share external IDs", ownersApart},
		{"external IDs are compared exactly", exactExternalIDs},
		{"without an external ID each is a new one", withoutExternalID},
		{"unknown is not found", unknown},
		{"tenants do not see each other", tenantsApart},
		{"a meeting given or taken is a copy", copies},
		{"a caller who left", callerLeft},

		{"one winner among concurrent calls", oneWinner},
		{"a race on a reader's heels", raceOnHeels},
		{"create and delete in turn", createAndDelete},
		{"no update is lost", noUpdateLost},
		{"no reader goes back in time", noReaderGoesBack},

		{"a taken number is drawn again", takenNumber},
		{"numbers are unique where they must be and not beyond", numberScopes},
		{"no free numbers", noFreeNumbers},
		{"a collision fails no neighbour", collisionNeighbours},

		{"an expired meeting exists for nobody", expiredForNobody},
		{"an expired meeting is replaced", expiredReplaced},
		{"an expired meeting has one successor", expiredOneWinner},
		{"an expired meeting holds no number", expiredNumbers},

		{"an update changes what may change", updateChanges},
		{"an update that fails changes nothing", updateFails},
		{"an update shows everywhere at once", updateShows},
		{"a deleted meeting is gone", deleted},
		{"of concurrent deletes one succeeds", oneDeletes},
		{"what is gone is told apart from what never was", goneOrNever},
		{"what a tenant had before is forgotten", goneForgotten},

		{"a list has what is asked for", listed},
		{"pages have every meeting once", paged},
		{"a tenant's meetings are replaced", replaced},
		{"a tenant's meetings are replaced or stay", replacedOrStay},

		{"what was acknowledged survives a crash", survivesCrash},
		{"like the model", likeModel},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

// everywhere checks that each way to a meeting leads to want.
func everywhere(t *testing.T, s meeting.Store, want meeting.Meeting, now time.Time) {
	t.Helper()
	for _, l := range lookups {
		got, err := l.by(s, &want, now)
		if err != nil {
			t.Errorf("%s of %q: %v", l.name, want.ExternalID, err)
			continue
		}
		same(t, l.name, got, want)
	}
	if want.ExternalID != "" {
		ask := newMeeting(want.Owner, want.ExternalID)
		ask.Created = now
		same(t, "CreateOrGet", mustGet(t, s, ask), want)
	}
}

// nowhere checks that no lookup finds m.
func nowhere(t *testing.T, s meeting.Store, m meeting.Meeting, now time.Time) {
	t.Helper()
	for _, l := range lookups {
		if got, err := l.by(s, &m, now); !errors.Is(err, meeting.ErrNotFound) {
			t.Errorf("%s found %q with error %v; want ErrNotFound", l.name, got.ExternalID, err)
		}
	}
	fail := func(*meeting.Meeting) error { return errors.New("change was called") }
	if _, err := s.Update(context.Background(), m.Tenant, m.ThreadID, m.MessageID, now, fail); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("Update: error %v, want ErrNotFound", err)
	}
	if err := s.Delete(context.Background(), m.Tenant, m.ThreadID, m.MessageID, now); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("Delete: error %v, want ErrNotFound", err)
	}
}

func unchanged(t *testing.T, s meeting.Store) {
	first := newMeeting(newOwner(), "order-4711")
	want := mustCreate(t, s, first)
	second := first
	other := "another subject"
	second.Subject, second.Start, second.End, second.Expires = &other, noon.Add(5*time.Hour), noon.Add(6*time.Hour), noon.Add(999*time.Hour)
	second.Options.AllowRecording = false
	second.TollNumber = "+49 30 5550100"
	second.Created = noon.Add(time.Minute)
	for range 2 {
		same(t, "the existing meeting", mustGet(t, s, second), want)
	}
	everywhere(t, s, want, noon)
}

func ownersApart(t *testing.T, s meeting.Store) {
	a, b := newOwner(), newOwner()
	owners := []meeting.Owner{a, b, {Tenant: a.Tenant, User: b.User}, {Tenant: b.Tenant, User: a.User}}
	var all []meeting.Meeting
	for _, o := range owners {
		all = append(all, mustCreate(t, s, newMeeting(o, "shared")))
	}
	for _, want := range all {
		everywhere(t, s, want, noon)
	}
}

func exactExternalIDs(t *testing.T, s meeting.Store) {
	owner := newOwner()
	ids := []string{"a", "A", "a ", " a", "ä", "a\u0308", "a\n", "a%", "a_", "1", "01", "1.0", "1e0", "null", "ß", "ss", "İ", "i", "𝒶", "a\u200d",
		"c0ffee00-0001-4a00-8000-000000000001", "C0FFEE00-0001-4A00-8000-000000000001"}
	var all []meeting.Meeting
	for _, id := range ids {
		all = append(all, mustCreate(t, s, newMeeting(owner, id)))
	}
	for _, want := range all {
		same(t, "meeting "+want.ExternalID, mustGet(t, s, newMeeting(owner, want.ExternalID)), want)
	}
}

func withoutExternalID(t *testing.T, s meeting.Store) {
	owner := newOwner()
	a, b := mustCreate(t, s, newMeeting(owner, "")), mustCreate(t, s, newMeeting(owner, ""))
	everywhere(t, s, a, noon)
	everywhere(t, s, b, noon)
}

func unknown(t *testing.T, s meeting.Store) {
	m := newMeeting(newOwner(), "here")
	m.TollNumber = ""
	n := drawn()
	n.vtc, n.conference = "", ""
	m = mustCreateWith(t, s, m, n)
	for _, other := range []numbers{
		drawn(), {}, {"19:x\x00@thread.v2", "0\x00", "12\x00", "\x00", "\x00"}, {"\xff", "\xff", "\xff", "\xff", "\xff"},
		{n.thread, "1", "'", "%", "_"}, {"'; DROP TABLE meetings; --", "", "-1", "00", " "},
	} {
		ask := m
		other.give(&ask)
		nowhere(t, s, ask, noon)
	}
	for _, ask := range []meeting.Meeting{m} { // m has neither dial-in nor video interop
		for _, l := range lookups[2:] {
			if _, err := l.by(s, &ask, noon); !errors.Is(err, meeting.ErrNotFound) {
				t.Errorf("%s of no number: error %v, want ErrNotFound", l.name, err)
			}
		}
	}
	same(t, "the only meeting", mustGet(t, s, newMeeting(m.Owner, "here")), m)
}

func tenantsApart(t *testing.T, s meeting.Store) {
	ctx := context.Background()
	m := mustCreate(t, s, newMeeting(newOwner(), "secret"))
	other := newOwner().Tenant
	if _, err := s.ByThread(ctx, other, m.ThreadID, m.MessageID, noon); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("ByThread in another tenant: %v", err)
	}
	if _, err := s.ByVideoTeleconferenceID(ctx, other, m.VideoTeleconferenceID, noon); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("ByVideoTeleconferenceID in another tenant: %v", err)
	}
	change := func(m *meeting.Meeting) error { m.Passcode = "stolen"; return nil }
	if _, err := s.Update(ctx, other, m.ThreadID, m.MessageID, noon, change); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("Update in another tenant: %v", err)
	}
	if err := s.Delete(ctx, other, m.ThreadID, m.MessageID, noon); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("Delete in another tenant: %v", err)
	}
	everywhere(t, s, m, noon)
}

// copies changes everything a store was given or has returned.
func copies(t *testing.T, s meeting.Store) {
	text := func(s string) *string { return &s }
	build := func() meeting.Meeting {
		m := newMeeting(newOwner(), "copy")
		m.Owner = meeting.Owner{Tenant: "t", User: "u"}
		m.Attendees = []meeting.Participant{{UPN: text("ann@contoso.example"), Identities: []meeting.Identity{{Kind: "user", ID: text("id"), DisplayName: text("Ann")}}}}
		return m
	}
	spoil := func(m *meeting.Meeting) {
		*m.Subject, *m.Attendees[0].UPN, *m.Attendees[0].Identities[0].ID = "spoiled", "spoiled", "spoiled"
		m.Attendees[0].Identities[0].Kind = "spoiled"
		m.Attendees[0].Role = "spoiled"
	}
	given := build()
	n := drawn()
	returned := mustCreateWith(t, s, given, n)
	spoil(&given)
	spoil(&returned)
	want := build()
	n.give(&want)
	everywhere(t, s, want, noon)
	for range 2 {
		m := mustGet(t, s, build())
		spoil(&m)
		m, err := s.ByThread(context.Background(), want.Tenant, want.ThreadID, want.MessageID, noon)
		if err != nil {
			t.Fatal(err)
		}
		spoil(&m)
	}
	same(t, "after spoiling what was returned", mustGet(t, s, build()), want)

	var kept *meeting.Meeting
	updated, err := s.Update(context.Background(), want.Tenant, want.ThreadID, want.MessageID, noon, func(m *meeting.Meeting) error {
		m.Passcode = "1234"
		kept = m
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	spoil(kept)
	spoil(&updated)
	want.Passcode, want.Revision = "1234", 2
	everywhere(t, s, want, noon)
}

func callerLeft(t *testing.T, s meeting.Store) {
	gone, leave := context.WithCancel(context.Background())
	leave()
	m := newMeeting(newOwner(), "left")
	_, created, err := s.CreateOrGet(gone, m, drawn().give)
	if err == nil && !created || err != nil && !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("CreateOrGet of a caller who left: created %v, error %v; want it made, or an error that wraps ErrUnavailable", created, err)
	}
	// Asking again is safe, whatever became of it.
	first, _, err := s.CreateOrGet(context.Background(), m, drawn().give)
	if err != nil {
		t.Fatal(err)
	}
	everywhere(t, s, first, noon)
}

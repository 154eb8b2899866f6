package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

func update(s meeting.Store, m meeting.Meeting, now time.Time, change func(*meeting.Meeting) error) (meeting.Meeting, error) {
	return s.Update(context.Background(), m.Tenant, m.ThreadID, m.MessageID, now, change)
}

// changeAll changes everything there is in a meeting, keys and all.
func changeAll(m *meeting.Meeting) error {
	subject, upn := "changed", "new@contoso.example"
	keys := newMeeting(newOwner(), "changed")
	drawn().give(&keys)
	m.Owner, m.ExternalID, m.TollNumber = keys.Owner, keys.ExternalID, "+1 0"
	numbersOf(&keys).give(m)
	m.Revision = 99
	m.Subject, m.Passcode = &subject, "1234"
	m.Start, m.End, m.Expires = m.Start.Add(time.Hour), m.End.Add(2*time.Hour), m.Expires.Add(3*time.Hour)
	m.Attendees = append(m.Attendees, meeting.Participant{UPN: &upn, Role: meeting.RolePresenter})
	m.Options.AllowRecording = !m.Options.AllowRecording
	m.Options.LobbyBypassScope = meeting.LobbyInvited
	return nil
}

func updateChanges(t *testing.T, s meeting.Store) {
	bystander := mustCreate(t, s, newMeeting(newOwner(), "bystander"))
	before := mustCreate(t, s, newMeeting(newOwner(), "updated"))
	var given meeting.Meeting
	got, err := update(s, before, noon, func(m *meeting.Meeting) error { given = *m; return changeAll(m) })
	if err != nil {
		t.Fatal(err)
	}
	same(t, "what change is given", given, before)

	want := before
	if err := changeAll(&want); err != nil {
		t.Fatal(err)
	}
	want.Owner, want.ExternalID, want.TollNumber = before.Owner, before.ExternalID, before.TollNumber
	numbersOf(&before).give(&want)
	want.Revision = 2
	same(t, "what Update returns", got, want)
	everywhere(t, s, want, noon)

	// Back to nothing and to the defaults.
	want, err = update(s, before, noon, func(m *meeting.Meeting) error {
		m.Subject, m.Passcode, m.Attendees, m.Options = nil, "", nil, meeting.DefaultOptions()
		return nil
	})
	if err != nil || want.Revision != 3 || want.Subject != nil {
		t.Errorf("second update: revision %d, subject %v, error %v", want.Revision, want.Subject, err)
	}
	everywhere(t, s, want, noon)
	everywhere(t, s, bystander, noon)
}

func updateFails(t *testing.T, s meeting.Store) {
	m := mustCreate(t, s, newMeeting(newOwner(), "steady"))
	refused := errors.New("refused")
	calls := 0
	_, err := update(s, m, noon, func(m *meeting.Meeting) error {
		calls++
		return errors.Join(changeAll(m), refused)
	})
	if !errors.Is(err, refused) || calls != 1 {
		t.Errorf("Update: error %v after %d calls of change; want its own after 1", err, calls)
	}
	everywhere(t, s, m, noon)
}

// updateShows asks before and after each change, so that an old state would be
// in whatever memory the engine has.
func updateShows(t *testing.T, s meeting.Store) {
	all := nodes(t, s)
	m := mustCreate(t, s, newMeeting(newOwner(), "watched"))
	for i := range 20 {
		everywhere(t, all[(i+1)%len(all)], m, noon)
		subject := fmt.Sprint("subject ", i)
		var err error
		if m, err = update(all[i%len(all)], m, noon, func(m *meeting.Meeting) error { m.Subject = &subject; return nil }); err != nil {
			t.Fatal(err)
		}
		for _, node := range all {
			everywhere(t, node, m, noon)
		}
	}
}

func deleted(t *testing.T, s meeting.Store) {
	all := nodes(t, s)
	last := all[len(all)-1]
	bystander := mustCreate(t, s, newMeeting(newOwner(), "bystander"))
	old := mustCreate(t, s, newMeeting(bystander.Owner, "deleted"))
	everywhere(t, last, old, noon)
	if err := s.Delete(context.Background(), old.Tenant, old.ThreadID, old.MessageID, noon); err != nil {
		t.Fatal(err)
	}
	nowhere(t, s, old, noon)
	nowhere(t, last, old, noon)

	// Its external id is free, and so are its numbers.
	next := mustCreateWith(t, last, newMeeting(old.Owner, "deleted"), numbersOf(&old))
	everywhere(t, s, next, noon)
	everywhere(t, s, bystander, noon)
}

func expiredForNobody(t *testing.T, s meeting.Store) {
	m := mustCreate(t, s, newMeeting(newOwner(), "mortal"))
	everywhere(t, s, m, m.Expires.Add(-meeting.Tick))
	nowhere(t, s, m, m.Expires)
	nowhere(t, s, m, m.Expires.Add(1000*time.Hour))

	// What extends its life keeps it in existence.
	old := m.Expires
	m, err := update(s, m, old.Add(-meeting.Tick), func(m *meeting.Meeting) error { m.Expires = m.Expires.Add(time.Hour); return nil })
	if err != nil {
		t.Fatal(err)
	}
	everywhere(t, s, m, old)
	nowhere(t, s, m, m.Expires)
}

func expiredReplaced(t *testing.T, s meeting.Store) {
	old := mustCreate(t, s, newMeeting(newOwner(), "phoenix"))
	mustGet(t, s, newMeeting(old.Owner, "phoenix")) // also into a cache
	for range 3 {
		next := newMeeting(old.Owner, "phoenix")
		next.Created = old.Expires
		next.Expires = next.Created.Add(time.Hour)
		got := mustCreate(t, s, next)
		if numbersOf(&got) == numbersOf(&old) || got.Revision != 1 {
			t.Errorf("the successor has the old numbers, or revision %d", got.Revision)
		}
		nowhere(t, s, old, next.Created)
		everywhere(t, s, got, next.Created)
		old = got
	}
}

// survivesCrash: whatever was acknowledged is there after a crash, and what was
// taken away is not.
func survivesCrash(t *testing.T, s meeting.Store) {
	owner := newOwner()
	var want []meeting.Meeting
	for i := range 5 {
		m := mustCreate(t, s, newMeeting(owner, fmt.Sprint("created ", i)))
		s = crash(t, s)
		everywhere(t, s, m, noon)
		want = append(want, m)
	}
	changed, err := update(s, want[0], noon, changeAll)
	if err != nil {
		t.Fatal(err)
	}
	s = crash(t, s)
	everywhere(t, s, changed, noon)

	if err := s.Delete(context.Background(), owner.Tenant, want[1].ThreadID, want[1].MessageID, noon); err != nil {
		t.Fatal(err)
	}
	s = crash(t, s)
	nowhere(t, s, want[1], noon)

	next := newMeeting(owner, want[2].ExternalID)
	next.Created, next.Expires = want[2].Expires, want[2].Expires.Add(time.Hour)
	replaced := mustCreate(t, s, next)
	s = crash(t, s)
	nowhere(t, s, want[2], next.Created)
	everywhere(t, s, replaced, next.Created)

	// Those who lost a race know of a meeting as well as the one who won it.
	got := onlyOne(t, "crash", 8, func(int) (meeting.Meeting, bool, error) {
		return s.CreateOrGet(context.Background(), newMeeting(owner, "raced"), meeting.Numbers(true))
	})
	s = crash(t, s)
	for _, m := range []meeting.Meeting{got, want[3], want[4]} {
		everywhere(t, s, m, noon)
	}
}

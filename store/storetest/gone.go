package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

func mustBeGone(t tb, s meeting.Store, m meeting.Meeting, now time.Time, want bool) {
	t.Helper()
	if gone, err := s.Gone(context.Background(), m.Owner, m.ThreadID, m.MessageID, now); err != nil || gone != want {
		t.Errorf("Gone of %q: %v, error %v; want %v", m.ExternalID, gone, err, want)
	}
}

func mustDelete(t tb, s meeting.Store, m meeting.Meeting) {
	t.Helper()
	if err := s.Delete(context.Background(), m.Tenant, m.ThreadID, m.MessageID, noon); err != nil {
		t.Fatalf("Delete of %q: %v", m.ExternalID, err)
	}
}

func goneOrNever(t *testing.T, s meeting.Store) {
	all := nodes(t, s)
	last := all[len(all)-1]
	deleted := mustCreate(t, s, newMeeting(newOwner(), "deleted"))
	mustBeGone(t, last, deleted, noon, false)
	mustDelete(t, s, deleted)
	mustBeGone(t, s, deleted, noon, true)
	mustBeGone(t, last, deleted, noon, true)

	// Nobody is told who does not know all of it.
	for name, change := range map[string]func(m *meeting.Meeting){
		"another user":    func(m *meeting.Meeting) { m.User = meeting.NewGUID() },
		"another tenant":  func(m *meeting.Meeting) { m.Tenant = meeting.NewGUID() },
		"another thread":  func(m *meeting.Meeting) { m.ThreadID = drawn().thread },
		"another message": func(m *meeting.Meeting) { m.MessageID = "1772625600000" },
		"no user":         func(m *meeting.Meeting) { m.User = "" },
	} {
		other := deleted
		change(&other)
		other.ExternalID = name
		mustBeGone(t, s, other, noon, false)
	}

	// What has expired is gone, whether or not something has taken its place.
	expired := mustCreate(t, s, newMeeting(newOwner(), "expired"))
	mustBeGone(t, s, expired, expired.Expires.Add(-meeting.Tick), false)
	mustBeGone(t, s, expired, expired.Expires, true)
	stranger := expired
	stranger.User, stranger.ExternalID = meeting.NewGUID(), "a stranger's, expired"
	mustBeGone(t, s, stranger, expired.Expires, false)
	next := newMeeting(expired.Owner, "expired")
	next.Created, next.Expires = expired.Expires, expired.Expires.Add(time.Hour)
	next = mustCreate(t, s, next)
	mustBeGone(t, last, expired, next.Created, true)
	mustBeGone(t, last, next, next.Created, false)
	for _, kind := range numberKinds {
		old := mustCreate(t, s, newMeeting(newOwner(), "expired, with a number: "+kind.name))
		m := newMeeting(meeting.Owner{Tenant: old.Tenant, User: meeting.NewGUID()}, "has it now: "+kind.name)
		m.Created, m.Expires = old.Expires, old.Expires.Add(time.Hour)
		n := drawn()
		kind.take(&n, numbersOf(&old))
		m = mustCreateWith(t, s, m, n)
		mustBeGone(t, s, m, m.Created, false)
		mustBeGone(t, s, old, m.Created, old.ThreadID != m.ThreadID)
	}

	// What is there again is not gone, whoever has it.
	owners := []meeting.Owner{deleted.Owner, {Tenant: deleted.Tenant, User: meeting.NewGUID()}}
	for _, owner := range owners {
		again := mustCreateWith(t, s, newMeeting(owner, "again"), numbersOf(&deleted))
		mustBeGone(t, last, deleted, noon, false)
		mustBeGone(t, last, again, noon, false)
		mustDelete(t, last, again)
		mustBeGone(t, s, deleted, noon, true)
		mustBeGone(t, s, again, noon, true)
	}

	s = crash(t, s)
	mustBeGone(t, s, deleted, noon, true)
	mustBeGone(t, s, expired, next.Created, true)
}

func goneForgotten(t *testing.T, s meeting.Store) {
	ctx := context.Background()
	owner := newOwner()
	deleted, stays, removed := mustCreate(t, s, newMeeting(owner, "deleted")), mustCreate(t, s, newMeeting(owner, "stays")), mustCreate(t, s, newMeeting(owner, "removed"))
	other := mustCreate(t, s, newMeeting(newOwner(), "of another tenant"))
	mustDelete(t, s, deleted)
	mustDelete(t, s, other)
	if err := s.Replace(ctx, owner.Tenant, []meeting.Meeting{stays, stays}); !errors.Is(err, meeting.ErrTaken) {
		t.Fatalf("Replace with one twice: %v", err)
	}
	mustBeGone(t, s, deleted, noon, true)
	for range 2 {
		if err := s.Replace(ctx, owner.Tenant, []meeting.Meeting{stays}); err != nil {
			t.Fatal(err)
		}
		mustBeGone(t, s, deleted, noon, false)
		mustBeGone(t, s, removed, noon, false)
		mustBeGone(t, s, stays, noon, false)
		mustBeGone(t, s, other, noon, true)
		s = crash(t, s)
	}
}

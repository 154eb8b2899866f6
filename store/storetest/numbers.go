package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// numberKinds are the keys that are drawn: take makes n collide with other in
// this one alone.
var numberKinds = []struct {
	name string
	take func(n *numbers, other numbers)
}{
	{"thread", func(n *numbers, other numbers) { n.thread, n.message = other.thread, other.message }},
	{"join meeting id", func(n *numbers, other numbers) { n.join = other.join }},
	{"video teleconference id", func(n *numbers, other numbers) { n.vtc = other.vtc }},
	{"conference id", func(n *numbers, other numbers) { n.conference = other.conference }},
}

func takenNumber(t *testing.T, s meeting.Store) {
	owner := newOwner()
	holder := mustCreate(t, s, newMeeting(owner, "holder"))
	for _, kind := range numberKinds {
		first, second, free := drawn(), drawn(), drawn()
		kind.take(&first, numbersOf(&holder))
		kind.take(&second, numbersOf(&holder))
		count := 0
		m, created, err := s.CreateOrGet(context.Background(), newMeeting(owner, "new, same "+kind.name), draws(&count, first, second, free))
		if err != nil || !created || count != 3 || numbersOf(&m) != free {
			t.Errorf("%s taken twice: created %v after %d draws, error %v; want true after 3", kind.name, created, count, err)
			continue
		}
		everywhere(t, s, m, noon)

		// Where the owner has the meeting, a taken number plays no part.
		count = 0
		ask := newMeeting(owner, m.ExternalID)
		got, created, err := s.CreateOrGet(context.Background(), ask, draws(&count, first))
		if err != nil || created || count > 1 {
			t.Errorf("%s taken, meeting there: created %v after %d draws, error %v", kind.name, created, count, err)
		}
		same(t, "the existing meeting", got, m)
	}
	everywhere(t, s, holder, noon)
}

// numberScopes: a thread is unique in its tenant, a conference id on its toll
// number, the others everywhere; what is empty collides with nothing.
func numberScopes(t *testing.T, s meeting.Store) {
	owner := newOwner()
	holder := mustCreate(t, s, newMeeting(owner, "holder"))

	other := newMeeting(newOwner(), "same thread, other tenant")
	n := drawn()
	n.thread, n.message = holder.ThreadID, holder.MessageID
	everywhere(t, s, mustCreateWith(t, s, other, n), noon)

	channel := newMeeting(owner, "same thread, other message")
	n = drawn()
	n.thread, n.message = holder.ThreadID, "1772625600000"
	everywhere(t, s, mustCreateWith(t, s, channel, n), noon)

	dialIn := newMeeting(owner, "same conference id, other toll number")
	dialIn.TollNumber = "+49 30 5550100"
	n = drawn()
	n.conference = holder.ConferenceID
	everywhere(t, s, mustCreateWith(t, s, dialIn, n), noon)

	for _, name := range []string{"no numbers", "no numbers either"} {
		bare := newMeeting(owner, name)
		bare.TollNumber = ""
		n = drawn()
		n.vtc, n.conference = "", ""
		m := mustCreateWith(t, s, bare, n)
		same(t, name, mustGet(t, s, newMeeting(owner, name)), m)
	}

	for _, kind := range numberKinds[1:3] { // of the whole store
		taken, free := drawn(), drawn()
		kind.take(&taken, numbersOf(&holder))
		count := 0
		_, created, err := s.CreateOrGet(context.Background(), newMeeting(newOwner(), "elsewhere"), draws(&count, taken, free))
		if err != nil || !created || count != 2 {
			t.Errorf("%s taken in another tenant: created %v after %d draws, error %v; want true after 2", kind.name, created, count, err)
		}
	}
	everywhere(t, s, holder, noon)
}

func noFreeNumbers(t *testing.T, s meeting.Store) {
	holder := mustCreate(t, s, newMeeting(newOwner(), "holder"))
	m := newMeeting(newOwner(), "unlucky")
	count := 0
	_, created, err := s.CreateOrGet(context.Background(), m, draws(&count, numbersOf(&holder)))
	// In the other tenant the thread is free, the join meeting id is not.
	if !errors.Is(err, meeting.ErrUnavailable) || created || count != meeting.MaxDraws {
		t.Errorf("no free numbers: created %v, error %v after %d draws; want ErrUnavailable after %d", created, err, count, meeting.MaxDraws)
	}
	mustCreate(t, s, m)
	everywhere(t, s, holder, noon)
}

// expiredNumbers: the numbers of a meeting that exists no more are free.
func expiredNumbers(t *testing.T, s meeting.Store) {
	old := mustCreate(t, s, newMeeting(newOwner(), "old"))
	for _, kind := range numberKinds {
		m := newMeeting(old.Owner, "new, "+kind.name+" of old")
		m.Created, m.Expires = old.Expires, old.Expires.Add(time.Hour)
		n := drawn()
		kind.take(&n, numbersOf(&old))
		everywhere(t, s, mustCreateWith(t, s, m, n), m.Created)

		old = newMeeting(old.Owner, "old, for another "+kind.name)
		old = mustCreate(t, s, old)
	}
	next := newMeeting(old.Owner, old.ExternalID)
	next.Created, next.Expires = old.Expires, old.Expires.Add(time.Hour)
	everywhere(t, s, mustCreateWith(t, s, next, numbersOf(&old)), next.Created)
}

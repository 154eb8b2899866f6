package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// oneWinner lets many callers, spread over all nodes, ask for the same new
// meeting at once.
func oneWinner(t *testing.T, s meeting.Store) {
	const callers, rounds = 32, 24
	all := nodes(t, s)
	owner := newOwner()
	for round := range rounds {
		m := newMeeting(owner, fmt.Sprintf("race-%d", round))
		onlyOne(t, m.ExternalID, callers, func(i int) (meeting.Meeting, bool, error) {
			return all[i%len(all)].CreateOrGet(context.Background(), m, meeting.Numbers(true))
		})
	}
}

// onlyOne runs calls at once and checks that exactly one made the meeting and
// that all of them got it.
func onlyOne(t *testing.T, what string, callers int, call func(i int) (meeting.Meeting, bool, error)) meeting.Meeting {
	t.Helper()
	got := make([]meeting.Meeting, callers)
	created := make([]bool, callers)
	concurrently(callers, func(i int) {
		var err error
		if got[i], created[i], err = call(i); err != nil {
			t.Errorf("%s, caller %d: %v", what, i, err)
		}
	})
	if n := count(created, true); n != 1 {
		t.Errorf("%s: %d of %d callers created the meeting, want 1", what, n, callers)
	}
	for i := range got {
		same(t, fmt.Sprintf("%s, caller %d against caller 0", what, i), got[i], got[0])
	}
	if t.Failed() {
		t.FailNow() // once is enough
	}
	return got[0]
}

// raceOnHeels has callers look for meetings that are being made at that moment,
// so that each finds it a little earlier or later in its making.
func raceOnHeels(t *testing.T, s meeting.Store) {
	const callers, meetings = 16, 50
	all := nodes(t, s)
	owner := newOwner()
	var made [meetings]atomic.Int32
	var threads [meetings]sync.Map
	concurrently(callers, func(i int) {
		for k := range meetings {
			m, created, err := all[i%len(all)].CreateOrGet(context.Background(), newMeeting(owner, fmt.Sprint(k)), meeting.Numbers(true))
			if err != nil {
				t.Errorf("meeting %d: %v", k, err)
				return
			}
			if created {
				made[k].Add(1)
			}
			threads[k].Store(m.ThreadID, true)
			again, err := all[(i+1)%len(all)].ByThread(context.Background(), m.Tenant, m.ThreadID, m.MessageID, noon)
			if err != nil {
				t.Errorf("meeting %d was returned, and then: %v", k, err)
				return
			}
			same(t, "the returned meeting", again, m)
		}
	})
	for k := range meetings {
		different := 0
		threads[k].Range(func(any, any) bool { different++; return true })
		if made[k].Load() != 1 || different != 1 {
			t.Errorf("meeting %d was made %d times, and callers got %d different ones", k, made[k].Load(), different)
		}
	}
}

// createAndDelete: what was made and not deleted is there, however the calls
// were mixed.
func createAndDelete(t *testing.T, s meeting.Store) {
	const callers, rounds = 8, 60
	all := nodes(t, s)
	owner := newOwner()
	var made, removed atomic.Int64
	concurrently(callers, func(i int) {
		s := all[i%len(all)]
		for range rounds {
			m, created, err := s.CreateOrGet(context.Background(), newMeeting(owner, "to and fro"), meeting.Numbers(false))
			if err != nil {
				t.Errorf("CreateOrGet: %v", err)
				return
			}
			if created {
				made.Add(1)
			}
			switch err := s.Delete(context.Background(), m.Tenant, m.ThreadID, m.MessageID, noon); {
			case err == nil:
				removed.Add(1)
			case !errors.Is(err, meeting.ErrNotFound):
				t.Errorf("Delete: %v", err)
				return
			}
		}
	})
	// Every caller deleted what it got, or somebody else had done so.
	if made.Load() != removed.Load() {
		t.Errorf("%d meetings were made and %d deleted; want as many", made.Load(), removed.Load())
	}
	mustCreate(t, s, newMeeting(owner, "to and fro"))
}

// noUpdateLost has many callers add to one meeting.
func noUpdateLost(t *testing.T, s meeting.Store) {
	const callers, updates = 16, 8
	all := nodes(t, s)
	m := mustCreate(t, s, newMeeting(newOwner(), "counted"))
	concurrently(callers, func(i int) {
		for k := range updates {
			name := fmt.Sprintf("%d/%d", i, k)
			_, err := all[i%len(all)].Update(context.Background(), m.Tenant, m.ThreadID, m.MessageID, noon, func(m *meeting.Meeting) error {
				m.Attendees = append(m.Attendees, meeting.Participant{UPN: &name})
				return nil
			})
			if err != nil {
				t.Errorf("Update: %v", err)
				return
			}
		}
	})
	got := mustGet(t, s, newMeeting(m.Owner, "counted"))
	seen := map[string]bool{}
	for _, a := range got.Attendees {
		seen[*a.UPN] = true
	}
	if len(seen) != callers*updates || len(got.Attendees) != callers*updates || got.Revision != 1+callers*updates {
		t.Errorf("after %d updates %d of them are there (%d entries) and the revision is %d", callers*updates, len(seen), len(got.Attendees), got.Revision)
	}
}

// noReaderGoesBack has readers follow a meeting that changes all the time, and
// ask for it in every way in turn: none may see an older state after a newer
// one, whether it comes from a cache or not.
func noReaderGoesBack(t *testing.T, s meeting.Store) {
	const readers, updates = 3, 60
	m := mustCreate(t, s, newMeeting(newOwner(), "followed"))
	var acknowledged atomic.Int64 // the newest revision a caller knows of
	acknowledged.Store(1)
	done := make(chan struct{})
	var wait sync.WaitGroup
	for _, node := range nodes(t, s) {
		for range readers {
			wait.Go(func() {
				for round := 0; ; round++ {
					select {
					case <-done:
						return
					default:
					}
					least := acknowledged.Load()
					var got meeting.Meeting
					var err error
					if way := round % (len(lookups) + 1); way < len(lookups) {
						got, err = lookups[way].by(node, &m, noon)
					} else {
						got, _, err = node.CreateOrGet(context.Background(), newMeeting(m.Owner, "followed"), meeting.Numbers(true))
					}
					if err != nil || got.Revision < least {
						t.Errorf("a reader got revision %d, error %v, after revision %d had been seen", got.Revision, err, least)
						return
					}
					for seen := acknowledged.Load(); seen < got.Revision && !acknowledged.CompareAndSwap(seen, got.Revision); seen = acknowledged.Load() {
					}
				}
			})
		}
	}
	for range updates {
		_, err := s.Update(context.Background(), m.Tenant, m.ThreadID, m.MessageID, noon, func(*meeting.Meeting) error { return nil })
		if err != nil {
			t.Errorf("Update: %v", err)
			break
		}
	}
	close(done)
	wait.Wait()
}

// oneDeletes has many callers delete one meeting.
func oneDeletes(t *testing.T, s meeting.Store) {
	all := nodes(t, s)
	m := mustCreate(t, s, newMeeting(newOwner(), "hunted"))
	errs := make([]error, 16)
	concurrently(len(errs), func(i int) {
		errs[i] = all[i%len(all)].Delete(context.Background(), m.Tenant, m.ThreadID, m.MessageID, noon)
	})
	for _, err := range without(errs, nil) {
		if !errors.Is(err, meeting.ErrNotFound) {
			t.Errorf("Delete: %v", err)
		}
	}
	if n := count(errs, nil); n != 1 {
		t.Errorf("%d of %d callers deleted the meeting, want 1", n, len(errs))
	}
}

// collisionNeighbours: callers whose first numbers are all the same, and
// callers whose are not, write at once.
func collisionNeighbours(t *testing.T, s meeting.Store) {
	const callers = 32
	all := nodes(t, s)
	owner := newOwner()
	contested := drawn()
	var winners, collided atomic.Int32
	concurrently(callers, func(i int) {
		count := 0
		sets := []numbers{drawn()}
		if i%2 == 0 {
			sets = append([]numbers{contested}, sets...)
		}
		m, created, err := all[i%len(all)].CreateOrGet(context.Background(), newMeeting(owner, fmt.Sprint(i)), draws(&count, sets...))
		if err != nil || !created || m.ExternalID != fmt.Sprint(i) {
			t.Errorf("caller %d: created %v, meeting %q, error %v", i, created, m.ExternalID, err)
			return
		}
		if m.ThreadID == contested.thread {
			winners.Add(1)
		}
		if count > 1 {
			collided.Add(1)
		}
	})
	if winners.Load() != 1 || collided.Load() != callers/2-1 {
		t.Errorf("%d meetings have the contested numbers, %d callers drew again; want 1 and %d", winners.Load(), collided.Load(), callers/2-1)
	}
	for i := range callers {
		mustGet(t, s, newMeeting(owner, fmt.Sprint(i)))
	}
}

// expiredOneWinner lets many callers replace one expired meeting at once.
func expiredOneWinner(t *testing.T, s meeting.Store) {
	all := nodes(t, s)
	for round := range 8 {
		old := mustCreate(t, s, newMeeting(newOwner(), fmt.Sprint("expired-", round)))
		next := newMeeting(old.Owner, old.ExternalID)
		next.Created = old.Expires.Add(time.Second)
		next.Expires = next.Created.Add(time.Hour)
		got := onlyOne(t, "expired", 16, func(i int) (meeting.Meeting, bool, error) {
			return all[i%len(all)].CreateOrGet(context.Background(), next, meeting.Numbers(true))
		})
		if got.ThreadID == old.ThreadID {
			t.Errorf("the successor has the thread of the expired meeting")
		}
		nowhere(t, s, old, next.Created)
	}
}

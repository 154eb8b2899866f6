// Package storetest is the suite that every engine passes: what
// [meeting.Store], [join.Store] and [identity.Store] promise, one test for each
// promise. It knows nothing of any engine. Its own tests run it against engines
// that were broken on purpose, each of which it has to fail.
//
// Start at [RunMeetings], [RunRooms] and [RunIdentity].
package storetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A Crasher is a store that can be killed. Every engine under test is one.
type Crasher[S any] interface {
	// Crash ends the store as a killed process ends, without finishing or
	// flushing anything, and opens what it left behind. No call is under way.
	Crash(*testing.T) S
}

// A Host is a store whose database several processes may use at once.
type Host[S any] interface {
	// Peer opens the same database once more, as another process would.
	Peer(*testing.T) S
}

// crash kills a store and returns its successor.
func crash[S any](t *testing.T, store S) S {
	t.Helper()
	c, ok := any(store).(Crasher[S])
	if !ok {
		t.Fatalf("%T cannot be crashed: what it says of durability cannot be tested", store)
	}
	return c.Crash(t)
}

// nodes returns the ways to reach one database: the store itself, and a peer
// where the engine allows that.
func nodes[S any](t *testing.T, store S) []S {
	t.Helper()
	all := []S{store}
	if h, ok := any(store).(Host[S]); ok {
		all = append(all, h.Peer(t))
	}
	return all
}

// tb is what the helpers need of *testing.T and of *rapid.T.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// noon is when the tests take place.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// newOwner draws a user in a tenant of its own.
func newOwner() meeting.Owner {
	return meeting.Owner{Tenant: meeting.NewGUID(), User: meeting.NewGUID()}
}

// newMeeting is a complete meeting without numbers, made at noon.
func newMeeting(owner meeting.Owner, externalID string) meeting.Meeting {
	subject := "Subject of " + externalID
	return meeting.Meeting{
		Owner:      owner,
		ExternalID: externalID,
		Subject:    &subject,
		Start:      noon.Add(time.Hour),
		End:        noon.Add(2 * time.Hour),
		Created:    noon,
		Expires:    noon.Add(24 * time.Hour),
		TollNumber: "+1 206-555-0100",
		Options:    meeting.DefaultOptions(),
		Revision:   1,
	}
}

// numbers are what a draw gives a meeting.
type numbers struct{ thread, message, join, vtc, conference string }

func drawn() numbers {
	m := meeting.Meeting{TollNumber: "+1"}
	meeting.Numbers(true)(&m)
	return numbersOf(&m)
}

func numbersOf(m *meeting.Meeting) numbers {
	return numbers{m.ThreadID, m.MessageID, m.JoinMeetingID, m.VideoTeleconferenceID, m.ConferenceID}
}

func (n numbers) give(m *meeting.Meeting) {
	m.ThreadID, m.MessageID, m.JoinMeetingID, m.VideoTeleconferenceID, m.ConferenceID = n.thread, n.message, n.join, n.vtc, n.conference
}

// draws gives one set of numbers after the other, the last one for ever, and
// counts.
func draws(count *int, sets ...numbers) func(*meeting.Meeting) {
	return func(m *meeting.Meeting) {
		sets[min(*count, len(sets)-1)].give(m)
		*count++
	}
}

// mustCreate stores a meeting that must not be there yet.
func mustCreate(t tb, s meeting.Store, m meeting.Meeting) meeting.Meeting {
	t.Helper()
	return mustCreateWith(t, s, m, drawn())
}

func mustCreateWith(t tb, s meeting.Store, m meeting.Meeting, n numbers) meeting.Meeting {
	t.Helper()
	got, created, err := s.CreateOrGet(context.Background(), m, n.give)
	if err != nil || !created {
		t.Fatalf("CreateOrGet of the new meeting %q: created %v, error %v", m.ExternalID, created, err)
	}
	return got
}

// mustGet asks for a meeting that must be there.
func mustGet(t tb, s meeting.Store, m meeting.Meeting) meeting.Meeting {
	t.Helper()
	got, created, err := s.CreateOrGet(context.Background(), m, drawn().give)
	if err != nil || created {
		t.Fatalf("CreateOrGet of the existing meeting %q: created %v, error %v", m.ExternalID, created, err)
	}
	return got
}

// lookups are the ways to find a meeting without changing anything.
var lookups = []struct {
	name string
	by   func(s meeting.Store, m *meeting.Meeting, now time.Time) (meeting.Meeting, error)
}{
	{"ByThread", func(s meeting.Store, m *meeting.Meeting, now time.Time) (meeting.Meeting, error) {
		return s.ByThread(context.Background(), m.Tenant, m.ThreadID, m.MessageID, now)
	}},
	{"ByJoinMeetingID", func(s meeting.Store, m *meeting.Meeting, now time.Time) (meeting.Meeting, error) {
		return s.ByJoinMeetingID(context.Background(), m.JoinMeetingID, now)
	}},
	{"ByConferenceID", func(s meeting.Store, m *meeting.Meeting, now time.Time) (meeting.Meeting, error) {
		return s.ByConferenceID(context.Background(), m.TollNumber, m.ConferenceID, now)
	}},
	{"ByVideoTeleconferenceID", func(s meeting.Store, m *meeting.Meeting, now time.Time) (meeting.Meeting, error) {
		return s.ByVideoTeleconferenceID(context.Background(), m.Tenant, m.VideoTeleconferenceID, now)
	}},
}

// same compares what a store returned with what it should have. A list without
// entries and no list are one.
func same(t tb, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: want (-), got (+)\n%s", what, diff)
	}
}

// concurrently runs f n times at once, as nearly as it can be had, and waits.
func concurrently(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// count says how many of the values are v.
func count[T comparable](values []T, v T) int {
	n := 0
	for _, x := range values {
		if x == v {
			n++
		}
	}
	return n
}

func without[T comparable](values []T, v T) []T {
	return slices.DeleteFunc(slices.Clone(values), func(x T) bool { return x == v })
}

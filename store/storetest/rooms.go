package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
)

// RunRooms checks the whole contract of [join.Store], and that of
// [meeting.Reports] with it. open is as that of [RunMeetings].
func RunRooms(t *testing.T, open func(*testing.T) join.Store) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, join.Store)
	}{
		{"a room comes back", roomComesBack},
		{"a meeting that nobody asked for has no room", noRoom},
		{"a room given or taken is a copy", roomCopies},
		{"an update may not change key and revision", roomKeys},
		{"an update that fails stores nothing", failedRoomUpdate},
		{"what has ended becomes a report", endedIsReported},
		{"reports come newest first", reportsInOrder},
		{"open rooms are listed", openRooms},
		{"a tenant's rooms are dropped", roomsDropped},

		{"messages come back", messagesComeBack},
		{"messages are read on from a number", messagesAfter},

		{"no update of a room is lost", noRoomUpdateLost},
		{"a reader of messages misses nothing", messageReader},

		{"watchers are told", watchersAreTold},
		{"a watch ends with its context", watchEnds},
		{"a watcher who does not read holds nobody up", watcherSleeps},

		{"what was stored survives a crash", roomsSurviveCrash},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

// newKey draws the key of a meeting in a tenant of its own.
func newKey() join.Key {
	return join.Key{Tenant: meeting.NewGUID(), Thread: "19:meeting_" + meeting.NewGUID() + "@thread.v2", Message: "0"}
}

func mustUpdateRoom(t tb, s join.Store, key join.Key, change func(*join.Room)) join.Room {
	t.Helper()
	room, err := s.UpdateRoom(context.Background(), key, func(r *join.Room) error {
		change(r)
		return nil
	})
	if err != nil {
		t.Fatalf("UpdateRoom: %v", err)
	}
	return room
}

// hasRoom checks that a room is there as it should be.
func hasRoom(t tb, s join.Store, want join.Room) {
	t.Helper()
	got, err := s.Room(context.Background(), want.Key.Room())
	if err != nil {
		t.Errorf("Room: %v", err)
		return
	}
	sameTimes(t, "Room", got, want)
}

// hasNoRoom checks that there is none.
func hasNoRoom(t tb, s join.Store, key join.Key) {
	t.Helper()
	if room, err := s.Room(context.Background(), key.Room()); !errors.Is(err, join.ErrNoRoom) {
		t.Errorf("Room: revision %d, error %v; want ErrNoRoom", room.Revision, err)
	}
}

func mustAddMessage(t tb, s join.Store, key join.Key, m join.Message) join.Message {
	t.Helper()
	m, err := s.AddMessage(context.Background(), key, m)
	if err != nil {
		t.Fatalf("AddMessage: %v", err)
	}
	return m
}

func mustMessages(t tb, s join.Store, key join.Key, after int64, limit int) []join.Message {
	t.Helper()
	all, err := s.Messages(context.Background(), key, after, limit)
	if err != nil {
		t.Fatalf("Messages: %v", err)
	}
	return all
}

func mustReports(t tb, s join.Store, key join.Key) []meeting.Report {
	t.Helper()
	all, err := s.Reports(context.Background(), key.Tenant, key.Thread, key.Message)
	if err != nil {
		t.Fatalf("Reports: %v", err)
	}
	return all
}

// sameTimes compares as same does, and has every time in UTC.
func sameTimes(t tb, what string, got, want any) {
	t.Helper()
	same(t, what, got, want)
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if strings.Contains(string(text), "+05:30\"") {
		t.Errorf("%s: times that are not in UTC: %s", what, text)
	}
}

// clocks gives times that are all different, finer than a second and far from UTC.
func clocks() func() time.Time {
	n, zone := 0, time.FixedZone("", 5*3600+1800)
	return func() time.Time {
		n++
		return noon.Add(time.Duration(n) * (time.Second + meeting.Tick)).In(zone)
	}
}

// text is what a text may hold: any valid UTF-8 but U+0000.
const text = "<Zoë> & \"Bob\"\\ '\u0001\u007f\u2028\ufffd𝄞 \t\r\n\\u0041"

// furnish gives a room a value for everything that it can have, but no reports.
func furnish(r *join.Room) {
	clock := clocks()
	r.People = map[string]*join.Person{
		"user": {
			Name: text, Email: text, Tenant: "t", User: "u", UPN: text, Admitted: true, Barred: clock(), MustWait: true,
			Given: join.Coorganizer, Base: join.Attendee, Since: clock(),
		},
		text: {},
	}
	r.Tabs = map[string]*join.Tab{
		"full": {Person: "user", State: join.Admitted, Asked: clock(), Joined: clock(), Seen: clock(), Hand: clock(), Number: 2},
		"bare": {Person: text, State: join.Waiting},
	}
	report := newReport(clock)
	r.Session = &join.Session{ID: meeting.NewGUID(), Start: clock(), Records: map[string]*meeting.Attendance{"user": &report.Records[0], text: {}}}
	r.Reactions = []join.Reaction{{Seq: 1, Time: clock(), Tab: "full", Kind: "like"}, {}}
	r.Closed = clock()
}

func newReport(clock func() time.Time) meeting.Report {
	return meeting.Report{
		ID: meeting.NewGUID(), Start: clock(), End: clock(),
		Records: []meeting.Attendance{
			{
				ID: meeting.NewGUID(), Tenant: "t", User: "u", DisplayName: text, Email: text, Role: "Organizer",
				Intervals: []meeting.Interval{{Join: clock(), Leave: clock()}, {Join: clock(), Leave: clock()}},
			},
			{},
		},
	}
}

func roomComesBack(t *testing.T, s join.Store) {
	for _, key := range []join.Key{newKey(), {}, {Tenant: text, Thread: text, Message: text}} {
		var want join.Room
		got := mustUpdateRoom(t, s, key, func(r *join.Room) {
			same(t, "what change gets for a new room", *r, join.Room{Key: key})
			furnish(r)
			want = *r
		})
		want.Revision = 1
		sameTimes(t, "UpdateRoom", got, want)
		hasRoom(t, s, want)

		got = mustUpdateRoom(t, s, key, func(r *join.Room) {
			sameTimes(t, "what change gets for an old room", *r, want)
			*r = join.Room{Key: key}
		})
		same(t, "UpdateRoom", got, join.Room{Key: key, Revision: 2})
		hasRoom(t, s, join.Room{Key: key, Revision: 2})
	}
}

func noRoom(t *testing.T, s join.Store) {
	ctx, key := context.Background(), newKey()
	mustAddMessage(t, s, key, join.Message{Text: "said before anybody knocked"})
	hasNoRoom(t, s, key)
	for _, name := range []string{"", "'", "\x00", "\xff"} {
		if _, err := s.Room(ctx, name); !errors.Is(err, join.ErrNoRoom) {
			t.Errorf("Room(%q): error %v, want ErrNoRoom", name, err)
		}
	}
	for _, key := range []join.Key{newKey(), {}, {Tenant: "\x00", Thread: "\xff", Message: "'"}} {
		if all := mustMessages(t, s, key, 0, 10); len(all) != 0 {
			t.Errorf("%d messages where nobody said anything", len(all))
		}
		if all := mustReports(t, s, key); len(all) != 0 {
			t.Errorf("%d reports where nobody was", len(all))
		}
	}
	if all, err := s.OpenRooms(ctx); err != nil || len(all) != 0 {
		t.Errorf("%d open rooms, error %v; want none", len(all), err)
	}
	if err := s.DropRooms(ctx, key.Tenant); err != nil {
		t.Errorf("DropRooms: %v", err)
	}
	if err := s.DropRooms(ctx, "unknown"); err != nil {
		t.Errorf("DropRooms of an unknown tenant: %v", err)
	}
}

// spoil changes everything that a room refers to.
func spoil(r *join.Room) {
	for key := range r.People {
		*r.People[key] = join.Person{Name: "spoilt"}
	}
	r.Tabs["spoilt"] = &join.Tab{}
	r.Session.Records["user"].Intervals[0] = meeting.Interval{}
	*r.Session = join.Session{ID: "spoilt"}
	r.Reactions[0].Kind = "spoilt"
}

func roomCopies(t *testing.T, s join.Store) {
	ctx, key := context.Background(), newKey()
	var given, want join.Room
	got := mustUpdateRoom(t, s, key, func(r *join.Room) {
		furnish(r)
		given = *r
	})
	want, err := s.Room(ctx, key.Room())
	if err != nil {
		t.Fatal(err)
	}
	spoil(&given)
	hasRoom(t, s, want)
	spoil(&got)
	hasRoom(t, s, want)
	for range 2 {
		got, err := s.Room(ctx, key.Room())
		if err != nil {
			t.Fatal(err)
		}
		spoil(&got)
		hasRoom(t, s, want)
		open, err := s.OpenRooms(ctx)
		if err != nil || len(open) != 1 {
			t.Fatalf("%d open rooms, error %v; want 1", len(open), err)
		}
		spoil(&open[0])
		hasRoom(t, s, want)
	}

	ended := newReport(clocks())
	mustUpdateRoom(t, s, key, func(r *join.Room) { r.Ended = []meeting.Report{ended} })
	reports := mustReports(t, s, key)
	ended.Records[0].Intervals[0] = meeting.Interval{}
	mustReports(t, s, key)[0].Records[0].Intervals[0] = meeting.Interval{}
	same(t, "Reports", mustReports(t, s, key), reports)
}

func roomKeys(t *testing.T, s join.Store) {
	key, other := newKey(), newKey()
	for revision := range int64(3) {
		room := mustUpdateRoom(t, s, key, func(r *join.Room) {
			if r.Key != key || r.Revision != revision {
				t.Errorf("change gets %v with revision %d, want %v with %d", r.Key, r.Revision, key, revision)
			}
			r.Key, r.Revision = other, 40
			r.Closed = noon
		})
		same(t, "UpdateRoom", room, join.Room{Key: key, Revision: revision + 1, Closed: noon})
		hasRoom(t, s, room)
		hasNoRoom(t, s, other)
	}
}

func failedRoomUpdate(t *testing.T, s join.Store) {
	key, errChange := newKey(), errors.New("changed my mind")
	fail := func() {
		t.Helper()
		_, err := s.UpdateRoom(context.Background(), key, func(r *join.Room) error {
			furnish(r)
			r.People["user"].Name = "changed"
			r.Ended = []meeting.Report{newReport(clocks())}
			return errChange
		})
		if !errors.Is(err, errChange) {
			t.Errorf("UpdateRoom: error %v, want that of change", err)
		}
		if all := mustReports(t, s, key); len(all) != 0 {
			t.Errorf("an update that failed stored %d reports", len(all))
		}
	}
	fail()
	hasNoRoom(t, s, key)
	want := mustUpdateRoom(t, s, key, furnish)
	fail()
	hasRoom(t, s, want)
}

func endedIsReported(t *testing.T, s join.Store) {
	key, clock := newKey(), clocks()
	mustUpdateRoom(t, s, key, furnish)
	ended := []meeting.Report{newReport(clock), {ID: meeting.NewGUID(), Start: clock(), End: clock()}}
	room := mustUpdateRoom(t, s, key, func(r *join.Room) {
		*r = join.Room{Key: key, Ended: ended}
	})
	same(t, "UpdateRoom", room, join.Room{Key: key, Revision: 2})
	hasRoom(t, s, room)
	slices.Reverse(ended)
	sameTimes(t, "Reports", mustReports(t, s, key), ended)
	for _, other := range []join.Key{
		{Tenant: key.Tenant, Thread: key.Thread, Message: "1"},
		{Tenant: key.Tenant, Thread: newKey().Thread, Message: "0"},
		{Tenant: newKey().Tenant, Thread: key.Thread, Message: "0"},
	} {
		if all := mustReports(t, s, other); len(all) != 0 {
			t.Errorf("Reports of another meeting: %d, want none", len(all))
		}
	}
	room = mustUpdateRoom(t, s, key, func(r *join.Room) { same(t, "what is left to report", r.Ended, []meeting.Report(nil)) })
	same(t, "Reports after another update", mustReports(t, s, key), ended)
	hasRoom(t, s, room)
}

func reportsInOrder(t *testing.T, s join.Store) {
	key := newKey()
	for _, i := range []int{2, 0, 3, 1} {
		mustUpdateRoom(t, s, key, func(r *join.Room) {
			start := noon.Add(time.Duration(i) * meeting.Tick)
			r.Ended = []meeting.Report{{ID: fmt.Sprint(i), Start: start, End: start}}
		})
	}
	var got []string
	for _, r := range mustReports(t, s, key) {
		got = append(got, r.ID)
	}
	same(t, "Reports", got, []string{"3", "2", "1", "0"})
}

func openRooms(t *testing.T, s join.Store) {
	want := map[string]join.Room{}
	isOpen := func(what string) {
		t.Helper()
		all, err := s.OpenRooms(context.Background())
		if err != nil {
			t.Fatalf("OpenRooms: %v", err)
		}
		got := map[string]join.Room{}
		for _, r := range all {
			got[r.Key.Room()] = r
		}
		sameTimes(t, "OpenRooms, "+what, got, want)
		if len(got) != len(all) {
			t.Errorf("OpenRooms, %s: %d rooms, %d of them different", what, len(all), len(got))
		}
	}
	knocked, met, never := newKey(), newKey(), newKey()
	want[knocked.Room()] = mustUpdateRoom(t, s, knocked, func(r *join.Room) { r.Tabs = map[string]*join.Tab{"a": {State: join.Waiting}} })
	want[met.Room()] = mustUpdateRoom(t, s, met, func(r *join.Room) { r.Session = &join.Session{ID: "s"} })
	mustUpdateRoom(t, s, never, func(r *join.Room) { r.Closed = noon })
	isOpen("two of three")
	mustUpdateRoom(t, s, met, func(r *join.Room) { r.Session = nil })
	delete(want, met.Room())
	isOpen("a session was over")
	want[never.Room()] = mustUpdateRoom(t, s, never, furnish)
	isOpen("a room opened")
	want[knocked.Room()] = mustUpdateRoom(t, s, knocked, furnish)
	isOpen("a room changed")
}

func roomsDropped(t *testing.T, s join.Store) {
	ctx := context.Background()
	gone, silent, other := newKey(), newKey(), newKey()
	silent.Tenant = gone.Tenant // has messages only
	other.Thread = gone.Thread
	var kept join.Room
	var said []join.Message
	for _, key := range []join.Key{gone, other} {
		kept = mustUpdateRoom(t, s, key, func(r *join.Room) {
			furnish(r)
			r.Ended = []meeting.Report{newReport(clocks())}
		})
	}
	for _, key := range []join.Key{gone, silent, other} {
		mustAddMessage(t, s, key, join.Message{Text: "a"})
		said = []join.Message{{Seq: 1, Text: "a"}}
	}
	if err := s.DropRooms(ctx, gone.Tenant); err != nil {
		t.Fatalf("DropRooms: %v", err)
	}
	hasNoRoom(t, s, gone)
	same(t, "Reports of the tenant", mustReports(t, s, gone), []meeting.Report(nil))
	same(t, "Messages of the tenant", mustMessages(t, s, gone, 0, 10), []join.Message(nil))
	same(t, "Messages of the tenant, without a room", mustMessages(t, s, silent, 0, 10), []join.Message(nil))
	hasRoom(t, s, kept)
	if n := len(mustReports(t, s, other)); n != 1 {
		t.Errorf("another tenant has %d reports, want 1", n)
	}
	same(t, "Messages of another tenant", mustMessages(t, s, other, 0, 10), said)
	open, err := s.OpenRooms(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "OpenRooms", open, []join.Room{kept})

	// What was dropped begins anew.
	if room := mustUpdateRoom(t, s, gone, furnish); room.Revision != 1 {
		t.Errorf("UpdateRoom afterwards: revision %d, want 1", room.Revision)
	}
	if m := mustAddMessage(t, s, gone, join.Message{}); m.Seq != 1 {
		t.Errorf("AddMessage afterwards: message %d, want 1", m.Seq)
	}
}

func messagesComeBack(t *testing.T, s join.Store) {
	clock := clocks()
	for _, key := range []join.Key{newKey(), {}, {Tenant: text, Thread: text, Message: text}} {
		want := []join.Message{{Time: clock(), Author: text, Name: text, Text: text}, {Text: strings.Repeat("x", 100_000)}, {}}
		for i, m := range want {
			m.Seq = 40 // which the store gives
			got := mustAddMessage(t, s, key, m)
			want[i].Seq = int64(i + 1)
			sameTimes(t, "AddMessage", got, want[i])
		}
		sameTimes(t, "Messages", mustMessages(t, s, key, 0, 10), want)
	}
}

func messagesAfter(t *testing.T, s join.Store) {
	key, other := newKey(), newKey()
	other.Tenant, other.Thread = key.Tenant, key.Thread
	other.Message = "1"
	for i := range 5 {
		mustAddMessage(t, s, key, join.Message{Text: fmt.Sprint(i + 1)})
	}
	mustAddMessage(t, s, other, join.Message{Text: "in another meeting"})
	for _, tt := range []struct {
		after int64
		limit int
		want  []string
	}{
		{0, 100, []string{"1", "2", "3", "4", "5"}},
		{0, 2, []string{"1", "2"}},
		{2, 2, []string{"3", "4"}},
		{4, 2, []string{"5"}},
		{5, 2, nil},
		{900, 2, nil},
		{-1, 1, []string{"1"}},
		{0, 0, nil},
	} {
		var got []string
		for _, m := range mustMessages(t, s, key, tt.after, tt.limit) {
			got = append(got, m.Text)
		}
		same(t, fmt.Sprintf("Messages after %d, at most %d", tt.after, tt.limit), got, tt.want)
	}
}

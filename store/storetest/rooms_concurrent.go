package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
)

// noRoomUpdateLost has many callers come into one room, which none of them finds
// made, and end a session each time.
func noRoomUpdateLost(t *testing.T, s join.Store) {
	const callers, updates = 8, 8
	all, key := nodes(t, s), newKey()
	concurrently(callers, func(i int) {
		for k := range updates {
			name := fmt.Sprint(i, "/", k)
			_, err := all[i%len(all)].UpdateRoom(context.Background(), key, func(r *join.Room) error {
				if r.Tabs == nil {
					r.Tabs = map[string]*join.Tab{}
				}
				r.Tabs[name] = &join.Tab{Person: name, State: join.Waiting}
				r.Ended = append(r.Ended, meeting.Report{ID: name, Start: noon})
				return nil
			})
			if err != nil {
				t.Errorf("UpdateRoom: %v", err)
				return
			}
		}
	})
	for _, s := range all {
		room, err := s.Room(context.Background(), key.Room())
		if err != nil || room.Revision != callers*updates || len(room.Tabs) != callers*updates {
			t.Errorf("after %d updates: revision %d, %d tabs, error %v", callers*updates, room.Revision, len(room.Tabs), err)
		}
		seen := map[string]bool{}
		reports := mustReports(t, s, key)
		for _, r := range reports {
			seen[r.ID] = true
		}
		if len(seen) != callers*updates || len(reports) != callers*updates {
			t.Errorf("after %d updates: %d reports, %d of them different", callers*updates, len(reports), len(seen))
		}
	}
}

// messageReader: whoever reads on from the last number seen misses nothing, also
// while others write, and there is no gap.
func messageReader(t *testing.T, s join.Store) {
	const writers, messages = 8, 15
	all, key := nodes(t, s), newKey()
	var writing atomic.Bool
	writing.Store(true)
	seen := map[string]int64{}
	last := int64(0)
	read := func() {
		got, err := all[len(all)-1].Messages(context.Background(), key, last, 7)
		if err != nil {
			t.Errorf("Messages: %v", err)
			writing.Store(false)
		}
		for _, m := range got {
			if m.Seq != last+1 {
				t.Errorf("message %d comes after %d", m.Seq, last)
				writing.Store(false)
			}
			last = m.Seq
			seen[m.Text] = m.Seq
		}
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for writing.Load() {
			read()
		}
	})
	var given sync.Map
	concurrently(writers, func(i int) {
		before := int64(0)
		for k := range messages {
			m, err := all[i%len(all)].AddMessage(context.Background(), key, join.Message{Text: fmt.Sprint(i, "/", k)})
			if err != nil || m.Seq <= before {
				t.Errorf("AddMessage: message %d after %d, error %v", m.Seq, before, err)
				return
			}
			before = m.Seq
			given.Store(m.Text, m.Seq)
		}
	})
	writing.Store(false)
	reader.Wait()
	for before := int64(-1); before != last && !t.Failed(); {
		before = last
		read()
	}
	if last != writers*messages || len(seen) != writers*messages {
		t.Errorf("the reader got %d different messages up to %d, want %d", len(seen), last, writers*messages)
	}
	for text, seq := range seen {
		if n, _ := given.Load(text); n != seq {
			t.Errorf("message %q has number %d, its writer was told %v", text, seq, n)
		}
	}
}

// patience is how long the tests wait for what should come at once.
const patience = 5 * time.Second

// hears waits until a watcher is told a name.
func hears(t *testing.T, watch <-chan string, what, name string) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case told, open := <-watch:
			if told == name {
				return
			} else if !open {
				t.Fatalf("%s: the watch has ended", what)
			}
		case <-late.C:
			t.Fatalf("%s: the watcher was told nothing", what)
		}
	}
}

func watchersAreTold(t *testing.T, s join.Store) {
	all := nodes(t, s)
	var watches []<-chan string
	for _, s := range append(all, all[0]) {
		watches = append(watches, s.Watch(t.Context()))
	}
	for _, s := range all {
		made, said := newKey(), newKey()
		mustUpdateRoom(t, s, made, func(*join.Room) {})
		for _, w := range watches {
			hears(t, w, "a room was made", made.Room())
		}
		mustAddMessage(t, s, said, join.Message{Text: "a"})
		for _, w := range watches {
			hears(t, w, "something was said", said.Room())
		}
		// The last name that was told is another one: this one is told again.
		mustUpdateRoom(t, s, made, furnish)
		for _, w := range watches {
			hears(t, w, "a room was changed", made.Room())
		}
		mustAddMessage(t, s, said, join.Message{Text: "b"})
		for _, w := range watches {
			hears(t, w, "something else was said", said.Room())
		}
		if err := s.DropRooms(context.Background(), made.Tenant); err != nil {
			t.Fatal(err)
		}
		for _, w := range watches {
			hears(t, w, "a room was dropped", made.Room())
		}
	}
}

func watchEnds(t *testing.T, s join.Store) {
	ended := func(what string, watch <-chan string) {
		t.Helper()
		late := time.NewTimer(patience)
		defer late.Stop()
		for {
			select {
			case _, open := <-watch:
				if !open {
					return
				}
			case <-late.C:
				t.Fatalf("%s: the channel is still open", what)
			}
		}
	}
	ctx, end := context.WithCancel(context.Background())
	ending, other, key := s.Watch(ctx), s.Watch(t.Context()), newKey()
	mustUpdateRoom(t, s, key, func(*join.Room) {})
	end()
	ended("the context ended", ending)
	ended("the context had ended", s.Watch(ctx))
	hears(t, other, "another watch", key.Room())
	key = newKey()
	mustUpdateRoom(t, s, key, func(*join.Room) {})
	hears(t, other, "another watch, afterwards", key.Room())
}

func watcherSleeps(t *testing.T, s join.Store) {
	const writers, messages = 20, 20
	_, key := s.Watch(t.Context()), newKey()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	concurrently(writers, func(int) {
		for range messages {
			if _, err := s.AddMessage(ctx, key, join.Message{Text: "a"}); err != nil {
				t.Errorf("AddMessage: %v", err)
				return
			}
		}
	})
}

func roomsSurviveCrash(t *testing.T, s join.Store) {
	key := newKey()
	var reports []meeting.Report
	for i := range 3 {
		ended := meeting.Report{ID: fmt.Sprint(i), Start: noon.Add(time.Duration(i) * meeting.Tick), End: noon}
		room := mustUpdateRoom(t, s, key, func(r *join.Room) {
			furnish(r)
			r.Ended = []meeting.Report{ended}
		})
		reports = append([]meeting.Report{ended}, reports...)
		s = crash(t, s)
		hasRoom(t, s, room)
		same(t, "Reports", mustReports(t, s, key), reports)
		m := mustAddMessage(t, s, key, join.Message{Text: text})
		s = crash(t, s)
		same(t, "Messages", mustMessages(t, s, key, int64(i), 10), []join.Message{m})
		if m.Seq != int64(i)+1 {
			t.Errorf("message %d, want %d", m.Seq, i+1)
		}
	}
	if err := s.DropRooms(context.Background(), key.Tenant); err != nil {
		t.Fatal(err)
	}
	s = crash(t, s)
	hasNoRoom(t, s, key)
}

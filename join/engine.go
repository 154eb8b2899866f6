package join

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// InUTC turns the times of a room that an engine has just read to UTC: JSON keeps
// them as they were written.
func (r *Room) InUTC() {
	turn := func(times ...*time.Time) {
		for _, t := range times {
			*t = t.UTC()
		}
	}
	turn(&r.Closed)
	for _, p := range r.People {
		turn(&p.Barred, &p.Since)
	}
	for _, t := range r.Tabs {
		turn(&t.Asked, &t.Joined, &t.Seen, &t.Hand)
	}
	for i := range r.Reactions {
		turn(&r.Reactions[i].Time)
	}
	if r.Session != nil {
		turn(&r.Session.Start, &r.Session.Left)
		for _, a := range r.Session.Records {
			a.InUTC()
		}
	}
}

// Watchers hand the names of rooms on to those who watch: what an engine needs for
// [Store.Watch]. The zero value is ready.
type Watchers struct {
	mu  sync.Mutex
	all map[chan string]struct{}
}

// maxUnread is how many names a watcher may leave unread before it misses some.
const maxUnread = 256

// Add returns a channel of the names that are told until ctx ends.
func (w *Watchers) Add(ctx context.Context) <-chan string {
	c := make(chan string, maxUnread)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[chan string]struct{}{}
	}
	w.all[c] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, c)
		close(c)
	})
	return c
}

// Tell hands a name on and waits for nobody.
func (w *Watchers) Tell(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.all {
		select {
		case c <- name:
		default:
		}
	}
}

// Turns let those who change one room through one after the other. Nothing is
// lost without them, but of all who change a room at once only one can win, and
// the others would have to begin again, and again. The zero value is ready.
type Turns struct {
	mu    sync.Mutex
	rooms map[string]*turn
}

type turn struct {
	callers int           // who have it or wait for it
	taken   chan struct{} // of capacity 1
}

// Take waits for the caller's turn to change a room. done must be called.
func (t *Turns) Take(ctx context.Context, name string) (done func(), err error) {
	t.mu.Lock()
	r := t.rooms[name]
	if r == nil {
		r = &turn{taken: make(chan struct{}, 1)}
		if t.rooms == nil {
			t.rooms = map[string]*turn{}
		}
		t.rooms[name] = r
	}
	r.callers++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if r.callers--; r.callers == 0 {
			delete(t.rooms, name)
		}
	}
	select {
	case r.taken <- struct{}{}:
		return func() { <-r.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, fmt.Errorf("%w: nothing was written: %w", meeting.ErrUnavailable, ctx.Err())
	}
}

// Update is [Store.UpdateRoom] of an engine that reads a room with find, which
// says which row it is, and writes it with replace, which reports lost where
// another change came first.
func (t *Turns) Update(ctx context.Context, key Key, change func(*Room) error, find func(context.Context, string) (int64, Room, error),
	replace func(context.Context, int64, *Room) (Room, error), lost error,
) (Room, error) {
	name := key.Room()
	done, err := t.Take(ctx, name)
	if err != nil {
		return Room{}, err
	}
	defer done()
	for {
		row, room, err := find(ctx, name)
		if errors.Is(err, ErrNoRoom) {
			room = Room{Key: key}
		} else if err != nil {
			return Room{}, err
		}
		revision := room.Revision + 1
		if err := change(&room); err != nil {
			return Room{}, err
		}
		room.Key, room.Revision = key, revision
		stored, err := replace(ctx, row, &room)
		if !errors.Is(err, lost) {
			return stored, err
		}
	}
}

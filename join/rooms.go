package join

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/meeting"
)

// Rooms is what people do in meetings: it holds the lobby, has the media engine
// obey the meeting's settings, and keeps who was there. All of it is in the store;
// in memory are only the tabs that are connected to this node.
type Rooms struct {
	Store    Store
	Meetings *meeting.Service
	Engine   media.Engine
	Now      func() time.Time
	Log      *slog.Logger

	mu       sync.Mutex
	hubs     map[string]*hub
	stopping chan struct{} // closed when Run ends
	running  sync.WaitGroup
}

// NewRooms returns rooms that need [Rooms.Run] to be kept in order.
func NewRooms(store Store, meetings *meeting.Service, now func() time.Time, log *slog.Logger) *Rooms {
	return &Rooms{Store: store, Meetings: meetings, Now: now, Log: log, hubs: map[string]*hub{}, stopping: make(chan struct{})}
}

// Admits is the [media.Gate]: a participant may connect as long as its tab is
// admitted.
func (s *Rooms) Admits(ctx context.Context, room, participant string) bool {
	r, err := s.Store.Room(ctx, room)
	if err != nil {
		return false // also where the store is away: nobody comes in unseen
	}
	tab := r.Tabs[participant]
	return tab != nil && tab.State == Admitted
}

// Run keeps the rooms of this node in order until ctx is done: it passes on what
// changed elsewhere, and ends what nobody is in any more.
func (s *Rooms) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.running.Go(func() {
		for name := range s.Store.Watch(ctx) {
			s.mu.Lock()
			h := s.hubs[name]
			s.mu.Unlock()
			if h != nil {
				h.poke()
			}
		}
	})
	// People who were in a room when the node went down get time to come back.
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	begun := time.Now()
	for {
		select {
		case <-ctx.Done():
			close(s.stopping)
			s.running.Wait()
			return
		case <-tick.C:
			if time.Since(begun) >= lost {
				s.sweep(ctx)
			}
		}
	}
}

// errUnchanged ends a change that would change nothing.
var errUnchanged = errors.New("nothing changed")

// sweep ends what is over in every room, whichever node it was on.
func (s *Rooms) sweep(ctx context.Context) {
	open, err := s.Store.OpenRooms(ctx)
	if err != nil {
		s.Log.WarnContext(ctx, "rooms cannot be swept", "error", err)
		return
	}
	for _, r := range open {
		if r.sweep(s.Now()) { // on a copy: there is something to do
			s.sweepRoom(ctx, r.Key)
		}
	}
}

func (s *Rooms) sweepRoom(ctx context.Context, key Key) {
	met := false
	r, err := s.Store.UpdateRoom(ctx, key, func(r *Room) error {
		met = r.Session != nil
		if !r.sweep(s.Now()) {
			return errUnchanged
		}
		return nil
	})
	switch {
	case errors.Is(err, errUnchanged):
	case err != nil:
		s.Log.WarnContext(ctx, "room cannot be swept", "error", err)
	case met && r.Session == nil:
		s.engine(ctx, "end", func(e media.Engine) error { return e.End(ctx, key.Room()) })
	}
}

// engine has the media engine do something, whose failure is only logged: the
// store has decided, and the gate holds.
func (s *Rooms) engine(ctx context.Context, what string, f func(media.Engine) error) {
	if s.Engine == nil {
		return
	}
	if err := f(s.Engine); err != nil && !errors.Is(err, media.ErrNotThere) {
		s.Log.WarnContext(ctx, "media engine failed", "what", what, "error", err)
	}
}

// Ticket lets an admitted tab into the media engine, with the rights it has now.
func (s *Rooms) Ticket(ctx context.Context, m *meeting.Meeting, r *Room, id string) (media.Ticket, error) {
	tab := r.Tabs[id]
	if tab == nil || tab.State != Admitted {
		return media.Ticket{}, errNotThere
	}
	if s.Engine == nil {
		return media.Ticket{}, media.ErrUnavailable
	}
	person := r.People[tab.Person]
	return s.Engine.Admit(ctx, media.Grant{Room: r.Room(), Participant: id, Name: person.Name, Rights: rightsOf(m, person.role(m))})
}

// Changed says that a meeting was changed, where somebody is in its room.
func (s *Rooms) Changed(key Key) {
	s.mu.Lock()
	h := s.hubs[key.Room()]
	s.mu.Unlock()
	if h != nil {
		h.poke()
	}
}

package join

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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

// A hub is the tabs of one room that are connected to this node.
type hub struct {
	rooms *Rooms
	key   Key
	wake  chan struct{} // of capacity 1

	mu      sync.Mutex
	streams map[*stream]bool
	left    map[string]time.Time // tabs whose last connection ended, and when

	// The rest is the goroutine's.
	applied map[string]media.Rights
	touched time.Time
	shown   [2]int64 // the revisions of meeting and room that were shown last
}

// A stream is one connection of a tab.
type stream struct {
	tab     string
	visitor *Visitor
	views   chan *scene // of capacity 1: the newest one counts
}

// A scene is a room as a hub last saw it.
type scene struct {
	meeting *meeting.Meeting // nil: it does not exist any more
	room    Room
}

// attach connects a tab to the hub of its room, which begins with the first one.
func (s *Rooms) attach(key Key, st *stream) *hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hubs[key.Room()]
	if h == nil {
		h = &hub{rooms: s, key: key, wake: make(chan struct{}, 1), streams: map[*stream]bool{}, left: map[string]time.Time{}, applied: map[string]media.Rights{}}
		s.hubs[key.Room()] = h
		s.running.Go(h.run)
	}
	h.mu.Lock()
	h.streams[st] = true
	delete(h.left, st.tab)
	h.mu.Unlock()
	h.poke()
	return h
}

// detach ends a connection. The tab stays in the room for a while.
func (h *hub) detach(st *stream, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, st)
	for other := range h.streams {
		if other.tab == st.tab {
			return
		}
	}
	h.left[st.tab] = now
}

func (h *hub) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// run looks at the room when something changed, and each second, since changes of
// the meeting and of other nodes may come without a sign.
func (h *hub) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-h.rooms.stopping:
			return
		case <-h.wake:
			h.look(ctx, true)
		case <-tick.C:
			h.depart(ctx)
			h.touch(ctx)
			h.look(ctx, false)
		}
		if h.done() {
			return
		}
	}
}

// done takes a hub without tabs away.
func (h *hub) done() bool {
	h.rooms.mu.Lock()
	defer h.rooms.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) > 0 || len(h.left) > 0 {
		return false
	}
	delete(h.rooms.hubs, h.key.Room())
	return true
}

// depart takes tabs out of the room that have been away for too long.
func (h *hub) depart(ctx context.Context) {
	now := h.rooms.Now()
	gone := map[string]time.Time{}
	h.mu.Lock()
	for id, at := range h.left {
		if now.Sub(at) >= away {
			gone[id] = at
			delete(h.left, id)
		}
	}
	h.mu.Unlock()
	if len(gone) == 0 {
		return
	}
	_, err := h.rooms.Store.UpdateRoom(ctx, h.key, func(r *Room) error {
		changed := false
		for id, at := range gone {
			if tab := r.Tabs[id]; tab != nil && !tab.Seen.After(at) {
				r.leave(id, at)
				changed = true
			}
		}
		if !changed {
			return errUnchanged // they came back on another node
		}
		return nil
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		h.rooms.Log.WarnContext(ctx, "people cannot be taken out of a room", "error", err)
		h.mu.Lock()
		for id, at := range gone {
			if _, back := h.left[id]; !back {
				h.left[id] = at
			}
		}
		h.mu.Unlock()
	}
}

// connected are the tabs with a connection.
func (h *hub) connected() map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string]bool{}
	for st := range h.streams {
		all[st.tab] = true
	}
	return all
}

// touch says now and then that the tabs of this node are there, and compares who
// is in the engine's room with who should be.
func (h *hub) touch(ctx context.Context) {
	now := h.rooms.Now()
	if now.Sub(h.touched) < seen {
		return
	}
	h.touched = now
	connected := h.connected()
	r, err := h.rooms.Store.UpdateRoom(ctx, h.key, func(r *Room) error {
		changed := false
		for id, tab := range r.Tabs {
			if connected[id] && (tab.State == Waiting || tab.State == Admitted) {
				tab.Seen = now
				changed = true
			}
		}
		if !changed {
			return errUnchanged
		}
		return nil
	})
	if err != nil || r.Session == nil {
		return
	}
	h.reconcile(ctx, &r)
}

// reconcile removes from the engine's room who is not admitted, and forgets which
// rights were set where the engine says otherwise.
func (h *hub) reconcile(ctx context.Context, r *Room) {
	h.rooms.engine(ctx, "reconcile", func(e media.Engine) error {
		inside, err := e.Participants(ctx, r.Room())
		if err != nil {
			return err
		}
		for _, p := range inside {
			if tab := r.Tabs[p.ID]; tab == nil || tab.State != Admitted {
				if err := e.Remove(ctx, r.Room(), p.ID); err != nil {
					return err
				}
			} else if applied, ok := h.applied[p.ID]; ok && applied != p.Rights {
				delete(h.applied, p.ID)
			}
		}
		return nil
	})
}

// look reads the room and the meeting, has connected tabs come in, sets rights,
// and shows the tabs what there is now, where something changed or may have.
func (h *hub) look(ctx context.Context, changed bool) {
	s := h.rooms
	m, err := s.Meetings.ByThread(ctx, h.key.Tenant, h.key.Thread, h.key.Message)
	gone := errors.Is(err, meeting.ErrNotFound)
	if err != nil && !gone {
		s.Log.WarnContext(ctx, "meeting of a room cannot be read", "error", err)
		return
	}
	r, err := s.Store.Room(ctx, h.key.Room())
	if err != nil && !errors.Is(err, ErrNoRoom) {
		s.Log.WarnContext(ctx, "room cannot be read", "error", err)
		return
	}
	if gone {
		h.over(ctx, &r)
		return
	}
	if connected := h.connected(); h.arriving(&r, connected) {
		began := r.Session == nil
		if r, err = s.Store.UpdateRoom(ctx, h.key, func(r *Room) error {
			for _, id := range r.ids(func(t *Tab) time.Time { return t.Asked }) {
				if connected[id] {
					r.come(&m, id, s.Now())
				}
			}
			return nil
		}); err != nil {
			s.Log.WarnContext(ctx, "people cannot come into a room", "error", err)
			return
		}
		if began {
			s.extend(ctx, &m)
		}
	}
	h.setRights(ctx, &m, &r)
	if revisions := [2]int64{m.Revision, r.Revision}; changed || revisions != h.shown || len(r.Reactions) > 0 {
		h.shown = revisions
		h.show(&scene{&m, r})
	}
}

// arriving reports whether a connected tab is admitted and not in the room yet.
func (h *hub) arriving(r *Room, connected map[string]bool) bool {
	return slices.ContainsFunc(r.ids(func(t *Tab) time.Time { return t.Asked }), func(id string) bool {
		return connected[id] && r.Tabs[id].State == Admitted && r.Tabs[id].Joined.IsZero()
	})
}

// extend has a meeting that people joined live on: its expiry counts from then.
func (s *Rooms) extend(ctx context.Context, m *meeting.Meeting) {
	if _, err := s.Meetings.Update(ctx, meeting.Ref{Owner: m.Owner, Thread: m.ThreadID, Message: m.MessageID}, meeting.Change{}); err != nil {
		s.Log.WarnContext(ctx, "meeting cannot be extended", "error", err)
	}
}

// over ends the room of a meeting that does not exist any more.
func (h *hub) over(ctx context.Context, r *Room) {
	if r.Open() {
		if _, err := h.rooms.Store.UpdateRoom(ctx, h.key, func(r *Room) error { r.close(h.rooms.Now()); return nil }); err != nil {
			h.rooms.Log.WarnContext(ctx, "room of a deleted meeting cannot be ended", "error", err)
		}
		h.rooms.engine(ctx, "end", func(e media.Engine) error { return e.End(ctx, h.key.Room()) })
	}
	h.show(&scene{nil, *r})
}

// setRights has the engine obey what the meeting says of each one in the room.
func (h *hub) setRights(ctx context.Context, m *meeting.Meeting, r *Room) {
	connected := h.connected()
	for id := range h.applied {
		if !connected[id] {
			delete(h.applied, id)
		}
	}
	for _, id := range r.present() {
		if !connected[id] {
			continue // its own node's
		}
		rights := rightsOf(m, r.People[r.Tabs[id].Person].role(m))
		if applied, ok := h.applied[id]; ok && applied == rights {
			continue
		}
		h.rooms.engine(ctx, "rights", func(e media.Engine) error {
			err := e.SetRights(ctx, h.key.Room(), id, rights)
			if err == nil {
				h.applied[id] = rights
			}
			return err
		})
	}
}

// show gives every connection the newest scene.
func (h *hub) show(sc *scene) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for st := range h.streams {
		select {
		case <-st.views: // an older one that was not read yet
		default:
		}
		st.views <- sc
	}
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

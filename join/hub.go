package join

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/meeting"
)

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

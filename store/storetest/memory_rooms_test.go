package storetest_test

import (
	"context"
	"slices"

	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
)

// outRoom copies a room, also what JSON leaves out.
func (e *memory) outRoom(r join.Room) join.Room {
	if e.fault == "shares its memory" {
		return r
	}
	n := clone(r)
	n.Revision, n.Ended = r.Revision, clone(r.Ended)
	if e.fault != "keeps the clock's zone" {
		n.InUTC()
	}
	return n
}

func (e *memory) tell(name string) {
	if e.fault != "watchers are told nothing" {
		e.watchers.Tell(name)
	}
}

// Room implements join.Store.
func (e rooms) Room(_ context.Context, name string) (join.Room, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.rooms[name]
	if !ok {
		return join.Room{}, join.ErrNoRoom
	}
	return e.outRoom(r), nil
}

// UpdateRoom implements join.Store.
func (e rooms) UpdateRoom(_ context.Context, key join.Key, change func(*join.Room) error) (join.Room, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := key.Room()
	for {
		old := e.rooms[name]
		old.Key = key
		r := e.outRoom(old)
		err := change(&r)
		if err != nil && e.fault == "a failed update stays" {
			e.rooms[name] = r
		}
		if err == nil && e.fault == "reported at every attempt" || err != nil && e.fault == "a failed update is reported" {
			e.report(key, r.Ended)
		}
		if err != nil {
			return join.Room{}, err
		}
		if e.fault == "an update changes keys" {
			name = r.Key.Room()
		} else {
			r.Key = key
		}
		r.Revision = old.Revision + 1
		if e.fault == "the revision stays" {
			r.Revision = max(1, old.Revision)
		}
		ended := r.Ended
		if e.fault != "what was reported stays" {
			r.Ended = nil
		}
		if e.fault == "an update is lost" || e.fault == "reported at every attempt" {
			e.meet()
		} else {
			e.yield()
		}
		if e.rooms[name].Revision != old.Revision && e.fault != "an update is lost" && e.fault != "an update changes keys" {
			continue
		}
		err = e.write(func() error {
			e.rooms[name] = e.outRoom(r)
			if e.fault != "nothing is reported" && e.fault != "reported at every attempt" {
				e.report(key, ended)
			}
			return nil
		})
		e.tell(name)
		return e.outRoom(r), err
	}
}

func (e *memory) report(key join.Key, ended []meeting.Report) {
	if e.fault == "reports of the thread" {
		key.Message = ""
	}
	all := slices.Clone(e.reports[key])
	for _, r := range ended {
		r = clone(r)
		r.InUTC()
		all = append(all, r)
	}
	if e.fault != "reports as they came" {
		slices.SortStableFunc(all, func(a, b meeting.Report) int { return b.Start.Compare(a.Start) })
	}
	e.reports[key] = all
}

// OpenRooms implements join.Store.
func (e rooms) OpenRooms(context.Context) (all []join.Room, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.rooms {
		open := r.Open()
		switch e.fault {
		case "once open, always open":
			open = open || r.Revision > 1
		case "whoever waits is overlooked":
			open = r.Session != nil
		}
		if open {
			all = append(all, e.outRoom(r))
		}
	}
	return all, nil
}

// DropRooms implements join.Store.
func (e rooms) DropRooms(_ context.Context, tenant string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.write(func() error {
		gone := func(key join.Key) bool { return key.Tenant == tenant || e.fault == "drops every tenant's" }
		for name, r := range e.rooms {
			if gone(r.Key) {
				delete(e.rooms, name)
				e.tell(name)
			}
		}
		if e.fault == "drops rooms alone" {
			return nil
		}
		for key := range e.messages {
			if gone(key) {
				delete(e.messages, key)
			}
		}
		for key := range e.reports {
			if gone(key) {
				delete(e.reports, key)
			}
		}
		return nil
	})
}

// AddMessage implements join.Store.
func (e rooms) AddMessage(ctx context.Context, key join.Key, m join.Message) (join.Message, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m.Time = m.Time.UTC()
	m.Seq = int64(len(e.messages[key]) + 1)
	switch e.fault {
	case "two messages have one number":
		e.meet()
	case "a number is left out":
		m.Seq += m.Seq / 10
	case "counts messages of all meetings":
		m.Seq = 1
		for _, all := range e.messages {
			m.Seq += int64(len(all))
		}
	}
	err := e.write(func() error {
		e.messages[key] = append(e.messages[key], m)
		return nil
	})
	switch e.fault {
	case "watchers are not told what is said":
		return m, err
	case "waits for watchers":
		<-ctx.Done()
		err = ctx.Err()
	}
	e.tell(key.Room())
	return m, err
}

// Messages implements join.Store.
func (e rooms) Messages(_ context.Context, key join.Key, after int64, limit int) (all []join.Message, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fault == "a page repeats the last one" {
		after--
	}
	for _, m := range e.messages[key] {
		if m.Seq > after && len(all) < limit {
			all = append(all, m)
		}
	}
	return all, nil
}

// Reports implements meeting.Reports.
func (e rooms) Reports(_ context.Context, tenant, thread, message string) (all []meeting.Report, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := join.Key{Tenant: tenant, Thread: thread, Message: message}
	if e.fault == "reports of the thread" {
		key.Message = ""
	}
	for _, r := range e.reports[key] {
		all = append(all, clone(r))
	}
	return all, nil
}

// Watch implements join.Store.
func (e rooms) Watch(ctx context.Context) <-chan string {
	if e.fault == "a watch never ends" {
		ctx = context.WithoutCancel(ctx)
	}
	return e.watchers.Add(ctx)
}

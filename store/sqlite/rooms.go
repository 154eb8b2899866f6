package sqlite

import (
	"context"
	"encoding/json"

	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
)

const (
	selectRoom    = "SELECT id, revision, doc FROM rooms WHERE "
	selectMessage = "SELECT seq, doc FROM messages WHERE "
	selectReport  = "SELECT doc FROM reports WHERE "

	whereRoom     = "name = ?"
	whereOpen     = "open = 1 ORDER BY id"
	whereMessages = "tenant = ? AND room = ? AND seq > ? ORDER BY seq LIMIT ?"
	whereReports  = "tenant = ? AND thread = ? AND message = ? ORDER BY start_time DESC, id DESC"
)

func scanRoom(from *row) (id int64, r join.Room, err error) {
	s := scanner{row: from}
	id = s.integer()
	r.Revision = s.integer()
	s.json(&r)
	r.InUTC()
	return id, r, s.err
}

func scanMessage(from *row) (m join.Message, err error) {
	s := scanner{row: from}
	m.Seq = s.integer()
	s.json(&m)
	m.Time = m.Time.UTC()
	return m, s.err
}

func scanReport(from *row) (r meeting.Report, err error) {
	s := scanner{row: from}
	s.json(&r)
	r.InUTC()
	return r, s.err
}

// Room implements [join.Store].
func (s *Store) Room(ctx context.Context, name string) (join.Room, error) {
	_, room, err := s.findRoom(ctx, name)
	return room, err
}

// findRoom returns a room and its row's id.
func (s *Store) findRoom(ctx context.Context, name string) (id int64, room join.Room, err error) {
	found := false
	err = s.readers.do(ctx, func(r *reader) error {
		return r.room.query(func(from *row) (err error) {
			found = true
			id, room, err = scanRoom(from)
			return err
		}, text(name))
	})
	if err == nil && !found {
		err = join.ErrNoRoom
	}
	if err != nil {
		return 0, join.Room{}, err
	}
	return id, room, nil
}

// UpdateRoom implements [join.Store]. As in [Store.Update], change runs on the
// caller's goroutine, and the write takes place only while the room still has the
// revision that change was given.
func (s *Store) UpdateRoom(ctx context.Context, key join.Key, change func(*join.Room) error) (join.Room, error) {
	return s.turns.Update(ctx, key, change, s.findRoom, s.replaceRoom, errStale)
}

// replaceRoom has the writer store a room over its previous revision, and the
// reports of what has ended, or returns errStale. The result shares nothing with
// the caller.
func (s *Store) replaceRoom(ctx context.Context, id int64, room *join.Room) (stored join.Room, err error) {
	doc, err := json.Marshal(room)
	if err != nil {
		return join.Room{}, err
	}
	name, key := room.Room(), room.Key
	open := integer(0)
	if room.Open() {
		open = integer(1)
	}
	var reports [][]value
	for i := range room.Ended {
		report, err := jsonText(&room.Ended[i])
		if err != nil {
			return join.Room{}, err
		}
		reports = append(reports, []value{text(key.Tenant), text(key.Thread), text(key.Message), ticks(room.Ended[i].Start), report})
	}
	revision := room.Revision
	err = s.writer.do(ctx, &job{
		run: func(w *statements) error {
			return w.together(func() error {
				query, args := w.updateRoom, []value{text(string(doc)), integer(revision), open, integer(id), integer(revision - 1)}
				if id == 0 {
					query, args = w.insertRoom, []value{text(string(doc)), integer(revision), open, text(name), text(key.Tenant)}
				}
				if n, err := query.exec(args...); err != nil {
					return err
				} else if n == 0 {
					return errStale
				}
				for _, args := range reports {
					if _, err := w.addReport.exec(args...); err != nil {
						return err
					}
				}
				return nil
			})
		},
		after: func() { s.watchers.Tell(name) },
	})
	if err != nil {
		return join.Room{}, err
	}
	if err := json.Unmarshal(doc, &stored); err != nil {
		return join.Room{}, err
	}
	stored.Revision = revision
	stored.InUTC()
	return stored, nil
}

// OpenRooms implements [join.Store].
func (s *Store) OpenRooms(ctx context.Context) (all []join.Room, err error) {
	err = s.readers.do(ctx, func(r *reader) error {
		return r.openRooms.query(func(from *row) error {
			_, room, err := scanRoom(from)
			all = append(all, room)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// DropRooms implements [join.Store].
func (s *Store) DropRooms(ctx context.Context, tenant string) error {
	var names []string
	return s.writer.do(ctx, &job{
		run: func(w *statements) error {
			return w.together(func() error {
				err := w.dropRooms.query(func(from *row) error {
					s := scanner{row: from}
					names = append(names, s.text())
					return s.err
				}, text(tenant))
				for _, drop := range []*stmt{w.dropMessages, w.dropReports} {
					if err == nil {
						_, err = drop.exec(text(tenant))
					}
				}
				return err
			})
		},
		after: func() {
			for _, name := range names {
				s.watchers.Tell(name)
			}
		},
	})
}

// AddMessage implements [join.Store].
func (s *Store) AddMessage(ctx context.Context, key join.Key, m join.Message) (join.Message, error) {
	doc, err := jsonText(&m)
	if err != nil {
		return join.Message{}, err
	}
	m.Time = m.Time.Round(0).UTC()
	name := key.Room()
	var seq int64 // the job's own: the caller may have left
	err = s.writer.do(ctx, &job{
		run: func(w *statements) error {
			return w.addMessage.query(func(from *row) error {
				seq = from.integer(0)
				return nil
			}, text(key.Tenant), text(name), text(key.Tenant), text(name), doc)
		},
		after: func() { s.watchers.Tell(name) },
	})
	if err != nil {
		return join.Message{}, err
	}
	m.Seq = seq
	return m, nil
}

// Messages implements [join.Store].
func (s *Store) Messages(ctx context.Context, key join.Key, after int64, limit int) (all []join.Message, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = s.readers.do(ctx, func(r *reader) error {
		return r.messages.query(func(from *row) error {
			m, err := scanMessage(from)
			all = append(all, m)
			return err
		}, text(key.Tenant), text(key.Room()), integer(after), integer(int64(limit)))
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Reports implements [meeting.Reports].
func (s *Store) Reports(ctx context.Context, tenant, thread, message string) (all []meeting.Report, err error) {
	err = s.readers.do(ctx, func(r *reader) error {
		return r.reports.query(func(from *row) error {
			report, err := scanReport(from)
			all = append(all, report)
			return err
		}, text(tenant), text(thread), text(message))
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Watch implements [join.Store].
func (s *Store) Watch(ctx context.Context) <-chan string { return s.watchers.Add(ctx) }

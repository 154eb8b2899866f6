package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	selectRoom = "SELECT id, revision, doc FROM rooms WHERE "

	// What else takes place where a room was written, in the same statement: $1 is
	// the room's name, and $4 to $8 are the reports of what has ended.
	reportAndTell = `, reported AS (
			INSERT INTO reports (tenant, thread, message, start_time, doc)
			SELECT $4, $5, $6, ended.start_time, ended.doc FROM written, unnest($7::bigint[], $8::json[]) AS ended (start_time, doc))
		SELECT pg_notify('` + roomChannel + `', $1)::text FROM written`

	insertRoom = `WITH written AS (
			INSERT INTO rooms (name, tenant, doc, revision, open) VALUES ($1, $4, $2, 1, $3)
			ON CONFLICT ON CONSTRAINT rooms_name DO NOTHING RETURNING id)` + reportAndTell
	updateRoom = `WITH written AS (
			UPDATE rooms SET doc = $2, open = $3, revision = revision + 1
			WHERE name = $1 AND id = $9 AND revision = $10 RETURNING id)` + reportAndTell

	dropRooms = `WITH dropped AS (DELETE FROM rooms WHERE tenant = $1 RETURNING name)
		SELECT count(pg_notify('` + roomChannel + `', name)) FROM dropped`

	addMessage = `WITH thread AS (
			INSERT INTO threads AS t (room, tenant, last) VALUES ($1, $2, 1)
			ON CONFLICT (room) DO UPDATE SET last = t.last + 1 RETURNING last),
		added AS (INSERT INTO messages (room, seq, doc) SELECT $1, last, $3 FROM thread RETURNING seq)
		SELECT seq, pg_notify('` + roomChannel + `', $1)::text FROM added`
)

// scanRoom reads a row of selectRoom.
func scanRoom(row pgx.Row) (id int64, r join.Room, err error) {
	var revision int64
	var doc []byte
	if err := row.Scan(&id, &revision, &doc); err != nil {
		return 0, join.Room{}, err
	}
	r, err = readRoom(doc, revision)
	return id, r, err
}

func readRoom(doc []byte, revision int64) (r join.Room, err error) {
	if err := json.Unmarshal(doc, &r); err != nil {
		return join.Room{}, fmt.Errorf("a room cannot be read: %w", err)
	}
	r.Revision = revision
	r.InUTC()
	return r, nil
}

// Room implements [join.Store].
func (s *Store) Room(ctx context.Context, name string) (join.Room, error) {
	_, room, err := s.findRoom(ctx, name)
	return room, err
}

// findRoom returns a room and its row's id.
func (s *Store) findRoom(ctx context.Context, name string) (id int64, room join.Room, err error) {
	args, ok := keyArgs([]string{name})
	if !ok {
		return 0, join.Room{}, join.ErrNoRoom
	}
	err = s.read(ctx, func() (err error) {
		id, room, err = scanRoom(s.pool.QueryRow(ctx, selectRoom+"name = $1", args...))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, join.Room{}, join.ErrNoRoom
	}
	return id, room, explain(err)
}

// UpdateRoom implements [join.Store]. As in [Store.Update], change runs on the
// caller's goroutine and holds no lock of the database, and the write takes place
// only while the room still has the revision that change was given.
func (s *Store) UpdateRoom(ctx context.Context, key join.Key, change func(*join.Room) error) (join.Room, error) {
	return s.turns.Update(ctx, key, change, s.findRoom, s.replaceRoom, errLost)
}

// replaceRoom stores a room over its previous revision, and the reports of what
// has ended, or returns errLost. The result shares nothing with the caller.
func (s *Store) replaceRoom(ctx context.Context, id int64, room *join.Room) (join.Room, error) {
	doc, err := json.Marshal(room)
	if err != nil {
		return join.Room{}, err
	}
	starts, reports := make([]int64, len(room.Ended)), make([]string, len(room.Ended))
	for i := range room.Ended {
		report, err := json.Marshal(&room.Ended[i])
		if err != nil {
			return join.Room{}, err
		}
		starts[i], reports[i] = toTicks(room.Ended[i].Start), string(report)
	}
	revision := room.Revision
	statement, args := insertRoom, []any{room.Room(), string(doc), room.Open(), room.Tenant, room.Thread, room.Message, starts, reports}
	if id != 0 {
		statement, args = updateRoom, append(args, id, revision-1)
	}
	err = s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			tag, err := c.Exec(ctx, statement, args...)
			if again(err) {
				continue
			}
			if err == nil && tag.RowsAffected() == 0 {
				err = outcome{errLost}
			}
			return err
		}
	})
	if err != nil {
		return join.Room{}, err
	}
	return readRoom(doc, revision)
}

// OpenRooms implements [join.Store].
func (s *Store) OpenRooms(ctx context.Context) (all []join.Room, err error) {
	err = s.read(ctx, func() error {
		rows, err := s.pool.Query(ctx, selectRoom+"open ORDER BY id")
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (join.Room, error) {
			_, room, err := scanRoom(row)
			return room, err
		})
		return err
	})
	return all, explain(err)
}

// DropRooms implements [join.Store].
func (s *Store) DropRooms(ctx context.Context, tenant string) error {
	if _, ok := keyArgs([]string{tenant}); !ok {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				// The reports last: whoever was about to change a room has written them
				// when it is gone.
				for _, statement := range []string{dropRooms, "DELETE FROM threads WHERE tenant = $1", "DELETE FROM reports WHERE tenant = $1"} {
					if _, err := tx.Exec(ctx, statement, tenant); err != nil {
						return err
					}
				}
				return nil
			})
			if !again(err) {
				return err
			}
		}
	})
}

// AddMessage implements [join.Store].
func (s *Store) AddMessage(ctx context.Context, key join.Key, m join.Message) (join.Message, error) {
	doc, err := json.Marshal(&m)
	if err != nil {
		return join.Message{}, err
	}
	m.Time = m.Time.Round(0).UTC()
	var seq int64 // the statement's own: the caller may leave
	err = s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			err := c.QueryRow(ctx, addMessage, key.Room(), key.Tenant, string(doc)).Scan(&seq, nil)
			if !again(err) {
				return err
			}
		}
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
	err = s.read(ctx, func() error {
		rows, err := s.pool.Query(ctx, "SELECT seq, doc FROM messages WHERE room = $1 AND seq > $2 ORDER BY seq LIMIT $3", key.Room(), after, limit)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m join.Message, err error) {
			var doc []byte
			if err := row.Scan(&m.Seq, &doc); err != nil {
				return m, err
			}
			err = json.Unmarshal(doc, &m)
			m.Time = m.Time.UTC()
			return m, err
		})
		return err
	})
	return all, explain(err)
}

// Reports implements [meeting.Reports].
func (s *Store) Reports(ctx context.Context, tenant, thread, message string) (all []meeting.Report, err error) {
	args, ok := keyArgs([]string{tenant, thread, message})
	if !ok {
		return nil, nil
	}
	err = s.read(ctx, func() error {
		rows, err := s.pool.Query(ctx, "SELECT doc FROM reports WHERE "+whereThread+" ORDER BY start_time DESC, id DESC", args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r meeting.Report, err error) {
			var doc []byte
			if err := row.Scan(&doc); err != nil {
				return r, err
			}
			err = json.Unmarshal(doc, &r)
			r.InUTC()
			return r, err
		})
		return err
	})
	return all, explain(err)
}

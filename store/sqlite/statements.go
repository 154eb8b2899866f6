package sqlite

import (
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// The queries that readers and the writer share.
const (
	selectMeeting = "SELECT " + meetingColumns + " FROM meetings WHERE "

	whereOwner      = "tenant = ? AND user = ? AND external_id = ?"
	whereThread     = "tenant = ? AND thread = ? AND message = ?"
	whereJoin       = "join_meeting_id = ?"
	whereConference = "toll_number = ? AND conference_id = ?"
	whereVTC        = "vtc = ? AND tenant = ?"

	// Whether no meeting that exists at ?5 has the name, and its owner had one.
	selectGone = "SELECT NOT EXISTS (SELECT 1 FROM meetings WHERE " + named + " AND expires > ?5) AND" +
		" (EXISTS (SELECT 1 FROM gone WHERE " + named + " AND user = ?4) OR EXISTS (SELECT 1 FROM meetings WHERE " + named + " AND user = ?4))"
	named = "tenant = ?1 AND thread = ?2 AND message = ?3"

	// The meetings that keep one from being stored and have expired.
	whereInTheWay = "expires <= ? AND (" + whereOwner + " OR " + whereThread + " OR " + whereJoin + " OR vtc = ? OR " + whereConference + ")"
)

// statements are those of the writer's connection.
type statements struct {
	begin, commit, rollback     *stmt
	savepoint, release, undo    *stmt
	checkpoint, log             *stmt
	insert, update, remove      *stmt
	removeAll                   *stmt
	addGone, forgetGone         *stmt
	byOwner, inTheWay           *stmt
	record, putRecord, dropName *stmt
	dropRecord, sweep           *stmt
	bumpGeneration, addAudit    *stmt
	insertRoom, updateRoom      *stmt
	dropRooms, dropMessages     *stmt
	addMessage, addReport       *stmt
	dropReports                 *stmt

	nextID     int64 // of a meeting: never used twice by one process
	generation int64 // as written last
}

func prepareStatements(c *conn) (*statements, error) {
	s := &statements{}
	for _, p := range []struct {
		into **stmt
		sql  string
	}{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.commit, "COMMIT"},
		{&s.rollback, "ROLLBACK"},
		{&s.savepoint, "SAVEPOINT job"},
		{&s.release, "RELEASE job"},
		{&s.undo, "ROLLBACK TO job"},
		{&s.checkpoint, "PRAGMA wal_checkpoint(PASSIVE)"},
		{&s.log, "PRAGMA wal_checkpoint(NOOP)"},
		{&s.insert, "INSERT INTO meetings (" + meetingColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)" +
			" ON CONFLICT (tenant, user, external_id) WHERE external_id IS NOT NULL DO NOTHING"},
		{&s.update, "UPDATE meetings SET passcode = ?, subject = ?, start_time = ?, end_time = ?, created = ?, expires = ?," +
			" options = ?, attendees = ?, revision = revision + 1 WHERE id = ? AND revision = ?"},
		{&s.remove, "DELETE FROM meetings WHERE id = ?"},
		{&s.removeAll, "DELETE FROM meetings WHERE tenant = ?"},
		{&s.addGone, "INSERT OR IGNORE INTO gone (tenant, thread, message, user) SELECT tenant, thread, message, user FROM meetings WHERE id = ?"},
		{&s.forgetGone, "DELETE FROM gone WHERE tenant = ?"},
		{&s.byOwner, selectMeeting + whereOwner},
		{&s.inTheWay, selectMeeting + whereInTheWay},
		{&s.record, selectRecord + whereRecord},
		{&s.putRecord, "INSERT INTO records (" + recordColumns + ") VALUES (?,?,?,?,?,?,?)" +
			" ON CONFLICT (kind, tenant, id) DO UPDATE SET name = excluded.name, doc = excluded.doc," +
			" revision = excluded.revision, expires = excluded.expires"},
		{&s.dropName, "DELETE FROM records WHERE kind = ? AND tenant = ? AND name = ? AND expires <= ?"},
		{&s.dropRecord, "DELETE FROM records WHERE kind = ? AND tenant = ? AND id = ?"},
		{&s.sweep, "DELETE FROM records WHERE (kind, tenant, id) IN" +
			" (SELECT kind, tenant, id FROM records WHERE expires <= ? ORDER BY expires LIMIT 16)"},
		{&s.bumpGeneration, "UPDATE generation SET value = ?"},
		{&s.addAudit, "INSERT INTO audit (at, actor, action, tenant, target, detail) VALUES (?,?,?,?,?,?)"},
		{&s.insertRoom, "INSERT INTO rooms (doc, revision, open, name, tenant) VALUES (?,?,?,?,?) ON CONFLICT (name) DO NOTHING"},
		{&s.updateRoom, "UPDATE rooms SET doc = ?, revision = ?, open = ? WHERE id = ? AND revision = ?"},
		{&s.dropRooms, "DELETE FROM rooms WHERE tenant = ? RETURNING name"},
		{&s.addMessage, "INSERT INTO messages (tenant, room, seq, doc)" +
			" VALUES (?, ?, 1 + (SELECT coalesce(max(seq), 0) FROM messages WHERE tenant = ? AND room = ?), ?) RETURNING seq"},
		{&s.dropMessages, "DELETE FROM messages WHERE tenant = ?"},
		{&s.addReport, "INSERT INTO reports (tenant, thread, message, start_time, doc) VALUES (?,?,?,?,?)"},
		{&s.dropReports, "DELETE FROM reports WHERE tenant = ?"},
	} {
		var err error
		if *p.into, err = c.prepare(p.sql); code(err) == sqlite3.SQLITE_ERROR {
			return nil, fmt.Errorf("%w: its tables are not those of its schema version: %w", ErrDamaged, err)
		} else if err != nil {
			return nil, err
		}
	}
	last, err := c.integer("SELECT coalesce(max(id), 0) FROM meetings")
	if err != nil {
		return nil, fmt.Errorf("last meeting: %w", err)
	}
	s.nextID = last + 1
	if s.generation, err = c.integer("SELECT value FROM generation"); err != nil {
		return nil, fmt.Errorf("generation: %w", err)
	}
	return s, nil
}

// logLength returns how many pages the log holds that begin at its start: it may
// be shorter than its file.
func (w *statements) logLength() (pages int64, err error) {
	err = w.log.query(func(r *row) error {
		pages = r.integer(1)
		return nil
	})
	return pages, err
}

// together runs steps that must all take place or none.
func (w *statements) together(steps func() error) error {
	if _, err := w.savepoint.exec(); err != nil {
		return err
	}
	err := steps()
	if err != nil {
		if !isolated(err) {
			return err // the whole transaction is about to be undone
		}
		if _, err := w.undo.exec(); err != nil {
			return err
		}
	}
	if _, err := w.release.exec(); err != nil {
		return err
	}
	return err
}

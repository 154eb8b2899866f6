package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convene-meet/convene/meeting"
)

var (
	errTaken = meeting.ErrTaken
	errStale = errors.New("the meeting was changed meanwhile")
)

// CreateOrGet implements [meeting.Store]. A meeting that exists comes from the
// cache or from a reader; only one that has to be made goes to the writer.
// Whether to search for it first, the filter knows.
func (s *Store) CreateOrGet(ctx context.Context, m meeting.Meeting, draw func(*meeting.Meeting)) (meeting.Meeting, bool, error) {
	if m.ExternalID == "" {
		return s.createWith(ctx, m, draw)
	}
	key := ownerKey{m.Owner, m.ExternalID}
	if hit, ok := s.meetings.get(key, m.Created); ok {
		return clone(hit), false, nil
	}
	if !s.filter.mayHold(key) {
		return s.createWith(ctx, m, draw)
	}
	era := s.meetings.era(key)
	id, found, err := s.find(ctx, m.Created, byOwner, compactGUID(m.Tenant), compactGUID(m.User), text(m.ExternalID))
	if errors.Is(err, meeting.ErrNotFound) {
		return s.createWith(ctx, m, draw)
	} else if err != nil {
		return meeting.Meeting{}, false, err
	}
	s.meetings.fill(id, &found, era)
	return clone(&found), false, nil
}

// createWith draws numbers until they are free.
func (s *Store) createWith(ctx context.Context, m meeting.Meeting, draw func(*meeting.Meeting)) (meeting.Meeting, bool, error) {
	now := m.Created
	for range meeting.MaxDraws {
		draw(&m)
		stored, created, err := s.create(ctx, normal(&m), now)
		if !errors.Is(err, errTaken) {
			return stored, created, err
		}
	}
	return meeting.Meeting{}, false, fmt.Errorf("%w: %d draws gave no free numbers for the meeting", meeting.ErrUnavailable, meeting.MaxDraws)
}

// rowOf is m as the insert takes it; the first value, the row's id, is not set.
func rowOf(m *meeting.Meeting) ([]value, error) {
	v, err := variableOf(m)
	return []value{
		{}, compactGUID(m.Tenant), compactGUID(m.User), optional(m.ExternalID, text), compactThread(m.ThreadID), compactNumber(m.MessageID),
		optional(m.JoinMeetingID, compactNumber), optional(m.VideoTeleconferenceID, compactNumber),
		optional(m.TollNumber, text), optional(m.ConferenceID, compactNumber), optional(m.Passcode, text),
		v.subject, ticks(m.Start), ticks(m.End), ticks(m.Created), ticks(m.Expires), integer(m.Revision), v.options, v.attendees,
	}, err
}

// create has the writer store m, or finds out which meeting has its key.
func (s *Store) create(ctx context.Context, m meeting.Meeting, now time.Time) (meeting.Meeting, bool, error) {
	args, err := rowOf(&m)
	if err != nil {
		return meeting.Meeting{}, false, err
	}
	// What the job finds is its own: the caller may have left.
	var created bool
	var stored meeting.Meeting
	j := &job{creates: true}
	j.run = func(w *statements) (err error) {
		if m.ExternalID != "" {
			s.filter.add(keyOf(&m))
		}
		created, err = w.insertMeeting(args)
		if created || err != nil && !errors.Is(err, errTaken) {
			return err
		}
		if !errors.Is(err, errTaken) {
			_, stored, err = one(w.byOwner, args[1:4]...)
			if err != nil || !stored.Expired(now) {
				return err
			}
		}
		// What is in the way may have expired.
		return w.together(func() error {
			if err := w.removeExpired(j, now, args); err != nil {
				return err
			}
			created, err = w.insertMeeting(args)
			return err
		})
	}
	j.after = func() {
		if created {
			s.meetings.put(args[0].n, &m)
		}
	}
	if err := s.writer.do(ctx, j); err != nil {
		return meeting.Meeting{}, false, err
	}
	if created {
		return clone(&m), true, nil
	}
	return stored, false, nil
}

// removeExpired removes the expired meetings whose key or numbers are in args.
func (w *statements) removeExpired(j *job, now time.Time, args []value) error {
	type expired struct {
		id  int64
		key ownerKey
	}
	var all []expired
	err := w.inTheWay.query(func(r *row) error {
		id, m, err := scanMeeting(r)
		all = append(all, expired{id, keyOf(&m)})
		return err
	}, ticks(now), args[1], args[2], args[3], args[1], args[4], args[5], args[6], args[7], args[8], args[9])
	if err != nil {
		return err
	}
	for _, e := range all {
		j.touched = append(j.touched, e.key)
		if _, err := w.removeMeeting(e.id); err != nil {
			return err
		}
	}
	return nil
}

// removeMeeting removes a meeting, of which it remains known that it is gone. It
// reports how many there were.
func (w *statements) removeMeeting(id int64) (n int64, err error) {
	if _, err := w.addGone.exec(integer(id)); err != nil {
		return 0, err
	}
	return w.remove.exec(integer(id))
}

// insertMeeting reports whether the row was inserted; where it was not, the
// owner has a meeting with its external id.
func (w *statements) insertMeeting(args []value) (inserted bool, err error) {
	args[0] = integer(w.nextID)
	n, err := w.insert.exec(args...)
	if isTaken(err) {
		return false, errTaken
	} else if err != nil {
		return false, err
	}
	w.nextID += n
	return n == 1, nil
}

// ByThread implements [meeting.Store].
func (s *Store) ByThread(ctx context.Context, tenant, thread, message string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.byThread(ctx, tenant, thread, message, now)
	return m, err
}

func (s *Store) byThread(ctx context.Context, tenant, thread, message string, now time.Time) (int64, meeting.Meeting, error) {
	if id, hit, ok := s.meetings.byThread(threadKey{tenant, thread, message}, now); ok {
		return id, clone(hit), nil
	}
	return s.find(ctx, now, byThread, compactGUID(tenant), compactThread(thread), compactNumber(message))
}

// ByJoinMeetingID implements [meeting.Store].
func (s *Store) ByJoinMeetingID(ctx context.Context, id string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.find(ctx, now, byJoin, compactNumber(id))
	return m, err
}

// ByConferenceID implements [meeting.Store].
func (s *Store) ByConferenceID(ctx context.Context, tollNumber, id string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.find(ctx, now, byConference, text(tollNumber), compactNumber(id))
	return m, err
}

// ByVideoTeleconferenceID implements [meeting.Store].
func (s *Store) ByVideoTeleconferenceID(ctx context.Context, tenant, vtc string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.find(ctx, now, byVTC, compactNumber(vtc), compactGUID(tenant))
	return m, err
}

func byOwner(r *reader) *stmt      { return r.byOwner }
func byThread(r *reader) *stmt     { return r.byThread }
func byJoin(r *reader) *stmt       { return r.byJoin }
func byConference(r *reader) *stmt { return r.byConference }
func byVTC(r *reader) *stmt        { return r.byVTC }

// find runs a query for one meeting that exists at now.
func (s *Store) find(ctx context.Context, now time.Time, query func(*reader) *stmt, args ...value) (id int64, m meeting.Meeting, err error) {
	err = s.readers.do(ctx, func(r *reader) error {
		id, m, err = one(query(r), args...)
		return err
	})
	if err == nil {
		err = s.writer.durable.wait(ctx, id)
	}
	if err == nil && m.Expired(now) {
		err = meeting.ErrNotFound
	}
	if err != nil {
		return 0, meeting.Meeting{}, err
	}
	return id, m, nil
}

// one runs a query of meetingColumns that gives at most one row.
func one(query *stmt, args ...value) (id int64, m meeting.Meeting, err error) {
	found := false
	err = query.query(func(r *row) (err error) {
		found = true
		id, m, err = scanMeeting(r)
		return err
	}, args...)
	if err == nil && !found {
		err = meeting.ErrNotFound
	}
	return id, m, err
}

// Update implements [meeting.Store]. change runs on the caller's goroutine, on
// a copy; the write takes place only while the meeting still has the revision
// that change was given, else all of it happens again.
func (s *Store) Update(ctx context.Context, tenant, thread, message string, now time.Time, change func(*meeting.Meeting) error) (meeting.Meeting, error) {
	for {
		id, old, err := s.byThread(ctx, tenant, thread, message, now)
		if err != nil {
			return meeting.Meeting{}, err
		}
		changed := clone(&old)
		if err := change(&changed); err != nil {
			return meeting.Meeting{}, err
		}
		m := normal(&changed)
		m.Owner, m.ExternalID, m.ThreadID, m.MessageID = old.Owner, old.ExternalID, old.ThreadID, old.MessageID
		m.JoinMeetingID, m.VideoTeleconferenceID = old.JoinMeetingID, old.VideoTeleconferenceID
		m.TollNumber, m.ConferenceID = old.TollNumber, old.ConferenceID
		m.Revision = old.Revision + 1
		if err := s.replace(ctx, id, m); err == nil {
			return clone(&m), nil
		} else if !errors.Is(err, errStale) {
			return meeting.Meeting{}, err
		}
	}
}

// replace has the writer store m over its previous revision, or returns errStale.
func (s *Store) replace(ctx context.Context, id int64, m meeting.Meeting) error {
	v, err := variableOf(&m)
	if err != nil {
		return err
	}
	return s.writer.do(ctx, &job{
		touched: []ownerKey{keyOf(&m)},
		run: func(w *statements) error {
			n, err := w.update.exec(optional(m.Passcode, text), v.subject, ticks(m.Start), ticks(m.End), ticks(m.Created), ticks(m.Expires),
				v.options, v.attendees, integer(id), integer(m.Revision-1))
			if err == nil && n == 0 {
				err = errStale
			}
			return err
		},
		after: func() { s.meetings.put(id, &m) },
	})
}

// Delete implements [meeting.Store].
func (s *Store) Delete(ctx context.Context, tenant, thread, message string, now time.Time) error {
	id, m, err := s.byThread(ctx, tenant, thread, message, now)
	if err != nil {
		return err
	}
	return s.writer.do(ctx, &job{
		touched: []ownerKey{keyOf(&m)},
		run: func(w *statements) error {
			n, err := w.removeMeeting(id)
			if err == nil && n == 0 {
				err = meeting.ErrNotFound
			}
			return err
		},
	})
}

// Gone implements [meeting.Store]. It may see that an expired meeting has been
// replaced before that is durable: the meeting would be gone without it, too.
func (s *Store) Gone(ctx context.Context, owner meeting.Owner, thread, message string, now time.Time) (gone bool, err error) {
	err = s.readers.do(ctx, func(r *reader) error {
		return r.gone.query(func(from *row) error {
			gone = from.integer(0) == 1
			return nil
		}, compactGUID(owner.Tenant), compactThread(thread), compactNumber(message), compactGUID(owner.User), ticks(now))
	})
	return gone, err
}

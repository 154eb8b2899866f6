package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convene-meet/convene/meeting"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	whereOwner      = "tenant = $1 AND user_id = $2 AND external_id = $3"
	whereThread     = "tenant = $1 AND thread = $2 AND message = $3"
	whereJoin       = "join_meeting_id = $1"
	whereConference = "toll_number = $1 AND conference_id = $2"
	whereVTC        = "tenant = $1 AND vtc = $2"

	// It stores no row where its owner has a meeting with the external id, and
	// waits for whoever is about to commit one.
	insertMeeting = `INSERT INTO meetings (tenant, user_id, external_id, thread, message, join_meeting_id, vtc, toll_number, conference_id,
			passcode, subject, start_time, end_time, created, expires, revision, options, attendees)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT ON CONSTRAINT meetings_owner DO NOTHING`

	// The key and the numbers of a meeting that has expired are free.
	deleteExpired = `WITH deleted AS (DELETE FROM meetings WHERE expires <= $1 AND (tenant = $2 AND user_id = $3 AND external_id = $4
		OR tenant = $2 AND thread = $5 AND message = $6 OR join_meeting_id = $7 OR vtc = $8 OR toll_number = $9 AND conference_id = $10)` + andRemember

	// What is deleted is known to be gone from then on, in the same statement.
	andRemember = ` RETURNING tenant, thread, message, user_id), remembered AS (
			INSERT INTO gone (tenant, thread, message, user_id) SELECT * FROM deleted ON CONFLICT DO NOTHING)
		SELECT FROM deleted`

	selectGone = "SELECT NOT EXISTS (SELECT FROM meetings WHERE " + whereThread + " AND expires > $5) AND" +
		" (EXISTS (SELECT FROM gone WHERE " + whereThread + " AND user_id = $4) OR EXISTS (SELECT FROM meetings WHERE " + whereThread + " AND user_id = $4))"

	// A row has an id of its own for as long as it stands for one meeting.
	updateMeeting = `UPDATE meetings SET passcode = $3, subject = $4, start_time = $5, end_time = $6, created = $7, expires = $8,
		options = $9, attendees = $10, revision = revision + 1 WHERE id = $1 AND revision = $2`

	deleteMeeting = "WITH deleted AS (DELETE FROM meetings WHERE " + whereThread + " AND expires > $4" + andRemember
)

var (
	errTaken = meeting.ErrTaken
	errLost  = errors.New("another call was first")
)

// maxRaces bounds how often a call looks again because it lost a race to one
// whose meeting was gone when it looked.
const maxRaces = 100

// CreateOrGet implements [meeting.Store].
func (s *Store) CreateOrGet(ctx context.Context, m meeting.Meeting, draw func(*meeting.Meeting)) (meeting.Meeting, bool, error) {
	now := m.Created
	draws := 0
	for range maxRaces {
		if m.ExternalID != "" {
			_, found, err := s.find(ctx, now, whereOwner, m.Tenant, m.User, m.ExternalID)
			if !errors.Is(err, meeting.ErrNotFound) {
				return found, false, err
			}
		}
		for {
			if draws == meeting.MaxDraws {
				return meeting.Meeting{}, false, fmt.Errorf("%w: %d draws gave no free numbers for the meeting", meeting.ErrUnavailable, draws)
			}
			draws++
			draw(&m)
			m = normal(m)
			err := s.insert(ctx, m)
			if errors.Is(err, errLost) {
				break
			} else if errors.Is(err, errTaken) {
				continue
			} else if err != nil {
				return meeting.Meeting{}, false, err
			}
			return m, true, nil
		}
	}
	return meeting.Meeting{}, false, fmt.Errorf("%w: the meeting was made and deleted all the time", meeting.ErrUnavailable)
}

// rowOf is m as the insert takes it.
func rowOf(m *meeting.Meeting) ([]any, error) {
	v, err := variableOf(m)
	return []any{
		m.Tenant, m.User, optional(m.ExternalID), m.ThreadID, m.MessageID,
		optional(m.JoinMeetingID), optional(m.VideoTeleconferenceID), optional(m.TollNumber), optional(m.ConferenceID), optional(m.Passcode),
		m.Subject, toTicks(m.Start), toTicks(m.End), toTicks(m.Created), toTicks(m.Expires), m.Revision, v.options, v.attendees,
	}, err
}

// insert stores m. It returns errLost where its owner has a meeting with the
// same external id, errTaken where a living meeting has one of its numbers.
func (s *Store) insert(ctx context.Context, m meeting.Meeting) error {
	args, err := rowOf(&m)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			tag, err := c.Exec(ctx, insertMeeting, args...)
			inTheWay := outcome{errLost}
			switch code, constraint := state(err); {
			case err == nil && tag.RowsAffected() == 1:
				return nil
			case code == uniqueViolation && constraint != "meetings_owner":
				inTheWay = outcome{errTaken}
			case again(err):
				continue
			case err != nil:
				return err
			}
			tag, err = c.Exec(ctx, deleteExpired, toTicks(m.Created), args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7], args[8])
			if err != nil && !again(err) {
				return err
			}
			if err == nil && tag.RowsAffected() == 0 {
				return inTheWay
			}
		}
	})
}

// ByThread implements [meeting.Store].
func (s *Store) ByThread(ctx context.Context, tenant, thread, message string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.find(ctx, now, whereThread, tenant, thread, message)
	return m, err
}

// ByJoinMeetingID implements [meeting.Store].
func (s *Store) ByJoinMeetingID(ctx context.Context, id string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.find(ctx, now, whereJoin, id)
	return m, err
}

// ByConferenceID implements [meeting.Store].
func (s *Store) ByConferenceID(ctx context.Context, tollNumber, id string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.find(ctx, now, whereConference, tollNumber, id)
	return m, err
}

// ByVideoTeleconferenceID implements [meeting.Store].
func (s *Store) ByVideoTeleconferenceID(ctx context.Context, tenant, vtc string, now time.Time) (meeting.Meeting, error) {
	_, m, err := s.find(ctx, now, whereVTC, tenant, vtc)
	return m, err
}

// find returns the meeting with these keys that exists at now, and its row's id.
func (s *Store) find(ctx context.Context, now time.Time, where string, keys ...string) (id int64, m meeting.Meeting, err error) {
	args, ok := keyArgs(keys)
	if !ok {
		return 0, meeting.Meeting{}, meeting.ErrNotFound
	}
	err = s.read(ctx, func() (err error) {
		id, m, err = scanMeeting(s.pool.QueryRow(ctx, selectMeeting+where, args...))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && m.Expired(now) {
		return 0, meeting.Meeting{}, meeting.ErrNotFound
	}
	return id, m, explain(err)
}

// keyArgs makes arguments of old. A key that no text of PostgreSQL can be, or
// that stands for none, is the key of nothing.
func keyArgs(keys []string) (args []any, ok bool) {
	for _, k := range keys {
		if !utf8.ValidString(k) || strings.Contains(k, "\x00") {
			return nil, false
		}
		args = append(args, k)
	}
	return args, true
}

// Update implements [meeting.Store]. The write takes place only while the
// meeting still has the revision that change was given, else all of it happens
// again.
func (s *Store) Update(ctx context.Context, tenant, thread, message string, now time.Time, change func(*meeting.Meeting) error) (meeting.Meeting, error) {
	for {
		id, old, err := s.find(ctx, now, whereThread, tenant, thread, message)
		if err != nil {
			return meeting.Meeting{}, err
		}
		changed := old
		if err := change(&changed); err != nil {
			return meeting.Meeting{}, err
		}
		m := normal(changed)
		m.Owner, m.ExternalID, m.ThreadID, m.MessageID = old.Owner, old.ExternalID, old.ThreadID, old.MessageID
		m.JoinMeetingID, m.VideoTeleconferenceID = old.JoinMeetingID, old.VideoTeleconferenceID
		m.TollNumber, m.ConferenceID = old.TollNumber, old.ConferenceID
		m.Revision = old.Revision + 1
		if err := s.replace(ctx, id, m); err == nil {
			return m, nil
		} else if !errors.Is(err, errLost) {
			return meeting.Meeting{}, err
		}
	}
}

// replace stores m over its previous revision, or returns errLost.
func (s *Store) replace(ctx context.Context, id int64, m meeting.Meeting) error {
	v, err := variableOf(&m)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			tag, err := c.Exec(ctx, updateMeeting, id, m.Revision-1, optional(m.Passcode), m.Subject,
				toTicks(m.Start), toTicks(m.End), toTicks(m.Created), toTicks(m.Expires), v.options, v.attendees)
			if again(err) {
				continue
			}
			if err == nil && tag.RowsAffected() == 0 {
				err = outcome{errLost}
			}
			return err
		}
	})
}

// Gone implements [meeting.Store].
func (s *Store) Gone(ctx context.Context, owner meeting.Owner, thread, message string, now time.Time) (gone bool, err error) {
	args, ok := keyArgs([]string{owner.Tenant, thread, message, owner.User})
	if !ok {
		return false, nil
	}
	err = s.read(ctx, func() error {
		return s.pool.QueryRow(ctx, selectGone, append(args, toTicks(now))...).Scan(&gone)
	})
	return gone, explain(err)
}

// Delete implements [meeting.Store].
func (s *Store) Delete(ctx context.Context, tenant, thread, message string, now time.Time) error {
	args, ok := keyArgs([]string{tenant, thread, message})
	if !ok {
		return meeting.ErrNotFound
	}
	args = append(args, toTicks(now))
	return s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			tag, err := c.Exec(ctx, deleteMeeting, args...)
			if again(err) {
				continue
			}
			if err == nil && tag.RowsAffected() == 0 {
				err = outcome{meeting.ErrNotFound}
			}
			return err
		}
	})
}

package sqlite

import (
	"context"
	"strings"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// A listing is the SQL of a [meeting.Query] and its arguments.
type listing struct {
	where []string
	args  []value
}

func (l *listing) and(condition string, args ...value) {
	l.where = append(l.where, condition)
	l.args = append(l.args, args...)
}

// listed is what q asks for at now, without its position and limit.
func listed(q *meeting.Query, now time.Time) *listing {
	l := &listing{}
	l.and("tenant = ?", compactGUID(q.Tenant))
	if q.User != "" {
		l.and("user = ?", compactGUID(q.User))
	}
	l.and("expires > ?", ticks(now))
	for _, bound := range []struct {
		condition string
		at        *time.Time
	}{{"start_time >= ?", q.StartFrom}, {"start_time <= ?", q.StartTo}, {"end_time >= ?", q.EndFrom}, {"end_time <= ?", q.EndTo}} {
		if bound.at != nil {
			l.and(bound.condition, ticks(*bound.at))
		}
	}
	return l
}

func (l *listing) sql(begin, end string) string {
	return begin + " FROM meetings WHERE " + strings.Join(l.where, " AND ") + end
}

// List implements [meeting.Store].
func (s *Store) List(ctx context.Context, q meeting.Query, now time.Time) (all []meeting.Meeting, err error) {
	l := listed(&q, now)
	columns, compare, direction := []string{"start_time", "thread", "message"}, " > ", ""
	if q.Descending {
		compare, direction = " < ", " DESC"
	}
	if q.User == "" {
		columns = append([]string{"user"}, columns...)
	}
	if p := q.After; p != nil {
		at := []value{compactGUID(p.User), ticks(p.Start), compactThread(p.Thread), compactNumber(p.Message)}
		l.and("("+strings.Join(columns, ", ")+")"+compare+"("+strings.Repeat("?, ", len(columns)-1)+"?)", at[4-len(columns):]...)
	}
	end := " ORDER BY " + strings.Join(columns, direction+", ") + direction
	if q.Limit > 0 {
		end += " LIMIT ?"
		l.args = append(l.args, integer(int64(q.Limit)))
	}
	lastID := int64(0)
	err = s.readers.do(ctx, func(r *reader) error {
		query, err := r.prepared(l.sql("SELECT "+meetingColumns, end))
		if err != nil {
			return err
		}
		return query.query(func(from *row) error {
			id, m, err := scanMeeting(from)
			all, lastID = append(all, m), max(lastID, id)
			return err
		}, l.args...)
	})
	if err == nil {
		err = s.writer.durable.wait(ctx, lastID)
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Count implements [meeting.Store].
func (s *Store) Count(ctx context.Context, q meeting.Query, now time.Time) (n int, err error) {
	l := listed(&q, now)
	err = s.readers.do(ctx, func(r *reader) error {
		query, err := r.prepared(l.sql("SELECT count(*)", ""))
		if err != nil {
			return err
		}
		return query.query(func(from *row) error {
			n = int(from.integer(0))
			return nil
		}, l.args...)
	})
	return n, err
}

// Replace implements [meeting.Store].
func (s *Store) Replace(ctx context.Context, tenant string, all []meeting.Meeting) error {
	stored := make([]meeting.Meeting, len(all))
	rows := make([][]value, len(all))
	for i := range all {
		stored[i] = normal(&all[i])
		args, err := rowOf(&stored[i])
		if err != nil {
			return err
		}
		rows[i] = args
	}
	return s.writer.do(ctx, &job{
		all: true,
		run: func(w *statements) error {
			return w.together(func() error {
				for _, drop := range []*stmt{w.removeAll, w.forgetGone} {
					if _, err := drop.exec(compactGUID(tenant)); err != nil {
						return err
					}
				}
				for i, args := range rows {
					if stored[i].ExternalID != "" {
						s.filter.add(keyOf(&stored[i]))
					}
					if inserted, err := w.insertMeeting(args); err != nil {
						return err
					} else if !inserted {
						return errTaken
					}
				}
				return nil
			})
		},
	})
}

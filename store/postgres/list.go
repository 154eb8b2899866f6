package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/convene-meet/convene/meeting"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A listing is the SQL of a [meeting.Query] and its arguments.
type listing struct {
	where []string
	args  []any
}

// and adds a condition, in which each ? stands for the next argument.
func (l *listing) and(condition string, args ...any) {
	for _, a := range args {
		l.args = append(l.args, a)
		condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(l.args)), 1)
	}
	l.where = append(l.where, condition)
}

// listed is what q asks for at now, without its position and limit.
func listed(q *meeting.Query, now time.Time) *listing {
	l := &listing{}
	l.and("tenant = ?", q.Tenant)
	if q.User != "" {
		l.and("user_id = ?", q.User)
	}
	l.and("expires > ?", toTicks(now))
	for _, bound := range []struct {
		condition string
		at        *time.Time
	}{{"start_time >= ?", q.StartFrom}, {"start_time <= ?", q.StartTo}, {"end_time >= ?", q.EndFrom}, {"end_time <= ?", q.EndTo}} {
		if bound.at != nil {
			l.and(bound.condition, toTicks(*bound.at))
		}
	}
	return l
}

// List implements [meeting.Store].
func (s *Store) List(ctx context.Context, q meeting.Query, now time.Time) (all []meeting.Meeting, err error) {
	if _, ok := keyArgs([]string{q.Tenant, q.User}); !ok {
		return nil, nil
	}
	l := listed(&q, now)
	columns, compare, direction := []string{"start_time", "thread", "message"}, " > ", ""
	if q.Descending {
		compare, direction = " < ", " DESC"
	}
	if q.User == "" {
		columns = append([]string{"user_id"}, columns...)
	}
	if p := q.After; p != nil {
		if _, ok := keyArgs([]string{p.User, p.Thread, p.Message}); !ok {
			return nil, nil
		}
		at := []any{p.User, toTicks(p.Start), p.Thread, p.Message}
		l.and("("+strings.Join(columns, ", ")+")"+compare+"("+strings.Repeat("?, ", len(columns)-1)+"?)", at[4-len(columns):]...)
	}
	sql := selectMeeting + strings.Join(l.where, " AND ") + " ORDER BY " + strings.Join(columns, direction+", ") + direction
	if q.Limit > 0 {
		l.args = append(l.args, q.Limit)
		sql += fmt.Sprintf(" LIMIT $%d", len(l.args))
	}
	err = s.read(ctx, func() error {
		all = nil
		rows, err := s.pool.Query(ctx, sql, l.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			_, m, err := scanMeeting(rows)
			if err != nil {
				return err
			}
			all = append(all, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, explain(err)
	}
	return all, nil
}

// Count implements [meeting.Store].
func (s *Store) Count(ctx context.Context, q meeting.Query, now time.Time) (n int, err error) {
	if _, ok := keyArgs([]string{q.Tenant, q.User}); !ok {
		return 0, nil
	}
	l := listed(&q, now)
	err = s.read(ctx, func() error {
		return s.pool.QueryRow(ctx, "SELECT count(*) FROM meetings WHERE "+strings.Join(l.where, " AND "), l.args...).Scan(&n)
	})
	return n, explain(err)
}

// Replace implements [meeting.Store].
func (s *Store) Replace(ctx context.Context, tenant string, all []meeting.Meeting) error {
	if _, ok := keyArgs([]string{tenant}); !ok {
		return meeting.ErrNotFound
	}
	columns := strings.FieldsFunc("tenant user_id external_id thread message join_meeting_id vtc toll_number conference_id passcode subject"+
		" start_time end_time created expires revision options attendees", func(c rune) bool { return c == ' ' })
	rows := make([][]any, len(all))
	for i := range all {
		m := normal(all[i])
		args, err := rowOf(&m)
		if err != nil {
			return err
		}
		rows[i] = args
	}
	return s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				for _, statement := range []string{"DELETE FROM meetings WHERE tenant = $1", "DELETE FROM gone WHERE tenant = $1"} {
					if _, err := tx.Exec(ctx, statement, tenant); err != nil {
						return err
					}
				}
				_, err := tx.CopyFrom(ctx, pgx.Identifier{"meetings"}, columns, pgx.CopyFromRows(rows))
				return err
			})
			if code, _ := state(err); code == uniqueViolation {
				return outcome{errors.Join(errTaken, err)}
			}
			if !again(err) {
				return err
			}
		}
	})
}

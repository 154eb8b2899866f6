package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	selectRecord = "SELECT kind, tenant, id, coalesce(name, ''), doc, revision, expires FROM records WHERE "
	selectAudit  = "SELECT seq, at, actor, action, tenant, target, detail FROM audit WHERE "

	whereRecord     = "kind = $1 AND tenant = $2 AND id = $3"
	whereRecordName = "kind = $1 AND tenant = $2 AND name = $3"

	insertRecord = `INSERT INTO records (kind, tenant, id, name, doc, revision, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	updateRecord = `UPDATE records SET name = $4, doc = $5, revision = $6, expires = $7 WHERE ` + whereRecord
	insertAudit  = `INSERT INTO audit (at, actor, action, tenant, target, detail) VALUES ($1, $2, $3, $4, $5, $6)`

	// A few of the records that nobody will ask for again.
	sweep = `DELETE FROM records WHERE (kind, tenant, id) IN
		(SELECT kind, tenant, id FROM records WHERE expires <= $1 ORDER BY expires LIMIT 16 FOR UPDATE SKIP LOCKED)`
)

func scanRecord(row pgx.Row) (r identity.Record, err error) {
	var expires *int64
	if err := row.Scan(&r.Kind, &r.Tenant, &r.ID, &r.Name, &r.Doc, &r.Revision, &expires); err != nil {
		return identity.Record{}, err
	}
	if expires != nil {
		r.Expires = fromTicks(*expires)
	}
	return r, nil
}

func expired(r *identity.Record, now time.Time) bool {
	return !r.Expires.IsZero() && !now.Before(r.Expires)
}

// Record implements [identity.Store].
func (s *Store) Record(ctx context.Context, kind identity.Kind, tenant, id string, now time.Time) (identity.Record, error) {
	return s.findRecord(ctx, now, whereRecord, string(kind), tenant, id)
}

// RecordByName implements [identity.Store].
func (s *Store) RecordByName(ctx context.Context, kind identity.Kind, tenant, name string, now time.Time) (identity.Record, error) {
	return s.findRecord(ctx, now, whereRecordName, string(kind), tenant, name)
}

func (s *Store) findRecord(ctx context.Context, now time.Time, where string, keys ...string) (r identity.Record, err error) {
	args, ok := keyArgs(keys)
	if !ok {
		return identity.Record{}, identity.ErrNoRecord
	}
	err = s.read(ctx, func() (err error) {
		r, err = scanRecord(s.pool.QueryRow(ctx, selectRecord+where, args...))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && expired(&r, now) {
		return identity.Record{}, identity.ErrNoRecord
	}
	return r, explain(err)
}

// Records implements [identity.Store].
func (s *Store) Records(ctx context.Context, kind identity.Kind, tenant string, now time.Time) (all []identity.Record, err error) {
	args, ok := keyArgs([]string{string(kind), tenant})
	if !ok {
		return nil, nil
	}
	err = s.read(ctx, func() error {
		rows, err := s.pool.Query(ctx, selectRecord+"kind = $1 AND tenant = $2 AND (expires IS NULL OR expires > $3) ORDER BY id", append(args, toTicks(now))...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (identity.Record, error) { return scanRecord(row) })
		return err
	})
	return all, explain(err)
}

// Apply implements [identity.Store].
func (s *Store) Apply(ctx context.Context, now time.Time, changes []identity.Change, audit ...identity.AuditEntry) error {
	changes, audit = slices.Clone(changes), slices.Clone(audit) // the caller may leave
	steers := slices.ContainsFunc(changes, func(c identity.Change) bool { return c.Record.Kind.Steers() })
	err := s.write(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		for {
			var made int64
			err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				return applyAll(ctx, tx, now, changes, audit, steers, &made)
			})
			if again(err) {
				continue
			}
			if err == nil && steers {
				s.generation.made(made)
			}
			return err
		}
	})
	if steers && errors.Is(err, meeting.ErrUnavailable) {
		s.generation.doubt() // it may have been committed
	}
	return err
}

func applyAll(ctx context.Context, tx pgx.Tx, now time.Time, changes []identity.Change, audit []identity.AuditEntry, steers bool, made *int64) error {
	// First of all: whoever holds this lock commits before the next one draws a
	// number, so that readers of the audit log never see a number before a
	// smaller one.
	if steers || len(audit) > 0 {
		if err := tx.QueryRow(ctx, "SELECT value FROM generation FOR UPDATE").Scan(made); err != nil {
			return err
		}
	}
	for i := range changes {
		if err := apply(ctx, tx, &changes[i], now); err != nil {
			return err
		}
	}
	for _, e := range audit {
		if _, err := tx.Exec(ctx, insertAudit, toTicks(e.At), e.Actor, e.Action, e.Tenant, e.Target, e.Detail); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, sweep, toTicks(now)); err != nil || !steers {
		return err
	}
	return tx.QueryRow(ctx, "UPDATE generation SET value = value + 1 RETURNING value").Scan(made)
}

// apply makes one change, or returns [identity.ErrConflict].
func apply(ctx context.Context, tx pgx.Tx, c *identity.Change, now time.Time) error {
	r := &c.Record
	conflict := outcome{fmt.Errorf("%s %q: %w", r.Kind, r.ID, identity.ErrConflict)}
	old, err := scanRecord(tx.QueryRow(ctx, selectRecord+whereRecord+" FOR UPDATE", r.Kind, r.Tenant, r.ID))
	stored := err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if stored && expired(&old, now) {
		old.Revision = 0
	}
	if c.Expect != identity.AnyRevision && c.Expect != old.Revision {
		return conflict
	}
	if c.Delete {
		_, err := tx.Exec(ctx, "DELETE FROM records WHERE "+whereRecord, r.Kind, r.Tenant, r.ID)
		return err
	}
	if r.Name != "" {
		if _, err := tx.Exec(ctx, "DELETE FROM records WHERE "+whereRecordName+" AND expires <= $4 AND id <> $5", r.Kind, r.Tenant, r.Name, toTicks(now), r.ID); err != nil {
			return err
		}
	}
	var expires *int64
	if !r.Expires.IsZero() {
		ticks := toTicks(r.Expires)
		expires = &ticks
	}
	statement := insertRecord
	if stored {
		statement = updateRecord
	}
	_, err = tx.Exec(ctx, statement, r.Kind, r.Tenant, r.ID, optional(r.Name), r.Doc, old.Revision+1, expires)
	if code, constraint := state(err); code == uniqueViolation {
		// The name; or the key, which another call has just used.
		if constraint == "records_key" && c.Expect == identity.AnyRevision {
			return errRetry
		}
		return conflict
	}
	return err
}

// Audit implements [identity.Store].
func (s *Store) Audit(ctx context.Context, tenant string, after int64, limit int) (all []identity.AuditEntry, err error) {
	if _, ok := keyArgs([]string{tenant}); !ok || limit <= 0 {
		return nil, nil
	}
	where, args := "seq > $1 ORDER BY seq LIMIT $2", []any{after, limit}
	if tenant != "" {
		where, args = "seq > $1 AND tenant = $3 ORDER BY seq LIMIT $2", append(args, tenant)
	}
	err = s.read(ctx, func() error {
		rows, err := s.pool.Query(ctx, selectAudit+where, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e identity.AuditEntry, err error) {
			var at int64
			err = row.Scan(&e.Seq, &at, &e.Actor, &e.Action, &e.Tenant, &e.Target, &e.Detail)
			e.At = fromTicks(at)
			return e, err
		})
		return err
	})
	return all, explain(err)
}

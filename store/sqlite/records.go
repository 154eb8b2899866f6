package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-meet/convene/identity"
)

const (
	recordColumns = "kind, tenant, id, name, doc, revision, expires"
	selectRecord  = "SELECT " + recordColumns + " FROM records WHERE "

	whereRecord     = "kind = ? AND tenant = ? AND id = ?"
	whereRecordName = "kind = ? AND tenant = ? AND name = ?"
	whereRecords    = "kind = ? AND tenant = ? AND (expires IS NULL OR expires > ?) ORDER BY id"

	selectAudit        = "SELECT seq, at, actor, action, tenant, target, detail FROM audit WHERE "
	whereAudit         = "seq > ? ORDER BY seq LIMIT ?"
	whereAuditOfTenant = "tenant = ? AND seq > ? ORDER BY seq LIMIT ?"
)

func scanRecord(from *row) (identity.Record, error) {
	s := scanner{row: from}
	r := identity.Record{
		Kind:   identity.Kind(s.text()),
		Tenant: s.text(),
		ID:     s.text(),
		Name:   s.text(),
		Doc:    s.blob(),
	}
	r.Revision = s.integer()
	if !s.null() {
		r.Expires = s.time()
	}
	return r, s.err
}

func expired(r *identity.Record, now time.Time) bool {
	return !r.Expires.IsZero() && !now.Before(r.Expires)
}

// oneRecord runs a query of recordColumns that gives at most one row.
func oneRecord(query *stmt, args ...value) (r identity.Record, err error) {
	err = query.query(func(from *row) (err error) {
		r, err = scanRecord(from)
		return err
	}, args...)
	if err == nil && r.Kind == "" {
		err = identity.ErrNoRecord
	}
	return r, err
}

// Record implements [identity.Store].
func (s *Store) Record(ctx context.Context, kind identity.Kind, tenant, id string, now time.Time) (identity.Record, error) {
	return s.findRecord(ctx, now, func(r *reader) *stmt { return r.record }, kind, tenant, id)
}

// RecordByName implements [identity.Store].
func (s *Store) RecordByName(ctx context.Context, kind identity.Kind, tenant, name string, now time.Time) (identity.Record, error) {
	return s.findRecord(ctx, now, func(r *reader) *stmt { return r.recordByName }, kind, tenant, name)
}

func (s *Store) findRecord(ctx context.Context, now time.Time, query func(*reader) *stmt, kind identity.Kind, tenant, key string) (record identity.Record, err error) {
	err = s.readers.do(ctx, func(r *reader) error {
		record, err = oneRecord(query(r), text(string(kind)), text(tenant), text(key))
		return err
	})
	if err == nil && expired(&record, now) {
		err = identity.ErrNoRecord
	}
	if err != nil {
		return identity.Record{}, err
	}
	return record, nil
}

// Records implements [identity.Store].
func (s *Store) Records(ctx context.Context, kind identity.Kind, tenant string, now time.Time) (all []identity.Record, err error) {
	err = s.readers.do(ctx, func(r *reader) error {
		return r.records.query(func(from *row) error {
			record, err := scanRecord(from)
			all = append(all, record)
			return err
		}, text(string(kind)), text(tenant), ticks(now))
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Apply implements [identity.Store].
func (s *Store) Apply(ctx context.Context, now time.Time, changes []identity.Change, audit ...identity.AuditEntry) error {
	changes, audit = slices.Clone(changes), slices.Clone(audit) // the caller may leave
	steers := slices.ContainsFunc(changes, func(c identity.Change) bool { return c.Record.Kind.Steers() })
	var generation int64
	return s.writer.do(ctx, &job{
		run: func(w *statements) error {
			return w.together(func() error {
				for i := range changes {
					if err := w.apply(&changes[i], now); err != nil {
						return err
					}
				}
				for _, e := range audit {
					if _, err := w.addAudit.exec(ticks(e.At), text(e.Actor), text(e.Action), text(e.Tenant), text(e.Target), blob(e.Detail)); err != nil {
						return err
					}
				}
				if _, err := w.sweep.exec(ticks(now)); err != nil || !steers {
					return err
				}
				w.generation++ // a number that an undone transaction has used up is not used again
				generation = w.generation
				_, err := w.bumpGeneration.exec(integer(generation))
				return err
			})
		},
		after: func() {
			if steers {
				s.generation.Store(generation)
			}
		},
	})
}

// apply makes one change, or returns [identity.ErrConflict].
func (w *statements) apply(c *identity.Change, now time.Time) error {
	r := &c.Record
	kind, tenant, id := text(string(r.Kind)), text(r.Tenant), text(r.ID)
	old, err := oneRecord(w.record, kind, tenant, id)
	if err == nil && expired(&old, now) {
		err = identity.ErrNoRecord
	}
	if errors.Is(err, identity.ErrNoRecord) {
		old.Revision = 0
	} else if err != nil {
		return err
	}
	if c.Expect != identity.AnyRevision && c.Expect != old.Revision {
		return fmt.Errorf("%s %q: %w", r.Kind, r.ID, identity.ErrConflict)
	}
	if c.Delete {
		_, err := w.dropRecord.exec(kind, tenant, id)
		return err
	}
	if r.Name != "" {
		if _, err := w.dropName.exec(kind, tenant, text(r.Name), ticks(now)); err != nil {
			return err
		}
	}
	var expires value
	if !r.Expires.IsZero() {
		expires = ticks(r.Expires)
	}
	_, err = w.putRecord.exec(kind, tenant, id, optional(r.Name, text), blob(r.Doc), integer(old.Revision+1), expires)
	if isTaken(err) {
		return fmt.Errorf("%s %q: the name %q: %w", r.Kind, r.ID, r.Name, identity.ErrConflict)
	}
	return err
}

// Generation implements [identity.Store]: it costs one atomic load.
func (s *Store) Generation(context.Context) (int64, error) { return s.generation.Load(), nil }

// Audit implements [identity.Store].
func (s *Store) Audit(ctx context.Context, tenant string, after int64, limit int) (all []identity.AuditEntry, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = s.readers.do(ctx, func(r *reader) error {
		query, args := r.audit, []value{text(tenant), integer(after), integer(int64(limit))}
		if tenant == "" {
			query, args = r.auditOfAll, args[1:]
		}
		return query.query(func(from *row) error {
			s := scanner{row: from}
			all = append(all, identity.AuditEntry{
				Seq:    s.integer(),
				At:     s.time(),
				Actor:  s.text(),
				Action: s.text(),
				Tenant: s.text(),
				Target: s.text(),
				Detail: s.blob(),
			})
			return s.err
		}, args...)
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

package devlogin_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/convene-meet/convene/identity"
)

// A memory is an identity.Store without an engine.
type memory struct {
	mu         sync.Mutex
	records    map[recordKey]identity.Record
	generation int64
	audit      []identity.AuditEntry
	broken     error // what every method answers instead, unless nil
}

type recordKey struct {
	kind       identity.Kind
	tenant, id string
}

func newMemory() *memory { return &memory{records: map[recordKey]identity.Record{}} }

// fail lets every method fail with err, until it is called with nil.
func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func alive(r identity.Record, now time.Time) bool {
	return r.Expires.IsZero() || now.Before(r.Expires)
}

func (m *memory) Record(_ context.Context, kind identity.Kind, tenant, id string, now time.Time) (identity.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return identity.Record{}, m.broken
	}
	if r, ok := m.records[recordKey{kind, tenant, id}]; ok && alive(r, now) {
		return r, nil
	}
	return identity.Record{}, identity.ErrNoRecord
}

func (m *memory) RecordByName(_ context.Context, kind identity.Kind, tenant, name string, now time.Time) (identity.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return identity.Record{}, m.broken
	}
	if r, ok := m.named(kind, tenant, name, now); ok {
		return r, nil
	}
	return identity.Record{}, identity.ErrNoRecord
}

func (m *memory) named(kind identity.Kind, tenant, name string, now time.Time) (identity.Record, bool) {
	for k, r := range m.records {
		if name != "" && k.kind == kind && k.tenant == tenant && r.Name == name && alive(r, now) {
			return r, true
		}
	}
	return identity.Record{}, false
}

func (m *memory) Records(_ context.Context, kind identity.Kind, tenant string, now time.Time) ([]identity.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	var all []identity.Record
	for k, r := range m.records {
		if k.kind == kind && k.tenant == tenant && alive(r, now) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b identity.Record) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (m *memory) Apply(_ context.Context, now time.Time, changes []identity.Change, audit ...identity.AuditEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	before, steers := m.records, false
	m.records = map[recordKey]identity.Record{}
	for k, r := range before {
		if alive(r, now) {
			m.records[k] = r
		}
	}
	for _, c := range changes {
		key := recordKey{c.Record.Kind, c.Record.Tenant, c.Record.ID}
		old := m.records[key]
		if c.Expect != identity.AnyRevision && c.Expect != old.Revision {
			m.records = before
			return identity.ErrConflict
		}
		delete(m.records, key)
		if steers = steers || c.Record.Kind.Steers(); c.Delete {
			continue
		}
		if _, taken := m.named(c.Record.Kind, c.Record.Tenant, c.Record.Name, now); taken {
			m.records = before
			return identity.ErrConflict
		}
		r := c.Record
		r.Revision = old.Revision + 1
		m.records[key] = r
	}
	if steers {
		m.generation++
	}
	m.audit = append(m.audit, audit...)
	return nil
}

func (m *memory) Generation(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.generation, m.broken
}

func (m *memory) Audit(_ context.Context, tenant string, after int64, limit int) ([]identity.AuditEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var some []identity.AuditEntry
	for i, e := range m.audit {
		if e.Seq = int64(i + 1); e.Seq > after && len(some) < limit && (tenant == "" || e.Tenant == tenant) {
			some = append(some, e)
		}
	}
	return some, m.broken
}

package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"pgregory.net/rapid"
)

// identityLikeModel does random things to a store and to a model of it.
func identityLikeModel(t *testing.T, s identity.Store) {
	rapid.Check(t, func(r *rapid.T) {
		m := &identityModel{store: s, now: noon, tenant: newOwner().Tenant, rows: map[recordKey]identity.Record{}}
		r.Repeat(map[string]func(*rapid.T){
			"apply": m.apply,
			"look":  m.look,
			"wait": func(r *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 180).Draw(r, "minutes")) * time.Minute)
			},
			"crash": func(r *rapid.T) {
				if rapid.IntRange(0, 15).Draw(r, "crash") == 11 { // seldom: it takes long
					m.store = crash(t, m.store)
				}
			},
		})
		s = m.store
	})
}

type recordKey struct {
	kind identity.Kind
	id   string
}

type identityModel struct {
	store  identity.Store
	now    time.Time
	tenant string // of this run, so that runs do not meet
	rows   map[recordKey]identity.Record
	audit  []string
}

func (md *identityModel) drawRecord(r *rapid.T) identity.Record {
	record := identity.Record{
		Kind:   rapid.SampledFrom([]identity.Kind{identity.KindUser, identity.KindDevice}).Draw(r, "kind"),
		Tenant: md.tenant,
		ID:     rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "id"),
		Name:   rapid.SampledFrom([]string{"", "x", "y"}).Draw(r, "name"),
		Doc:    rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(r, "doc"),
	}
	if rapid.Bool().Draw(r, "mortal") {
		record.Expires = md.now.Add(time.Duration(rapid.IntRange(1, 4).Draw(r, "life")) * time.Hour)
	}
	return record
}

func (md *identityModel) alive(r identity.Record) bool {
	return r.Expires.IsZero() || md.now.Before(r.Expires)
}

// apply draws changes of which some will not do.
func (md *identityModel) apply(r *rapid.T) {
	next := map[recordKey]identity.Record{}
	for k, v := range md.rows {
		if md.alive(v) {
			next[k] = v
		}
	}
	var changes []identity.Change
	conflict, steers := false, false
	for range rapid.IntRange(1, 3).Draw(r, "changes") {
		c := identity.Change{Record: md.drawRecord(r), Delete: rapid.Bool().Draw(r, "delete")}
		key := recordKey{c.Record.Kind, c.Record.ID}
		have := next[key].Revision
		c.Expect = rapid.SampledFrom([]int64{have, have, have, have, identity.AnyRevision, 0, 1}).Draw(r, "expect")
		changes = append(changes, c)
		steers = steers || c.Record.Kind.Steers()
		if c.Expect != identity.AnyRevision && c.Expect != have {
			conflict = true
		}
		if c.Delete {
			delete(next, key)
			continue
		}
		for k, other := range next {
			if k.kind == key.kind && k != key && other.Name == c.Record.Name && other.Name != "" {
				conflict = true
			}
		}
		record := c.Record
		record.Revision = have + 1
		next[key] = record
	}
	before := generation(r, md.store)
	entry := identity.AuditEntry{At: md.now, Tenant: md.tenant, Action: rapid.StringMatching("[a-z]{4}").Draw(r, "action")}
	err := md.store.Apply(context.Background(), md.now, changes, entry)
	after := generation(r, md.store)
	if errors.Is(err, identity.ErrConflict) != conflict || err != nil && !conflict {
		r.Fatalf("Apply: error %v; want a conflict: %v", err, conflict)
	}
	if moved := after != before; moved != (steers && !conflict) {
		r.Fatalf("the generation went from %d to %d; steers: %v, conflict: %v", before, after, steers, conflict)
	}
	if !conflict {
		md.rows = next
		md.audit = append(md.audit, entry.Action)
	}
}

func (md *identityModel) look(r *rapid.T) {
	for _, kind := range []identity.Kind{identity.KindUser, identity.KindDevice} {
		var want []identity.Record
		for k, v := range md.rows {
			if k.kind == kind && md.alive(v) {
				want = append(want, v)
			}
		}
		slices.SortFunc(want, func(a, b identity.Record) int { return strings.Compare(a.ID, b.ID) })
		got, err := md.store.Records(context.Background(), kind, md.tenant, md.now)
		if err != nil {
			r.Fatalf("Records: %v", err)
		}
		same(r, "Records", got, want)
		for _, w := range want {
			holds(r, md.store, w, w.Revision, md.now)
		}
	}
	entries, err := md.store.Audit(context.Background(), md.tenant, 0, 1000)
	if err != nil {
		r.Fatalf("Audit: %v", err)
	}
	var actions []string
	for _, e := range entries {
		actions = append(actions, e.Action)
	}
	same(r, "Audit", actions, md.audit)
}

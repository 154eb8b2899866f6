package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// RunIdentity checks the whole contract of [identity.Store]. open is as that of
// [RunMeetings].
func RunIdentity(t *testing.T, open func(*testing.T) identity.Store) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, identity.Store)
	}{
		{"a record comes back", recordComesBack},
		{"records are listed in order", recordsInOrder},
		{"keys are exact", recordKeys},
		{"a record given or taken is a copy", recordCopies},
		{"a change meets the revision it expects", expectations},
		{"changes take place in order", changesInOrder},
		{"all changes or none", allOrNone},
		{"a name is unique among its kind and tenant", names},
		{"an expired record exists for nobody", recordExpires},
		{"an expired record is replaced", recordReplaced},

		{"of concurrent changes one wins", oneChangeWins},
		{"no change is lost", noChangeLost},
		{"one name, one record", oneNameWins},

		{"the generation moves with what steers", generationMoves},
		{"the generation never comes back", generationUnique},
		{"the generation moves elsewhere within a second", generationElsewhere},

		{"the audit log keeps what happened", auditKeeps},
		{"an audit reader misses nothing", auditReader},

		{"what was applied survives a crash", identitySurvivesCrash},
		{"like the model", identityLikeModel},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

func newRecord(kind identity.Kind, id string) identity.Record {
	return identity.Record{Kind: kind, Tenant: "t", ID: id, Name: id + "@contoso.example", Doc: []byte(`{"id":"` + id + `"}`)}
}

func put(r identity.Record, expect int64) identity.Change {
	return identity.Change{Record: r, Expect: expect}
}

func drop(r identity.Record, expect int64) identity.Change {
	return identity.Change{Record: r, Expect: expect, Delete: true}
}

func apply(s identity.Store, changes ...identity.Change) error {
	return s.Apply(context.Background(), noon, changes)
}

func mustApply(t tb, s identity.Store, changes ...identity.Change) {
	t.Helper()
	if err := apply(s, changes...); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

func mustConflict(t tb, s identity.Store, what string, changes ...identity.Change) {
	t.Helper()
	if err := apply(s, changes...); !errors.Is(err, identity.ErrConflict) {
		t.Errorf("Apply, %s: error %v, want ErrConflict", what, err)
	}
}

// holds checks that a record is there, by id, by name and in the list, with a
// revision; revision 0 means that it is not.
func holds(t tb, s identity.Store, r identity.Record, revision int64, now time.Time) {
	t.Helper()
	ctx := context.Background()
	r.Revision = revision
	got, err := s.Record(ctx, r.Kind, r.Tenant, r.ID, now)
	judge(t, "Record", got, err, r)
	if r.Name != "" {
		got, err = s.RecordByName(ctx, r.Kind, r.Tenant, r.Name, now)
		if revision != 0 || err != nil || got.ID == r.ID {
			judge(t, "RecordByName", got, err, r)
		}
	}
	all, err := s.Records(ctx, r.Kind, r.Tenant, now)
	if err != nil {
		t.Fatalf("Records: %v", err)
	}
	listed := 0
	for _, got := range all {
		if got.ID == r.ID {
			listed++
			judge(t, "Records", got, nil, r)
		}
	}
	if want := min(int(revision), 1); listed != want {
		t.Errorf("Records lists %s %q %d times, want %d", r.Kind, r.ID, listed, want)
	}
}

func judge(t tb, what string, got identity.Record, err error, want identity.Record) {
	t.Helper()
	switch {
	case want.Revision == 0 && !errors.Is(err, identity.ErrNoRecord):
		t.Errorf("%s of %s %q: revision %d, error %v; want ErrNoRecord", what, want.Kind, want.ID, got.Revision, err)
	case want.Revision != 0 && err != nil:
		t.Errorf("%s of %s %q: %v", what, want.Kind, want.ID, err)
	case want.Revision != 0:
		same(t, what, got, want)
	}
}

// kinds are all there are.
var kinds = []identity.Kind{
	identity.KindWorld, identity.KindTenant, identity.KindUser, identity.KindGroup, identity.KindApp, identity.KindPolicy, identity.KindGrant,
	identity.KindKey, identity.KindCode, identity.KindRefresh, identity.KindFamily, identity.KindDevice, identity.KindSession,
}

func recordComesBack(t *testing.T, s identity.Store) {
	for i, kind := range kinds {
		full := newRecord(kind, "full")
		full.Doc = []byte("\x00\xff not JSON '\"")
		full.Expires = noon.Add(time.Hour + meeting.Tick)
		bare := identity.Record{Kind: kind, ID: fmt.Sprint("bare ", i)}
		mustApply(t, s, put(full, 0), put(bare, 0))
		holds(t, s, full, 1, noon)
		holds(t, s, bare, 1, noon)
	}
	holds(t, s, newRecord(identity.KindUser, "unknown"), 0, noon)
	holds(t, s, identity.Record{Kind: "no such kind", Tenant: "\x00", ID: "\xff", Name: "'"}, 0, noon)
	if _, err := s.RecordByName(context.Background(), identity.KindUser, "", "", noon); !errors.Is(err, identity.ErrNoRecord) {
		t.Errorf("RecordByName of no name: error %v, want ErrNoRecord", err)
	}
}

func recordsInOrder(t *testing.T, s identity.Store) {
	// Byte by byte: no collation of a language.
	want := []string{"", "A", "B", "a", "a-b", "a.b", "aa", "b", "ä"}
	for _, i := range []int{3, 8, 0, 5, 1, 7, 2, 6, 4} {
		mustApply(t, s, put(identity.Record{Kind: identity.KindGroup, Tenant: "t", ID: want[i]}, 0))
	}
	for _, other := range []identity.Record{{Kind: identity.KindGroup, Tenant: "u", ID: "a"}, {Kind: identity.KindGroup, ID: "a"}, {Kind: identity.KindUser, Tenant: "t", ID: "a"}} {
		mustApply(t, s, put(other, 0))
	}
	all, err := s.Records(context.Background(), identity.KindGroup, "t", noon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range all {
		got = append(got, r.ID)
	}
	same(t, "Records", got, want)
	if none, err := s.Records(context.Background(), identity.KindApp, "t", noon); err != nil || len(none) != 0 {
		t.Errorf("Records of a kind without records: %d, error %v", len(none), err)
	}
}

func recordKeys(t *testing.T, s identity.Store) {
	var all []identity.Record
	for _, kind := range []identity.Kind{identity.KindUser, identity.KindGroup} {
		for _, tenant := range []string{"", "t", "T"} {
			for _, id := range []string{"x", "X", "x ", "ä", "a\u0308"} {
				r := identity.Record{Kind: kind, Tenant: tenant, ID: id, Name: "name of " + id, Doc: []byte(string(kind) + tenant + id)}
				mustApply(t, s, put(r, 0))
				all = append(all, r)
			}
		}
	}
	for _, r := range all {
		holds(t, s, r, 1, noon)
	}
}

func recordCopies(t *testing.T, s identity.Store) {
	given, want := newRecord(identity.KindUser, "copy"), newRecord(identity.KindUser, "copy")
	mustApply(t, s, put(given, 0))
	clear(given.Doc)
	for range 2 {
		got, err := s.Record(context.Background(), want.Kind, want.Tenant, want.ID, noon)
		if err != nil {
			t.Fatal(err)
		}
		clear(got.Doc)
		holds(t, s, want, 1, noon)
	}
}

func expectations(t *testing.T, s identity.Store) {
	r := newRecord(identity.KindPolicy, "crm")
	mustConflict(t, s, "revision 1 of nothing", put(r, 1))
	mustConflict(t, s, "delete revision 1 of nothing", drop(r, 1))
	holds(t, s, r, 0, noon)
	mustApply(t, s, put(r, 0))
	mustConflict(t, s, "nothing, where there is a record", put(r, 0))
	r.Doc = []byte("second")
	mustConflict(t, s, "a later revision", put(r, 2))
	mustApply(t, s, put(r, 1))
	holds(t, s, r, 2, noon)
	mustConflict(t, s, "an earlier revision", put(r, 1))
	mustConflict(t, s, "delete an earlier revision", drop(r, 1))
	r.Doc = []byte("any")
	mustApply(t, s, put(r, identity.AnyRevision))
	holds(t, s, r, 3, noon)
	mustApply(t, s, drop(r, 3))
	holds(t, s, r, 0, noon)

	// What was deleted begins anew, and may be deleted again.
	mustApply(t, s, drop(r, identity.AnyRevision))
	mustApply(t, s, put(r, identity.AnyRevision))
	holds(t, s, r, 1, noon)
	mustApply(t, s, drop(r, identity.AnyRevision))
	holds(t, s, r, 0, noon)
}

func changesInOrder(t *testing.T, s identity.Store) {
	a, b := newRecord(identity.KindUser, "a"), newRecord(identity.KindUser, "b")
	mustApply(t, s, put(a, 0), put(a, 1), drop(a, 2), put(a, 0))
	holds(t, s, a, 1, noon)
	b.Name = a.Name
	mustApply(t, s, drop(a, 1), put(b, 0)) // the name is free by then
	holds(t, s, b, 1, noon)
	mustConflict(t, s, "the name is not free yet", put(a, 0), drop(b, 1))
	holds(t, s, b, 1, noon)
	holds(t, s, a, 0, noon)
}

func allOrNone(t *testing.T, s identity.Store) {
	ctx := context.Background()
	old := newRecord(identity.KindUser, "old")
	mustApply(t, s, put(old, 0))
	before, err := s.Generation(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fresh, thief := newRecord(identity.KindUser, "fresh"), newRecord(identity.KindUser, "thief")
	thief.Name = old.Name
	for name, last := range map[string]identity.Change{"a wrong revision": put(old, 7), "a name that is taken": put(thief, 0)} {
		err := s.Apply(ctx, noon, []identity.Change{put(fresh, 0), drop(old, 1), put(old, 0), last}, identity.AuditEntry{At: noon, Action: "none"})
		if !errors.Is(err, identity.ErrConflict) {
			t.Errorf("%s: error %v, want ErrConflict", name, err)
		}
		holds(t, s, fresh, 0, noon)
		holds(t, s, thief, 0, noon)
		holds(t, s, old, 1, noon)
	}
	if entries, err := s.Audit(ctx, "", 0, 10); err != nil || len(entries) != 0 {
		t.Errorf("%d audit entries of changes that did not take place, error %v", len(entries), err)
	}
	if after, err := s.Generation(ctx); err != nil || after != before {
		t.Errorf("the generation went from %d to %d, error %v, though nothing was changed", before, after, err)
	}
	mustApply(t, s) // nothing at all is fine
}

func names(t *testing.T, s identity.Store) {
	olga := newRecord(identity.KindUser, "olga")
	mustApply(t, s, put(olga, 0))
	thief := newRecord(identity.KindUser, "thief")
	thief.Name = olga.Name
	mustConflict(t, s, "a name that is taken", put(thief, 0))
	mustConflict(t, s, "a name that is taken, whatever the revision", put(thief, identity.AnyRevision))
	otherKind, otherTenant := thief, thief
	otherKind.Kind, otherTenant.Tenant = identity.KindGroup, "u"
	mustApply(t, s, put(otherKind, 0), put(otherTenant, 0))
	holds(t, s, otherKind, 1, noon)
	holds(t, s, otherTenant, 1, noon)

	renamed := olga
	renamed.Name = "olga.new@contoso.example"
	mustApply(t, s, put(renamed, 1))
	holds(t, s, renamed, 2, noon)
	if _, err := s.RecordByName(context.Background(), olga.Kind, olga.Tenant, olga.Name, noon); !errors.Is(err, identity.ErrNoRecord) {
		t.Errorf("RecordByName of the old name: error %v, want ErrNoRecord", err)
	}
	mustApply(t, s, put(thief, 0))
	holds(t, s, thief, 1, noon)
	mustConflict(t, s, "back to the old name", put(olga, 2))

	mustApply(t, s, drop(thief, 1), put(olga, 2))
	holds(t, s, olga, 3, noon)
	olga.Name = ""
	mustApply(t, s, put(olga, 3))
	holds(t, s, olga, 4, noon)
	holds(t, s, thief, 0, noon)
}

func recordExpires(t *testing.T, s identity.Store) {
	code := newRecord(identity.KindCode, "code")
	code.Expires = noon.Add(time.Minute)
	mustApply(t, s, put(code, 0))
	holds(t, s, code, 1, code.Expires.Add(-meeting.Tick))
	holds(t, s, code, 0, code.Expires)
	holds(t, s, code, 0, code.Expires.Add(1000*time.Hour))
}

// recordReplaced: neither the key nor the name of an expired record is taken.
func recordReplaced(t *testing.T, s identity.Store) {
	ctx := context.Background()
	later := noon.Add(time.Minute)
	for _, kind := range []identity.Kind{identity.KindDevice, identity.KindGrant} {
		old := newRecord(kind, "old")
		old.Expires = later
		mustApply(t, s, put(old, 0))
		mustApply(t, s, put(old, 1))

		heir := newRecord(kind, "heir")
		heir.Name = old.Name
		mustConflict(t, s, "the name of a record that is still there", put(heir, 0))
		if err := s.Apply(ctx, later, []identity.Change{put(old, 2)}); !errors.Is(err, identity.ErrConflict) {
			t.Errorf("Apply to revision 2 of an expired record: error %v, want ErrConflict", err)
		}
		if err := s.Apply(ctx, later, []identity.Change{put(heir, 0)}); err != nil {
			t.Errorf("Apply with the name of an expired record: %v", err)
		}
		holds(t, s, heir, 1, later)

		again := newRecord(kind, "old")
		again.Name, again.Expires = "", later.Add(time.Hour)
		if err := s.Apply(ctx, later, []identity.Change{put(again, 0)}); err != nil {
			t.Errorf("Apply over an expired record: %v", err)
		}
		holds(t, s, again, 1, later)
		if err := s.Apply(ctx, again.Expires, []identity.Change{put(again, identity.AnyRevision)}); err != nil {
			t.Errorf("Apply over an expired record, whatever its revision: %v", err)
		}
		again.Expires = again.Expires.Add(time.Hour)
		if err := s.Apply(ctx, later, []identity.Change{put(again, identity.AnyRevision)}); err != nil {
			t.Error(err)
		}
	}
}

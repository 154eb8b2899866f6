package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// oneChangeWins: of many changes that expect the same revision one takes place.
// A code that is used twice, a refresh token that is replayed: this is what
// stands in the way.
func oneChangeWins(t *testing.T, s identity.Store) {
	all := nodes(t, s)
	r := newRecord(identity.KindRefresh, "token")
	r.Name = ""
	for revision := range int64(20) {
		errs := make([]error, 16)
		concurrently(len(errs), func(i int) {
			mine := r
			mine.Doc = []byte(strconv.Itoa(i))
			errs[i] = apply(all[i%len(all)], put(mine, revision))
		})
		for _, err := range without(errs, nil) {
			if !errors.Is(err, identity.ErrConflict) {
				t.Errorf("Apply: %v", err)
			}
		}
		if n := count(errs, nil); n != 1 {
			t.Fatalf("%d of %d changes to revision %d took place, want 1", n, len(errs), revision)
		}
		for i, err := range errs {
			if err == nil {
				r.Doc = []byte(strconv.Itoa(i))
			}
		}
		holds(t, all[len(all)-1], r, revision+1, noon)
	}
}

// noChangeLost has many callers add to one record, each trying again when
// another was first.
func noChangeLost(t *testing.T, s identity.Store) {
	const callers, additions = 8, 10
	all := nodes(t, s)
	r := newRecord(identity.KindGroup, "counted")
	r.Doc = []byte("0")
	mustApply(t, s, put(r, 0))
	concurrently(callers, func(i int) {
		s := all[i%len(all)]
		for done := 0; done < additions; {
			old, err := s.Record(context.Background(), r.Kind, r.Tenant, r.ID, noon)
			if err != nil {
				t.Errorf("Record: %v", err)
				return
			}
			n, err := strconv.Atoi(string(old.Doc))
			if err != nil {
				t.Errorf("Record: %v", err)
				return
			}
			next := old
			next.Doc = []byte(strconv.Itoa(n + 1))
			switch err := apply(s, put(next, old.Revision)); {
			case err == nil:
				done++
			case !errors.Is(err, identity.ErrConflict):
				t.Errorf("Apply: %v", err)
				return
			}
		}
	})
	r.Doc = []byte(strconv.Itoa(callers * additions))
	holds(t, s, r, 1+callers*additions, noon)
}

// oneNameWins: of many records that want one name, one gets it.
func oneNameWins(t *testing.T, s identity.Store) {
	all := nodes(t, s)
	for round := range 10 {
		errs := make([]error, 16)
		name := fmt.Sprintf("first-%d", round)
		concurrently(len(errs), func(i int) {
			r := newRecord(identity.KindKey, fmt.Sprintf("key-%d-%d", round, i))
			r.Name = name
			errs[i] = apply(all[i%len(all)], put(r, 0))
		})
		for _, err := range without(errs, nil) {
			if !errors.Is(err, identity.ErrConflict) {
				t.Errorf("Apply: %v", err)
			}
		}
		if n := count(errs, nil); n != 1 {
			t.Fatalf("%d of %d records got the name, want 1", n, len(errs))
		}
	}
	if keys, err := s.Records(context.Background(), identity.KindKey, "t", noon); err != nil || len(keys) != 10 {
		t.Errorf("%d records are there, error %v; want 10", len(keys), err)
	}
}

func generation(t tb, s identity.Store) int64 {
	t.Helper()
	g, err := s.Generation(context.Background())
	if err != nil {
		t.Fatalf("Generation: %v", err)
	}
	return g
}

func generationMoves(t *testing.T, s identity.Store) {
	for _, kind := range kinds {
		r := newRecord(kind, "r")
		for _, change := range []identity.Change{put(r, 0), put(r, 1), drop(r, 2)} {
			before := generation(t, s)
			mustApply(t, s, change)
			after := generation(t, s)
			if moved := after != before; moved != kind.Steers() {
				t.Errorf("kind %s, delete %v: the generation went from %d to %d", kind, change.Delete, before, after)
			}
		}
	}
	// One change that steers among others is enough.
	before := generation(t, s)
	mustApply(t, s, put(newRecord(identity.KindCode, "a"), 0), put(newRecord(identity.KindUser, "b"), 0), put(newRecord(identity.KindCode, "c"), 0))
	if after := generation(t, s); after == before {
		t.Errorf("the generation stays at %d though a user was made", after)
	}
}

// generationUnique: no number is given twice, neither to concurrent changes nor
// after a crash.
func generationUnique(t *testing.T, s identity.Store) {
	seen := map[int64]bool{}
	isNew := func(when string) {
		t.Helper()
		g := generation(t, s)
		if seen[g] {
			t.Errorf("%s: generation %d was there before", when, g)
		}
		seen[g] = true
	}
	isNew("at first")
	for round := range 3 {
		concurrently(8, func(i int) {
			for k := range 5 {
				if err := apply(s, put(newRecord(identity.KindUser, fmt.Sprint(round, "-", i, "-", k)), 0)); err != nil {
					t.Errorf("Apply: %v", err)
				}
			}
		})
		mustApply(t, s, put(newRecord(identity.KindApp, fmt.Sprint(round)), 0))
		isNew("in turn")
		s = crash(t, s)
		mustApply(t, s, put(newRecord(identity.KindApp, fmt.Sprint(round, " after the crash")), 0))
		isNew("after a crash")
	}
}

// generationElsewhere: a change made on one node shows on the other in time,
// and whoever reads the generation there reads the records that go with it.
func generationElsewhere(t *testing.T, s identity.Store) {
	all := nodes(t, s)
	there := all[len(all)-1]
	r := newRecord(identity.KindPolicy, "crm")
	for revision := range int64(3) {
		before := generation(t, there)
		mustApply(t, s, put(r, revision))
		// What has to take place within a second is given another one where the
		// machine has much else to do.
		look, late := time.NewTicker(time.Millisecond), time.After(2*time.Second)
		for generation(t, there) == before {
			select {
			case <-look.C:
			case <-late:
				t.Fatalf("the generation elsewhere is still %d after two seconds", before)
			}
		}
		look.Stop()
		holds(t, there, r, revision+1, noon)
	}
}

func auditKeeps(t *testing.T, s identity.Store) {
	ctx := context.Background()
	var want []identity.AuditEntry
	for i := range 6 {
		e := identity.AuditEntry{
			At: noon.Add(time.Duration(i) * meeting.Tick), Actor: "management", Action: fmt.Sprint("policy.grant ", i),
			Tenant: []string{"t", "u", ""}[i%3], Target: "ä'\"", Detail: []byte(`{"n":` + strconv.Itoa(i) + `}`),
		}
		want = append(want, e)
	}
	want[5].Detail = nil
	if err := s.Apply(ctx, noon, []identity.Change{put(newRecord(identity.KindUser, "a"), 0)}, want[:2]...); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(ctx, noon, nil, want[2:]...); err != nil {
		t.Fatal(err)
	}
	got, err := s.Audit(ctx, "", 0, 100)
	if err != nil || len(got) != len(want) {
		t.Fatalf("Audit: %d entries, error %v; want %d", len(got), err, len(want))
	}
	last := int64(0)
	for i := range got {
		if got[i].Seq <= last {
			t.Errorf("entry %d has number %d after %d", i, got[i].Seq, last)
		}
		last = got[i].Seq
		want[i].Seq = got[i].Seq
	}
	same(t, "Audit", got, want)
	for _, tt := range []struct {
		tenant string
		after  int64
		limit  int
		want   []identity.AuditEntry
	}{
		{"t", 0, 100, []identity.AuditEntry{want[0], want[3]}},
		{"t", want[0].Seq, 100, want[3:4]},
		{"u", 0, 1, want[1:2]},
		{"unknown", 0, 100, nil},
		{"", want[1].Seq, 2, want[2:4]},
		{"", want[5].Seq, 100, nil},
		{"", 0, 0, nil},
	} {
		got, err := s.Audit(ctx, tt.tenant, tt.after, tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("Audit of %q after %d, at most %d", tt.tenant, tt.after, tt.limit), got, tt.want)
	}
}

// auditReader: whoever reads on from the last number seen misses nothing, also
// while others write.
func auditReader(t *testing.T, s identity.Store) {
	const writers, entries = 8, 15
	all := nodes(t, s)
	var writing atomic.Bool
	writing.Store(true)
	seen := map[string]int{}
	last := int64(0)
	read := func() {
		got, err := all[len(all)-1].Audit(context.Background(), "", last, 7)
		if err != nil {
			t.Errorf("Audit: %v", err)
			writing.Store(false)
		}
		for _, e := range got {
			seen[e.Action]++
			last = e.Seq
		}
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for writing.Load() {
			read()
		}
	})
	concurrently(writers, func(i int) {
		for k := range entries {
			e := identity.AuditEntry{At: noon, Action: fmt.Sprint(i, "/", k)}
			if err := all[i%len(all)].Apply(context.Background(), noon, []identity.Change{put(newRecord(identity.KindUser, e.Action), 0)}, e, e); err != nil {
				t.Errorf("Apply: %v", err)
			}
		}
	})
	writing.Store(false)
	reader.Wait()
	for before := int64(-1); before != last && !t.Failed(); {
		before = last
		read()
	}
	for action, n := range seen {
		if n != 2 {
			t.Errorf("entry %s was read %d times, want 2", action, n)
		}
	}
	if len(seen) != writers*entries {
		t.Errorf("the reader got entries of %d changes, want %d", len(seen), writers*entries)
	}
}

func identitySurvivesCrash(t *testing.T, s identity.Store) {
	ctx := context.Background()
	r := newRecord(identity.KindGrant, "user:a")
	for revision := range int64(4) {
		r.Doc = []byte(fmt.Sprint("revision ", revision+1))
		if err := s.Apply(ctx, noon, []identity.Change{put(r, revision)}, identity.AuditEntry{At: noon, Action: string(r.Doc)}); err != nil {
			t.Fatal(err)
		}
		s = crash(t, s)
		holds(t, s, r, revision+1, noon)
		if entries, err := s.Audit(ctx, "", 0, 10); err != nil || len(entries) != int(revision)+1 {
			t.Errorf("%d audit entries after the crash, error %v; want %d", len(entries), err, revision+1)
		}
	}
	mustApply(t, s, drop(r, 4))
	s = crash(t, s)
	holds(t, s, r, 0, noon)
	if _, err := s.Audit(ctx, "", 0, 10); err != nil {
		t.Error(err)
	}
}

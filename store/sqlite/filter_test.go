package sqlite

import (
	"context"
	"fmt"
	"testing"

	"github.com/convene-meet/convene/meeting"
)

// TestFilterLoads: what an earlier process stored is known, so that an existing
// meeting is found without the writer.
func TestFilterLoads(t *testing.T) {
	const n = 3*loadAtOnce + 17
	dir := t.TempDir()
	s := openOnce(t, dir, Options{flush: "OFF"})
	build(t, s, n)
	other := meeting.Owner{Tenant: "not a GUID", User: "neither"}
	for i := range 3 {
		m := newMeeting(t, other, externalID(i))
		if _, created, err := s.CreateOrGet(context.Background(), m, meeting.Numbers(true)); err != nil || !created {
			t.Fatal(created, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	<-s.loaded
	for i := range n {
		if key := (ownerKey{benchOwner, externalID(i)}); !s.filter.mayHold(key) {
			t.Fatalf("the filter does not know %v", key)
		}
	}
	for i := range 3 {
		if key := (ownerKey{other, externalID(i)}); !s.filter.mayHold(key) {
			t.Errorf("the filter does not know %v", key)
		}
	}
	wrong := 0
	for i := range n {
		if s.filter.mayHold(ownerKey{benchOwner, externalID(n + i)}) {
			wrong++
		}
	}
	if wrong > n/100 {
		t.Errorf("of %d keys that are not there, the filter takes %d for stored", n, wrong)
	}
}

// TestFilterKnowsBeforeLoading: until all keys are in it, any may be there.
func TestFilterKnowsBeforeLoading(t *testing.T) {
	f := newFilter()
	if !f.mayHold(ownerKey{benchOwner, "x"}) {
		t.Error("a filter that is not loaded denies a key")
	}
	const n = 5 * firstBloom
	for i := range n {
		if i == n/2 {
			f.done()
		}
		f.add(ownerKey{benchOwner, fmt.Sprint(i)})
		if !f.mayHold(ownerKey{benchOwner, fmt.Sprint(i)}) {
			t.Fatalf("key %d is not known right after it was added", i)
		}
	}
	for i := range n {
		if !f.mayHold(ownerKey{benchOwner, fmt.Sprint(i)}) {
			t.Fatalf("key %d is not known any more", i)
		}
	}
}

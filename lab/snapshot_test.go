package lab_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/sqlite"
	"github.com/convene-meet/convene/world"
)

// openKit is a kit on an engine with the built-in world.
func openKit(t *testing.T) *lab.Kit {
	t.Helper()
	store, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := world.BuiltIn()
	if err := w.Apply(t.Context(), store, time.Now()); err != nil {
		t.Fatal(err)
	}
	return lab.New(store, store, w, time.Now)
}

func contoso(t *testing.T, k *lab.Kit) *identity.Tenant {
	t.Helper()
	tenant, err := (&identity.Directory{Store: k.Directory, Now: time.Now}).Tenant(t.Context(), "contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// All of 10,000 meetings come back; the log says in what time.
func TestLargeSnapshot(t *testing.T) {
	k := openKit(t)
	tenant := contoso(t, k)
	const n = 10_000
	all := make([]meeting.Meeting, n)
	for i := range all {
		subject := fmt.Sprintf("Order %d", i)
		m, err := meeting.Draft{Owner: meeting.Owner{Tenant: tenant.ID, User: "c0ffee00-0001-4a00-8000-000000000002"}, ExternalID: fmt.Sprint(i), Subject: &subject, TollNumber: "+1 206-555-0100", VideoInterop: true}.Complete(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		meeting.Numbers(true)(&m)
		m.ConferenceID, m.VideoTeleconferenceID = fmt.Sprint(100_000_000+i), fmt.Sprint(1_000_000_000+i)
		all[i] = m
	}
	if err := k.Meetings.Replace(t.Context(), tenant.ID, all); err != nil {
		t.Fatal(err)
	}
	s, err := k.Save(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Reset(t.Context(), tenant, false); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var read lab.Snapshot
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	parsed := time.Since(began)
	if err := k.Restore(t.Context(), &read); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("%d bytes read in %v, restored in %v", len(raw), parsed, took)
	if again, err := k.Meetings.Count(t.Context(), meeting.Query{Tenant: tenant.ID}, time.Now()); err != nil || again != n {
		t.Errorf("%d meetings, error %v; want %d", again, err, n)
	}
}

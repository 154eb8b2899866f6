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
func openKit(t testing.TB) *lab.Kit {
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

func contoso(t testing.TB, k *lab.Kit) *identity.Tenant {
	t.Helper()
	tenant, err := (&identity.Directory{Store: k.Directory, Now: time.Now}).Tenant(t.Context(), "contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// large puts 10,000 meetings into the tenant, and returns them as a snapshot's
// file.
func large(t testing.TB, k *lab.Kit, tenant *identity.Tenant) (file []byte, n int) {
	t.Helper()
	n = 10_000
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
	if file, err = json.Marshal(s); err != nil {
		t.Fatal(err)
	}
	return file, n
}

func restore(t testing.TB, k *lab.Kit, file []byte) {
	t.Helper()
	var s lab.Snapshot
	if err := json.Unmarshal(file, &s); err != nil {
		t.Fatal(err)
	}
	if err := k.Restore(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
}

// All of 10,000 meetings come back.
func TestLargeSnapshot(t *testing.T) {
	k := openKit(t)
	tenant := contoso(t, k)
	file, n := large(t, k, tenant)
	if _, err := k.Reset(t.Context(), tenant, false); err != nil {
		t.Fatal(err)
	}
	restore(t, k, file)
	if again, err := k.Meetings.Count(t.Context(), meeting.Query{Tenant: tenant.ID}, time.Now()); err != nil || again != n {
		t.Errorf("%d meetings, error %v; want %d", again, err, n)
	}
}

// BenchmarkRestore restores 10,000 meetings: it should take at most a second.
func BenchmarkRestore(b *testing.B) {
	k := openKit(b)
	file, _ := large(b, k, contoso(b, k))
	for b.Loop() {
		restore(b, k, file)
	}
}

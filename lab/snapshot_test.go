package lab_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	return lab.New(store, store, store, w, time.Now)
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

// What no meeting can have is not restored, whoever wrote it into the file.
func TestTamperedSnapshot(t *testing.T) {
	k := openKit(t)
	tenant := contoso(t, k)
	if _, err := k.Seed(t.Context(), tenant, "seed", []byte(`meetings: [{ externalId: a, organizer: ann, attendees: [bob@contoso.example], lobbyBypassSettings: { scope: everyone } }]`)); err != nil {
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
	restore(t, k, raw)
	for name, change := range map[string]func(m map[string]any){
		"a user that is no GUID":  func(m map[string]any) { m["User"] = "x" },
		"another tenant":          func(m map[string]any) { m["Tenant"] = "7a11ad00-2b7d-4c1a-9e64-7d1b8a2f3c11" },
		"a thread that is none":   func(m map[string]any) { m["ThreadID"] = "19:a\"b@thread.v2" },
		"no message":              func(m map[string]any) { m["MessageID"] = "" },
		"a number of letters":     func(m map[string]any) { m["JoinMeetingID"] = "12a" },
		"U+0000 in a number":      func(m map[string]any) { m["ConferenceID"] = "1\x00" },
		"U+0000 in the subject":   func(m map[string]any) { m["Subject"] = "\x00" },
		"U+0000 in the key":       func(m map[string]any) { m["ExternalID"] = "\x00" },
		"a quote in the passcode": func(m map[string]any) { m["Passcode"] = `"` },
		"a quote in a scope":      func(m map[string]any) { m["Options"].(map[string]any)["LobbyBypassScope"] = `every"one` },
		"U+0000 in a name":        func(m map[string]any) { m["Attendees"].([]any)[0].(map[string]any)["UPN"] = "\x00" },
		"a role that is no word":  func(m map[string]any) { m["Attendees"].([]any)[0].(map[string]any)["Role"] = "a b" },
		"an end before the start": func(m map[string]any) { m["End"] = "0001-01-01T00:00:00Z" },
		"an end of all times":     func(m map[string]any) { m["End"] = "9999-12-31T00:00:00Z" },
		"no revision":             func(m map[string]any) { m["Revision"] = 0 },
		"a toll number of words":  func(m map[string]any) { m["TollNumber"] = "<b>" },
	} {
		var file map[string]any
		if err := json.Unmarshal(raw, &file); err != nil {
			t.Fatal(err)
		}
		change(file["meetings"].([]any)[0].(map[string]any))
		again, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		var tampered lab.Snapshot
		if err := json.Unmarshal(again, &tampered); err != nil {
			t.Fatal(err)
		}
		var refused *lab.RefusedError
		if err := k.Restore(t.Context(), &tampered); !errors.As(err, &refused) || !strings.HasPrefix(refused.Message, "meetings[0]: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

package lab_test

import (
	"errors"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/meeting"
)

// With the meetings of a tenant go their rooms, chat and reports, and nobody
// else's.
func TestRoomsAreDropped(t *testing.T) {
	t.Parallel()
	k := openKit(t)
	rooms := k.Meetings.(join.Store)
	fresh, err := k.CreateTenant(t.Context(), lab.TenantRequest{})
	if err != nil {
		t.Fatal(err)
	}
	tenants := map[string]*identity.Tenant{"reset": contoso(t, k)}
	for name, domain := range map[string]string{"deleted": fresh.Domain, "left alone": "fabrikam.example"} {
		if tenants[name], err = (&identity.Directory{Store: k.Directory, Now: time.Now}).Tenant(t.Context(), domain); err != nil {
			t.Fatal(err)
		}
	}
	key := func(name string) join.Key {
		return join.Key{Tenant: tenants[name].ID, Thread: "19:meeting@thread.v2", Message: "0"}
	}
	for name := range tenants {
		_, err := rooms.UpdateRoom(t.Context(), key(name), func(r *join.Room) error {
			r.Ended = []meeting.Report{{ID: meeting.NewGUID(), Start: time.Now(), End: time.Now()}}
			return nil
		})
		if err == nil {
			_, err = rooms.AddMessage(t.Context(), key(name), join.Message{Time: time.Now(), Text: "hello"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(name string, there bool) {
		t.Helper()
		key, want := key(name), 0
		if there {
			want = 1
		}
		_, noRoom := rooms.Room(t.Context(), key.Room())
		messages, err1 := rooms.Messages(t.Context(), key, 0, 10)
		reports, err2 := rooms.Reports(t.Context(), key.Tenant, key.Thread, key.Message)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if errors.Is(noRoom, join.ErrNoRoom) == there || len(messages) != want || len(reports) != want {
			t.Errorf("the tenant that was %s: room %v, %d messages, %d reports; want %d each", name, noRoom, len(messages), len(reports), want)
		}
	}
	if _, err := k.Reset(t.Context(), tenants["reset"], false); err != nil {
		t.Fatal(err)
	}
	check("reset", false)
	check("deleted", true) // not yet
	if err := k.DeleteTenant(t.Context(), tenants["deleted"]); err != nil {
		t.Fatal(err)
	}
	check("deleted", false)
	check("left alone", true)
}

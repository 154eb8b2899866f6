package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// several stores meetings of two users of a tenant and of a user of another,
// which begin hour by hour, and some together.
func several(t *testing.T, s meeting.Store) (tenant string, users []string, all []meeting.Meeting) {
	t.Helper()
	a, b := newOwner(), newOwner()
	owners := []meeting.Owner{a, {Tenant: a.Tenant, User: b.User}, b}
	for i := range 24 {
		m := newMeeting(owners[i%3], fmt.Sprint(i))
		if i%4 == 0 {
			m.ExternalID = ""
		}
		m.Start = noon.Add(time.Duration(i/5) * time.Hour)
		m.End = m.Start.Add(time.Duration(1+i%2) * time.Hour)
		m.Expires = m.End.Add(time.Hour)
		all = append(all, mustCreate(t, s, m))
	}
	return a.Tenant, []string{a.User, b.User}, all
}

func list(t *testing.T, s meeting.Store, q meeting.Query, now time.Time) []meeting.Meeting {
	t.Helper()
	got, err := s.List(context.Background(), q, now)
	if err != nil {
		t.Fatalf("List(%+v): %v", q, err)
	}
	return got
}

func threads(all []meeting.Meeting) (names []string) {
	for i := range all {
		names = append(names, all[i].ThreadID)
	}
	slices.Sort(names)
	return names
}

func listed(t *testing.T, s meeting.Store) {
	tenant, users, all := several(t, s)
	for _, now := range []time.Time{noon, noon.Add(3 * time.Hour)} {
		for _, q := range []meeting.Query{
			{Tenant: tenant},
			{Tenant: tenant, User: users[0]},
			{Tenant: tenant, User: users[1], Descending: true},
			{Tenant: tenant, User: "nobody"},
			{Tenant: "nowhere"},
			{Tenant: tenant, StartFrom: new(noon.Add(time.Hour))},
			{Tenant: tenant, User: users[0], StartTo: new(noon.Add(2 * time.Hour))},
			{Tenant: tenant, StartFrom: new(noon.Add(time.Hour + meeting.Tick)), EndTo: new(noon.Add(5 * time.Hour))},
			{Tenant: tenant, StartTo: new(time.Time)}, // the first instant is a bound like others
			{Tenant: tenant, User: users[1], EndFrom: new(noon.Add(3 * time.Hour)), Descending: true},
		} {
			var want []meeting.Meeting
			for _, m := range all {
				in := func(at time.Time, from, to *time.Time) bool {
					return !(from != nil && at.Before(*from)) && !(to != nil && at.After(*to))
				}
				if m.Tenant == q.Tenant && (q.User == "" || m.User == q.User) && !m.Expired(now) && in(m.Start, q.StartFrom, q.StartTo) && in(m.End, q.EndFrom, q.EndTo) {
					want = append(want, m)
				}
			}
			got := list(t, s, q, now)
			if !slices.Equal(threads(got), threads(want)) {
				t.Errorf("List(%+v) at %v: %d meetings, want %d", q, now, len(got), len(want))
			}
			for i := range got {
				same(t, "a meeting of the list", got[i], all[slices.IndexFunc(all, func(m meeting.Meeting) bool { return m.ThreadID == got[i].ThreadID })])
				if i > 0 && got[i].User == got[i-1].User && got[i].Start.Before(got[i-1].Start) != q.Descending && !got[i].Start.Equal(got[i-1].Start) {
					t.Errorf("List(%+v): %v comes after %v", q, got[i].Start, got[i-1].Start)
				}
			}
			q.Limit = 3
			if n, err := s.Count(context.Background(), q, now); err != nil || n != len(want) {
				t.Errorf("Count(%+v): %d, error %v; want %d", q, n, err, len(want))
			}
			if got := list(t, s, q, now); len(got) != min(3, len(want)) {
				t.Errorf("List(%+v): %d meetings", q, len(got))
			}
		}
	}
}

func paged(t *testing.T, s meeting.Store) {
	tenant, users, _ := several(t, s)
	for _, q := range []meeting.Query{
		{Tenant: tenant}, {Tenant: tenant, Descending: true}, {Tenant: tenant, User: users[0]}, {Tenant: tenant, User: users[1], Descending: true},
	} {
		whole := list(t, s, q, noon)
		for _, q.Limit = range []int{1, 2, 5} {
			var pages []meeting.Meeting
			for q.After = nil; len(pages) <= len(whole); {
				page := list(t, s, q, noon)
				if len(page) == 0 {
					break
				}
				pages = append(pages, page...)
				q.After = meeting.PositionOf(&page[len(page)-1])
			}
			if len(pages) != len(whole) {
				t.Fatalf("pages of %d: %d meetings, want %d", q.Limit, len(pages), len(whole))
			}
			for i := range pages {
				same(t, "a meeting of a page", pages[i], whole[i])
			}
		}
	}
}

func replaced(t *testing.T, s meeting.Store) {
	ctx := context.Background()
	tenant, _, all := several(t, s)
	before := list(t, s, meeting.Query{Tenant: tenant}, noon)
	for _, m := range before {
		everywhere(t, s, m, noon) // also into a cache
	}
	// One is changed, one deleted, one made: then it is as it was.
	change := func(m *meeting.Meeting) error { m.Passcode = "changed"; return nil }
	if _, err := s.Update(ctx, tenant, before[0].ThreadID, before[0].MessageID, noon, change); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, tenant, before[1].ThreadID, before[1].MessageID, noon); err != nil {
		t.Fatal(err)
	}
	added := mustCreate(t, s, newMeeting(before[0].Owner, "added"))
	if err := s.Replace(ctx, tenant, before); err != nil {
		t.Fatal(err)
	}
	nowhere(t, s, added, noon)
	for _, m := range all {
		everywhere(t, s, m, noon)
	}
	s = crash(t, s)
	for _, m := range all {
		everywhere(t, s, m, noon)
	}
	if err := s.Replace(ctx, tenant, nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Tenant == tenant {
			nowhere(t, s, m, noon)
		} else {
			everywhere(t, s, m, noon)
		}
	}
	mustCreate(t, s, newMeeting(before[0].Owner, "1")) // the key is free
}

func replacedOrStay(t *testing.T, s meeting.Store) {
	tenant, _, all := several(t, s)
	other := all[2] // of another tenant
	stranger := newMeeting(meeting.Owner{Tenant: tenant, User: meeting.NewGUID()}, "stranger")
	drawn().give(&stranger)
	taken := stranger
	drawn().give(&taken)
	taken.ExternalID, taken.JoinMeetingID = "taken", other.JoinMeetingID
	twice := stranger
	drawn().give(&twice)
	for name, instead := range map[string][]meeting.Meeting{"a number of another tenant": {stranger, taken}, "an external ID twice": {stranger, twice}} {
		if err := s.Replace(context.Background(), tenant, instead); !errors.Is(err, meeting.ErrTaken) {
			t.Errorf("%s: error %v, want ErrTaken", name, err)
		}
		nowhere(t, s, stranger, noon)
		for _, m := range all {
			everywhere(t, s, m, noon)
		}
	}
}

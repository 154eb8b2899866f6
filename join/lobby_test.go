package join

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/convene-meet/convene/meeting"
)

var noon = time.Date(2031, 2, 6, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func account1(name string) *Visitor {
	p := kinds[name]
	return &Visitor{Key: "user:" + p.Tenant + "/" + p.User, Tenant: p.Tenant, User: p.User, UPN: p.UPN, Name: name}
}

func guest(name string) *Visitor { return &Visitor{Key: "guest:" + name} }

// asks has somebody knock who must be heard.
func asks(t *testing.T, r *Room, m *meeting.Meeting, v *Visitor, name string, now time.Time) (string, *Tab) {
	t.Helper()
	tab, id, err := r.knock(m, v, "", name, now)
	if err != nil {
		t.Fatal(err)
	}
	return id, tab
}

func TestTurnedAway(t *testing.T) {
	t.Parallel()
	m := reviewed(func(o *meeting.Options) { o.LobbyBypassScope = meeting.LobbyEveryone })
	r := &Room{}
	vera := guest("vera")
	id, tab := asks(t, r, m, vera, "Vera", at(0))
	second, _ := asks(t, r, m, vera, "Vera", at(0))
	if tab.State != Admitted {
		t.Fatalf("%s", tab.State)
	}
	r.come(m, id, at(1))
	gone, err := r.turnAway(id, Removed, at(2))
	if slices.Sort(gone); err != nil || len(gone) != 2 || r.Tabs[second].State != Removed {
		t.Fatalf("gone %v, error %v, the other tab is %s; want both out", gone, err, r.Tabs[second].State)
	}
	if _, _, err := r.knock(m, vera, id, "Vera", at(61)); !errors.As(err, new(*barredError)) {
		t.Errorf("knocking again after 59s: %v", err)
	}
	again, tab := asks(t, r, m, vera, "Vera", at(62))
	if tab.State != Waiting {
		t.Errorf("after a minute the tab is %s, want waiting, whatever the scope", tab.State)
	}
	if err := r.admit(again); err != nil {
		t.Fatal(err)
	}
	if _, tab := asks(t, r, m, vera, "Vera", at(63)); tab.State != Admitted {
		t.Errorf("after being admitted again another tab is %s", tab.State)
	}
}

func TestDeclined(t *testing.T) {
	t.Parallel()
	m := reviewed(nil)
	r := &Room{}
	id, tab := asks(t, r, m, guest("vera"), "Vera", at(0))
	if tab.State != Waiting {
		t.Fatalf("%s", tab.State)
	}
	if gone, err := r.turnAway(id, Declined, at(1)); err != nil || len(gone) != 0 {
		t.Fatalf("gone %v, error %v", gone, err)
	}
	if err := r.admit(id); !errors.Is(err, errNotThere) {
		t.Errorf("who was declined is admitted: %v", err)
	}
	if _, err := r.turnAway("nobody", Declined, at(1)); !errors.Is(err, errNotThere) {
		t.Errorf("nobody is declined: %v", err)
	}
	// Another browser is another guest.
	if _, tab := asks(t, r, m, guest("other"), "Vera", at(2)); tab.State != Waiting {
		t.Errorf("%s", tab.State)
	}
}

// A reload is the same tab, in the room as in the lobby; somebody else's tab is
// nobody's.
func TestReload(t *testing.T) {
	t.Parallel()
	m := reviewed(nil)
	r := &Room{}
	id, _ := asks(t, r, m, guest("vera"), "Vera", at(0))
	if _, again, err := r.knock(m, guest("vera"), id, "Vera", at(1)); err != nil || again != id {
		t.Errorf("%s, error %v; want %s", again, err, id)
	}
	if _, other, err := r.knock(m, guest("mallory"), id, "Mallory", at(1)); err != nil || other == id {
		t.Errorf("another one has the tab: error %v", err)
	}
	if _, theirs, _ := r.knock(m, guest("mallory"), "chosen-by-myself", "Mallory", at(1)); theirs == "chosen-by-myself" {
		t.Error("a tab has an id that its browser chose")
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	m := reviewed(func(o *meeting.Options) { o.LobbyBypassScope = meeting.LobbyEveryone })
	r := &Room{}
	var ids []string
	for i, name := range []string{"Ann", "Ann", "Ann (2)", "Ann"} {
		id, _ := asks(t, r, m, guest(fmt.Sprint(i)), name, at(i))
		r.come(m, id, at(i))
		ids = append(ids, id)
	}
	labels := func() (all []string) {
		for _, id := range ids {
			if tab := r.Tabs[id]; tab != nil {
				all = append(all, label(r.People[tab.Person].Name, tab.Number))
			}
		}
		return all
	}
	if got, want := labels(), []string{"Ann", "Ann (2)", "Ann (2) (2)", "Ann (3)"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	r.leave(ids[0], at(9)) // nobody else is called otherwise by that
	if got, want := labels(), []string{"Ann (2)", "Ann (2) (2)", "Ann (3)"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	m := reviewed(func(o *meeting.Options) { o.LobbyBypassScope = meeting.LobbyOrganization })
	r := &Room{}
	ann, _ := asks(t, r, m, account1("organizer"), "Ann", at(0))
	never, _ := asks(t, r, m, guest("never"), "Never", at(1))
	r.come(m, ann, at(10))
	r.come(m, never, at(10)) // who waits does not come in
	vera, _ := asks(t, r, m, guest("vera"), "Vera", at(20))
	if err := r.admit(vera); err != nil {
		t.Fatal(err)
	}
	r.come(m, vera, at(30))
	r.leave(vera, at(40))
	again, tab := asks(t, r, m, guest("vera"), "Vera", at(50))
	if tab.State != Admitted {
		t.Fatalf("who was admitted is %s when coming back", tab.State)
	}
	r.come(m, again, at(60))
	doubled, _ := asks(t, r, m, guest("vera"), "Vera", at(61))
	r.come(m, doubled, at(65))
	r.leave(again, at(70))
	r.leave(doubled, at(80))
	r.leave(ann, at(100))
	if r.sweep(at(105)) && r.Session == nil {
		t.Fatal("the session is over at once")
	}
	r.sweep(at(111))
	if r.Session != nil || len(r.Ended) != 1 {
		t.Fatalf("session %+v, %d reports", r.Session, len(r.Ended))
	}
	report := r.Ended[0]
	if !report.Start.Equal(at(10)) || !report.End.Equal(at(100)) || len(report.Records) != 2 {
		t.Fatalf("%+v", report)
	}
	one, two := report.Records[0], report.Records[1]
	if one.Role != "Organizer" || one.DisplayName != "Ann" || one.User != "o" || one.Total() != 90*time.Second {
		t.Errorf("%+v", one)
	}
	want := []meeting.Interval{{Join: at(30), Leave: at(40)}, {Join: at(60), Leave: at(80)}}
	if two.DisplayName != "Vera" || two.User != "" || !slices.Equal(two.Intervals, want) {
		t.Errorf("%+v, want intervals %v", two, want)
	}
	if _, tab := asks(t, r, m, guest("vera"), "Vera", at(200)); tab.State != Waiting {
		t.Errorf("in the next session who was admitted in the last one is %s", tab.State)
	}
}

// Tabs that no node has seen for long have left when they were last seen.
func TestLostTabs(t *testing.T) {
	t.Parallel()
	m := reviewed(nil)
	r := &Room{}
	ann, _ := asks(t, r, m, account1("organizer"), "Ann", at(0))
	r.come(m, ann, at(0))
	r.Tabs[ann].Seen = at(50)
	if r.sweep(at(69)) {
		t.Error("19s without a sign are not long")
	}
	r.sweep(at(70))
	r.sweep(at(90))
	if len(r.Ended) != 1 || !r.Ended[0].Records[0].Intervals[0].Leave.Equal(at(50)) {
		t.Errorf("%+v", r.Ended)
	}
}

func TestEndForAll(t *testing.T) {
	t.Parallel()
	m := reviewed(nil)
	r := &Room{}
	ann, _ := asks(t, r, m, account1("organizer"), "Ann", at(0))
	r.come(m, ann, at(0))
	asks(t, r, m, guest("vera"), "Vera", at(1))
	r.close(at(30))
	if len(r.Tabs) != 0 || r.Open() || len(r.Ended) != 1 || !r.Ended[0].End.Equal(at(30)) {
		t.Errorf("%+v", r)
	}
}

// Whatever people do, a report's intervals lie in the session, in order and apart,
// and nobody is there for longer than it lasted.
func TestReportsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := reviewed(func(o *meeting.Options) { o.LobbyBypassScope = meeting.LobbyEveryone })
		r := &Room{}
		now := 0
		var reports []meeting.Report
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) {},
			"knock": func(t *rapid.T) {
				v := guest(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "who"))
				if _, id, err := r.knock(m, v, "", v.Key, at(now)); err == nil && rapid.Bool().Draw(t, "comes") {
					r.come(m, id, at(now))
				}
			},
			"leave": func(t *rapid.T) {
				if ids := r.ids(func(t *Tab) time.Time { return t.Asked }); len(ids) > 0 {
					r.leave(rapid.SampledFrom(ids).Draw(t, "tab"), at(now))
				}
			},
			"remove": func(t *rapid.T) {
				if ids := r.present(); len(ids) > 0 {
					_, _ = r.turnAway(rapid.SampledFrom(ids).Draw(t, "tab"), Removed, at(now))
				}
			},
			"end":  func(*rapid.T) { r.close(at(now)) },
			"wait": func(t *rapid.T) { now += rapid.IntRange(1, 40).Draw(t, "seconds"); r.sweep(at(now)) },
		})
		r.close(at(now))
		reports = append(reports, r.Ended...)
		for _, report := range reports {
			if len(report.Records) == 0 {
				t.Fatal("a report of nobody")
			}
			for _, a := range report.Records {
				last := report.Start
				for _, i := range a.Intervals {
					if i.Join.Before(last) || i.Leave.Before(i.Join) || i.Leave.After(report.End) {
						t.Fatalf("interval %v after %v in %v–%v", i, last, report.Start, report.End)
					}
					last = i.Leave
				}
				if a.Total() > report.End.Sub(report.Start) {
					t.Fatalf("%v in a session of %v", a.Total(), report.End.Sub(report.Start))
				}
			}
		}
	})
}

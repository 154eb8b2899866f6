package join

import (
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/meeting"
)

const home, away_ = "home", "elsewhere"

// somebody of each kind that a lobby tells apart.
var kinds = map[string]meeting.Person{
	"organizer":              {Owner: meeting.Owner{Tenant: home, User: "o"}, UPN: "o@home"},
	"co-organizer":           {Owner: meeting.Owner{Tenant: home, User: "c"}, UPN: "c@home"},
	"presenter":              {Owner: meeting.Owner{Tenant: home, User: "p"}, UPN: "p@home"},
	"attendee":               {Owner: meeting.Owner{Tenant: home, User: "a"}, UPN: "a@home"},
	"colleague":              {Owner: meeting.Owner{Tenant: home, User: "x"}, UPN: "x@home"},
	"tenant guest":           {Owner: meeting.Owner{Tenant: home, User: "g"}, UPN: "g_other#EXT#@home"},
	"invited from elsewhere": {Owner: meeting.Owner{Tenant: away_, User: "i"}, UPN: "i@elsewhere"},
	"from elsewhere":         {Owner: meeting.Owner{Tenant: away_, User: "e"}, UPN: "e@elsewhere"},
	"personal account":       {Owner: meeting.Owner{Tenant: identity.PersonalTenant, User: "m"}, UPN: "m@outlook.example"},
	"anonymous":              {},
}

func text(s string) *string { return &s }

// reviewed is a meeting with attendees of every role.
func reviewed(change func(*meeting.Options)) *meeting.Meeting {
	named := func(upn string, role meeting.Role) meeting.Participant {
		return meeting.Participant{UPN: text(upn), Role: role}
	}
	m := &meeting.Meeting{
		Owner: meeting.Owner{Tenant: home, User: "o"}, ThreadID: "19:thread", MessageID: "0", Options: meeting.DefaultOptions(),
		Attendees: []meeting.Participant{
			named("c@home", meeting.RoleCoorganizer), named("p@home", meeting.RolePresenter), named("a@home", meeting.RoleAttendee), named("i@elsewhere", ""),
		},
	}
	if change != nil {
		change(&m.Options)
	}
	return m
}

// Every lobbyBypassScope with every kind of person: those who are named come in,
// everybody else waits.
func TestWhoWaits(t *testing.T) {
	t.Parallel()
	for scope, passes := range map[meeting.LobbyScope][]string{
		meeting.LobbyOrganizer:                   {"organizer", "co-organizer"},
		meeting.LobbyOrganization:                {"organizer", "co-organizer", "presenter", "attendee", "colleague", "tenant guest"},
		meeting.LobbyOrganizationExcludingGuests: {"organizer", "co-organizer", "presenter", "attendee", "colleague"},
		meeting.LobbyOrganizationAndFederated: {
			"organizer", "co-organizer", "presenter", "attendee", "colleague", "tenant guest", "invited from elsewhere", "from elsewhere",
		},
		meeting.LobbyInvited: {"organizer", "co-organizer", "presenter", "attendee", "invited from elsewhere"},
		meeting.LobbyEveryone: {
			"organizer", "co-organizer", "presenter", "attendee", "colleague", "tenant guest", "invited from elsewhere", "from elsewhere", "personal account", "anonymous",
		},
	} {
		m := reviewed(func(o *meeting.Options) { o.LobbyBypassScope = scope })
		want := map[string]bool{}
		for _, kind := range passes {
			want[kind] = true
		}
		for kind, p := range kinds {
			if got := bypasses(m, p); got != want[kind] {
				t.Errorf("%s, %s: comes in without waiting: %v, want %v", scope, kind, got, want[kind])
			}
		}
	}
	if bypasses(reviewed(func(o *meeting.Options) { o.LobbyBypassScope = "something new" }), kinds["colleague"]) {
		t.Error("an unknown scope lets people in")
	}
}

// An id of another tenant names nobody of ours, and ours nobody of theirs.
func TestSameIDInAnotherTenant(t *testing.T) {
	t.Parallel()
	m := reviewed(func(o *meeting.Options) { o.LobbyBypassScope = meeting.LobbyInvited })
	m.Attendees = []meeting.Participant{{Role: meeting.RoleCoorganizer, Identities: []meeting.Identity{{Kind: "user", ID: text("x")}}}}
	for tenant, want := range map[string]Role{home: Coorganizer, away_: Presenter} {
		p := meeting.Person{Owner: meeting.Owner{Tenant: tenant, User: "x"}}
		if got := baseRole(m, p); got != want {
			t.Errorf("%s: %s, want %s", tenant, got, want)
		}
	}
	if got := baseRole(m, meeting.Person{Owner: meeting.Owner{Tenant: away_, User: "o"}}); got != Presenter {
		t.Errorf("the organizer's id in another tenant is %s", got)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	for presenters, want := range map[meeting.Presenters]map[string]Role{
		meeting.PresentersEveryone:     {"attendee": Presenter, "colleague": Presenter, "presenter": Presenter, "from elsewhere": Presenter, "anonymous": Presenter},
		meeting.PresentersOrganization: {"attendee": Presenter, "colleague": Presenter, "presenter": Presenter, "from elsewhere": Attendee, "anonymous": Attendee},
		meeting.PresentersByRole:       {"attendee": Attendee, "colleague": Attendee, "presenter": Presenter, "invited from elsewhere": Attendee, "anonymous": Attendee},
		meeting.PresentersOrganizer:    {"attendee": Attendee, "colleague": Attendee, "presenter": Attendee, "from elsewhere": Attendee, "anonymous": Attendee},
	} {
		m := reviewed(func(o *meeting.Options) { o.AllowedPresenters = presenters })
		want["organizer"], want["co-organizer"] = Organizer, Coorganizer
		for kind, role := range want {
			if got := baseRole(m, kinds[kind]); got != role {
				t.Errorf("%s, %s: %s, want %s", presenters, kind, got, role)
			}
		}
	}
}

// A role that was given in the room ends when the meeting says something else of
// the person than it did then.
func TestGivenRoleLapses(t *testing.T) {
	t.Parallel()
	p := &Person{Given: Attendee, Base: Presenter}
	m := reviewed(nil)
	if got := p.role(m); got != Attendee {
		t.Errorf("%s, want what was given", got)
	}
	m.Options.AllowedPresenters = meeting.PresentersOrganizer
	if got := p.role(m); got != Attendee {
		t.Errorf("%s", got)
	}
	p.Given, p.Base = Presenter, Attendee
	if got := p.role(m); got != Presenter {
		t.Errorf("%s, want what was given", got)
	}
	m.Options.AllowedPresenters = meeting.PresentersEveryone
	m.Options.AllowedPresenters = meeting.PresentersOrganizer
	if got := p.role(m); got != Presenter {
		t.Errorf("%s, want what was given", got)
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		role        Role
		camera, mic bool
		want        media.Rights
	}{
		{Attendee, true, true, media.Rights{Camera: true, Microphone: true}},
		{Attendee, false, true, media.Rights{Microphone: true}},
		{Attendee, true, false, media.Rights{Camera: true}},
		{Attendee, false, false, media.Rights{}},
		{Presenter, false, false, media.Rights{Camera: true, Microphone: true, Screen: true}},
		{Organizer, false, false, media.Rights{Camera: true, Microphone: true, Screen: true}},
	} {
		m := reviewed(func(o *meeting.Options) {
			o.AllowAttendeeToEnableCamera, o.AllowAttendeeToEnableMic = tt.camera, tt.mic
		})
		if got := rightsOf(m, tt.role); got != tt.want {
			t.Errorf("%s, camera %v, microphone %v: %+v, want %+v", tt.role, tt.camera, tt.mic, got, tt.want)
		}
	}
}

func TestAdmitters(t *testing.T) {
	t.Parallel()
	for admitters, want := range map[meeting.LobbyAdmitters]Role{
		meeting.AdmittersOrganizers: Coorganizer, meeting.AdmittersOrganizersAndPresenters: Presenter,
	} {
		m := reviewed(func(o *meeting.Options) { o.AllowedLobbyAdmitters = admitters })
		for _, r := range []Role{Attendee, Presenter, Coorganizer, Organizer} {
			if got := admits(m, r); got != (r.rank() >= want.rank()) {
				t.Errorf("%s, %s: admits %v", admitters, r, got)
			}
		}
	}
}

func TestDisplayName(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Vera": "Vera", "  Vera \t Ω  ": "Vera Ω", "a\u202eb": "a b", "\u200b\u200d": "", "\u3164": "", "می\u200cخواهم": "می\u200cخواهم", "x\x00y": "x y", "<b>": "<b>",
		string(make([]rune, 300)): "", "ά": "ά",
	} {
		if got := displayName(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	long := ""
	for range 100 {
		long += "é"
	}
	if got := []rune(displayName(long)); len(got) != maxName {
		t.Errorf("%d characters, want %d", len(got), maxName)
	}
}

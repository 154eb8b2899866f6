package join

import (
	"slices"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/meeting"
)

// A Visitor is who opened a page: an account that has signed in, or a guest.
type Visitor struct {
	// Key is what the visitor is known by in rooms: "user:{tenant}/{id}", or
	// "guest:{hash of the cookie}".
	Key string
	// The rest is an account's.
	Tenant, User, UPN, Name, Email string
}

// Guest reports whether v has not signed in.
func (v *Visitor) Guest() bool { return v.User == "" }

func (v *Visitor) person() meeting.Person {
	return meeting.Person{Owner: meeting.Owner{Tenant: v.Tenant, User: v.User}, UPN: v.UPN}
}

func (p *Person) person() meeting.Person {
	return meeting.Person{Owner: meeting.Owner{Tenant: p.Tenant, User: p.User}, UPN: p.UPN}
}

// rank orders the roles, from the least to the most.
func (r Role) rank() int {
	return slices.Index([]Role{Attendee, Presenter, Coorganizer, Organizer}, r)
}

// baseRole is what somebody is according to the meeting: its organizer, what its
// attendees list says, or what allowedPresenters makes of everybody else
// (resource page of onlineMeeting).
func baseRole(m *meeting.Meeting, p meeting.Person) Role {
	named, invited := meeting.Role(""), false
	if p.User != "" {
		if p.Owner == m.Owner {
			return Organizer
		}
		named, invited = m.Named(p)
	}
	if invited && named == meeting.RoleCoorganizer {
		return Coorganizer
	}
	presents := false
	switch m.Options.AllowedPresenters {
	case meeting.PresentersEveryone:
		presents = true
	case meeting.PresentersOrganization:
		presents = p.User != "" && p.Tenant == m.Tenant
	case meeting.PresentersByRole:
		presents = invited && (named == meeting.RolePresenter || named == meeting.RoleProducer)
	case meeting.PresentersOrganizer:
	}
	if presents {
		return Presenter
	}
	return Attendee
}

// role is what a person is now. A role that was given in the room holds as long
// as the meeting says the same of the person as it did then.
func (p *Person) role(m *meeting.Meeting) Role {
	base := baseRole(m, p.person())
	if p.Given != "" && p.Base == base {
		return p.Given
	}
	return base
}

// bypasses reports whether somebody need not wait in the lobby: lobbyBypassScope
// (resource page of lobbyBypassSettings). Organizers never wait, since otherwise
// nobody could let anybody in.
func bypasses(m *meeting.Meeting, p meeting.Person) bool {
	if baseRole(m, p).rank() >= Coorganizer.rank() {
		return true
	}
	signedIn := p.User != ""
	switch m.Options.LobbyBypassScope {
	case meeting.LobbyEveryone:
		return true
	case meeting.LobbyOrganization:
		return signedIn && p.Tenant == m.Tenant
	case meeting.LobbyOrganizationExcludingGuests:
		return signedIn && p.Tenant == m.Tenant && !strings.Contains(strings.ToUpper(p.UPN), "#EXT#")
	case meeting.LobbyOrganizationAndFederated:
		return signedIn && p.Tenant != identity.PersonalTenant
	case meeting.LobbyInvited:
		_, invited := m.Named(p)
		return signedIn && invited
	case meeting.LobbyOrganizer:
	}
	return false
}

// admits reports whether people of a role let others in: allowedLobbyAdmitters.
func admits(m *meeting.Meeting, r Role) bool {
	if m.Options.AllowedLobbyAdmitters == meeting.AdmittersOrganizers {
		return r.rank() >= Coorganizer.rank()
	}
	return r.rank() >= Presenter.rank()
}

// manages reports whether people of a role mute and remove others and change
// what they are.
func manages(r Role) bool { return r.rank() >= Presenter.rank() }

// rightsOf are what people of a role may publish.
func rightsOf(m *meeting.Meeting, r Role) media.Rights {
	if r.rank() >= Presenter.rank() {
		return media.Rights{Camera: true, Microphone: true, Screen: true}
	}
	return media.Rights{Camera: m.Options.AllowAttendeeToEnableCamera, Microphone: m.Options.AllowAttendeeToEnableMic}
}

// A verdict says whether something is allowed, and where it is not, why: the key
// of a text of package web.
type verdict struct {
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason,omitzero"`
}

func allowed(ok bool, reason string) verdict {
	if ok {
		return verdict{Allowed: true}
	}
	return verdict{Reason: reason}
}

// verdicts are what somebody may do.
type verdicts struct {
	Camera     verdict `json:"camera"`
	Microphone verdict `json:"microphone"`
	Screen     verdict `json:"screen"`
	Chat       verdict `json:"chat"`
	React      verdict `json:"react"`
	Rename     verdict `json:"rename"`
	Copy       verdict `json:"copy"`
	Admit      verdict `json:"admit"`
	Manage     verdict `json:"manage"`
	End        verdict `json:"end"`
}

func verdictsOn(m *meeting.Meeting, p *Person) verdicts {
	role := p.role(m)
	rights, o := rightsOf(m, role), m.Options
	organizes := role.rank() >= Coorganizer.rank()
	return verdicts{
		Camera:     allowed(rights.Camera, "reason.camera"),
		Microphone: allowed(rights.Microphone, "reason.microphone"),
		Screen:     allowed(rights.Screen, "reason.screen"),
		Chat:       allowed(o.AllowMeetingChat != meeting.ChatDisabled, "reason.chat"),
		React:      allowed(o.AllowTeamworkReactions, "reason.react"),
		Rename:     allowed(o.AllowParticipantsToChangeName, "reason.rename"),
		Copy:       allowed(o.AllowCopyingAndSharingMeetingContent || organizes, "reason.copy"),
		Admit:      allowed(admits(m, role), "reason.admit"),
		Manage:     allowed(manages(role), "reason.manage"),
		End:        allowed(organizes, "reason.end"),
	}
}

// mayChange reports whether a person may mute or remove another, or give a role:
// nobody may do so to organizers, and only they to one another.
func mayChange(m *meeting.Meeting, by, other *Person) bool {
	return manages(by.role(m)) && other.role(m).rank() < Coorganizer.rank()
}

// Package meeting is the domain: what an online meeting is, whose it is, and
// which rules always hold. It knows nothing of HTTP, SQL, tokens or video, and
// imports the standard library only.
//
// Start at [Service]. The rules of a new meeting are in [Draft.Complete]; what
// an engine must keep is in [Store]; how ids and threads are written is in
// [Meeting.ID] and [ParseID], join links in [Meeting.AppendLink] and [ParseLink].
package meeting

import "time"

// An Owner is whose meeting it is: a user of a tenant. Both are directory
// object ids in lower case. Every key of a meeting carries the tenant.
type Owner struct {
	Tenant string
	User   string
}

// A Meeting is one online meeting as an engine keeps it. Links, ids and
// contexts are derived from it and never stored.
type Meeting struct {
	Owner

	// ExternalID is the caller's own key; empty for a meeting that was not made
	// by createOrGet. (tenant, user, ExternalID) is unique among meetings that
	// have one.
	ExternalID string

	// ThreadID and MessageID name the conversation; (tenant, thread, message)
	// is unique. MessageID is "0" but in a channel.
	ThreadID  string
	MessageID string

	Subject *string // nil when none was given
	Start   time.Time
	End     time.Time
	Created time.Time
	// Expires is when the meeting ceases to exist: from that instant on it
	// behaves as deleted, whether or not a row is still there.
	Expires time.Time

	Attendees []Participant

	// JoinMeetingID is 12 to 15 digits and unique in the whole store.
	JoinMeetingID string
	// Passcode is empty when none is required.
	Passcode string
	// VideoTeleconferenceID is 10 digits and unique in the whole store; empty
	// where the tenant has no cloud video interop.
	VideoTeleconferenceID string
	// ConferenceID is 9 digits and unique among the meetings with the same
	// TollNumber; both are empty where the tenant has no dial-in.
	ConferenceID string
	TollNumber   string

	Options Options

	// Revision counts the changes of this meeting, beginning with 1.
	Revision int64
}

// Expired reports whether m no longer exists at now.
func (m Meeting) Expired(now time.Time) bool { return !now.Before(m.Expires) }

// A Participant is somebody named in a meeting, as the caller sent it: nothing
// in it is checked against the directory.
type Participant struct {
	UPN        *string `json:",omitempty"`
	Role       Role    `json:",omitempty"` // empty when none was given
	Identities []Identity
}

// An Identity is one member of a participant's identity set: Kind is its name
// ("user", "application", "device", "guest", "phone", …).
type Identity struct {
	Kind             string
	ID               *string `json:",omitempty"`
	DisplayName      *string `json:",omitempty"`
	TenantID         *string `json:",omitempty"`
	IdentityProvider *string `json:",omitempty"`
	Email            *string `json:",omitempty"` // of a guest
	ApplicationType  *string `json:",omitempty"` // of an application
	Hidden           *bool   `json:",omitempty"` // of an application or an instance of one
	// ResourceID is that of a user of Azure Communication Services.
	ResourceID *string `json:",omitempty"`
}

// Texts are where the texts of the identity stand, for whoever copies or
// measures it.
func (id *Identity) Texts() [7]**string {
	return [...]**string{&id.ID, &id.DisplayName, &id.TenantID, &id.IdentityProvider, &id.Email, &id.ApplicationType, &id.ResourceID}
}

// A Role is what a participant may be: onlineMeetingRole of the metadata.
type Role string

// The roles, in the order of the metadata.
const (
	RoleAttendee    Role = "attendee"
	RolePresenter   Role = "presenter"
	RoleProducer    Role = "producer"
	RoleCoorganizer Role = "coorganizer"
)

// Roles lists every role.
func Roles() []Role {
	return []Role{RoleAttendee, RolePresenter, RoleProducer, RoleCoorganizer}
}

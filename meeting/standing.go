package meeting

import (
	"slices"
	"strings"
)

// roleOf is what somebody is in m: the organizer, an attendee with a role, or
// an outsider. Attendees are those who were named with the id or the principal
// name of a user of the meeting's tenant.
func (m *Meeting) roleOf(p Person) Standing {
	if p.Tenant != m.Tenant {
		return Outsider
	}
	if p.User == m.User {
		return Organizer
	}
	standing := Outsider
	for i := range m.Attendees {
		a := &m.Attendees[i]
		if !a.is(p) {
			continue
		}
		if a.Role == RoleCoorganizer {
			return Coorganizer
		}
		standing = Attendee
	}
	return standing
}

// Named is the highest role in which m names somebody among its attendees, of
// whatever tenant, and whether it does. An attendee whose role was not given is
// one without: which it is then depends on [Options.AllowedPresenters].
func (m *Meeting) Named(p Person) (role Role, ok bool) {
	for i := range m.Attendees {
		a := &m.Attendees[i]
		if !a.is(p) || p.Tenant != m.Tenant && !a.isOf(p.Tenant) && a.UPN == nil {
			continue
		}
		ok = true
		if slices.Index(Roles(), a.Role) > slices.Index(Roles(), role) {
			role = a.Role
		}
	}
	return role, ok
}

// isOf reports whether the participant was named as somebody of a tenant.
func (a *Participant) isOf(tenant string) bool {
	return slices.ContainsFunc(a.Identities, func(id Identity) bool {
		return id.Kind == "user" && id.TenantID != nil && strings.EqualFold(*id.TenantID, tenant)
	})
}

// is reports whether the participant names p. An id of another tenant does not.
func (a *Participant) is(p Person) bool {
	for i := range a.Identities {
		id := &a.Identities[i]
		if id.Kind == "user" && id.ID != nil && strings.EqualFold(*id.ID, p.User) && (id.TenantID == nil || strings.EqualFold(*id.TenantID, p.Tenant)) {
			return true
		}
	}
	return a.UPN != nil && p.UPN != "" && strings.EqualFold(*a.UPN, p.UPN)
}

// A Person is a user of the directory as meetings see them.
type Person struct {
	Owner
	UPN string
}

// A Standing is what a person is to a meeting.
type Standing int

// The standings, from the least to the most.
const (
	Outsider Standing = iota
	Attendee
	Coorganizer
	Organizer
)

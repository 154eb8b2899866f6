package world

import (
	"strings"

	"github.com/convene-meet/convene/identity"
)

// policy merges a policy, unless it was changed at run time: then it is left.
func (m *merge) policy(t *Tenant, p *Policy) error {
	id := strings.ToLower(p.Name)
	policy, isNew, err := begin[identity.Policy](m, identity.KindPolicy, t.ID, id)
	if err != nil || policy.Runtime {
		return err
	}
	var version identity.PolicyVersion
	if newest := policy.Newest(); !isNew && newest != nil {
		version = *newest
	}
	if p.given.takes("description", p.Description != "") {
		version.Description = p.Description
	}
	if p.given.takes("apps", p.Apps != nil) {
		version.AppIDs = nil
		for _, name := range p.Apps {
			appID := strings.ToLower(name)
			if a := t.findApp(name); a != nil {
				appID = a.ID
			}
			version.AppIDs = append(version.AppIDs, appID)
		}
	}
	return m.write(&identity.Policy{Tenant: t.ID, Name: p.Name, Versions: []identity.PolicyVersion{version}})
}

// grants grants the policies of a tenant, and takes away what was granted to
// others by a list that the file names.
func (m *merge) grants(t *Tenant) error {
	granted := map[string]bool{}
	whole := map[wholeKey]bool{}
	for i := range t.Policies {
		p := &t.Policies[i]
		to := &p.GrantedTo
		grant := func(kind identity.GrantTarget, target string, rank int) error {
			g := &identity.Grant{Tenant: t.ID, To: kind, Target: target, Versions: []identity.GrantVersion{{Policy: p.Name, Rank: rank}}}
			granted[g.ID()] = true
			old, err := stored[identity.Grant](m, identity.KindGrant, t.ID, g.ID())
			if err != nil || old != nil && old.Runtime {
				return err
			}
			return m.write(g)
		}
		if to.Tenant {
			if err := grant(identity.ToTenant, "", 0); err != nil {
				return err
			}
		}
		for _, u := range to.Users {
			if err := grant(identity.ToUser, t.findUser(u).ID, 0); err != nil {
				return err
			}
		}
		for _, g := range to.Groups {
			if err := grant(identity.ToGroup, t.findGroup(g.Name).ID, g.Rank); err != nil {
				return err
			}
		}
		none := to.given == nil && p.given.takes("grantedTo", false) // grantedTo: null
		whole[wholeKey{strings.ToLower(p.Name), identity.ToTenant}] = none || to.given.takes("tenant", to.Tenant)
		whole[wholeKey{strings.ToLower(p.Name), identity.ToUser}] = none || to.given.takes("users", to.Users != nil)
		whole[wholeKey{strings.ToLower(p.Name), identity.ToGroup}] = none || to.given.takes("groups", to.Groups != nil)
	}
	for key, r := range m.stored {
		if key.kind != identity.KindGrant || key.tenant != t.ID || granted[key.id] {
			continue
		}
		g, err := stored[identity.Grant](m, key.kind, key.tenant, key.id)
		if err != nil {
			return err
		}
		if v := g.Newest(); v != nil && !g.Runtime && whole[wholeKey{strings.ToLower(v.Policy), g.To}] {
			m.changes = append(m.changes, identity.Change{Record: r, Expect: r.Revision, Delete: true})
		}
	}
	return nil
}

// A wholeKey is a list of whom a policy is granted to.
type wholeKey struct {
	policy string
	to     identity.GrantTarget
}

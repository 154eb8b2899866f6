package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tenantPolicies is what policies of a tenant say to more than one user.
type tenantPolicies struct {
	generation int64
	policies   []*Policy
	groups     []*Grant
	tenant     *Grant
}

func (s *Service) tenantPolicies(ctx context.Context, dir *Directory, tenant string) (*tenantPolicies, error) {
	generation, err := s.Store.Generation(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	t := s.policies[tenant]
	s.mu.Unlock()
	if t != nil && t.generation == generation {
		return t, nil
	}
	t = &tenantPolicies{generation: generation}
	if t.policies, err = list[Policy](ctx, dir, KindPolicy, tenant); err != nil {
		return nil, err
	}
	grants, err := list[Grant](ctx, dir, KindGrant, tenant)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		switch g.To {
		case ToGroup:
			t.groups = append(t.groups, g)
		case ToTenant:
			t.tenant = g
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.policies) >= maxTenants {
		clear(s.policies)
	}
	s.policies[tenant] = t
	return t, nil
}

// checkPolicy finds the one policy that counts for user: the user's own, else
// that of the group with the best rank, else the tenant's. It is not merged
// with any other.
func (s *Service) checkPolicy(ctx context.Context, dir *Directory, caller *Caller, user *User, rules *span) error {
	now := s.time(caller.Tenant)
	t, err := s.tenantPolicies(ctx, dir, caller.Tenant)
	if err != nil {
		return err
	}
	own, err := s.Store.Record(ctx, KindGrant, caller.Tenant, string(ToUser)+":"+user.ID, s.Now())
	var grants []*Grant
	if err == nil {
		g, err := decode[Grant](own, nil)
		if err != nil {
			return err
		}
		grants = append(grants, g)
	} else if !errors.Is(err, ErrNoRecord) {
		return err
	}
	for _, g := range t.groups {
		group, err := dir.Group(ctx, caller.Tenant, g.Target)
		if errors.Is(err, ErrUnknown) {
			continue
		} else if err != nil {
			return err
		}
		if slices.Contains(group.Members, user.ID) {
			grants = append(grants, g)
		}
	}
	if t.tenant != nil {
		grants = append(grants, t.tenant)
	}
	for _, g := range grants {
		for _, v := range g.Versions {
			rules.bound(v.From, now)
		}
	}
	for _, p := range t.policies {
		for _, v := range p.Versions {
			rules.bound(v.From, now)
		}
	}
	g, v := ruling(grants, now)
	const missing = "No application access policy found for this app"
	pending := ""
	if !rules.until.IsZero() {
		pending = fmt.Sprintf(" A change of the policies is on its way: it is in effect from %s.", rules.until.UTC().Format(time.RFC3339))
	}
	if g == nil {
		return denied(MissingPolicy, "%s. Application %s may not act for user %s: no policy is granted to the user, to a group of the user or to the tenant. Grant one that lists the application: convene policy grant.%s", missing, caller.App, user.UPN, pending)
	}
	i := slices.IndexFunc(t.policies, func(p *Policy) bool { return strings.EqualFold(p.Name, v.Policy) })
	if i >= 0 {
		if p := t.policies[i].At(now); p != nil && slices.Contains(p.AppIDs, caller.App) {
			return nil
		}
	}
	return denied(MissingPolicy, "%s. Application %s may not act for user %s: the policy that counts for the user, %q (%s), does not list the application. Add it with convene policy set, or grant the user another policy.%s", missing, caller.App, user.UPN, v.Policy, g.describe(), pending)
}

func (g *Grant) describe() string {
	switch g.To {
	case ToUser:
		return "granted to the user"
	case ToGroup:
		return "granted to the group " + g.Target
	}
	return "granted to the tenant"
}

// ruling picks the grant that counts from those that concern a user.
func ruling(grants []*Grant, now time.Time) (*Grant, *GrantVersion) {
	var best *Grant
	var bestVersion *GrantVersion
	order := map[GrantTarget]int{ToUser: 0, ToGroup: 1, ToTenant: 2}
	for _, g := range grants {
		v := g.At(now)
		if v == nil {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(order[g.To], order[best.To]), cmp.Compare(v.Rank, bestVersion.Rank), cmp.Compare(g.Target, best.Target)) < 0 {
			best, bestVersion = g, v
		}
	}
	return best, bestVersion
}

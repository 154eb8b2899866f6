package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Policy is an application access policy: the applications that may act on
// online meetings for the users it is granted to. It keeps the versions that
// still matter, oldest first: a change takes effect after the propagation
// delay, and until then the version before it rules.
type Policy struct {
	Tenant   string
	Name     string
	Versions []PolicyVersion
	// Runtime marks a policy that was changed while the server ran: a world
	// file no longer changes it.
	Runtime bool `json:",omitempty"`
	// Unchanged says that a call found it as it was asked for.
	Unchanged bool `json:"-"`
}

// A PolicyVersion is a policy from some time on.
type PolicyVersion struct {
	From        time.Time `json:",omitzero"` // zero: always
	AppIDs      []string
	Description string `json:",omitempty"`
	Removed     bool   `json:",omitempty"`
}

// A Grant gives a policy to a user, to a group, or to a whole tenant.
type Grant struct {
	Tenant   string
	To       GrantTarget
	Target   string // object id of the user or group; empty for the tenant
	Versions []GrantVersion
	Runtime  bool `json:",omitempty"` // as in Policy

	Unchanged bool `json:"-"` // as in Policy
}

// A GrantVersion is a grant from some time on. An empty Policy is none.
type GrantVersion struct {
	From   time.Time `json:",omitzero"` // zero: always
	Policy string
	Rank   int `json:",omitempty"` // of a group: 1 goes before 2
}

// A GrantTarget is the sort of thing that a policy is granted to.
type GrantTarget string

// What a policy can be granted to.
const (
	ToUser   GrantTarget = "user"
	ToGroup  GrantTarget = "group"
	ToTenant GrantTarget = "tenant"
)

// ID is the key of g among the grants of its tenant.
func (g *Grant) ID() string {
	if g.To == ToTenant {
		return string(ToTenant)
	}
	return string(g.To) + ":" + strings.ToLower(g.Target)
}

// At returns the version of p that rules at t, or nil when there is none.
func (p *Policy) At(t time.Time) *PolicyVersion {
	for i := len(p.Versions) - 1; i >= 0; i-- {
		if v := &p.Versions[i]; !v.From.After(t) {
			if v.Removed {
				return nil
			}
			return v
		}
	}
	return nil
}

// Newest returns the version that was written last, or nil when the policy was
// removed.
func (p *Policy) Newest() *PolicyVersion {
	if n := len(p.Versions); n > 0 && !p.Versions[n-1].Removed {
		return &p.Versions[n-1]
	}
	return nil
}

// At returns the version of g that rules at t, or nil when there is none.
func (g *Grant) At(t time.Time) *GrantVersion {
	for i := len(g.Versions) - 1; i >= 0; i-- {
		if v := &g.Versions[i]; !v.From.After(t) {
			if v.Policy == "" {
				return nil
			}
			return v
		}
	}
	return nil
}

// Newest returns the version that was written last, or nil when the grant was
// taken away.
func (g *Grant) Newest() *GrantVersion {
	if n := len(g.Versions); n > 0 && g.Versions[n-1].Policy != "" {
		return &g.Versions[n-1]
	}
	return nil
}

// Policies administers application access policies, as the Teams cmdlets
// New-, Get-, Set-, Grant- and Remove-CsApplicationAccessPolicy do.
type Policies struct {
	Store Store
	Now   func() time.Time
	// TimeOf is what time it is for a tenant; nil: Now.
	TimeOf func(tenant string) time.Time
	// Delay is how long a change takes to be in effect. The real service says
	// up to 30 minutes.
	Delay time.Duration
	// DelayOf is the delay of a tenant; nil: Delay.
	DelayOf func(tenant string) time.Duration
}

// Time is what time it is for a tenant.
func (p *Policies) Time(tenant string) time.Time {
	if p.TimeOf == nil {
		return p.Now()
	}
	return p.TimeOf(tenant)
}

// DelayIn is how long a change takes to be in effect in a tenant.
func (p *Policies) DelayIn(tenant string) time.Duration {
	if p.DelayOf == nil {
		return p.Delay
	}
	return p.DelayOf(tenant)
}

// when says what time it is for a tenant, and from when on a change that is made
// now counts. Without a delay that is always, also when the tenant's clock is set
// back.
func (p *Policies) when(tenant string) (now, from time.Time) {
	now = p.Time(tenant)
	if delay := p.DelayIn(tenant); delay > 0 {
		from = now.Add(delay)
	}
	return now, from
}

// A PolicyError is a wrong request to [Policies]: a sentence for the caller.
type PolicyError struct {
	NotFound bool
	Message  string
}

func (e *PolicyError) Error() string { return e.Message }

func refuse(format string, args ...any) error {
	return &PolicyError{Message: fmt.Sprintf(format, args...)}
}

// PolicyName strips what the cmdlets put before a name ("Tag:").
func PolicyName(identity string) string {
	if len(identity) > 4 && strings.EqualFold(identity[:4], "tag:") {
		return identity[4:]
	}
	return identity
}

// List returns the policies of a tenant that have not been removed.
func (p *Policies) List(ctx context.Context, tenant string) ([]*Policy, error) {
	all, err := list[Policy](ctx, &Directory{p.Store, p.Now}, KindPolicy, tenant)
	return slices.DeleteFunc(all, func(p *Policy) bool { return p.Newest() == nil }), err
}

// Get returns one policy of a tenant. The name "Global" is the policy that is
// granted to the whole tenant.
func (p *Policies) Get(ctx context.Context, tenant, name string) (*Policy, error) {
	name = PolicyName(name)
	if strings.EqualFold(name, "global") {
		g, _, err := p.grant(ctx, &Grant{Tenant: tenant, To: ToTenant})
		if err != nil {
			return nil, err
		}
		v := g.Newest()
		if v == nil {
			return nil, &PolicyError{NotFound: true, Message: "No policy is granted to the whole tenant."}
		}
		name = v.Policy
	}
	policy, _, err := p.policy(ctx, tenant, name)
	if err != nil {
		return nil, err
	}
	if policy.Newest() == nil {
		return nil, &PolicyError{NotFound: true, Message: fmt.Sprintf("There is no application access policy named %q in this tenant.", name)}
	}
	return policy, nil
}

// Grants returns the grants of a tenant that have not been taken away.
func (p *Policies) Grants(ctx context.Context, tenant string) ([]*Grant, error) {
	all, err := list[Grant](ctx, &Directory{p.Store, p.Now}, KindGrant, tenant)
	return slices.DeleteFunc(all, func(g *Grant) bool { return g.Newest() == nil }), err
}

// New makes a policy.
func (p *Policies) New(ctx context.Context, actor, tenant, name string, appIDs []string, description string) (*Policy, error) {
	name = PolicyName(name)
	if err := validName(name); err != nil {
		return nil, err
	}
	return p.edit(ctx, actor, "policy.new", tenant, name, func(policy *Policy) (PolicyVersion, error) {
		if policy.Newest() != nil {
			return PolicyVersion{}, refuse("There already is an application access policy named %q. Use set to change it.", name)
		}
		policy.Name = name
		return PolicyVersion{AppIDs: appIDs, Description: description}, nil
	})
}

// Set changes a policy: change gets the newest version and alters it. Where it
// comes to the same nothing is written, and nothing audited.
func (p *Policies) Set(ctx context.Context, actor, tenant, name string, change func(*PolicyVersion) error) (*Policy, error) {
	name = PolicyName(name)
	return p.edit(ctx, actor, "policy.set", tenant, name, func(policy *Policy) (PolicyVersion, error) {
		newest := policy.Newest()
		if newest == nil {
			return PolicyVersion{}, &PolicyError{NotFound: true, Message: fmt.Sprintf("There is no application access policy named %q in this tenant.", name)}
		}
		v := PolicyVersion{AppIDs: slices.Clone(newest.AppIDs), Description: newest.Description}
		return v, change(&v)
	})
}

// Remove removes a policy that is granted to nobody.
func (p *Policies) Remove(ctx context.Context, actor, tenant, name string) error {
	name = PolicyName(name)
	grants, err := p.Grants(ctx, tenant)
	if err != nil {
		return err
	}
	var to []string
	for _, g := range grants {
		if strings.EqualFold(g.Newest().Policy, name) {
			to = append(to, g.ID())
		}
	}
	if len(to) > 0 {
		return refuse("Policy %q is still granted to %s. Take what is granted away first.", name, strings.Join(to, ", "))
	}
	_, err = p.edit(ctx, actor, "policy.remove", tenant, name, func(policy *Policy) (PolicyVersion, error) {
		if policy.Newest() == nil {
			return PolicyVersion{}, &PolicyError{NotFound: true, Message: fmt.Sprintf("There is no application access policy named %q in this tenant.", name)}
		}
		return PolicyVersion{Removed: true}, nil
	})
	return err
}

// Grant gives a policy to a user, a group or the tenant; a new grant replaces
// the one before. An empty policy name takes the grant away. A rank of 0 means
// the one that it has, or else the lowest one that is free. What is granted so
// already is not written again, and not audited.
func (p *Policies) Grant(ctx context.Context, actor, tenant string, to GrantTarget, target, name string, rank int) (*Grant, error) {
	name = PolicyName(name)
	if name != "" {
		policy, err := p.Get(ctx, tenant, name)
		if err != nil {
			return nil, err
		}
		name = policy.Name
	}
	if rank < 0 {
		return nil, refuse("rank must be 1 or more.")
	}
	free := 0
	if to == ToGroup && rank == 0 && name != "" {
		grants, err := p.Grants(ctx, tenant)
		if err != nil {
			return nil, err
		}
		free = 1
		for _, g := range grants {
			if g.To == ToGroup && !strings.EqualFold(g.Target, target) {
				free = max(free, g.Newest().Rank+1)
			}
		}
	}
	for range maxTries {
		g, revision, err := p.grant(ctx, &Grant{Tenant: tenant, To: to, Target: strings.ToLower(target)})
		if err != nil {
			return nil, err
		}
		newest := g.Newest()
		if newest == nil && name == "" || newest != nil && strings.EqualFold(newest.Policy, name) && (rank == 0 || rank == newest.Rank) {
			g.Unchanged = true
			return g, nil
		}
		rank := rank
		if rank == 0 {
			rank = free
		}
		now, from := p.when(tenant)
		v := GrantVersion{From: from, Policy: name, Rank: rank}
		g.Versions = append(keepFrom(g.Versions, now, func(v GrantVersion) time.Time { return v.From }), v)
		g.Runtime = true
		err = p.apply(ctx, actor, "policy.grant", tenant, g.ID(), g, v, revision)
		if !errors.Is(err, ErrConflict) {
			return g, err
		}
	}
	return nil, ErrConflict
}

const maxTries = 10

func (p *Policies) edit(ctx context.Context, actor, action, tenant, name string, change func(*Policy) (PolicyVersion, error)) (*Policy, error) {
	for range maxTries {
		policy, revision, err := p.policy(ctx, tenant, name)
		if err != nil {
			return nil, err
		}
		v, err := change(policy)
		if err != nil {
			return nil, err
		}
		now, from := p.when(tenant)
		v.From = from
		v.AppIDs = normal(v.AppIDs)
		if strings.ContainsRune(v.Description, 0) {
			return nil, refuse("The description has the character U+0000, which may stand in no text.")
		}
		if newest := policy.Newest(); newest != nil && !v.Removed && v.Description == newest.Description && slices.Equal(v.AppIDs, normal(newest.AppIDs)) {
			policy.Unchanged = true
			return policy, nil
		}
		policy.Versions = append(keepFrom(policy.Versions, now, func(v PolicyVersion) time.Time { return v.From }), v)
		policy.Runtime = true
		err = p.apply(ctx, actor, action, tenant, policy.Name, policy, v, revision)
		if !errors.Is(err, ErrConflict) {
			return policy, err
		}
	}
	return nil, ErrConflict
}

// normal is a list of ids in order, each once and in lower case.
func normal(ids []string) []string {
	ids = slices.Clone(ids)
	for i, id := range ids {
		ids[i] = strings.ToLower(id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

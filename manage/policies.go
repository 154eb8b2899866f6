package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
)

// actor is who changes things through management, in the audit log.
const actor = "management"

// tenant finds a tenant by id, domain or name. Without one it has to be the
// only one of an organisation.
func (h *Handler) tenant(ctx context.Context, name string) (*identity.Tenant, error) {
	if name != "" {
		if t, err := h.Directory.Tenant(ctx, name); !errors.Is(err, identity.ErrUnknown) {
			return t, err // by id or domain, without a look at all of them
		}
	}
	all, err := h.Directory.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *identity.Tenant) bool {
		if name == "" {
			return t.Personal()
		}
		return !strings.EqualFold(t.ID, name) && !strings.EqualFold(t.Domain, name) && !strings.EqualFold(t.Name, name)
	})
	switch {
	case len(all) == 1:
		return all[0], nil
	case name == "":
		var names []string
		for _, t := range all {
			names = append(names, t.Domain)
		}
		return nil, badRequest(fmt.Sprintf("Say which tenant: there are %s.", strings.Join(names, ", ")))
	case len(all) == 0:
		return nil, notFound(fmt.Sprintf("There is no tenant %q.", name))
	}
	return nil, badRequest(fmt.Sprintf("%q is the name of %d tenants. Use the domain or the id.", name, len(all)))
}

// app finds an application by id or name, in one tenant or in any.
func (h *Handler) app(ctx context.Context, tenant, name string) (*identity.App, error) {
	if name == "" {
		return nil, badRequest("Say which application, by id or by name.")
	}
	if a, err := h.Directory.App(ctx, name); err == nil && (tenant == "" || a.Tenant == tenant) {
		return a, nil // without a look at all of them
	} else if err != nil && !errors.Is(err, identity.ErrUnknown) {
		return nil, err
	}
	all, err := h.Directory.Apps(ctx)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(slices.Clone(all), func(a *identity.App) bool {
		return tenant != "" && a.Tenant != tenant || !strings.EqualFold(a.ID, name) && !strings.EqualFold(a.Name, name)
	})
	if len(found) > 1 && tenant == "" && h.Lab != nil {
		// Fresh tenants come and go, and take no name from those of the world.
		lasting := slices.DeleteFunc(slices.Clone(found), func(a *identity.App) bool {
			fresh, unknown := h.Lab.Fresh(ctx, a.Tenant)
			err = errors.Join(err, unknown)
			return fresh
		})
		if err != nil {
			return nil, err
		} else if len(lasting) == 1 {
			found = lasting
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var names []string
		for _, a := range all {
			if tenant == "" || a.Tenant == tenant {
				names = append(names, a.Name)
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		return nil, notFound(fmt.Sprintf("There is no application %q. There are %s.", name, strings.Join(names, ", ")))
	}
	return nil, badRequest(fmt.Sprintf("%q is the name of %d applications. Use the id.", name, len(found)))
}

// appFor finds the application of a token in the tenant that is meant: the one
// that is named, or that of the user's name.
func (h *Handler) appFor(ctx context.Context, q *TokenRequest) (*identity.App, error) {
	tenant := ""
	if q.Tenant != "" {
		t, err := h.tenant(ctx, q.Tenant)
		if err != nil {
			return nil, err
		}
		tenant = t.ID
	} else if _, domain, ok := strings.Cut(q.User, "@"); ok {
		t, err := h.Directory.Tenant(ctx, domain)
		if err == nil {
			if a, err := h.app(ctx, t.ID, q.App); err == nil {
				return a, nil
			}
		} else if !errors.Is(err, identity.ErrUnknown) {
			return nil, err
		}
	}
	return h.app(ctx, tenant, q.App)
}

// appIDs turns names into ids. An id that is nobody's is kept: a policy may
// list applications that are still to come.
func (h *Handler) appIDs(ctx context.Context, tenant string, names []string) ([]string, error) {
	ids := []string{}
	for _, name := range names {
		a, err := h.app(ctx, tenant, name)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusNotFound && identity.IsGUID(name) {
				ids = append(ids, strings.ToLower(name))
				continue
			}
			return nil, err
		}
		ids = append(ids, a.ID)
	}
	return ids, nil
}

func (h *Handler) listPolicies(r *http.Request) (any, error) {
	ctx, query := r.Context(), r.URL.Query()
	t, err := h.tenant(ctx, query.Get("tenant"))
	if err != nil {
		return nil, err
	}
	var policies []*identity.Policy
	if name := query.Get("identity"); name != "" {
		p, err := h.Policies.Get(ctx, t.ID, name)
		if err != nil {
			return nil, err
		}
		policies = append(policies, p)
	} else if policies, err = h.Policies.List(ctx, t.ID); err != nil {
		return nil, err
	}
	shown := make([]Policy, 0, len(policies))
	for _, p := range policies {
		s, err := h.show(ctx, p)
		if err != nil {
			return nil, err
		}
		shown = append(shown, s)
	}
	return map[string]any{"value": shown}, nil
}

// show adds to a policy whom it is granted to.
func (h *Handler) show(ctx context.Context, p *identity.Policy) (Policy, error) {
	v := p.Newest()
	s := Policy{Identity: p.Name, Tenant: p.Tenant, Description: v.Description, AppIDs: v.AppIDs, GrantedTo: []string{}, Unchanged: p.Unchanged}
	if v.From.After(h.Policies.Time(p.Tenant)) {
		s.EffectiveFrom = v.From
	}
	grants, err := h.Policies.Grants(ctx, p.Tenant)
	if err != nil {
		return Policy{}, err
	}
	for _, g := range grants {
		if newest := g.Newest(); strings.EqualFold(newest.Policy, p.Name) {
			to := g.ID()
			if g.To == identity.ToGroup {
				to = fmt.Sprintf("%s rank %d", to, newest.Rank)
			}
			if newest.From.After(h.Policies.Time(p.Tenant)) {
				to += " from " + newest.From.UTC().Format(time.RFC3339)
			}
			s.GrantedTo = append(s.GrantedTo, to)
		}
	}
	if s.AppIDs == nil {
		s.AppIDs = []string{}
	}
	return s, nil
}

func (h *Handler) newPolicy(r *http.Request) (any, error) {
	ctx := r.Context()
	q, err := decode[PolicyChange](r)
	if err != nil {
		return nil, err
	}
	t, err := h.tenant(ctx, q.Tenant)
	if err != nil {
		return nil, err
	}
	var names []string
	if q.Apps != nil {
		names = *q.Apps
	}
	if len(q.Add)+len(q.Remove) > 0 {
		return nil, badRequest("A new policy takes apps, the whole list; add and remove are for a policy that is there.")
	}
	ids, err := h.appIDs(ctx, t.ID, names)
	if err != nil {
		return nil, err
	}
	description := ""
	if q.Description != nil {
		description = *q.Description
	}
	p, err := h.Policies.New(ctx, actor, t.ID, q.Identity, ids, description)
	if err != nil {
		return nil, err
	}
	return h.show(ctx, p)
}

func (h *Handler) setPolicy(r *http.Request) (any, error) {
	ctx := r.Context()
	q, err := decode[PolicyChange](r)
	if err != nil {
		return nil, err
	}
	t, err := h.tenant(ctx, q.Tenant)
	if err != nil {
		return nil, err
	}
	if q.Apps != nil && len(q.Add)+len(q.Remove) > 0 {
		return nil, badRequest("Give apps, the whole list, or add and remove, not both.")
	}
	if q.Apps == nil && len(q.Add)+len(q.Remove) == 0 && q.Description == nil {
		return nil, badRequest("Nothing is to be changed. Give apps, add, remove or description.")
	}
	add, err := h.appIDs(ctx, t.ID, q.Add)
	if err != nil {
		return nil, err
	}
	remove, err := h.appIDs(ctx, t.ID, q.Remove)
	if err != nil {
		return nil, err
	}
	var whole []string
	if q.Apps != nil {
		if whole, err = h.appIDs(ctx, t.ID, *q.Apps); err != nil {
			return nil, err
		}
	}
	p, err := h.Policies.Set(ctx, actor, t.ID, q.Identity, func(v *identity.PolicyVersion) error {
		if q.Apps != nil {
			v.AppIDs = slices.Clone(whole)
		}
		v.AppIDs = append(v.AppIDs, add...)
		v.AppIDs = slices.DeleteFunc(v.AppIDs, func(id string) bool { return slices.Contains(remove, id) })
		if q.Description != nil {
			v.Description = *q.Description
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h.show(ctx, p)
}

func (h *Handler) removePolicy(r *http.Request) (any, error) {
	query := r.URL.Query()
	t, err := h.tenant(r.Context(), query.Get("tenant"))
	if err != nil {
		return nil, err
	}
	return struct{}{}, h.Policies.Remove(r.Context(), actor, t.ID, query.Get("identity"))
}

func (h *Handler) grant(r *http.Request) (any, error) {
	ctx := r.Context()
	q, err := decode[GrantChange](r)
	if err != nil {
		return nil, err
	}
	given := 0
	for _, is := range []bool{q.User != "", q.Group != "", q.Global} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, badRequest("Grant the policy to one of user, group and global.")
	}
	if q.Group == "" && q.Rank != 0 {
		return nil, badRequest("Only a grant to a group has a rank.")
	}
	if q.Tenant == "" {
		if _, domain, ok := strings.Cut(q.User, "@"); ok {
			q.Tenant = domain
		}
	}
	t, err := h.tenant(ctx, q.Tenant)
	if err != nil {
		return nil, err
	}
	to, target := identity.ToTenant, ""
	switch {
	case q.User != "":
		u, err := h.Directory.User(ctx, t.ID, q.User)
		if errors.Is(err, identity.ErrUnknown) {
			return nil, notFound(fmt.Sprintf("There is no user %q in tenant %s.", q.User, t.Domain))
		} else if err != nil {
			return nil, err
		}
		to, target = identity.ToUser, u.ID
	case q.Group != "":
		g, err := h.Directory.Group(ctx, t.ID, q.Group)
		if errors.Is(err, identity.ErrUnknown) {
			return nil, notFound(fmt.Sprintf("There is no group %q in tenant %s.", q.Group, t.Domain))
		} else if err != nil {
			return nil, err
		}
		to, target = identity.ToGroup, g.ID
	}
	g, err := h.Policies.Grant(ctx, actor, t.ID, to, target, q.Policy, q.Rank)
	if err != nil {
		return nil, err
	}
	answer := Grant{Tenant: t.ID, GrantedTo: g.ID(), Unchanged: g.Unchanged}
	if n := len(g.Versions); n > 0 {
		v := g.Versions[n-1]
		answer.Policy, answer.Rank, answer.EffectiveFrom = v.Policy, v.Rank, v.From
	}
	return answer, nil
}

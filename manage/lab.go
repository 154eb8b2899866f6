package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/lab"
)

func (h *Handler) listTenants(r *http.Request) (any, error) {
	all, err := h.Lab.Tenants(r.Context())
	return list[lab.TenantInfo]{all}, err
}

func (h *Handler) createTenant(r *http.Request) (any, error) {
	q, err := decode[lab.TenantRequest](r)
	if err != nil {
		return nil, err
	}
	return h.Lab.CreateTenant(r.Context(), q)
}

func (h *Handler) deleteTenant(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, h.Lab.DeleteTenant(r.Context(), t)
}

func (h *Handler) reset(r *http.Request) (any, error) {
	ctx := r.Context()
	q, err := decode[lab.ResetRequest](r)
	if err != nil {
		return nil, err
	}
	tenants, err := h.meant(ctx, q.Tenant, q.All)
	if err != nil {
		return nil, err
	}
	answer := lab.ResetAnswer{}
	for _, t := range tenants {
		n, err := h.Lab.Reset(ctx, t, q.Directory)
		if err != nil {
			return nil, err
		}
		answer.Tenants = append(answer.Tenants, t.Domain)
		answer.Meetings += n
	}
	return answer, nil
}

// meant is the one tenant that is named, or all of them where that is said.
func (h *Handler) meant(ctx context.Context, name string, all bool) ([]*identity.Tenant, error) {
	switch {
	case all && name != "":
		return nil, badRequest("Give tenant or all, not both.")
	case all:
		return h.Directory.Tenants(ctx)
	}
	t, err := h.tenant(ctx, name)
	return []*identity.Tenant{t}, err
}

func (h *Handler) seed(r *http.Request) (any, error) {
	body, err := readAll(r, maxBody)
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	var t *identity.Tenant
	if name := query.Get("tenant"); name != "" {
		if t, err = h.tenant(r.Context(), name); err != nil {
			return nil, err
		}
	}
	return h.Lab.Seed(r.Context(), t, cmp.Or(query.Get("name"), "seed"), body)
}

func (h *Handler) saveSnapshot(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	return h.Lab.Save(r.Context(), t)
}

func (h *Handler) restoreSnapshot(r *http.Request) (any, error) {
	body, err := readAll(r, lab.MaxSnapshot)
	if err != nil {
		return nil, err
	}
	var s lab.Snapshot
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, badRequest("The snapshot cannot be read: " + err.Error() + ".")
	}
	return lab.RestoreAnswer{Tenant: s.Domain, Meetings: len(s.Meetings)}, h.Lab.Restore(r.Context(), &s)
}

// tenantOf is the tenant that a request's query names.
func (h *Handler) tenantOf(r *http.Request) (*identity.Tenant, error) {
	return h.tenant(r.Context(), r.URL.Query().Get("tenant"))
}

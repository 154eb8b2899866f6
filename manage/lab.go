package manage

import (
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

// tenantOf is the tenant that a request's query names.
func (h *Handler) tenantOf(r *http.Request) (*identity.Tenant, error) {
	return h.tenant(r.Context(), r.URL.Query().Get("tenant"))
}

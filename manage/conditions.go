package manage

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/convene-meet/convene/lab"
)

func (h *Handler) clock(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	return h.Lab.Clocks.State(t.ID, t.Domain), nil
}

func (h *Handler) setClock(r *http.Request) (any, error) {
	q, err := decode[lab.ClockRequest](r)
	if err != nil {
		return nil, err
	}
	t, err := h.tenant(r.Context(), q.Tenant)
	if err != nil {
		return nil, err
	}
	if err := h.Lab.Clocks.Set(t.ID, q); err != nil {
		return nil, err
	}
	return h.Lab.Clocks.State(t.ID, t.Domain), nil
}

func (h *Handler) resetClock(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	h.Lab.Clocks.Reset(t.ID)
	return h.Lab.Clocks.State(t.ID, t.Domain), nil
}

func (h *Handler) listFaults(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	faults := h.Lab.Faults.List(t.ID)
	for i := range faults {
		faults[i].Tenant = t.Domain
	}
	return list[lab.FaultState]{faults}, nil
}

func (h *Handler) addFault(r *http.Request) (any, error) {
	ctx := r.Context()
	q, err := decode[lab.Fault](r)
	if err != nil {
		return nil, err
	}
	t, err := h.tenant(ctx, q.Tenant)
	if err != nil {
		return nil, err
	}
	q.Tenant = t.Domain
	if q.App != "" {
		ids, err := h.appIDs(ctx, t.ID, []string{q.App})
		if isNotFound(err) { // users sign in to applications of other tenants, too
			ids, err = h.appIDs(ctx, "", []string{q.App})
		}
		if err != nil {
			return nil, err
		}
		q.App = ids[0]
	}
	return h.Lab.Faults.Add(t.ID, q)
}

func (h *Handler) clearFaults(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	id := 0
	if s := r.URL.Query().Get("id"); s != "" {
		if id, err = strconv.Atoi(s); err != nil || id < 1 {
			return nil, badRequest("id must be the number of a fault.")
		}
	}
	return struct{}{}, h.Lab.Faults.Clear(t.ID, id)
}

func (h *Handler) throttle(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	limit := h.Lab.Faults.Throttle(t.ID)
	limit.Tenant = t.Domain
	return limit, nil
}

func (h *Handler) setThrottle(r *http.Request) (any, error) {
	q, err := decode[lab.Throttle](r)
	if err != nil {
		return nil, err
	}
	t, err := h.tenant(r.Context(), q.Tenant)
	if err != nil {
		return nil, err
	}
	q.Tenant = t.Domain
	return q, h.Lab.Faults.SetThrottle(t.ID, q)
}

func (h *Handler) endThrottle(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, h.Lab.Faults.SetThrottle(t.ID, lab.Throttle{})
}

func (h *Handler) policyDelay(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	return lab.PolicyDelay{Tenant: t.Domain, Delay: lab.Duration(h.Policies.DelayIn(t.ID))}, nil
}

func (h *Handler) setPolicyDelay(r *http.Request) (any, error) {
	q, err := decode[lab.PolicyDelay](r)
	if err != nil {
		return nil, err
	}
	t, err := h.tenant(r.Context(), q.Tenant)
	if err != nil {
		return nil, err
	}
	q.Tenant = t.Domain
	return q, h.Lab.Delays.Set(t.ID, time.Duration(q.Delay))
}

func (h *Handler) resetPolicyDelay(r *http.Request) (any, error) {
	t, err := h.tenantOf(r)
	if err != nil {
		return nil, err
	}
	h.Lab.Delays.Reset(t.ID)
	return lab.PolicyDelay{Tenant: t.Domain, Delay: lab.Duration(h.Policies.DelayIn(t.ID))}, nil
}

// maxWait is how long a request for requests waits at most: less than a request
// may take.
const maxWait = 30 * time.Second

func (h *Handler) requests(r *http.Request) (any, error) {
	query := r.URL.Query()
	var q lab.RequestQuery
	var err error
	if s := query.Get("after"); s != "" {
		if q.After, err = strconv.ParseInt(s, 10, 64); err != nil || q.After < 0 {
			return nil, badRequest("after must be the seq of a request.")
		}
	}
	if s := query.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 {
			return nil, badRequest("limit must be a number of 1 or more.")
		}
	}
	if s := query.Get("wait"); s != "" {
		if q.Wait, err = time.ParseDuration(s); err != nil || q.Wait < 0 || q.Wait > maxWait {
			return nil, badRequest(fmt.Sprintf("wait must be a duration from 0s to %s.", maxWait))
		}
	}
	name := query.Get("tenant")
	switch query.Get("all") {
	case "", "false":
		t, err := h.tenant(r.Context(), name)
		if err != nil {
			return nil, err
		}
		q.Tenant = t.ID
	case "true":
		if name != "" {
			return nil, badRequest("Give tenant or all, not both.")
		}
		q.All = true
	default:
		return nil, badRequest("all must be true or false.")
	}
	return h.Lab.Log.Read(r.Context(), q)
}

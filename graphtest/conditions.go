package graphtest

import (
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/lab"
)

// SetClock changes the clock of the tenant: its time, whether it stands still,
// and whether the life of access tokens follows it.
func (t *LiveTenant) SetClock(q lab.ClockRequest) {
	t.t.Helper()
	if err := t.s.kit(t.t).Clocks.Set(t.ID, q); err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
}

// Freeze stops the clock of the tenant at a time.
func (t *LiveTenant) Freeze(at time.Time) {
	t.t.Helper()
	t.SetClock(lab.ClockRequest{Time: &at, Frozen: new(true)})
}

// Advance moves the clock of the tenant, back where d is negative.
func (t *LiveTenant) Advance(d time.Duration) {
	t.t.Helper()
	t.SetClock(lab.ClockRequest{Advance: lab.Duration(d)})
}

// Now is what time it is for the tenant.
func (t *LiveTenant) Now() time.Time {
	t.t.Helper()
	return t.s.kit(t.t).Clocks.Now(t.ID)
}

// PolicyDelay has changes of the tenant's policies take so long to be in effect,
// by its clock.
func (t *LiveTenant) PolicyDelay(d time.Duration) {
	t.t.Helper()
	if err := t.s.kit(t.t).Delays.Set(t.ID, d); err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
}

// Fault has requests of the tenant fail, or take long, until clear is called.
func (t *LiveTenant) Fault(f lab.Fault) (clear func()) {
	t.t.Helper()
	faults := &t.s.kit(t.t).Faults
	if f.App != "" && !identity.IsGUID(f.App) {
		f.App = t.app(f.App)
	}
	made, err := faults.Add(t.ID, f)
	if err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
	return func() { _ = faults.Clear(t.ID, made.ID) } // gone already: as it should be
}

// app is the id of the tenant's application with this name.
func (t *LiveTenant) app(name string) string {
	t.t.Helper()
	apps, err := t.s.directory().Apps(t.t.Context())
	if err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
	for _, a := range apps {
		if strings.EqualFold(a.Tenant, t.ID) && strings.EqualFold(a.Name, name) {
			return a.ID
		}
	}
	t.t.Fatalf("graphtest: the tenant %s has no application %q", t.Domain, name)
	return ""
}

// Throttle lets each application send so many requests in the tenant in a time:
// more are answered with 429 and Retry-After. 0 requests in no time: no limit.
func (t *LiveTenant) Throttle(requests int, per time.Duration) {
	t.t.Helper()
	if err := t.s.kit(t.t).Faults.SetThrottle(t.ID, lab.Throttle{Requests: requests, Per: lab.Duration(per)}); err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
}

// Requests returns the requests to the API that came with tokens of the tenant,
// oldest first. Whoever has an answer finds its request here.
func (t *LiveTenant) Requests() []lab.Request {
	t.t.Helper()
	page, err := t.s.kit(t.t).Log.Read(t.t.Context(), lab.RequestQuery{Tenant: t.ID})
	if err != nil {
		t.t.Fatalf("graphtest: %v", err)
	}
	return page.Value
}

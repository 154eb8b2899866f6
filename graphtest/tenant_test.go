package graphtest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/server"
)

// Tests that share a server never meet, each with a tenant of its own.
func TestFreshTenantsAreApart(t *testing.T) {
	srv := graphtest.New(t)
	for _, name := range []string{"one", "two", "three", "four"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := srv.NewTenant(t)
			if status := createOrGet(t, srv, tenant.UserToken(tenant.Users[0].UPN)); status != http.StatusCreated {
				t.Errorf("status %d; want 201", status)
			}
		})
	}
}

// BenchmarkFreshTenant makes tenants over the management socket: p50-µs should be
// at most 5000.
func BenchmarkFreshTenant(b *testing.B) {
	dir := b.TempDir()
	graphtest.New(b, graphtest.With(func(c *server.Config) { c.Data = dir }))
	client := manage.Local(dir, server.SocketName)
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := client.CreateTenant(b.Context(), lab.TenantRequest{}); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
}

// A test seeds its tenant, and resets it; others are not touched.
func TestSeedAndReset(t *testing.T) {
	srv := graphtest.New(t)
	one, other := srv.NewTenant(t), srv.NewTenant(t)
	for _, tenant := range []*graphtest.LiveTenant{one, other} {
		tenant.Seed(`meetings: [{ externalId: x, organizer: ann }]`)
	}
	one.Reset(true)
	for _, tt := range []struct {
		tenant *graphtest.LiveTenant
		want   int
	}{{one, http.StatusCreated}, {other, http.StatusOK}} {
		if status := createOrGet(t, srv, tt.tenant.UserToken(tt.tenant.Users[0].UPN)); status != tt.want {
			t.Errorf("status %d; want %d", status, tt.want)
		}
	}
}

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

// A fresh tenant over the management socket: p50 of at most 5 ms.
func TestFreshTenantIsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	dir := t.TempDir()
	graphtest.New(t, graphtest.With(func(c *server.Config) { c.Data = dir }))
	client := manage.Local(dir, server.SocketName)
	const n = 100
	var times []time.Duration
	for range n {
		began := time.Now()
		if _, err := client.CreateTenant(t.Context(), lab.TenantRequest{}); err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	t.Logf("p50 %v, p90 %v", times[n/2], times[n*9/10])
	const most = 50 * time.Millisecond // ten times what it takes, for busy machines and the race detector
	if p50 := times[n/2]; p50 > most {
		t.Errorf("p50 %v; want at most %v", p50, most)
	}
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

package graphtest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/convene-meet/convene/graphtest"
)

// Many servers at once know nothing of each other: each makes the same meeting.
func TestServersAreApart(t *testing.T) {
	for i := range 8 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			srv := graphtest.New(t)
			if status := createOrGet(t, srv, srv.UserToken("ann@contoso.example", "portal")); status != http.StatusCreated {
				t.Errorf("status %d; want 201", status)
			}
		})
	}
}

// One server's token is worth nothing at another, although they share a key.
func TestTokensAreTheirServersOwn(t *testing.T) {
	one, other := graphtest.New(t), graphtest.New(t)
	if status := createOrGet(t, other, one.UserToken("ann@contoso.example", "portal")); status != http.StatusUnauthorized {
		t.Errorf("status %d; want 401", status)
	}
}

func createOrGet(t *testing.T, srv *graphtest.Server, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v1.0/me/onlineMeetings/createOrGet", strings.NewReader(`{"externalId":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// What a test pays for a server of its own.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		graphtest.New(b) // they end together
	}
}

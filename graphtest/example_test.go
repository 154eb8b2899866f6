package graphtest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/convene-meet/convene/graphtest"
)

// A test of another project: an application of its own world makes a meeting,
// and gets it again.
func Example() {
	testCreateOrGet := func(t *testing.T) {
		w := graphtest.NewWorld()
		acme := w.Tenant("acme.example")
		ann := acme.User("ann")
		acme.App("bot", "OnlineMeetings.ReadWrite.All").Policy("bots", []string{"bot"})

		srv := graphtest.New(t, graphtest.WithWorld(w))
		token := srv.AppToken("bot")
		for range 2 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
				srv.URL+"/v1.0/users/"+ann+"/onlineMeetings/createOrGet", strings.NewReader(`{"externalId":"order-4711"}`))
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
			fmt.Println(resp.StatusCode)
		}
	}
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "TestCreateOrGet", F: testCreateOrGet}})
	// Output:
	// 201
	// 200
}

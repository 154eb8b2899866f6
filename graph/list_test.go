package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/convene-meet/convene/graphtest"
)

// TestListFollowed: whoever follows the links sees every meeting once, in order,
// whatever the page size, and with the same options on every page.
func TestListFollowed(t *testing.T) {
	t.Parallel()
	w := graphtest.NewWorld()
	tenant := w.Tenant("acme.example").Extensions("listMeetings")
	ann := tenant.User("ann")
	tenant.PublicApp("portal", "OnlineMeetings.ReadWrite")
	srv := graphtest.New(t, graphtest.WithWorld(w))
	token := srv.UserToken(ann, "portal")
	const n = 23
	for i := range n {
		body := fmt.Sprintf(`{"externalId":"%02d","startDateTime":"2031-01-%02dT09:00:00.0000001Z"}`, i, 1+i/3)
		if w := ask(srv, http.MethodPost, "/v1.0/me/onlineMeetings/createOrGet", token, body); w.Code != http.StatusCreated {
			t.Fatal(w.Code, w.Body)
		}
	}
	for _, top := range []int{1, 7, n, 200} {
		for _, order := range []string{"asc", "desc"} {
			path := fmt.Sprintf("/v1.0/me/onlineMeetings?$select=externalId,startDateTime&$top=%d&$orderby=startDateTime%%20%s&$filter=startDateTime%%20ge%%202031-01-01T00:00:00Z", top, order)
			seen, last, pages := map[string]bool{}, "", 0
			for path != "" {
				var page struct {
					Next  string `json:"@odata.nextLink"`
					Value []struct{ ExternalID, StartDateTime, Subject *string }
				}
				w := ask(srv, http.MethodGet, path, token, "")
				if err := json.Unmarshal(w.Body.Bytes(), &page); w.Code != http.StatusOK || err != nil {
					t.Fatal(w.Code, err, w.Body)
				}
				pages++
				for _, m := range page.Value {
					if seen[*m.ExternalID] {
						t.Errorf("pages of %d, %s: %s is there twice", top, order, *m.ExternalID)
					}
					if at := *m.StartDateTime; last != "" && at != last && at < last != (order == "desc") {
						t.Errorf("pages of %d, %s: %s comes after %s", top, order, at, last)
					}
					seen[*m.ExternalID], last = true, *m.StartDateTime
				}
				path = strings.TrimPrefix(page.Next, srv.URL)
			}
			if want := (n + top - 1) / top; len(seen) != n || pages != want {
				t.Errorf("pages of %d, %s: %d meetings on %d pages, want %d on %d", top, order, len(seen), pages, n, want)
			}
		}
	}
}

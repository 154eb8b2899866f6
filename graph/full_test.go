package graph_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/convene-meet/convene/graphtest"
)

// With all metadata an answer says the same as with some, and says of each
// complex value what it is and where what is not in it can be read.
func TestFullMetadata(t *testing.T) {
	t.Parallel()
	srv := graphtest.New(t)
	read := func(version, level string) map[string]any {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/"+version+"/me/onlineMeetings/createOrGet",
			strings.NewReader(`{"externalId":"x","participants":{"attendees":[{"upn":"bob@contoso.example"}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+srv.UserToken("ann@contoso.example", "portal"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json;odata.metadata="+level)
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var m map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&m); err != nil || resp.StatusCode > 201 {
			t.Fatal(resp.Status, err)
		}
		return m
	}
	for _, version := range []string{"v1.0", "beta"} {
		full, none := read(version, "full"), read(version, "none")
		for _, name := range []string{"attendanceReports", "recordings", "transcripts"} {
			if link, _ := full[name+"@odata.navigationLink"].(string); !strings.HasPrefix(link, srv.URL+"/"+version+"/users('") || !strings.HasSuffix(link, "')/"+name) {
				t.Errorf("%s: the link of %s is %q", version, name, link)
			}
		}
		if !reflect.DeepEqual(plain(t, version, full), none) {
			t.Errorf("%s: without annotations it is %v; want %v", version, full, none)
		}
	}
}

// plain takes annotations out of v, and reports complex values that have none.
func plain(t *testing.T, at string, v any) any {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if kind, _ := v["@odata.type"].(string); !strings.HasPrefix(kind, "#microsoft.graph.") {
			t.Errorf("%s is of type %q", at, kind)
		}
		maps.DeleteFunc(v, func(name string, _ any) bool { return strings.Contains(name, "@odata.") })
		for name := range v {
			v[name] = plain(t, at+"."+name, v[name])
		}
	case []any:
		for i := range v {
			v[i] = plain(t, at+"[]", v[i])
		}
	}
	return v
}

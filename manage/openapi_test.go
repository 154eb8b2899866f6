package manage_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/world"
)

// call sends a request as over the Unix socket.
func call(t *testing.T, h *manage.Handler, route, kind, body string) *httptest.ResponseRecorder {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	r := httptest.NewRequestWithContext(manage.WithLocal(t.Context(), true), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type schemas map[string]map[string]any

// check compares a value with a schema, as far as the document uses JSON Schema.
func (s schemas) check(t *testing.T, at string, schema map[string]any, v any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = s[strings.TrimPrefix(ref, "#/components/schemas/")]
	}
	kind, _ := schema["type"].(string)
	ok := true
	switch kind {
	case "object":
		object, is := v.(map[string]any)
		if ok = is; !ok {
			break
		}
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, has := object[name.(string)]; !has {
				t.Errorf("%s has no %s", at, name)
			}
		}
		additional, open := schema["additionalProperties"].(map[string]any)
		for name, value := range object {
			property, has := properties[name].(map[string]any)
			if !has && open {
				property, has = additional, true
			}
			if !has {
				t.Errorf("%s has %s, which is not described", at, name)
				continue
			}
			s.check(t, at+"."+name, property, value)
		}
	case "array":
		list, is := v.([]any)
		ok = is
		for _, value := range list {
			s.check(t, at+"[]", schema["items"].(map[string]any), value)
		}
	case "string":
		_, ok = v.(string)
	case "boolean":
		_, ok = v.(bool)
	case "number":
		_, ok = v.(float64)
	case "integer":
		n, is := v.(float64)
		ok = is && n == float64(int64(n))
	}
	if !ok {
		t.Errorf("%s is %v, and no %s", at, v, kind)
	}
}

// The document describes each route, and what is answered is what it says.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	store := openWorld(t)
	h := newHandler(store)
	h.Lab = lab.New(store, store, store, world.BuiltIn(), time.Now)
	raw := call(t, h, "GET /v1/openapi.json", "", "").Body.String()
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name string }
			RequestBody struct {
				Content map[string]struct{ Schema map[string]any }
			}
			Responses map[string]struct {
				Content map[string]struct{ Schema map[string]any }
			}
		}
		Components struct{ Schemas schemas }
	}
	if err := json.Unmarshal([]byte(raw), &d); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(raw, -1) {
		if d.Components.Schemas[m[1]] == nil {
			t.Errorf("there is no schema %s", m[1])
		}
	}
	asked := map[string]bool{}
	for _, tt := range []struct{ route, body string }{
		{"GET /v1/server", ""},
		{"POST /v1/tenants", `{"domain":"one.example","users":["ann"]}`},
		{"GET /v1/tenants", ""},
		{"GET /v1/user?user=ann@contoso.example", ""},
		{"GET /v1/policies?tenant=contoso", ""},
		{"POST /v1/policies", `{"tenant":"contoso","identity":"New","appIds":["crm"],"description":"for tests"}`},
		{"PATCH /v1/policies", `{"tenant":"contoso","identity":"New","add":["booking"]}`},
		{"POST /v1/grants", `{"tenant":"contoso","policy":"New","user":"ann@contoso.example"}`},
		{"POST /v1/grants", `{"tenant":"contoso","policy":"","user":"ann@contoso.example"}`},
		{"DELETE /v1/policies?tenant=contoso&identity=New", ""},
		{"GET /v1/audit?tenant=contoso&limit=3", ""},
		{"PUT /v1/world?name=w", string(world.BuiltInFile())},
		{"POST /v1/seed?tenant=contoso", `{"meetings":[{"externalId":"a","organizer":"ann"}]}`},
		{"GET /v1/snapshot?tenant=contoso", ""},
		{"PUT /v1/snapshot", "what was saved"},
		{"POST /v1/reset", `{"all":true,"directory":true}`},
		{"PATCH /v1/clock", `{"tenant":"contoso","time":"2031-02-06T09:00:00Z","frozen":true,"tokens":true}`},
		{"GET /v1/clock?tenant=contoso", ""},
		{"DELETE /v1/clock?tenant=contoso", ""},
		{"POST /v1/faults", `{"tenant":"contoso","operation":"get","app":"crm","share":0.5,"next":2,"latency":"1s","status":503,"code":"A","message":"b","retryAfterSeconds":1,"done":true}`},
		{"GET /v1/faults?tenant=contoso", ""},
		{"DELETE /v1/faults?tenant=contoso&id=1", ""},
		{"PUT /v1/throttle", `{"tenant":"contoso","requests":3,"per":"10s"}`},
		{"GET /v1/throttle?tenant=contoso", ""},
		{"DELETE /v1/throttle?tenant=contoso", ""},
		{"PUT /v1/policy-delay", `{"tenant":"contoso","delay":"30m"}`},
		{"GET /v1/policy-delay?tenant=contoso", ""},
		{"DELETE /v1/policy-delay?tenant=contoso", ""},
		{"GET /v1/requests?all=true&wait=0s&limit=3&after=0", ""},
		{"DELETE /v1/tenants?tenant=one.example", ""},
		{"GET /v1/openapi.json", ""},
	} {
		method, target, _ := strings.Cut(tt.route, " ")
		path, query, _ := strings.Cut(target, "?")
		op, ok := d.Paths[path][strings.ToLower(method)]
		if !ok {
			t.Errorf("%s %s is not described", method, path)
			continue
		}
		asked[op.OperationID] = true
		for pair := range strings.SplitSeq(query, "&") {
			name, _, _ := strings.Cut(pair, "=")
			if name != "" && !slices.ContainsFunc(op.Parameters, func(p struct{ Name string }) bool { return p.Name == name }) {
				t.Errorf("%s: the parameter %s is not described", tt.route, name)
			}
		}
		if tt.body == "what was saved" {
			tt.body = call(t, h, "GET /v1/snapshot?tenant=contoso", "", "").Body.String()
		}
		kind := "application/json"
		for each := range maps.Keys(op.RequestBody.Content) {
			kind = each
		}
		w := call(t, h, tt.route, kind, tt.body)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", tt.route, w.Code, w.Body)
			continue
		}
		var answer, sent any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if path != "/v1/openapi.json" {
			d.Components.Schemas.check(t, tt.route, op.Responses["200"].Content["application/json"].Schema, answer)
		}
		if schema := op.RequestBody.Content["application/json"].Schema; schema != nil {
			if err := json.Unmarshal([]byte(tt.body), &sent); err != nil {
				t.Fatal(err)
			}
			d.Components.Schemas.check(t, tt.route+" (sent)", schema, sent)
		}
	}
	for path, item := range d.Paths {
		for method, op := range item {
			switch op.OperationID {
			case "postToken", "postDeviceApprove": // of the identity provider, which this handler has none of
			default:
				if !asked[op.OperationID] {
					t.Errorf("%s %s was not tried", method, path)
				}
			}
		}
	}
	h.Lab = nil
	if raw := call(t, h, "GET /v1/openapi.json", "", "").Body.String(); strings.Contains(raw, "faults") || !strings.Contains(raw, "policies") {
		t.Error("without the kit the document has it, or nothing else")
	}
}

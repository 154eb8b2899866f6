package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/sqlite"
	"github.com/convene-meet/convene/world"
)

func newHandler(store identity.Store) *manage.Handler {
	return &manage.Handler{
		Policies: &identity.Policies{Store: store, Now: time.Now}, Directory: &identity.Directory{Store: store, Now: time.Now},
		Store: store, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
}

func openWorld(t *testing.T) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := world.BuiltIn().Apply(t.Context(), store, time.Now()); err != nil {
		t.Fatal(err)
	}
	return store
}

// ask sends a request as over the Unix socket and returns status and message.
func ask(t *testing.T, h *manage.Handler, route, kind, body string) (status int, message string) {
	t.Helper()
	w := call(t, h, route, kind, body)
	var answer struct{ Error struct{ Message string } }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	return w.Code, answer.Error.Message
}

// down is a store behind which the database is gone.
type down struct{ identity.Store }

var errDown = fmt.Errorf("%w: connection refused", meeting.ErrUnavailable)

func (down) Record(context.Context, identity.Kind, string, string, time.Time) (identity.Record, error) {
	return identity.Record{}, errDown
}

func (down) Records(context.Context, identity.Kind, string, time.Time) ([]identity.Record, error) {
	return nil, errDown
}

func (down) Audit(context.Context, string, int64, int) ([]identity.AuditEntry, error) {
	return nil, errDown
}

func TestStoreIsDown(t *testing.T) {
	h := newHandler(down{})
	h.Issue = func(context.Context, manage.TokenRequest) (manage.Token, error) { return manage.Token{}, errDown }
	for _, tt := range []struct{ route, kind, body string }{
		{"POST /v1/token", "application/json", `{"app":"booking"}`},
		{"GET /v1/policies?tenant=contoso", "", ""},
		{"POST /v1/grants", "application/json", `{"user":"ann@contoso.example"}`},
		{"GET /v1/audit", "", ""},
		{"PUT /v1/world", "application/yaml", string(world.BuiltInFile())},
	} {
		status, message := ask(t, h, tt.route, tt.kind, tt.body)
		if status != http.StatusServiceUnavailable || !strings.Contains(message, "temporarily unavailable") || strings.Contains(message, "refused") {
			t.Errorf("%s: status %d, %q; want 503 without the cause", tt.route, status, message)
		}
	}
}

// A world is refused in the words that "world check" has, under the name that
// the client gave.
func TestPutWorld(t *testing.T) {
	store := openWorld(t)
	const contoso = "tenants:\n  - name: contoso\n    id: 5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10\n    domain: contoso.example\n"
	for _, tt := range []struct {
		name, query, body string
		status            int
		want              string
	}{
		{"no world", "?name=w.yaml", "x: 1\n", 400, `w.yaml:1: unknown field "x"`},
		{"no name", "", "x: 1\n", 400, `world:1: unknown field "x"`},
		{"deep", "?name=w.yaml", "tenants: " + strings.Repeat("[", 200_000), 400, "w.yaml:1: lists and maps are nested more than 32 deep"},
		{"a name that is taken", "?name=w.yaml", contoso + "    users: [{ upn: ann, id: c0ffee00-0001-4a00-8000-0000000000ff }]\n", 409, `w.yaml:5: tenants[0].users[0].upn: "ann@contoso.example" belongs to user c0ffee00-0001-4a00-8000-000000000002`},
		{"good", "", contoso, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if status, message := ask(t, newHandler(store), "PUT /v1/world"+tt.query, "application/yaml", tt.body); status != tt.status || message != tt.want {
				t.Errorf("status %d, %q; want %d, %q", status, message, tt.status, tt.want)
			}
		})
	}
	status, message := ask(t, newHandler(conflicting{store}), "PUT /v1/world", "application/yaml", contoso+"    videoInterop: false\n")
	if status != 409 || !strings.HasPrefix(message, "Others change the same thing at the same time") {
		t.Errorf("status %d, %q", status, message)
	}
}

// conflicting is a store in which somebody else is always faster.
type conflicting struct{ identity.Store }

func (conflicting) Apply(context.Context, time.Time, []identity.Change, ...identity.AuditEntry) error {
	return errors.Join(identity.ErrConflict)
}

// U+0000 is in no text (decision 5).
func TestZeroCharacter(t *testing.T) {
	h := newHandler(openWorld(t))
	for body, want := range map[string]string{
		`{"tenant":"contoso","identity":"a\u0000"}`:                               "The policy's name has the character U+0000",
		`{"tenant":"contoso","identity":"a","description":"\u0000"}`:              "The description has the character U+0000",
		`{"tenant":"contoso","identity":"a","appIds":["booking\u0000"]}`:          "There is no application",
		`{"tenant":"contoso\u0000","identity":"a","description":"a","appIds":[]}`: "There is no tenant",
	} {
		if status, message := ask(t, h, "POST /v1/policies", "application/json", body); status < 400 || status > 499 || !strings.Contains(message, want) {
			t.Errorf("%s: status %d, %q; want %q", body, status, message, want)
		}
	}
}

// What is wrong with a body is said in words of JSON, not of Go.
func TestBodies(t *testing.T) {
	h := newHandler(openWorld(t))
	store := openWorld(t)
	h.Lab = lab.New(store, store, store, world.BuiltIn(), time.Now)
	for _, tt := range []struct{ route, body, want string }{
		{"POST /v1/token", `{"user":1}`, "user must be a text, not a number."},
		{"POST /v1/token", `{"scopes":"a"}`, "scopes must be a list, not a string."},
		{"POST /v1/token", `{"app":"a","app":"b"}`, `The body has the member "app" twice.`},
		{"POST /v1/token", `{"app":"a"} x`, "Something follows the JSON value of the body."},
		{"POST /v1/token", `{"app":"a"} {}`, "Something follows the JSON value of the body."},
		{"POST /v1/token", ``, "The body is empty. Send a JSON object."},
		{"POST /v1/token", `{"ap":"a"}`, `The body cannot be read: unknown field "ap".`},
		{"POST /v1/token", `[]`, "The body must be an object, not a array."},
		{"PATCH /v1/clock", `{"time":"soon"}`, "A time has to be written as 2031-02-06T09:00:00Z."},
		{"PATCH /v1/clock", `{"advance":"soon"}`, `"soon" is no duration. Write one such as 61d, 36h, 90m or 250ms.`},
		{"PATCH /v1/clock", `{"advance":3}`, "advance must be a duration such as 90m, not a number."},
		{"PATCH /v1/clock", `{"frozen":"yes"}`, "frozen must be true or false, not a string."},
		{"POST /v1/faults", `{"share":"a"}`, "share must be a number, not a string."},
		{"POST /v1/faults", `{"next":1.5}`, "next must be a whole number, not a number 1.5."},
	} {
		if status, message := ask(t, h, tt.route, "application/json", tt.body); status != http.StatusBadRequest || message != tt.want {
			t.Errorf("%s %s: status %d, %q; want %q", tt.route, tt.body, status, message, tt.want)
		}
	}
}

// The tester's kit is there only where the server has it.
func TestWithoutLab(t *testing.T) {
	h := newHandler(openWorld(t))
	if status, message := ask(t, h, "POST /v1/tenants", "application/json", `{}`); status != http.StatusNotFound || !strings.Contains(message, "switched off") {
		t.Errorf("status %d, %q", status, message)
	}
}

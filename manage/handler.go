package manage

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/world"
)

// maxBody bounds a request; a world file is the largest.
const maxBody = world.MaxSize

// ServeHTTP answers one request with JSON.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, err := h.serve(r)
	status := http.StatusOK
	if err != nil {
		e := explain(err)
		status = e.Status
		if status >= 500 {
			h.Log.ErrorContext(r.Context(), "management request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		result = map[string]any{"error": map[string]string{"code": e.Code, "message": e.Message}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // the client is gone, and nobody is left to tell
}

func (h *Handler) serve(r *http.Request) (any, error) {
	if err := h.admit(r); err != nil {
		return nil, err
	}
	var methods []string
	for i := range routes {
		route := &routes[i]
		switch {
		case route.path != r.URL.Path:
		case route.method != r.Method:
			methods = append(methods, route.method)
		case route.kit && h.Lab == nil:
			return nil, errNoKit
		default:
			return route.serve(h, r)
		}
	}
	if len(methods) > 0 {
		slices.Sort(methods)
		return nil, &Error{http.StatusMethodNotAllowed, "MethodNotAllowed", fmt.Sprintf("Use %s here.", strings.Join(methods, " or "))}
	}
	return nil, notFound("Management has nothing at this path.")
}

var errNoKit = &Error{http.StatusNotFound, "NotFound", "The tester's kit is switched off in this server. Start it without --no-lab to have it."}

// admit lets in whoever comes over the Unix socket or has the token.
func (h *Handler) admit(r *http.Request) error {
	if local, _ := r.Context().Value(localKey{}).(bool); local {
		return nil
	}
	if !slices.Contains(h.TCPHosts, r.Host) {
		return &Error{http.StatusMisdirectedRequest, "MisdirectedRequest", "The Host header does not name the management address."}
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || h.TCPToken == "" || subtle.ConstantTimeCompare([]byte(token), []byte(h.TCPToken)) != 1 {
		return &Error{http.StatusUnauthorized, "Unauthorized", "Management over TCP needs Authorization: Bearer with the server's management token."}
	}
	return nil
}

// decode reads a JSON body, in which nothing may be unknown.
func decode[T any](r *http.Request) (v T, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return v, &Error{http.StatusUnsupportedMediaType, "UnsupportedMediaType", "Send Content-Type: application/json."}
	}
	body, err := readAll(r, maxBody)
	if err != nil {
		return v, err
	}
	if name := twice(body); name != "" {
		return v, badRequest(fmt.Sprintf("The body has the member %q twice.", name))
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, badRequest(unreadable(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return v, badRequest("Something follows the JSON value of the body.")
	}
	return v, nil
}

// unreadable says what is wrong with a body in words of JSON.
func unreadable(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		wanted := map[reflect.Kind]string{
			reflect.String: "a text", reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Float64: "a number", reflect.Slice: "a list",
		}[e.Type.Kind()]
		if e.Type == typeTime {
			wanted = "a time such as 2031-02-06T09:00:00Z"
		} else if e.Type == typeDuration {
			wanted = "a duration such as 90m"
		}
		return fmt.Sprintf("%s must be %s, not a %s.", cmp.Or(e.Field, "The body"), cmp.Or(wanted, "an object"), e.Value)
	}
	if e, ok := errors.AsType[*lab.RefusedError](err); ok {
		return e.Message
	}
	if _, ok := errors.AsType[*time.ParseError](err); ok {
		return "A time has to be written as 2031-02-06T09:00:00Z."
	}
	if err == io.EOF {
		return "The body is empty. Send a JSON object."
	}
	return "The body cannot be read: " + strings.TrimPrefix(err.Error(), "json: ") + "."
}

// twice is a member that an object of the body has twice, or nothing.
func twice(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	type object struct {
		names map[string]bool // nil: an array
		value bool            // a value comes next, and no name
	}
	var open []object
	for {
		t, err := d.Token()
		if err != nil {
			return "" // what is no JSON is told of elsewhere
		}
		name, text := t.(string)
		if n := len(open); n > 0 && open[n-1].names != nil && t != json.Delim('}') {
			o := &open[n-1]
			if o.value = !o.value; o.value && text {
				if o.names[name] {
					return name
				}
				o.names[name] = true
				continue
			}
		}
		switch t {
		case json.Delim('{'):
			open = append(open, object{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, object{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
}

func readAll(r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, badRequest("The body ended before it was complete.")
	}
	if int64(len(body)) > most {
		return nil, &Error{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("The body has more than %d bytes.", most)}
	}
	return body, nil
}

func (h *Handler) server(*http.Request) (any, error) {
	return ServerInfo{URL: h.URL, CAFile: h.CAFile, Version: h.Version}, nil
}

var errForeign = &Error{http.StatusNotFound, "NotFound", "This server does not issue tokens: its identity provider is another one."}

func (h *Handler) token(r *http.Request) (any, error) {
	q, err := decode[TokenRequest](r)
	if err != nil {
		return nil, err
	}
	if h.Issue == nil {
		return nil, errForeign
	}
	app, err := h.appFor(r.Context(), &q)
	if err != nil {
		return nil, err
	}
	q.App = app.ID
	return h.Issue(r.Context(), q)
}

func (h *Handler) user(r *http.Request) (any, error) {
	ctx, query := r.Context(), r.URL.Query()
	name, tenant := query.Get("user"), query.Get("tenant")
	if _, domain, ok := strings.Cut(name, "@"); ok && tenant == "" {
		tenant = domain
	}
	t, err := h.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	u, err := h.Directory.User(ctx, t.ID, name)
	if errors.Is(err, identity.ErrUnknown) {
		return nil, notFound(fmt.Sprintf("There is no user %q in tenant %s.", name, t.Domain))
	} else if err != nil {
		return nil, err
	}
	return UserInfo{u.ID, u.UPN, u.Tenant}, nil
}

// An approval is a user's yes to a device code.
type approval struct {
	UserCode string `json:"userCode"`
	User     string `json:"user"`
}

func (h *Handler) approve(r *http.Request) (any, error) {
	q, err := decode[approval](r)
	if err != nil {
		return nil, err
	}
	if h.Approve == nil {
		return nil, errForeign
	}
	return struct{}{}, h.Approve(r.Context(), q.UserCode, q.User)
}

func (h *Handler) audit(r *http.Request) (any, error) {
	query := r.URL.Query()
	after, limit := int64(0), 1000
	var err error
	if s := query.Get("after"); s != "" {
		if after, err = strconv.ParseInt(s, 10, 64); err != nil {
			return nil, badRequest("after must be the seq of an entry.")
		}
	}
	if s := query.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > 1000 {
			return nil, badRequest("limit must be a number from 1 to 1000.")
		}
	}
	tenant := query.Get("tenant")
	if tenant != "" {
		t, err := h.tenant(r.Context(), tenant)
		if err != nil {
			return nil, err
		}
		tenant = t.ID
	}
	stored, err := h.Store.Audit(r.Context(), tenant, after, limit)
	if err != nil {
		return nil, err
	}
	entries := make([]AuditEntry, 0, len(stored))
	for _, e := range stored {
		entry := AuditEntry{Seq: e.Seq, At: e.At, Actor: e.Actor, Action: e.Action, Tenant: e.Tenant, Target: e.Target}
		if len(e.Detail) > 0 {
			entry.Detail = json.RawMessage(e.Detail)
		}
		entries = append(entries, entry)
	}
	return map[string]any{"value": entries}, nil
}

func (h *Handler) putWorld(r *http.Request) (any, error) {
	body, err := readAll(r, maxBody)
	if err != nil {
		return nil, err
	}
	name := r.URL.Query().Get("name") // what errors call the file
	if name == "" {
		name = "world"
	}
	w, err := world.Parse(name, body)
	if err != nil {
		return nil, badRequest(err.Error())
	}
	return struct{}{}, w.Update(r.Context(), h.Store, h.Now())
}

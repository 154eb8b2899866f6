package graph

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/convene-meet/convene/identity"
)

type siteKey struct{}

// WithSite returns a context that says under which origin a request came.
func WithSite(ctx context.Context, s *Site) context.Context {
	return context.WithValue(ctx, siteKey{}, s)
}

// A call is one request on its way through the handler.
type call struct {
	*http.Request
	site      *Site
	requestID string
	clientID  string // what client-request-id is answered with
	route     route
	caller    *identity.Caller
	header    http.Header // of the answer
	began     time.Time
	watch     Watcher
	seen      *Request // for watch; nil: nobody watches, or it was told
}

// A result is what an operation answers.
type result struct {
	status int
	body   []byte
	level  metadata
	// contentType is that of what is no JSON of OData; empty otherwise.
	contentType string
}

// An operation is what one method does at one action.
type operation struct {
	method string
	name   string // see [OperationNames]
	serve  func(h *Handler, c *call, b []byte) (result, error)
	// offered says whether a site has it in a version; nil: every site in both.
	offered func(*Site, Version) bool
}

// operations is the table of everything that this server offers.
var operations = map[action][]operation{
	actionRoot:     {{method: http.MethodGet, serve: (*Handler).serviceDocument}},
	actionMetadata: {{method: http.MethodGet, serve: (*Handler).document}},
	actionOpenAPI:  {{method: http.MethodGet, serve: (*Handler).document}},
	actionUser:     {{method: http.MethodGet, serve: (*Handler).getUser}},
	actionUsers:    {{method: http.MethodGet, serve: (*Handler).listUsers}},
	actionBatch:    {{method: http.MethodPost, serve: (*Handler).batch}},
	actionMeetings: {
		{method: http.MethodGet, serve: (*Handler).find},
		{method: http.MethodPost, serve: (*Handler).create},
	},
	actionMeeting: {
		{method: http.MethodGet, serve: (*Handler).get},
		{method: http.MethodPatch, serve: (*Handler).update},
		{method: http.MethodDelete, serve: (*Handler).remove},
	},
	actionAppointment:        {{method: http.MethodGet, serve: (*Handler).appointment}},
	actionReminderSMS:        {{method: http.MethodPost, serve: (*Handler).sms}},
	actionAppointmentSMS:     {{method: http.MethodPost, serve: (*Handler).sms}},
	actionReports:            {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionReport:             {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionRecords:            {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionRecord:             {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionTranscripts:        {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionTranscript:         {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionTranscriptContent:  {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionTranscriptMetadata: {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionTranscriptsDelta:   {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionAllTranscripts:     {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionRecordings:         {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionRecording:          {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionRecordingContent:   {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionRecordingsDelta:    {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionAllRecordings:      {{method: http.MethodGet, serve: (*Handler).artifact}},
	actionCreateOrGet: {{method: http.MethodPost, serve: (*Handler).createOrGet, offered: func(s *Site, v Version) bool {
		return !slices.Contains(s.WithoutCreateOrGet, v)
	}}},
}

// ServeHTTP answers one request. Whatever goes wrong, the answer is an error
// envelope with its request id in the header and in the log.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := newCall(w, r)
	h.setCommon(c)
	h.watched(c)
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			h.Log.ErrorContext(r.Context(), "panic", "request-id", c.requestID, "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			writeError(w, c, newError(codeInternal, "An internal error occurred. The server's log has it under this request-id."))
		}
	}()
	buf := answers.Get().(*[]byte)
	res, err := h.serve(c, (*buf)[:0])
	if err != nil {
		h.fail(w, c, err)
	} else if res.status == http.StatusNoContent {
		c.tell(res.status, nil)
		w.WriteHeader(res.status)
	} else {
		c.tell(res.status, nil)
		c.header["Content-Type"] = contentTypes[res.level]
		if res.contentType != "" {
			c.header["Content-Type"] = []string{res.contentType}
		}
		c.header["Content-Length"] = []string{strconv.Itoa(len(res.body))}
		w.WriteHeader(res.status)
		_, _ = w.Write(res.body) // the client is gone, and nobody is left to tell
	}
	if cap(res.body) > cap(*buf) && cap(res.body) <= 64<<10 {
		*buf = res.body
	}
	answers.Put(buf)
}

// answers holds buffers of earlier answers.
var answers = sync.Pool{New: func() any { b := make([]byte, 0, 12<<10); return &b }}

func (h *Handler) fail(w http.ResponseWriter, c *call, err error) {
	e := explain(err)
	c.seeUnread()
	switch status := e.Status(); {
	case e.asked:
		h.Log.InfoContext(c.Context(), "request failed, as was asked for", "request-id", c.requestID, "path", c.URL.Path, "status", status)
	case status == http.StatusServiceUnavailable && c.Context().Err() != nil:
		h.Log.InfoContext(c.Context(), "the client left before the answer", "request-id", c.requestID, "path", c.URL.Path, "error", err)
	case status >= 500:
		h.Log.ErrorContext(c.Context(), "request failed", "request-id", c.requestID, "method", c.Method, "path", c.URL.Path, "status", status, "error", err)
	}
	writeError(w, c, e)
}

// serve checks a request in the order that clients may rely on: token, path,
// method, permission, user, policy; the operation checks the rest.
func (h *Handler) serve(c *call, b []byte) (result, error) {
	var wrongPath error
	c.route, wrongPath = parseRoute(c.URL.EscapedPath())
	if wrongPath != nil || documents[c.route.action] == nil { // which are public
		token, err := bearer(c.Header["Authorization"])
		if err != nil {
			return result{}, err
		}
		if c.caller, err = h.Identity.Authenticate(c.Context(), token, c.site.Realm); err != nil {
			return result{}, err
		}
	}
	op, err := c.operation(wrongPath)
	if c.seen != nil && c.caller != nil {
		return h.try(c, op, err, b)
	}
	if err != nil {
		return result{}, err
	}
	return op.serve(h, c, b)
}

// operation is what the request asks for.
func (c *call) operation(wrongPath error) (*operation, error) {
	if wrongPath != nil {
		return nil, wrongPath
	}
	offered := operations[c.route.action]
	for i := range offered {
		op := &offered[i]
		if op.offered != nil && !op.offered(c.site, c.route.version) {
			return nil, newError(codeBadRequest, "Resource not found for the segment '%s'. This cloud does not offer it in %s.", c.route.action, c.route.version)
		}
		// HEAD is answered as GET, and net/http leaves the body out (RFC 9110,
		// section 9.3.2).
		if op.method == c.Method || op.method == http.MethodGet && c.Method == http.MethodHead {
			return op, nil
		}
	}
	return nil, notAllowed(c, offered)
}

func notAllowed(c *call, offered []operation) error {
	e := newError(codeMethodNotAllowed, "%s is not offered on this path.", quotable(c.Method))
	e.Allow = []string{}
	for _, op := range offered {
		e.Allow = append(e.Allow, op.method)
		if op.method == http.MethodGet {
			e.Allow = append(e.Allow, http.MethodHead)
		}
	}
	if len(e.Allow) > 0 {
		e.Message += " Use " + strings.Join(e.Allow, " or ") + "."
	} else {
		e.Message += " This server offers POST …/onlineMeetings/createOrGet; docs/compatibility.md lists what else."
	}
	return e
}

// bearer takes the token from the Authorization header (RFC 6750, section 2.1).
func bearer(headers []string) (string, error) {
	if len(headers) == 0 {
		return "", nil // the refusal says what is missing
	}
	if len(headers) > 1 {
		return "", newError(codeInvalidToken, "The request has %d Authorization headers. Send one.", len(headers))
	}
	const scheme = "bearer "
	h := headers[0]
	if strings.EqualFold(h, "bearer") {
		return "", nil // as a token that is empty
	}
	if len(h) < len(scheme) || !strings.EqualFold(h[:len(scheme)], scheme) {
		return "", newError(codeInvalidToken, "The Authorization header does not begin with Bearer. Send Authorization: Bearer {token}.")
	}
	return strings.TrimSpace(h[len(scheme):]), nil
}

// newCall gives a request its ids. A caller's own id is echoed when it is fit
// for a header.
func newCall(w http.ResponseWriter, r *http.Request) *call {
	c := &call{Request: r, requestID: newRequestID(), header: w.Header(), began: time.Now()}
	c.site, _ = r.Context().Value(siteKey{}).(*Site)
	if c.site == nil {
		c.site = &Site{Realm: &identity.Realm{}}
	}
	c.clientID = c.requestID
	if ids := r.Header["Client-Request-Id"]; len(ids) == 1 && fitForHeader(ids[0]) {
		c.clientID = ids[0]
	}
	return c
}

func fitForHeader(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

var (
	odataVersion = []string{"4.0"}
	noCache      = []string{"no-cache"}
	noSniff      = []string{"nosniff"}
	hsts         = []string{"max-age=31536000"}
	applied      = []string{includeUnknown}
	diagnostic   = []string{`{"ServerInfo":{"DataCenter":"Convene","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"convene"}}`}
)

// setCommon sets the headers of every answer.
func (h *Handler) setCommon(c *call) {
	// One array serves both ids; the keys are canonical already.
	ids := []string{c.requestID, c.clientID}
	c.header["Request-Id"] = ids[0:1:1]
	c.header["Client-Request-Id"] = ids[1:2:2]
	c.header["X-Ms-Ags-Diagnostic"] = diagnostic
	c.header["Odata-Version"] = odataVersion
	c.header["Cache-Control"] = noCache
	c.header["X-Content-Type-Options"] = noSniff
	if h.HSTS {
		c.header["Strict-Transport-Security"] = hsts
	}
}

// newRequestID makes a version 4 GUID (RFC 9562). It identifies, and guards
// nothing, so it needs no cryptographic source.
func newRequestID() string {
	const hex = "0123456789abcdef"
	hi, lo := rand.Uint64(), rand.Uint64()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(0xc<<60) | 0x8<<60
	var s [36]byte
	j := 0
	for i := range 16 {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			s[j] = '-'
			j++
		}
		v := hi
		if i >= 8 {
			v = lo
		}
		c := byte(v >> (56 - 8*(i%8)))
		s[j], s[j+1] = hex[c>>4], hex[c&15]
		j += 2
	}
	return string(s[:])
}

// writeError answers with the envelope. Its shape is what official clients
// parse: a date of exactly 19 characters, innerError with a capital E.
func writeError(w http.ResponseWriter, c *call, e *Error) {
	header := w.Header()
	if e.Status() == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+c.site.Login+`/common/oauth2/v2.0/authorize", client_id="`+identity.GraphAppID+`"`)
	}
	if e.Allow != nil {
		header["Allow"] = []string{strings.Join(e.Allow, ", ")}
	}
	if e.asked && e.retryAfter > 0 {
		header["Retry-After"] = []string{strconv.Itoa(e.retryAfter)}
	} else if e.Code == codeUnavailable && !e.asked {
		header.Set("Retry-After", "1")
	}
	b := append([]byte(nil), `{"error":{"code":"`...)
	b = append(b, e.Code...)
	b = append(b, `","message":`...)
	b = appendString(b, e.Message)
	if e.Target != "" {
		b = append(b, `,"target":`...)
		b = appendString(b, e.Target)
	}
	b = append(b, `,"innerError":{`...)
	if e.Status() == http.StatusTooManyRequests { // Graph's page "Microsoft Graph throttling guidance"
		b = append(b, `"code":"429","message":"Please retry after","status":"429",`...)
	}
	b = append(b, `"date":"`...)
	b = time.Now().UTC().AppendFormat(b, "2006-01-02T15:04:05")
	b = append(b, `","request-id":"`...)
	b = append(b, c.requestID...)
	b = append(b, `","client-request-id":`...)
	b = appendString(b, c.clientID)
	b = append(b, `}}}`...)
	header["Content-Type"] = contentTypes[metadataMinimal]
	header["Content-Length"] = []string{strconv.Itoa(len(b))}
	c.tell(e.Status(), e)
	w.WriteHeader(e.Status())
	_, _ = w.Write(b) // the client is gone, and nobody is left to tell
}

// NotFound answers a path that is nobody's.
func (h *Handler) NotFound(w http.ResponseWriter, r *http.Request) {
	h.refuse(w, r, newError(codeNotFound, "There is nothing at this path. The API is below /v1.0 and /beta."))
}

// Misdirected answers a request whose Host header names no origin of this
// server. The message does not repeat what the client sent.
func (h *Handler) Misdirected(w http.ResponseWriter, r *http.Request) {
	h.refuse(w, r, newError(codeMisdirected, "The Host header names no address of this server. Use the address that it printed when it started, or start it with --public-url."))
}

// Panicked answers a request whose handler, outside this room, panicked.
func (h *Handler) Panicked(w http.ResponseWriter, r *http.Request, v any) {
	c := newCall(w, r)
	h.setCommon(c)
	h.Log.ErrorContext(r.Context(), "panic", "request-id", c.requestID, "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	writeError(w, c, newError(codeInternal, "An internal error occurred. The server's log has it under this request-id."))
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, e *Error) {
	c := newCall(w, r)
	h.setCommon(c)
	h.watched(c)
	c.seeUnread()
	writeError(w, c, e)
}

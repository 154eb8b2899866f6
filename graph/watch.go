package graph

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Watcher sees every request, and may have it fail. It is for tests of
// clients. Requests come at the same time, the parts of a batch too.
type Watcher interface {
	// Before is called when it is known who calls what, and before that is
	// allowed or done. What it returns happens to the request; nil: nothing.
	Before(*Request) *Fault
	// After is called just before the answer is sent, also where Before was not: of a
	// request whose token or path is wrong.
	After(*Request)
}

// A Request is one request as a [Watcher] sees it. What is not known (yet) is
// empty.
type Request struct {
	Received          time.Time
	Took              time.Duration
	RequestID         string
	ClientRequestID   string
	Method            string
	URL               string // path and query, as they were sent
	Header            http.Header
	Body              []byte // decompressed; at most MaxWatched bytes of it
	BodySize          int    // of the whole body
	InBatch           bool
	Version           Version
	Operation         string // one of [OperationNames]
	Tenant, App, User string // ids; User is that of a delegated token
	Fault             *Fault // what Before returned
	Status            int    // 0: nobody was answered
	Code, Message     string // of an error
}

// MaxWatched is how much of a request's body a [Watcher] sees.
const MaxWatched = 32 << 10

// A Fault is what happens to a request instead of an answer. The zero Fault
// changes nothing.
type Fault struct {
	Name string // told in the header Convene-Fault of an error
	// Latency passes first.
	Latency time.Duration
	// Cut ends the connection without an answer. A part of a batch, which has no
	// connection of its own, is answered with 504.
	Cut bool
	// Status is that of the error which is answered, from 400 to 599; 0: none.
	Status     int
	Code       string // of the error; empty: what belongs to the status
	Message    string // of the error; empty: one that names the fault
	RetryAfter int    // seconds; 0: the answer has no Retry-After
	// Done has the operation take place first, so that only its answer is late or
	// lost.
	Done bool
}

// faultHeader names the fault that an error comes from.
const faultHeader = "Convene-Fault"

// watched begins the view of a request, where somebody watches.
func (h *Handler) watched(c *call) {
	if h.Watch == nil {
		return
	}
	c.watch = h.Watch
	c.seen = &Request{
		Received: c.began, RequestID: c.requestID, ClientRequestID: c.clientID, Method: c.Method, URL: c.URL.RequestURI(), Header: c.Header,
		InBatch: c.inBatch(),
	}
}

func (c *call) inBatch() bool { return c.Context().Value(insideBatch{}) != nil }

// seeBody keeps the body for whoever watches.
func (c *call) seeBody(body []byte) {
	if c.seen != nil && c.seen.Body == nil {
		c.seen.BodySize = len(body)
		c.seen.Body = bytes.Clone(body[:min(len(body), MaxWatched)])
	}
}

// seeUnread reads the body of a request that fails before it was read, for
// whoever watches.
func (c *call) seeUnread() {
	if c.seen == nil || c.seen.Body != nil || c.ContentLength == 0 || c.Body == http.NoBody {
		return
	}
	body := bodies.Get().(*bytes.Buffer)
	defer keepBody(body)
	if readBody(body, c.Request) == nil {
		c.seeBody(body.Bytes())
	}
}

// tell ends the view of a request, just before it is answered: whoever has the
// answer finds that it was seen.
func (c *call) tell(status int, e *Error) {
	if c.seen == nil {
		return
	}
	c.seen.Status, c.seen.Took = status, time.Since(c.seen.Received)
	if errors.Is(c.Context().Err(), context.Canceled) {
		c.seen.Status = 0 // the client has left
	} else if e != nil {
		c.seen.Code, c.seen.Message = string(e.Code), e.Message
	}
	c.watch.After(c.seen)
	c.seen = nil
}

// try lets whoever watches decide what happens to a request, and serves it
// otherwise. What asks for no operation is refused with err.
func (h *Handler) try(c *call, op *operation, err error, b []byte) (result, error) {
	c.seen.Tenant, c.seen.App, c.seen.User = c.caller.Tenant, c.caller.App, c.caller.User
	c.seen.Version = c.route.version
	if err == nil {
		c.seen.Operation = op.name
	}
	serve := func() (result, error) {
		if err != nil {
			return result{}, err
		}
		return op.serve(h, c, b)
	}
	f := h.Watch.Before(c.seen)
	if f == nil {
		return serve()
	}
	c.seen.Fault = f
	return h.undergo(c, f, serve)
}

// undergo has a fault happen to a request.
func (h *Handler) undergo(c *call, f *Fault, serve func() (result, error)) (r result, err error) {
	if f.Done {
		r, err = serve()
	}
	if late := h.elapse(c.Context(), f.Latency); late != nil {
		return result{}, late
	}
	switch {
	case f.Cut && !c.inBatch():
		c.seeUnread()
		c.tell(0, nil)
		panic(http.ErrAbortHandler)
	case f.Cut:
		return result{}, f.error(c, http.StatusGatewayTimeout)
	case f.Status != 0:
		return result{}, f.error(c, f.Status)
	case f.Done:
		return r, err
	}
	return serve()
}

// elapse waits, but not for what ends.
func (h *Handler) elapse(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-h.Stopping:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Fault) error(c *call, status int) *Error {
	e := &Error{Code: Code(f.Code), Message: f.Message, status: status, retryAfter: f.RetryAfter, asked: true}
	if e.Code == "" {
		e.Code = codeOfStatus(status)
	}
	if e.Message == "" && status == http.StatusTooManyRequests {
		e.Message = "Please retry again later."
	} else if e.Message == "" {
		e.Message = "This error was asked for: it is a fault of this tenant, and the header " + faultHeader + " has its number."
	}
	if status == http.StatusMethodNotAllowed {
		e.Allow = []string{}
	}
	c.header[faultHeader] = []string{f.Name}
	return e
}

// codesOfFaults are the codes that go with statuses which this server gives by
// itself to no request.
var codesOfFaults = map[int]Code{
	http.StatusConflict: "Conflict", http.StatusGone: "Gone", http.StatusPreconditionFailed: "PreconditionFailed", http.StatusLocked: "Locked",
	http.StatusTooManyRequests: codeTooManyRequests, http.StatusInternalServerError: codeInternal, http.StatusNotImplemented: "NotImplemented",
	http.StatusBadGateway: "BadGateway", http.StatusGatewayTimeout: "GatewayTimeout", 509: "BandwidthLimitExceeded",
	http.StatusBadRequest: codeBadRequest, http.StatusUnauthorized: codeInvalidToken, http.StatusForbidden: codeForbidden, http.StatusNotFound: codeNotFound,
}

func codeOfStatus(status int) Code {
	if code, ok := codesOfFaults[status]; ok {
		return code
	}
	for _, code := range sortedKeys(statusOf) {
		if statusOf[code] == status {
			return code
		}
	}
	return codeUnknown
}

// OperationNames are the operations as a [Request] names them, in order.
func OperationNames() []string {
	var names []string
	for a, offered := range operations {
		if documents[a] != nil { // which are everybody's
			continue
		}
		for _, op := range offered {
			names = append(names, op.name)
		}
	}
	slices.Sort(names)
	return names
}

// An operation's name is its id in the OpenAPI document, without what they have
// in common.
func init() {
	for a, offered := range operations {
		for i := range offered {
			offered[i].name = strings.TrimSuffix(described[a][offered[i].method].id, "OnlineMeeting")
		}
	}
}

package lab

import (
	"context"
	"encoding/binary"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/convene-meet/convene/graph"
)

// A RequestLog keeps the last requests to the API, for tests to assert on. It
// lasts as long as the server.
type RequestLog struct {
	mu      sync.Mutex
	kept    []entry // a ring, whose oldest entry is at first
	first   int
	n       int
	bytes   int
	last    int64            // seq of the newest entry
	arrived chan struct{}    // closed at the next one; nil: nobody waits
	stopped chan struct{}    // closed when the server stops
	ended   map[string]int64 // by tenant: the last entry that a reset took away
}

// An entry is a request in one piece of memory without pointers, so that ten
// thousand of them cost the garbage collector nothing: see [pack].
type entry struct {
	seq    int64
	tenant string
	packed []byte
}

// How much is kept.
const (
	maxKept      = 10_000
	maxKeptBytes = 64 << 20
	entryBytes   = 128 // of an entry beside what is packed
)

// A Request is one request to the API, after it was answered.
type Request struct {
	Seq             int64             `json:"seq"`
	At              time.Time         `json:"at"` // by the server's own clock
	Took            Duration          `json:"took"`
	RequestID       string            `json:"requestId"`
	ClientRequestID string            `json:"clientRequestId"`
	Tenant          string            `json:"tenant,omitempty"` // ids, of the token
	App             string            `json:"app,omitempty"`
	User            string            `json:"user,omitempty"` // of a delegated token
	Method          string            `json:"method"`
	Path            string            `json:"path"`
	Query           map[string]string `json:"query,omitempty"`
	Version         string            `json:"version,omitempty"`
	Operation       string            `json:"operation,omitempty"`
	InBatch         bool              `json:"inBatch,omitempty"`
	Headers         map[string]string `json:"headers"` // without Authorization and Cookie
	Body            string            `json:"body,omitempty"`
	BodyCut         bool              `json:"bodyCut,omitempty"` // it was longer
	Status          int               `json:"status"`            // 0: nobody was answered
	Code            string            `json:"code,omitempty"`    // of an error
	Message         string            `json:"message,omitempty"`
	Fault           string            `json:"fault,omitempty"` // the id of the fault that happened to it, or throttle
}

// Requests is a page of the log.
type Requests struct {
	Value []Request `json:"value"`
	// Next is what to ask for as after to go on.
	Next int64 `json:"next"`
	// Lost says that entries which were asked for are no longer kept.
	Lost bool `json:"lost,omitempty"`
}

// A RequestQuery asks for requests.
type RequestQuery struct {
	Tenant string        // id
	All    bool          // of every tenant, and those with a wrong token
	After  int64         // only those with a greater seq
	Wait   time.Duration // for the first one, where there is none
	Limit  int           // 0: all
}

func (l *RequestLog) add(seen *graph.Request) {
	packed := pack(seen)
	size := entryBytes + len(packed)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = make([]entry, maxKept)
	}
	for l.n > 0 && (l.n == maxKept || l.bytes+size > maxKeptBytes) {
		oldest := &l.kept[l.first]
		l.bytes -= entryBytes + len(oldest.packed)
		*oldest = entry{}
		l.first = (l.first + 1) % maxKept
		l.n--
	}
	l.last++
	l.kept[(l.first+l.n)%maxKept] = entry{l.last, seen.Tenant, packed}
	l.n++
	l.bytes += size
	if l.arrived != nil {
		close(l.arrived)
		l.arrived = nil
	}
}

// Forget takes the requests of a tenant out of the log.
func (l *RequestLog) Forget(tenant string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended == nil {
		l.ended = map[string]int64{}
	}
	l.ended[strings.ToLower(tenant)] = l.last
}

// Read returns the requests that q asks for, oldest first, and waits for the
// first one where that is asked for.
func (l *RequestLog) Read(ctx context.Context, q RequestQuery) (Requests, error) {
	ctx, cancel := context.WithTimeout(ctx, q.Wait)
	defer cancel()
	q.Tenant = strings.ToLower(q.Tenant)
	for {
		page, arrived := l.page(q)
		if len(page.Value) > 0 || page.Lost {
			return page, nil
		}
		q.After = page.Next
		select {
		case <-arrived:
		case <-l.stopped:
			return page, nil
		case <-ctx.Done():
			return page, nil
		}
	}
}

func (l *RequestLog) page(q RequestQuery) (page Requests, arrived <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	page = Requests{Value: []Request{}, Next: max(q.After, l.last)}
	page.Lost = l.n > 0 && q.After > 0 && q.After+1 < l.kept[l.first].seq
	for i := range l.n {
		e := l.kept[(l.first+i)%maxKept]
		if e.seq <= q.After || !q.All && e.tenant != q.Tenant || e.seq <= l.ended[e.tenant] && e.tenant != "" {
			continue
		}
		if q.Limit > 0 && len(page.Value) == q.Limit {
			page.Next = page.Value[q.Limit-1].Seq
			break
		}
		page.Value = append(page.Value, e.show())
	}
	if l.arrived == nil {
		l.arrived = make(chan struct{})
	}
	return page, l.arrived
}

// partToken is a token in the headers of a batch's part.
var partToken = regexp.MustCompile(`(?i)("(?:proxy-)?authorization"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

func (e entry) show() Request {
	s := unpack(e.packed)
	r := Request{
		Seq: e.seq, At: s.Received.UTC(), Took: Duration(s.Took.Round(time.Microsecond)), RequestID: s.RequestID, ClientRequestID: s.ClientRequestID,
		Tenant: s.Tenant, App: s.App, User: s.User, Method: s.Method, Version: string(s.Version), Operation: s.Operation, InBatch: s.InBatch,
		Headers: map[string]string{}, BodyCut: s.BodySize > len(s.Body), Status: s.Status, Code: s.Code, Message: s.Message,
	}
	path, query, _ := strings.Cut(s.URL, "?")
	r.Path = path
	if values, err := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B")); err == nil {
		for name, value := range values {
			if r.Query == nil {
				r.Query = map[string]string{}
			}
			r.Query[name] = strings.Join(value, ", ")
		}
	}
	for name, value := range s.Header {
		r.Headers[name] = strings.Join(value, ", ")
	}
	body := s.Body
	for r.BodyCut && len(body) > 0 && !utf8.Valid(body) && len(s.Body)-len(body) < utf8.UTFMax {
		body = body[:len(body)-1] // a character was cut in two
	}
	r.Body = string(body)
	if s.Operation == "batch" {
		r.Body = partToken.ReplaceAllString(r.Body, `$1"…"`)
	}
	if s.Fault != nil {
		r.Fault = s.Fault.Name
	}
	return r
}

// pack writes a request as texts and numbers one after the other, without what
// proves who sent it.
func pack(s *graph.Request) []byte {
	size := 640 + len(s.URL) + len(s.Body) + len(s.Message)
	b := make([]byte, 0, size)
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	fault := ""
	if s.Fault != nil {
		fault = s.Fault.Name
	}
	for _, v := range []string{
		s.RequestID, s.ClientRequestID, s.Method, s.URL, string(s.Version), s.Operation, s.Tenant, s.App, s.User, s.Code, s.Message, fault,
	} {
		text(v)
	}
	b = append(binary.AppendUvarint(b, uint64(len(s.Body))), s.Body...)
	inBatch := int64(0)
	if s.InBatch {
		inBatch = 1
	}
	for _, n := range []int64{s.Received.UnixNano(), int64(s.Took), int64(s.BodySize), int64(s.Status), inBatch} {
		b = binary.AppendVarint(b, n)
	}
	for name, values := range s.Header {
		switch name = http.CanonicalHeaderKey(name); name {
		case "Authorization", "Proxy-Authorization", "Cookie":
			continue
		}
		for _, v := range values {
			text(name)
			text(v)
		}
	}
	return b
}

// unpack reads what pack has written.
func unpack(b []byte) *graph.Request {
	text := func() string {
		n, used := binary.Uvarint(b)
		v := string(b[used : used+int(n)])
		b = b[used+int(n):]
		return v
	}
	number := func() int64 {
		n, used := binary.Varint(b)
		b = b[used:]
		return n
	}
	s := &graph.Request{Header: http.Header{}}
	version, fault := "", ""
	for _, to := range []*string{
		&s.RequestID, &s.ClientRequestID, &s.Method, &s.URL, &version, &s.Operation, &s.Tenant, &s.App, &s.User, &s.Code, &s.Message, &fault,
	} {
		*to = text()
	}
	s.Version = graph.Version(version)
	if fault != "" {
		s.Fault = &graph.Fault{Name: fault}
	}
	s.Body = []byte(text())
	s.Received, s.Took, s.BodySize, s.Status, s.InBatch = time.Unix(0, number()), time.Duration(number()), int(number()), int(number()), number() != 0
	for len(b) > 0 {
		name := text()
		s.Header[name] = append(s.Header[name], text())
	}
	return s
}

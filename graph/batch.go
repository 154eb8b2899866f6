package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A batch (Graph's page "Combine multiple HTTP requests using JSON batching") is
// up to 20 requests in one. Each part takes the way of every other request,
// through [Handler.ServeHTTP], so that what holds for a request holds for a part.

const (
	maxParts = 20
	// maxParallel is how many parts of one batch run at a time.
	maxParallel = 8
	// maxBatchAnswer is how many bytes the answers of all parts may have together.
	maxBatchAnswer = 16 << 20
)

// badBatch is Graph's text for a batch that is none.
const badBatch = "Invalid batch payload format."

// insideBatch marks the context of a part.
type insideBatch struct{}

// A part is one request of a batch.
type part struct {
	id      string
	method  string
	url     string
	header  http.Header
	body    []byte   // as it stands in the batch: a JSON value; nil: none
	needIDs []string // dependsOn
	needs   []*part  // the parts of that name

	done   chan struct{} // closed when the answer is there
	answer partWriter
}

// batch serves POST /{version}/$batch. Its status says whether the batch could
// be read, and nothing of its parts.
func (h *Handler) batch(c *call, b []byte) (result, error) {
	if c.Context().Value(insideBatch{}) != nil {
		return result{}, newError(codeBadRequest, "A batch cannot be a part of a batch. Send its requests as parts of this one.")
	}
	level, err := accepted(c.Header["Accept"])
	if err != nil {
		return result{}, err
	}
	if err := checkContentType(c.Header); err != nil {
		return result{}, err
	}
	body := bodies.Get().(*bytes.Buffer)
	defer keepBody(body)
	if err := readBody(body, c.Request); err != nil {
		return result{}, err
	}
	if _, err := noOptions.given(c.URL.RawQuery); err != nil {
		return result{}, err
	}
	parts, err := decodeBatch(body.Bytes())
	if err != nil {
		return result{}, err
	}
	h.serveParts(c, parts)
	b = append(b, `{"responses":[`...)
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.append(b)
	}
	return result{status: http.StatusOK, body: append(b, `]}`...), level: level}, nil
}

// decodeBatch reads the parts of a batch. Whatever is wrong with the batch as a
// whole is refused before any part is served.
func decodeBatch(body []byte) ([]*part, error) {
	var parts []*part
	given := false
	r := newReader(body)
	err := r.object("", func(name string) error {
		if name != "requests" {
			return r.skip()
		}
		given = true
		return r.array(name, func(i int) error {
			if i == maxParts {
				return newError(codeTooMany, "Number of batch request steps exceeds the maximum value of %d.", maxParts)
			}
			p, err := r.part(name + "/" + strconv.Itoa(i))
			parts = append(parts, p)
			return err
		})
	})
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, invalid("requests", "%s requests is required: an array of at most %d requests.", badBatch, maxParts)
	}
	return parts, order(parts)
}

func (r *reader) part(what string) (*part, error) {
	p := &part{header: http.Header{}, done: make(chan struct{})}
	err := r.object(what, func(name string) (err error) {
		at := what + "/" + name
		switch name {
		case "id":
			p.id, err = r.partID(at)
		case "method":
			p.method, err = r.required(at)
			p.method = strings.ToUpper(p.method)
		case "url":
			p.url, err = r.required(at)
		case "headers":
			err = r.headers(at, p.header)
		case "body":
			if !r.null() {
				p.body, err = r.raw()
			}
		case "dependsOn":
			if !r.null() {
				err = r.array(at, func(i int) error {
					id, err := r.partID(at + "/" + strconv.Itoa(i))
					p.needIDs = append(p.needIDs, id)
					return err
				})
			}
		default:
			err = r.skip()
		}
		return err
	})
	if err != nil {
		return p, err
	}
	for _, member := range []struct{ name, value string }{{"id", p.id}, {"method", p.method}, {"url", p.url}} {
		if member.value == "" {
			return p, missingInPart(what + "/" + member.name)
		}
	}
	if p.body != nil && p.header["Content-Type"] == nil {
		return p, invalid(what+"/headers", "Write request id : %s does not contain Content-Type header or body. A part with a body needs the Content-Type of the body in its own headers.", quotable(p.id))
	}
	return p, nil
}

// partID reads the id of a part: a string, or a number as some clients write it,
// which stands for the string with its digits.
func (r *reader) partID(what string) (string, error) {
	if r.dec.PeekKind() != '0' {
		return r.required(what)
	}
	digits, err := r.raw()
	return string(digits), err
}

func missingInPart(what string) error {
	return invalid(what, "%s %s is required: a string that is not empty.", badBatch, what)
}

// required reads a string that is not empty.
func (r *reader) required(what string) (string, error) {
	s, err := r.text(what)
	if err != nil {
		return "", err
	}
	if s == nil || *s == "" {
		return "", missingInPart(what)
	}
	return *s, nil
}

func (r *reader) headers(what string, header http.Header) error {
	if r.null() {
		return nil
	}
	return r.object(what, func(name string) error {
		value, err := r.text(what + "/" + quotable(name))
		if err == nil && value != nil {
			header.Add(name, strings.TrimSpace(*value))
		}
		return err
	})
}

// order resolves dependsOn, and refuses what can be served in no order. Ids are
// compared without regard to case.
func order(parts []*part) error {
	byID := map[string]*part{}
	for i, p := range parts {
		id := strings.ToLower(p.id)
		if byID[id] != nil {
			return invalid("requests/"+strconv.Itoa(i)+"/id", "%s The id '%s' occurs twice. Ids are compared without regard to case.", badBatch, quotable(p.id))
		}
		byID[id] = p
	}
	for i, p := range parts {
		for _, id := range p.needIDs {
			needed, what := byID[strings.ToLower(id)], ""
			switch {
			case needed == nil:
				what = "which is no id of this batch"
			case needed == p:
				what = "which is itself"
			}
			if what != "" {
				return invalid("requests/"+strconv.Itoa(i)+"/dependsOn", "%s Request '%s' depends on '%s', %s.", badBatch, quotable(p.id), quotable(id), what)
			}
			p.needs = append(p.needs, needed)
		}
	}
	// Whatever can be served is taken away; what stays waits for itself.
	waiting := slices.Clone(parts)
	for {
		n := len(waiting)
		ready := func(p *part) bool {
			return !slices.ContainsFunc(p.needs, func(q *part) bool { return slices.Contains(waiting, q) })
		}
		waiting = slices.DeleteFunc(slices.Clone(waiting), ready)
		switch len(waiting) {
		case 0:
			return nil
		case n:
			return invalid("requests", "%s The requests %s depend on each other in a circle.", badBatch, circle(waiting))
		}
	}
}

// circle names one circle among parts that all wait for another of them.
func circle(waiting []*part) string {
	var way []*part
	for p := waiting[0]; ; {
		if i := slices.Index(way, p); i >= 0 {
			way = append(way[i:], p)
			break
		}
		way = append(way, p)
		p = p.needs[slices.IndexFunc(p.needs, func(q *part) bool { return slices.Contains(waiting, q) })]
	}
	ids := make([]string, len(way))
	for i, p := range way {
		ids[i] = "'" + quotable(p.id) + "'"
	}
	return strings.Join(ids, " → ")
}

// serveParts serves each part as soon as those that it depends on are served,
// and returns when all are.
func (h *Handler) serveParts(c *call, parts []*part) {
	room := make(chan struct{}, maxParallel)
	var size atomic.Int64
	var all sync.WaitGroup
	for _, p := range parts {
		all.Go(func() {
			defer close(p.done)
			var failed []string
			for _, q := range p.needs {
				if <-q.done; q.answer.status >= 400 {
					failed = append(failed, "'"+quotable(q.id)+"'")
				}
			}
			room <- struct{}{}
			defer func() { <-room }()
			h.servePart(c, p, failed)
			if size.Add(int64(p.answer.body.Len())) > maxBatchAnswer {
				p.answer = partWriter{}
				h.refuse(&p.answer, p.request(c), newError(codeTooLarge, "The answers of this batch have more than %d bytes together. The request of this part was served, but its answer had no room: send it by itself.", maxBatchAnswer))
			}
		})
	}
	all.Wait()
}

// servePart lets the handler serve a part like any other request. A panic is
// that part's alone.
func (h *Handler) servePart(c *call, p *part, failed []string) {
	r := p.request(c)
	defer func() {
		if v := recover(); v != nil {
			p.answer = partWriter{}
			h.Panicked(&p.answer, r, v)
		}
	}()
	err := p.target(c.route.version, r)
	if err == nil {
		err = p.content(r)
	}
	switch {
	case len(failed) > 0:
		h.refuse(&p.answer, r, newError(codeFailedDependency, "The request was not served, because it depends on %s, which failed.", strings.Join(failed, ", ")))
	case err != nil:
		h.refuse(&p.answer, r, explain(err))
	default:
		// By way of the interface: the table of operations must not refer to itself.
		var handler http.Handler = h
		handler.ServeHTTP(&p.answer, r)
	}
}

// request makes the request of a part, without its target and body. The token of
// the batch is that of all parts; a part without a client-request-id of its own
// has that of the batch.
func (p *part) request(c *call) *http.Request {
	header := p.header.Clone()
	header["Authorization"] = c.Header["Authorization"]
	if header["Client-Request-Id"] == nil {
		header["Client-Request-Id"] = []string{c.clientID}
	}
	r := &http.Request{
		Method: p.method, URL: &url.URL{Path: "/"}, Header: header, Body: http.NoBody,
		Proto: c.Proto, ProtoMajor: c.ProtoMajor, ProtoMinor: c.ProtoMinor, Host: c.Host, RemoteAddr: c.RemoteAddr, TLS: c.TLS,
	}
	return r.WithContext(context.WithValue(c.Context(), insideBatch{}, true))
}

// target gives the request its URL, which a part names relative to the version
// of its batch.
func (p *part) target(v Version, r *http.Request) error {
	wrong := func(what string) error {
		return invalid("url", "The url '%s' in the batch %s. Write it relative to /%s, such as /me/onlineMeetings/createOrGet.", quotable(p.url), what, v)
	}
	if begin := strings.IndexAny(p.url, ":/?#"); strings.HasPrefix(p.url, "//") || begin >= 0 && p.url[begin] == ':' {
		return wrong("is absolute")
	}
	path := strings.TrimPrefix(p.url, "/")
	first := path
	if end := strings.IndexAny(path, "/?#"); end >= 0 {
		first = path[:end]
	}
	if strings.EqualFold(first, string(V1)) || strings.EqualFold(first, string(Beta)) {
		return wrong("begins with a version")
	}
	path, _, _ = strings.Cut(path, "#")
	u, err := url.ParseRequestURI("/" + string(v) + "/" + path)
	if err != nil {
		return wrong("is not percent-encoded correctly")
	}
	r.URL = u
	return nil
}

// content gives the request its body: a JSON value as it stands; for every other
// type a string in base64, in either alphabet.
func (p *part) content(r *http.Request) error {
	if p.body == nil {
		return nil
	}
	body := p.body
	if body[0] == '"' && !isJSONType(p.header.Get("Content-Type")) {
		text, err := unquoted(body)
		if err == nil {
			text = bytes.TrimRight(text, "=")
			for i, c := range text {
				switch c {
				case '-':
					text[i] = '+'
				case '_':
					text[i] = '/'
				}
			}
			body, err = base64.RawStdEncoding.AppendDecode(nil, text)
		}
		if err != nil {
			return &Error{Code: codeBadRequest, Target: "body", cause: err, Message: "The body of the request in the batch is a string, but not base64. A body that is no JSON is written in base64."}
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

func isJSONType(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// append appends the answer of a part. Its body is JSON, or a string in base64.
func (p *part) append(b []byte) []byte {
	w := &p.answer
	b = append(appendString(append(b, `{"id":`...), p.id), `,"status":`...)
	b = append(strconv.AppendInt(b, int64(w.status), 10), `,"headers":{`...)
	n := len(b)
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		spelling, known := partHeaders[name]
		if known && spelling == "" {
			continue
		} else if !known {
			spelling = name
		}
		b = append(appendString(b, spelling), ':')
		b = append(appendString(b, strings.Join(w.header[name], ", ")), ',')
	}
	if len(b) > n {
		b = b[:len(b)-1]
	}
	b = append(b, '}')
	if body := w.body.Bytes(); len(body) > 0 && p.method != http.MethodHead {
		b = append(b, `,"body":`...)
		if isJSONType(w.header.Get("Content-Type")) && validJSON(body) {
			b = append(b, body...)
		} else {
			b = append(b, '"')
			b = append(base64.StdEncoding.AppendEncode(b, body), '"')
		}
	}
	return append(b, '}')
}

// partHeaders are the headers that a part spells in another way than net/http,
// or, with none, leaves to the batch.
var partHeaders = map[string]string{
	"Odata-Version": "OData-Version", "Request-Id": "request-id", "Client-Request-Id": "client-request-id", "Www-Authenticate": "WWW-Authenticate",
	"Content-Length": "", "X-Content-Type-Options": "", "X-Ms-Ags-Diagnostic": "", "Strict-Transport-Security": "",
}

// A partWriter keeps the answer of a part.
type partWriter struct {
	header http.Header
	status int // 0: none was written
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (w *partWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader implements [http.ResponseWriter].
func (w *partWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements [http.ResponseWriter].
func (w *partWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

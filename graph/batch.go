package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A batch (Graph's page "Combine multiple HTTP requests using JSON batching") is
// up to 20 requests in one. Each part takes the way of every other request,
// through [Handler.ServeHTTP], so that what holds for a request holds for a part.

const (
	maxParts = 20
	// maxBatchAnswer is how many bytes the answers of all parts may have together.
	maxBatchAnswer = 16 << 20
	// maxBatchTime is how long after it came a batch has to be answered: what is
	// not done then is answered with 503. The server gives up after 60 seconds.
	maxBatchTime = 50 * time.Second
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
	if c.inBatch() {
		return result{}, newError(codeBadRequest, "A batch cannot be a part of a batch. Send its requests as parts of this one.")
	}
	level, err := accepted(c.Header["Accept"])
	if err != nil {
		return result{}, err
	}
	body, err := readJSON(c)
	defer keepBody(body)
	if err != nil {
		return result{}, err
	}
	if _, err := noOptions.given(c.URL.RawQuery); err != nil {
		return result{}, err
	}
	parts, err := decodeBatch(body.Bytes())
	if err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithDeadline(c.Context(), c.began.Add(maxBatchTime))
	defer cancel()
	c.Request = c.WithContext(ctx)
	h.serveParts(c, parts)
	size := 64
	for _, p := range parts {
		size += p.size()
	}
	b = append(slices.Grow(b, size), `{"responses":[`...)
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.append(b)
	}
	return result{status: http.StatusOK, body: append(b, `]}`...), level: level}, nil
}

// serveParts serves each part as soon as those that it depends on are served,
// and returns when all are. Those that wait for no other run at the same time,
// so that what they write shares one flush.
func (h *Handler) serveParts(c *call, parts []*part) {
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

package graph

import (
	"bytes"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// size is about how many bytes append takes.
func (p *part) size() int {
	size := 256 + len(p.id)
	for name, values := range p.answer.header {
		size += len(name) + 8
		for _, v := range values {
			size += len(v)
		}
	}
	return size + p.answer.body.Len()
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
	w.body.Grow(len(p)) // exactly, since it comes in one piece
	return w.body.Write(p)
}

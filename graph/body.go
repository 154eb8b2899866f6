package graph

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

const (
	// maxBody is the greatest size of a request body in bytes, both as sent and
	// decompressed.
	maxBody = 4 << 20
	// maxRatio is how many times its size a compressed body may become once it
	// is larger than freeSize. JSON reaches 20 or 30; a zip bomb 1000.
	maxRatio = 100
	freeSize = 64 << 10
)

// bodies holds buffers of earlier requests.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBody gives a buffer back, unless there is none or it grew too large to be
// kept.
func keepBody(b *bytes.Buffer) {
	if b != nil && b.Cap() <= 64<<10 {
		b.Reset()
		bodies.Put(b)
	}
}

// readBody reads the body of a request into buf, decompressed. A body that is
// called gzip but does not begin like it is taken as it stands: some official
// clients mislabel the body of a retry.
func readBody(buf *bytes.Buffer, r *http.Request) error {
	zipped := false
	switch encoding := strings.TrimSpace(strings.ToLower(strings.Join(r.Header["Content-Encoding"], ","))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		zipped = true
	default:
		return newError(codeUnsupportedMediaType, "The Content-Encoding '%s' is not supported. Send gzip, or the body as it is.", quotable(encoding))
	}
	if r.ContentLength > maxBody {
		return tooLarge()
	}
	if n, err := buf.ReadFrom(io.LimitReader(r.Body, maxBody+1)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return tooLarge()
		}
		return &Error{Code: codeBadRequest, Message: malformed + " It ended before it was complete.", cause: err}
	} else if n > maxBody {
		return tooLarge()
	}
	if !zipped || !bytes.HasPrefix(buf.Bytes(), []byte{0x1f, 0x8b}) {
		return nil
	}
	return unzip(buf)
}

func tooLarge() error {
	return newError(codeTooLarge, "The request body is too large: at most %d bytes are read, also after decompression.", maxBody)
}

// unzip replaces the content of buf by what it decompresses to.
func unzip(buf *bytes.Buffer) error {
	sent := int64(buf.Len())
	plain := bodies.Get().(*bytes.Buffer)
	defer keepBody(plain)
	zr, err := gzip.NewReader(buf)
	if err == nil {
		limit := min(maxBody, max(freeSize, sent*maxRatio))
		var n int64
		if n, err = plain.ReadFrom(io.LimitReader(zr, limit+1)); err == nil && n > limit {
			if limit == maxBody {
				return tooLarge()
			}
			return newError(codeTooLarge, "The request body decompresses to more than %d times its size. Send it uncompressed.", maxRatio)
		}
	}
	if err != nil {
		return &Error{Code: codeBadRequest, Message: malformed + " Its gzip stream is damaged.", cause: err}
	}
	buf.Reset()
	_, _ = buf.Write(plain.Bytes()) // a bytes.Buffer never fails
	return nil
}

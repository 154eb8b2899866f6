package server

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// accessLog writes a line for each request: time, method, path, status,
// duration, request id. Paths are escaped and queries left out, since these may
// hold codes. Lines wait in a buffer for at most flushAfter, so that a busy
// server does not make a system call for each.
type accessLog struct {
	now func() time.Time

	mu    sync.Mutex
	w     *bufio.Writer
	timer *time.Timer // set while the buffer holds lines
	ended bool
}

const flushAfter = 50 * time.Millisecond

func newAccessLog(w io.Writer, now func() time.Time) *accessLog {
	if w == nil {
		return &accessLog{}
	}
	return &accessLog{now: now, w: bufio.NewWriterSize(w, 16<<10)}
}

// wrap returns h with a line written for each request.
func (l *accessLog) wrap(h http.Handler) http.Handler {
	if l.w == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			var room [512]byte
			b := l.now().AppendFormat(room[:0], "15:04:05.000 ")
			b = appendPlain(b, r.Method)
			b = append(b, ' ')
			b = appendPlain(b, r.URL.EscapedPath())
			b = append(b, ' ')
			b = strconv.AppendInt(b, int64(rec.status), 10)
			b = append(b, ' ')
			b = append(b, time.Since(began).Round(10*time.Microsecond).String()...)
			if ids := w.Header()["Request-Id"]; len(ids) == 1 {
				b = append(append(b, ' '), ids[0]...)
			}
			l.line(append(b, '\n'))
		}()
		h.ServeHTTP(rec, r)
	})
}

// appendPlain keeps a log line one line, and short.
func appendPlain(b []byte, s string) []byte {
	const most = 300
	for i := range min(len(s), most) {
		if c := s[i]; c > ' ' && c < 0x7f {
			b = append(b, c)
		} else {
			b = append(b, '?')
		}
	}
	return b
}

func (l *accessLog) line(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	_, _ = l.w.Write(b) // a log that cannot be written stops nobody
	if l.timer == nil {
		l.timer = time.AfterFunc(flushAfter, l.flush)
	}
}

func (l *accessLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.w.Flush()
	l.timer = nil
}

// close writes what waits, and nothing any more.
func (l *accessLog) close() {
	if l.w == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.timer != nil {
		l.timer.Stop()
	}
	_ = l.w.Flush()
}

// A recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the original writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

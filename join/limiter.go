package join

import (
	"sync"
	"time"
)

// maxSources is how many sources a limiter remembers.
const maxSources = 100_000

// A limiter counts by source what may be done so often in a span of time, on this
// node.
type limiter struct {
	most int
	span time.Duration

	mu      sync.Mutex
	sources map[string]*spent
}

type spent struct {
	since time.Time
	n     int
}

// allowed reports whether a source may try once more.
func (l *limiter) allowed(source string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sources[source]
	return s == nil || s.n < l.most || now.Sub(s.since) >= l.span
}

// count counts a try, and reports whether it is the one that was one too many.
func (l *limiter) count(source string, now time.Time) (last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sources[source]
	if s == nil || now.Sub(s.since) >= l.span {
		if len(l.sources) >= maxSources || l.sources == nil {
			l.sweep(now)
		}
		s = &spent{since: now}
		l.sources[source] = s
	}
	s.n++
	return s.n == l.most
}

// take counts a try where it is allowed.
func (l *limiter) take(source string, now time.Time) bool {
	ok := l.allowed(source, now)
	if ok {
		l.count(source, now)
	}
	return ok
}

// sweep forgets who may try again, or everybody when that frees nothing.
func (l *limiter) sweep(now time.Time) {
	for source, s := range l.sources {
		if now.Sub(s.since) >= l.span {
			delete(l.sources, source)
		}
	}
	if l.sources == nil || len(l.sources) >= maxSources {
		l.sources = map[string]*spent{}
	}
}

package join

import (
	"sync"
	"time"
)

// How many wrong meeting ids one source may try in a minute, and how many
// sources are remembered. With 15 digits a guess hits one meeting of a million
// about once in a billion; at this rate that takes centuries.
const (
	maxWrong   = 20
	wrongSpan  = time.Minute
	maxSources = 10_000
)

// A limiter counts wrong guesses by source. Its zero value is ready.
type limiter struct {
	mu      sync.Mutex
	sources map[string]*wrongs
}

type wrongs struct {
	since time.Time
	n     int
}

func (l *limiter) allowed(source string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.sources[source]
	return w == nil || w.n < maxWrong || now.Sub(w.since) >= wrongSpan
}

func (l *limiter) wrong(source string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.sources[source]
	if w == nil || now.Sub(w.since) >= wrongSpan {
		if len(l.sources) >= maxSources || l.sources == nil {
			l.sweep(now)
		}
		w = &wrongs{since: now}
		l.sources[source] = w
	}
	w.n++
}

// sweep forgets who may try again, or everybody when that frees nothing.
func (l *limiter) sweep(now time.Time) {
	for s, w := range l.sources {
		if now.Sub(w.since) >= wrongSpan {
			delete(l.sources, s)
		}
	}
	if l.sources == nil || len(l.sources) >= maxSources {
		l.sources = map[string]*wrongs{}
	}
}

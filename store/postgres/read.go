package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxReads is how often a read is tried when the connection turns out to be
// dead: after a restart or a switch of servers, every idle one is.
const maxReads = 3

// read runs query, which only reads.
func (s *Store) read(ctx context.Context, query func() error) (err error) {
	for range maxReads {
		if err = query(); !dead(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// dead reports that the connection broke, or that the server ended it
// (SQLSTATE class 08, and 57P01 to 57P03).
func dead(err error) bool {
	if code, _ := state(err); code != "" {
		return strings.HasPrefix(code, "08") || code == "57P01" || code == "57P02" || code == "57P03"
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false // there is no server, or it does not want us
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || pgconn.SafeToRetry(err)
}

// A generation is the newest one that this process knows, and since when.
type generation struct {
	mu    sync.Mutex
	value int64
	asked time.Time // before the question was sent; zero: not known
}

// fresh is how old the known generation may be: half of the second after which
// a change made elsewhere has to show.
const fresh = 500 * time.Millisecond

// made records the generation of a change made here, which shows at once.
func (g *generation) made(value int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.value = max(g.value, value)
}

// doubt makes the next question go to the database.
func (g *generation) doubt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = time.Time{}
}

// Generation implements [identity.Store]. It asks the database at most every
// half second, and has no answer while the database has none.
func (s *Store) Generation(ctx context.Context) (int64, error) {
	g := &s.generation
	g.mu.Lock()
	defer g.mu.Unlock()
	// The real time, not an injected clock: it bounds how long others wait.
	if now := time.Now(); now.Sub(g.asked) >= fresh {
		var value int64
		err := s.read(ctx, func() error { return s.pool.QueryRow(ctx, "SELECT value FROM generation").Scan(&value) })
		if err != nil {
			return 0, explain(err)
		}
		g.value, g.asked = max(g.value, value), now
	}
	return g.value, nil
}

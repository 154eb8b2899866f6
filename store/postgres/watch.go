package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/convene-meet/convene/join"
	"github.com/jackc/pgx/v5"
)

// roomChannel is where every node notifies the names of the rooms that it changes.
const roomChannel = "convene_rooms"

const (
	// How long the listener waits before it connects again.
	firstRetry, lastRetry = 100 * time.Millisecond, 10 * time.Second
	// After how much silence it asks whether the server is still there, and how
	// long it waits for the answer.
	silence, answer = 30 * time.Second, 10 * time.Second
)

// A listener is the one connection of a Store on which the server tells what was
// notified. It begins with the first watcher.
type listener struct {
	watchers join.Watchers

	begin sync.Once
	end   context.CancelFunc // nil where it never began
	tried chan struct{}      // closed when it listens, or knows that it cannot yet
	ended chan struct{}
}

func newListener() *listener {
	return &listener{tried: make(chan struct{}), ended: make(chan struct{})}
}

// Watch implements [join.Store]. It returns when the Store listens, so that what
// happens afterwards is told; where the database is away it does not wait.
func (s *Store) Watch(ctx context.Context) <-chan string {
	l := s.listener
	names := l.watchers.Add(ctx)
	l.begin.Do(func() {
		var long context.Context // the watcher's may end before the others'
		long, l.end = context.WithCancel(context.WithoutCancel(ctx))
		go s.listen(long)
	})
	select {
	case <-l.tried:
	case <-ctx.Done():
	}
	return names
}

// close ends the connection and lets none begin.
func (l *listener) close() {
	l.begin.Do(func() { close(l.tried); close(l.ended) })
	if l.end != nil {
		l.end()
	}
	<-l.ended
}

// listen keeps a connection that listens until ctx ends.
func (s *Store) listen(ctx context.Context) {
	l := s.listener
	tried := sync.OnceFunc(func() { close(l.tried) })
	defer close(l.ended)
	defer tried()
	wait := firstRetry
	for {
		_ = s.hear(ctx, func() { wait = firstRetry; tried() }) // whoever reads or writes learns why
		tried()
		retry := time.NewTimer(wait)
		select {
		case <-retry.C:
		case <-ctx.Done():
			retry.Stop()
			return
		}
		wait = min(2*wait, lastRetry)
	}
}

// hear tells the watchers what one connection hears, until that breaks.
func (s *Store) hear(ctx context.Context, listening func()) error {
	config := s.pool.Config()
	if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
		return err
	}
	c, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = c.Close(ctx)
	}()
	if _, err := c.Exec(ctx, "LISTEN "+roomChannel); err != nil {
		return err
	}
	listening()
	for {
		quiet, cancel := context.WithTimeout(ctx, silence)
		n, err := c.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			s.listener.watchers.Tell(n.Payload)
		case errors.Is(err, context.DeadlineExceeded) && !c.IsClosed():
			if err := ask(ctx, c); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func ask(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return c.Ping(ctx)
}

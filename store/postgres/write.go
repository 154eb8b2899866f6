package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/convene-meet/convene/meeting"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// SQLSTATEs that mean something here (PostgreSQL's appendix A).
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlock             = "40P01"
	diskFull             = "53100"
)

var errClosed = fmt.Errorf("%w: it was closed", meeting.ErrUnavailable)

// write runs f, which writes, on a connection of its own. The caller waits for
// it and may leave when ctx ends; f goes on under no context at all, because
// nobody can tell whether what it sent has been committed.
func (s *Store) write(ctx context.Context, f func(context.Context, *pgxpool.Conn) error) error {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("%w: nothing was written: %w", meeting.ErrUnavailable, err)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		c.Release()
		return errClosed
	}
	s.sockets[c] = c.Conn().PgConn().Conn()
	s.writes.Add(1)
	s.mu.Unlock()

	done := make(chan error, 1)
	go func() {
		defer s.writes.Done()
		takeDoubt(c.Conn().PgConn()) // of whoever had the connection before
		err := f(context.WithoutCancel(ctx), c)
		if doubt := takeDoubt(c.Conn().PgConn()); doubt && err == nil {
			err = fmt.Errorf("%w: the server warned while it wrote, the outcome is unknown", meeting.ErrUnavailable)
		}
		s.mu.Lock()
		delete(s.sockets, c)
		s.mu.Unlock()
		c.Release() // destroys a connection that is broken or inside a transaction
		done <- err
	}()
	select {
	case err := <-done:
		return explain(err)
	case <-ctx.Done():
		return fmt.Errorf("%w: the caller left, the outcome of the write is unknown: %w", meeting.ErrUnavailable, ctx.Err())
	}
}

// A server that ends its wait for a standby before the standby has answered
// reports the commit as done, with a warning that it is done here only. No
// statement of ours gives any other warning, so each of them counts.
const doubtKey = "convene.doubt"

func noteDoubt(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[doubtKey] = true
	}
}

// takeDoubt reports whether a warning came since it was last asked.
func takeDoubt(c *pgconn.PgConn) bool {
	_, doubt := c.CustomData()[doubtKey]
	delete(c.CustomData(), doubtKey)
	return doubt
}

// state returns the SQLSTATE of err and the constraint it names; both are empty
// for an error that the server did not report.
func state(err error) (code, constraint string) {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code, e.ConstraintName
	}
	return "", ""
}

// again reports a failure that left nothing behind and that another attempt may
// escape: two transactions were in each other's way.
func again(err error) bool {
	code, _ := state(err)
	return code == serializationFailure || code == deadlock || errors.Is(err, errRetry)
}

var errRetry = errors.New("another call has just made the record")

// An outcome is an error that this package made, and callers know.
type outcome struct{ error }

func (o outcome) Unwrap() error { return o.error }

// explain gives an error of the driver the meaning that callers know.
func explain(err error) error {
	if err == nil || errors.Is(err, meeting.ErrUnavailable) {
		return err
	}
	if e, ok := errors.AsType[outcome](err); ok {
		return e.error
	}
	if code, _ := state(err); code == diskFull {
		return fmt.Errorf("%w: %w", meeting.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", meeting.ErrUnavailable, err)
}

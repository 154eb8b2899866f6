package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/convene-meet/convene/meeting"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A conn is one connection to the database, for one goroutine at a time. It
// talks to the driver directly: a pool as of database/sql would only be in the
// way of one writer and a handful of readers.
type conn struct {
	raw   driver.Conn
	stmts []*stmt
}

// connect opens a connection. The VFS "unix-excl" holds the file's lock for the
// whole life of the process and keeps the index of the log in memory that all
// its connections share: no lock calls on the path of a read, and no -shm file
// that a full disk could keep from growing.
func connect(path string, pragmas ...string) (*conn, error) {
	return connectAs("rw", path, pragmas...)
}

// connectReadOnly opens a connection that cannot write.
func connectReadOnly(path string, pragmas ...string) (*conn, error) {
	return connectAs("ro", path, pragmas...)
}

func connectAs(mode, path string, pragmas ...string) (*conn, error) {
	query := url.Values{"vfs": {"unix-excl"}, "mode": {mode}, "_error_rc": {"1"}, "_dqs": {"0"}}
	query["_pragma"] = append([]string{"busy_timeout(5000)", "trusted_schema(0)"}, pragmas...)
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	connector, err := modernc.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	raw, err := connector.Connect(context.Background())
	if err != nil {
		return nil, explain(err)
	}
	return &conn{raw: raw}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.raw.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// A stmt is a prepared statement of one connection.
type stmt struct {
	raw  driver.Stmt
	args []driver.NamedValue
	row  []driver.Value
}

// prepare prepares one statement that lives as long as the connection.
func (c *conn) prepare(sql string) (*stmt, error) {
	raw, err := c.raw.Prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", explain(err), sql)
	}
	s := &stmt{raw: raw}
	c.stmts = append(c.stmts, s)
	return s, nil
}

func (s *stmt) bind(args []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return s.args
}

// exec runs the statement and returns how many rows it changed.
func (s *stmt) exec(args ...driver.Value) (changed int64, err error) {
	// The context is never done: what the writer began it ends.
	r, err := s.raw.(driver.StmtExecContext).ExecContext(context.Background(), s.bind(args))
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// query calls each with every row; row is only good until each returns.
func (s *stmt) query(each func(row []driver.Value) error, args ...driver.Value) (err error) {
	rows, err := s.raw.(driver.StmtQueryContext).QueryContext(context.Background(), s.bind(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		if err := rows.Next(s.row); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(s.row); err != nil {
			return err
		}
	}
}

// exec runs a script.
func (c *conn) exec(script string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), script, nil)
	return explain(err)
}

// integer returns the one integer that a query gives.
func (c *conn) integer(sql string) (n int64, err error) {
	rows, err := c.raw.(driver.QueryerContext).QueryContext(context.Background(), sql, nil)
	if err != nil {
		return 0, explain(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil {
		return 0, explain(err)
	}
	n, ok := row[0].(int64)
	if !ok {
		return 0, fmt.Errorf("%s: %T is not an integer", sql, row[0])
	}
	return n, nil
}

// code returns SQLite's extended result code of err, or 0.
func code(err error) int {
	if e, ok := errors.AsType[*modernc.Error](err); ok {
		return e.Code()
	}
	return 0
}

// isTaken reports a violated unique constraint.
func isTaken(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// explain gives an error of the driver the meaning that callers know. Errors
// that did not come from SQLite, or have their meaning, stay as they are.
func explain(err error) error {
	if errors.Is(err, meeting.ErrUnavailable) || errors.Is(err, meeting.ErrFull) {
		return err
	}
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %w", meeting.ErrUnavailable, err)
	}
	switch code(err) & 0xff {
	case sqlite3.SQLITE_OK:
		return err
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", meeting.ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w: %w", meeting.ErrUnavailable, ErrDamaged, err)
	}
	return fmt.Errorf("%w: %w", meeting.ErrUnavailable, err)
}

package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/convene-meet/convene/meeting"
	"modernc.org/libc"
	_ "modernc.org/sqlite" // makes the library ready on the platforms that need it
	sqlite3 "modernc.org/sqlite/lib"
)

// A conn is one connection to the database, for one goroutine at a time. It
// calls SQLite's C interface: database/sql and its driver would be most of what
// a lookup costs. Its own memory, where SQLite reads arguments and writes
// results, is not Go's.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	out   uintptr // room for two results that SQLite writes
	stmts []*stmt
}

const wordSize = bits.UintSize / 8

// connect opens a connection. The VFS "unix-excl" holds the file's lock for the
// whole life of the process and keeps the index of the log in memory that all
// its connections share: no lock calls on the path of a read, and no -shm file
// that a full disk could keep from growing.
func connect(path string, pragmas ...string) (*conn, error) {
	return connectAs(sqlite3.SQLITE_OPEN_READWRITE, path, pragmas...)
}

// connectReadOnly opens a connection that cannot write.
func connectReadOnly(path string, pragmas ...string) (*conn, error) {
	return connectAs(sqlite3.SQLITE_OPEN_READONLY, path, pragmas...)
}

func connectAs(mode int32, path string, pragmas ...string) (*conn, error) {
	c := &conn{tls: libc.NewTLS()}
	c.out = libc.Xmalloc(c.tls, 2*wordSize)
	name, err := libc.CString(path)
	if err != nil {
		return nil, err
	}
	vfs, err := libc.CString("unix-excl")
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	defer libc.Xfree(c.tls, vfs)
	// No lock of its own: a conn belongs to one goroutine at a time.
	flags := mode | sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_EXRESCODE
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out, flags, vfs)
	c.db = c.result(0)
	if rc != sqlite3.SQLITE_OK {
		return nil, errors.Join(explain(c.failure(rc)), c.close())
	}
	for _, p := range append([]string{"busy_timeout(5000)", "trusted_schema(0)"}, pragmas...) {
		if err := c.exec("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// result returns a pointer that SQLite has written to c.out.
func (c *conn) result(i int) uintptr {
	b := libc.GoBytes(c.out, 2*wordSize)[i*wordSize:]
	if wordSize == 4 {
		return uintptr(binary.NativeEndian.Uint32(b))
	}
	return uintptr(binary.NativeEndian.Uint64(b))
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		sqlite3.Xsqlite3_finalize(c.tls, s.handle) // repeats the last error, which was told
		libc.Xfree(c.tls, s.memory)
	}
	var err error
	if rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db); rc != sqlite3.SQLITE_OK {
		err = explain(c.failure(rc))
	}
	libc.Xfree(c.tls, c.out)
	c.tls.Close()
	return err
}

// exec runs a script.
func (c *conn) exec(script string) error {
	text, err := libc.CString(script)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, text)
	for at := text; ; {
		if rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, at, -1, 0, c.out, c.out+wordSize); rc != sqlite3.SQLITE_OK {
			return explain(c.failure(rc))
		}
		handle := c.result(0)
		at = c.result(1)
		if handle == 0 { // nothing but white space
			return nil
		}
		rc := sqlite3.Xsqlite3_step(c.tls, handle)
		for rc == sqlite3.SQLITE_ROW {
			rc = sqlite3.Xsqlite3_step(c.tls, handle)
		}
		if rc != sqlite3.SQLITE_DONE {
			err = explain(c.failure(rc))
		}
		sqlite3.Xsqlite3_finalize(c.tls, handle)
		if err != nil {
			return err
		}
	}
}

// integer returns the one integer that a query gives.
func (c *conn) integer(sql string) (n int64, err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	err = s.query(func(r *row) error {
		n = r.integer(0)
		return nil
	})
	return n, explain(err)
}

// A failure is what SQLite says: an extended result code and a message.
type failure struct {
	code    int32
	message string
}

func (f *failure) Error() string { return fmt.Sprintf("%s (SQLite %d)", f.message, f.code) }

func (c *conn) failure(rc int32) error {
	message := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 && sqlite3.Xsqlite3_extended_errcode(c.tls, c.db) == rc {
		if m := libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db)); m != message {
			message += ": " + m
		}
	}
	return &failure{rc, message}
}

// code returns SQLite's extended result code of err, or 0.
func code(err error) int32 {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	return 0
}

// isTaken reports a violated unique constraint.
func isTaken(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// explain gives an error of SQLite the meaning that callers know. Errors that
// did not come from SQLite, or have their meaning, stay as they are.
func explain(err error) error {
	if err == nil || errors.Is(err, meeting.ErrUnavailable) || errors.Is(err, meeting.ErrFull) {
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

// A stmt is a prepared statement of one connection.
type stmt struct {
	conn   *conn
	handle uintptr
	memory uintptr // of the texts and blobs that are bound
	size   int
	row    row
}

// prepare prepares one statement that lives as long as the connection.
func (c *conn) prepare(sql string) (*stmt, error) {
	text, err := libc.CString(sql)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	if rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, c.out, 0); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("%w: %s", explain(c.failure(rc)), sql)
	}
	s := &stmt{conn: c, handle: c.result(0)}
	s.row.stmt = s
	c.stmts = append(c.stmts, s)
	return s, nil
}

// bind gives each parameter its value. Texts and blobs stay in the statement's
// memory until the next call.
func (s *stmt) bind(args []value) error {
	tls := s.conn.tls
	if n := sqlite3.Xsqlite3_bind_parameter_count(tls, s.handle); int(n) != len(args) {
		return fmt.Errorf("%d arguments for %d parameters", len(args), n)
	}
	size := 1 // so that an empty blob has an address and is not NULL
	for i := range args {
		size += args[i].size()
	}
	if size > s.size {
		libc.Xfree(tls, s.memory)
		s.size = max(size, 2*s.size)
		s.memory = libc.Xmalloc(tls, libc.Tsize_t(s.size))
		if s.memory == 0 {
			s.size = 0
			return &failure{sqlite3.SQLITE_NOMEM, "out of memory"}
		}
	}
	at := s.memory
	for i := range args {
		v, n := &args[i], int32(i+1)
		rc := int32(sqlite3.SQLITE_OK)
		switch v.kind {
		case isNull:
			rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, n)
		case isInteger:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, n, v.n)
		case isText:
			copy(libc.GoBytes(at, len(v.text)), v.text)
			rc = sqlite3.Xsqlite3_bind_text(tls, s.handle, n, at, int32(len(v.text)), sqlite3.SQLITE_STATIC)
		case isGUID:
			copy(libc.GoBytes(at, len(v.guid)), v.guid[:])
			rc = sqlite3.Xsqlite3_bind_blob(tls, s.handle, n, at, int32(len(v.guid)), sqlite3.SQLITE_STATIC)
		case isBlob:
			copy(libc.GoBytes(at, len(v.text)), v.text)
			rc = sqlite3.Xsqlite3_bind_blob(tls, s.handle, n, at, int32(len(v.text)), sqlite3.SQLITE_STATIC)
		}
		if rc != sqlite3.SQLITE_OK {
			return s.conn.failure(rc)
		}
		at += uintptr(v.size())
	}
	return nil
}

// exec runs the statement and returns how many rows it changed.
func (s *stmt) exec(args ...value) (changed int64, err error) {
	if err := s.bind(args); err != nil {
		return 0, err
	}
	rc := sqlite3.Xsqlite3_step(s.conn.tls, s.handle)
	for rc == sqlite3.SQLITE_ROW {
		rc = sqlite3.Xsqlite3_step(s.conn.tls, s.handle)
	}
	if rc != sqlite3.SQLITE_DONE {
		err = s.conn.failure(rc)
	} else {
		changed = int64(sqlite3.Xsqlite3_changes(s.conn.tls, s.conn.db))
	}
	sqlite3.Xsqlite3_reset(s.conn.tls, s.handle) // repeats the error
	return changed, err
}

// query calls each with every row; the row is only good until each returns.
func (s *stmt) query(each func(*row) error, args ...value) error {
	if err := s.bind(args); err != nil {
		return err
	}
	defer sqlite3.Xsqlite3_reset(s.conn.tls, s.handle)
	for {
		switch rc := sqlite3.Xsqlite3_step(s.conn.tls, s.handle); rc {
		case sqlite3.SQLITE_ROW:
			if err := each(&s.row); err != nil {
				return err
			}
		case sqlite3.SQLITE_DONE:
			return nil
		default:
			return s.conn.failure(rc)
		}
	}
}

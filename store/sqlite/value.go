package sqlite

import (
	"fmt"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// A value is an argument of a statement; the zero value is NULL.
type value struct {
	kind kind
	guid [16]byte
	n    int64
	text string // of a blob: its bytes
}

type kind uint8

const (
	isNull kind = iota
	isInteger
	isText
	isGUID // a blob of 16 bytes
	isBlob
)

func integer(n int64) value { return value{kind: isInteger, n: n} }
func text(s string) value   { return value{kind: isText, text: s} }

// blob keeps no bytes apart from no value.
func blob(b []byte) value {
	if b == nil {
		return value{}
	}
	return value{kind: isBlob, text: string(b)}
}

// size is how much memory the value needs beside its register.
func (v *value) size() int {
	if v.kind == isGUID {
		return len(v.guid)
	}
	return len(v.text)
}

// A row is what a query gives. Columns count from 0.
type row struct{ *stmt }

func (r *row) kind(i int) kind {
	switch sqlite3.Xsqlite3_column_type(r.conn.tls, r.handle, int32(i)) {
	case sqlite3.SQLITE_INTEGER:
		return isInteger
	case sqlite3.SQLITE_TEXT:
		return isText
	case sqlite3.SQLITE_BLOB:
		return isBlob
	}
	return isNull // also for a fraction, which no column holds
}

func (r *row) integer(i int) int64 {
	return sqlite3.Xsqlite3_column_int64(r.conn.tls, r.handle, int32(i))
}

// bytes returns a text or a blob in SQLite's memory: copy what has to last.
func (r *row) bytes(i int) []byte {
	p := sqlite3.Xsqlite3_column_blob(r.conn.tls, r.handle, int32(i))
	if p == 0 {
		return nil
	}
	return libc.GoBytes(p, int(sqlite3.Xsqlite3_column_bytes(r.conn.tls, r.handle, int32(i))))
}

// String shows a column in a message.
func (r *row) String(i int) string {
	switch r.kind(i) {
	case isInteger:
		return fmt.Sprint(r.integer(i))
	case isText:
		return string(r.bytes(i))
	case isBlob:
		return fmt.Sprintf("%x", r.bytes(i))
	}
	return "NULL"
}

// A scanner reads the columns of a row one after the other and keeps the first
// error.
type scanner struct {
	row *row
	at  int
	err error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: column %d "+format, append([]any{ErrDamaged, s.at}, args...)...)
	}
}

// text reads a text; NULL is the empty one.
func (s *scanner) text() string {
	defer func() { s.at++ }()
	switch s.row.kind(s.at) {
	case isText:
		return string(s.row.bytes(s.at))
	case isNull:
		return ""
	}
	s.fail("is no text")
	return ""
}

func (s *scanner) integer() int64 {
	defer func() { s.at++ }()
	if s.row.kind(s.at) != isInteger {
		s.fail("is no integer")
	}
	return s.row.integer(s.at)
}

func (s *scanner) blob() []byte {
	defer func() { s.at++ }()
	switch s.row.kind(s.at) {
	case isBlob:
		return append([]byte{}, s.row.bytes(s.at)...)
	case isNull:
		return nil
	}
	s.fail("is no blob")
	return nil
}

func (s *scanner) null() bool { return s.row.kind(s.at) == isNull }

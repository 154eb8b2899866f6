package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/postgres"
	"github.com/convene-meet/convene/store/sqlite"
)

// A Store is an engine: every Store contract over one connection pool.
type Store interface {
	meeting.Store
	join.Store
	identity.Store
	Close() error
}

// openStore opens the engine that cfg.Database names. SQLite in the data
// directory locks that directory; otherwise the lock is returned.
func openStore(ctx context.Context, cfg Config, fatal func(error)) (Store, io.Closer, error) {
	kind, rest, err := database(cfg)
	if err != nil {
		return nil, nil, err
	}
	var lock io.Closer
	if kind != "sqlite" || rest != cfg.Data {
		f, err := lockFile(dataFile(cfg, "server.lock"))
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", cfg.Data, err)
		}
		lock = f
	}
	if kind == "sqlite" {
		s, err := sqlite.Open(ctx, rest, sqlite.Options{Fatal: fatal})
		if err != nil {
			return nil, lock, err
		}
		return s, lock, nil
	}
	s, err := postgres.Open(ctx, rest, postgres.Options{})
	if err != nil {
		return nil, lock, err
	}
	return s, lock, nil
}

// database is the engine that cfg.Database names, and where its data are.
func database(cfg Config) (kind, where string, err error) {
	kind, where, ok := strings.Cut(cfg.Database, ":")
	switch {
	case cfg.Database == "":
		return "sqlite", cfg.Data, nil
	case kind == "postgres" || kind == "postgresql":
		return "postgres", cfg.Database, nil
	case !ok || kind != "sqlite" || where == "":
		return "", "", fmt.Errorf("database: %q is neither sqlite:DIRECTORY nor postgres://…", cfg.Database)
	}
	return kind, where, nil
}

// lockFile takes a file for this process until it is closed.
func lockFile(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("another server uses this directory: %w", err)
	}
	return &fileLock{f}, nil
}

// A fileLock is a file that is taken for this process.
type fileLock struct{ file *os.File }

// Close gives the file back. To close it is not enough: a program that this
// process is just starting has a copy of it until it runs.
func (l *fileLock) Close() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}

// Check reads every page of the database of a stopped server and reports what
// is damaged.
func Check(ctx context.Context, data, database string) error {
	kind, rest, _ := strings.Cut(database, ":")
	switch {
	case database == "":
		rest = data
	case kind != "sqlite":
		return fmt.Errorf("database: %q is checked by its own tools, such as pg_amcheck", kind)
	}
	return sqlite.Check(ctx, rest)
}

package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the key of the advisory lock under which the schema is
// changed: an arbitrary number, "convene" in ASCII.
const migrationLock int64 = 0x636f6e76656e65

// locker makes processes that start at once migrate one after the other.
type locker struct{}

// SessionLock implements goose's SessionLocker. It waits, where goose's own one
// asks every few seconds.
func (locker) SessionLock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock)
	return err
}

// SessionUnlock implements goose's SessionLocker.
func (locker) SessionUnlock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", migrationLock)
	return err
}

// newProvider returns what migrates the database, and what ends it.
func newProvider(pool *pgxpool.Pool) (*goose.Provider, func() error, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, nil, err
	}
	db := stdlib.OpenDBFromPool(pool)
	p, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker{}), goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return p, db.Close, nil
}

// migrate brings the schema to the newest version, and refuses one that is
// newer than that.
func migrate(ctx context.Context, pool *pgxpool.Pool) (err error) {
	p, end, err := newProvider(pool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	if have > known {
		return fmt.Errorf("%w: its schema has version %d, this program knows %d", ErrNewer, have, known)
	}
	return nil
}

// Package postgres is the engine for many nodes: meetings, their rooms, the
// directory and the audit log in one PostgreSQL database (version 14 or later) that
// any number of processes use at once. It implements [meeting.Store], [join.Store]
// and [identity.Store]. It keeps no meeting in memory and knows nothing of HTTP or of
// what a record's document says.
//
// Start at [Open]. What is unique rests on the constraints of the schema
// (migrations), never on an isolation level. Writes go through [Store.write],
// which never takes a statement back that may have been committed.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var (
	_ meeting.Store  = (*Store)(nil)
	_ join.Store     = (*Store)(nil)
	_ identity.Store = (*Store)(nil)
)

// What [Open] refuses.
var (
	// ErrUnsafe is a session that would acknowledge what may be lost, or a server
	// that cannot keep what the contracts ask for.
	ErrUnsafe = errors.New("the database is not safe for Convene")
	// ErrNewer is a database that a later version of Convene has migrated.
	ErrNewer = errors.New("the database was written by a newer version of Convene")
)

// Options are what an operator may choose. The zero value is the default.
type Options struct {
	// MaxConns bounds the connections; 0 leaves it to the URL's pool_max_conns,
	// and that to four for each processor.
	MaxConns int
	// Grace is how long [Store.Close] waits for writes that are under way; 0 means
	// ten seconds.
	Grace time.Duration
}

// oldest is the first version of PostgreSQL that is supported.
const oldest = 14

// A Store is the engine over one database.
type Store struct {
	pool       *pgxpool.Pool
	grace      time.Duration
	generation generation
	turns      join.Turns
	listener   *listener

	mu      sync.Mutex
	closed  bool
	sockets map[*pgxpool.Conn]net.Conn // of the writes under way
	writes  sync.WaitGroup
}

// Open connects to the database that the URL names ("postgres://…", as libpq
// reads it) and brings its schema up to date; several first starts at once are
// harmless. It returns an error that wraps [ErrUnsafe] or [ErrNewer] where that
// is what it found.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", hideSecret(err))
	}
	if opts.MaxConns > 0 {
		config.MaxConns = int32(min(opts.MaxConns, 10_000))
	}
	if opts.Grace <= 0 {
		opts.Grace = 10 * time.Second
	}
	prepareSessions(config)
	s := &Store{grace: opts.Grace, listener: newListener(), sockets: map[*pgxpool.Conn]net.Conn{}}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("database: %w", hideSecret(err))
	}
	err = s.pool.Ping(ctx)
	if err == nil {
		err = migrate(ctx, s.pool)
	}
	if err == nil {
		_, err = s.Generation(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", hideSecret(err)), s.Close())
	}
	return s, nil
}

// hideSecret keeps the password of a URL out of an error.
func hideSecret(err error) error {
	if e, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		return errors.New(e.Error()) // its text has the password blanked, its members have not
	}
	return err
}

// prepareSessions says how each connection begins.
func prepareSessions(config *pgxpool.Config) {
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "convene"
	}
	c.RuntimeParams["default_transaction_isolation"] = "read committed"
	c.OnNotice = noteDoubt
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		// When pgx gives a connection up it dials once more to ask the server to
		// cancel the statement. A commit that waits for its standby would take that
		// as a reason to wait no longer. So a connection dials while it begins and
		// never again.
		begun := new(atomic.Bool)
		dial := c.DialFunc
		c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			if begun.Load() {
				return nil, errNoCancel
			}
			return dial(ctx, network, address)
		}
		c.AfterConnect = func(context.Context, *pgconn.PgConn) error {
			begun.Store(true)
			return nil
		}
		return nil
	}
	config.AfterConnect = checkSession
}

var errNoCancel = errors.New("statements are not cancelled")

// checkSession refuses a session in which a commit does not wait for the disk,
// or not for the standby where one is configured, and pins what it found: a
// later change of the server's configuration begins with new sessions, which are
// checked again.
func checkSession(ctx context.Context, c *pgx.Conn) error {
	var version int
	var encoding, commit string
	err := c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
		set_config('synchronous_commit', current_setting('synchronous_commit'), false)`).Scan(&version, &encoding, &commit)
	switch {
	case err != nil:
		return err
	case version < oldest*10_000:
		return fmt.Errorf("%w: it is PostgreSQL %d; %d is the oldest that is supported", ErrUnsafe, version/10_000, oldest)
	case encoding != "UTF8":
		return fmt.Errorf("%w: its encoding is %s; create it with ENCODING 'UTF8'", ErrUnsafe, encoding)
	case commit == "off" || commit == "local":
		return fmt.Errorf("%w: synchronous_commit is %s, so that what was acknowledged could be lost. Set it to on", ErrUnsafe, commit)
	}
	return nil
}

// Close waits for the writes under way, at most [Options.Grace], and closes the
// connections. What still waits then is left to the server, which may yet
// commit it.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.writes.Wait()
		close(done)
	}()
	late := time.NewTimer(s.grace)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		s.mu.Lock()
		for _, socket := range s.sockets {
			_ = socket.Close() // ends the write with an error
		}
		s.mu.Unlock()
		<-done
	}
	s.listener.close()
	s.pool.Close()
	return nil
}

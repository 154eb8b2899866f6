// Package sqlite is the embedded engine: meetings, their rooms, the directory and
// the audit log in one SQLite file, for one process. It implements [meeting.Store],
// [join.Store] and [identity.Store]. It knows nothing of HTTP, of what a record's
// document says, or of other machines.
//
// Start at [Open]. Writes go through one goroutine that commits all callers who
// wait with one flush to the disk (writer.go), and that writes the next ones while
// new meetings are flushed (flusher.go). Whether a new meeting has to be searched
// for first, filter.go knows. Reads have connections of their own (reader.go),
// and a cache in front of them that is exact because every write passes through
// this process (cache.go). How a meeting becomes a row is in row.go.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
)

var (
	_ meeting.Store  = (*Store)(nil)
	_ join.Store     = (*Store)(nil)
	_ identity.Store = (*Store)(nil)
)

// What [Open] and [Check] refuse.
var (
	// ErrLocked is a data directory that another process, or another Store of
	// this one, is using.
	ErrLocked = errors.New("the data directory is in use")
	// ErrForeign is a database that another program made.
	ErrForeign = errors.New("the file is not a database of Convene")
	// ErrNewer is a database that a later version of Convene has migrated.
	ErrNewer = errors.New("the database was written by a newer version of Convene")
	// ErrDamaged is a database that is not as this engine left it.
	ErrDamaged = errors.New("the database is damaged")
)

// Options are what an operator may choose. The zero value is the default.
type Options struct {
	// CacheBytes bounds the memory of the cache of meetings, roughly; 0 means
	// 32 MiB, a negative number no cache.
	CacheBytes int
	// Queue is how many writes may wait at once; a further one is refused with
	// [meeting.ErrUnavailable]. 0 means 4096.
	Queue int
	// Fatal is told once when the engine cannot go on: the disk failed to write
	// or to flush, so that what it holds is unknown. From then on every write
	// fails. It must not call the Store; nil means that nobody is told.
	Fatal func(error)

	// For tests. flush is the PRAGMA synchronous of the writer, FULL when empty.
	flush string
	// sync flushes the log after a batch of new meetings, as syncData when nil.
	sync func(*os.File) error
	// fold is after how many pages the log is folded, foldAfter when 0.
	fold int64
}

func (o Options) withDefaults() Options {
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	if o.Queue <= 0 {
		o.Queue = 4096
	}
	if o.fold <= 0 {
		o.fold = foldAfter
	}
	if o.flush == "" {
		o.flush = "FULL"
	}
	if o.sync == nil {
		o.sync = syncData
	}
	if o.flush != "FULL" {
		o.sync = func(*os.File) error { return nil }
	}
	return o
}

// fileName is the database file in the data directory.
const fileName = "convene.db"

// A Store is the embedded engine over one data directory.
type Store struct {
	path       string
	lock       *dirLock
	writer     *writer
	readers    *readers
	meetings   *cache
	filter     *filter
	loading    context.CancelFunc // ends the loading of the filter
	loaded     chan struct{}      // closed when that has ended
	generation atomic.Int64
	turns      join.Turns
	watchers   join.Watchers
	opts       Options

	closing sync.Once
	closed  error
}

// Open opens the database in the directory dir, and makes both when they are
// missing: the directory with mode 0700, the file with 0600. It returns an error
// that wraps [ErrLocked], [ErrForeign], [ErrNewer] or [ErrDamaged] where that is
// what it found; of the file it checks the header, the schema and the log, not
// every page: see [Check].
func Open(ctx context.Context, dir string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{path: filepath.Join(dir, fileName), opts: opts, lock: lock}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", s.path, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	opts := s.opts
	if err := prepareFile(ctx, s.path); err != nil {
		return err
	}
	c, err := connect(s.path, "synchronous("+opts.flush+")", "wal_autocheckpoint(0)", "cache_size(-8192)", "journal_size_limit(67108864)")
	if err != nil {
		return err
	}
	if err := migrate(c); err != nil {
		return errors.Join(err, c.close())
	}
	// What a killed process left in the log is copied before anything is added to
	// it; a log that only grew would be read again at each start.
	if err := c.exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil && !errors.Is(err, meeting.ErrFull) {
		return errors.Join(err, c.close())
	}
	s.meetings = newCache(opts.CacheBytes)
	s.readers = newReaders(s.path)
	if s.writer, err = startWriter(c, s.path, s.meetings, opts); err != nil {
		return errors.Join(err, c.close())
	}
	s.generation.Store(s.writer.stmts.generation)
	s.filter = newFilter()
	s.loaded = make(chan struct{})
	ctx, s.loading = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(s.loaded)
		_ = s.filter.load(ctx, s.path)
	}()
	return nil
}

// Close lets the writes that were accepted finish, folds the log into the
// database and gives the directory free. It must be the last call, after every
// other one has returned.
func (s *Store) Close() error {
	s.closing.Do(func() {
		var errs []error
		if s.loading != nil {
			s.loading()
			<-s.loaded
		}
		if s.readers != nil {
			errs = append(errs, s.readers.close())
		}
		if s.writer != nil { // last: the last connection folds the log in
			errs = append(errs, s.writer.close())
		}
		errs = append(errs, s.lock.Close())
		s.closed = errors.Join(errs...)
	})
	return s.closed
}

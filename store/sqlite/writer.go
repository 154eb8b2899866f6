package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/convene-meet/convene/meeting"
	sqlite3 "modernc.org/sqlite/lib"
)

// maxBatch bounds how many writes share one transaction, and so how long the
// first of them waits for the others.
const maxBatch = 256

// A job is one caller's write. It runs inside a transaction that it may share
// with others, and its caller learns the outcome when that is durable.
type job struct {
	// creates is set where the job makes a meeting and changes nothing that others
	// can see yet: its batch may be flushed while the next one is written.
	creates bool
	// run writes with the writer's statements. An error of its own must leave
	// nothing of it behind and fails no other job; see [isolated].
	run func(*statements) error
	// touched are the keys of meetings that were there before and are changed or
	// removed: the cache must not answer for them meanwhile. run may add some.
	touched []ownerKey
	// all says that any meeting may be changed.
	all bool
	// after is called when the write is durable, before the caller is told.
	after func()

	err  error
	done chan error // of capacity 1, so that the caller may leave
}

// A writer is the one goroutine that writes.
type writer struct {
	conn    *conn
	stmts   *statements
	cache   *cache
	durable *durable
	flusher *flusher
	folder  *folder
	fatal   func(error)
	fold    int64
	flush   string // Options.flush
	level   string // what PRAGMA synchronous is

	jobs chan *job
	stop chan struct{} // closed by close
	gone chan struct{} // closed when the goroutine has ended
	once sync.Once

	failed error // why nothing is written any more; only the goroutine looks
}

// startWriter takes the connection over: the writer closes it.
func startWriter(c *conn, path string, meetings *cache, opts Options) (*writer, error) {
	stmts, err := prepareStatements(c)
	if err != nil {
		return nil, err
	}
	folder, err := startFolder(path, opts)
	if err != nil {
		return nil, err
	}
	d := &durable{}
	d.advance(stmts.nextID - 1)
	w := &writer{
		conn:    c,
		stmts:   stmts,
		cache:   meetings,
		durable: d,
		flusher: startFlusher(path, d, opts),
		folder:  folder,
		fatal:   opts.Fatal,
		fold:    opts.fold,
		flush:   opts.flush,
		level:   opts.flush,
		jobs:    make(chan *job, opts.Queue),
		stop:    make(chan struct{}),
		gone:    make(chan struct{}),
	}
	go w.loop()
	return w, nil
}

// close lets the accepted writes finish and ends the goroutine.
func (w *writer) close() error {
	w.once.Do(func() { close(w.stop) })
	<-w.gone
	return errors.Join(w.flusher.close(), w.folder.close(), w.conn.close())
}

var errClosed = fmt.Errorf("%w: it was closed", meeting.ErrUnavailable)

// do has j written and waits until it is durable. When ctx ends first, the
// write goes on and its outcome is unknown to the caller.
func (w *writer) do(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: nothing was written: %w", meeting.ErrUnavailable, err)
	}
	j.done = make(chan error, 1)
	select {
	case <-w.stop:
		return errClosed
	default:
	}
	select {
	case w.jobs <- j:
	default:
		return fmt.Errorf("%w: %d writes are waiting already", meeting.ErrUnavailable, cap(w.jobs))
	}
	select {
	case err := <-j.done:
		return explain(err)
	case <-ctx.Done():
		return fmt.Errorf("%w: the caller left, the outcome of the write is unknown: %w", meeting.ErrUnavailable, ctx.Err())
	case <-w.gone:
	}
	select {
	case err := <-j.done:
		return explain(err)
	default:
		return errClosed
	}
}

func (w *writer) loop() {
	defer close(w.gone)
	batch := make([]*job, 0, maxBatch)
	stop := w.stop
	for {
		select {
		case j := <-w.jobs:
			batch = w.gather(append(batch[:0], j))
			w.commit(batch)
			clear(batch)
		case err := <-w.flusher.flushed:
			w.finishFlush(err)
		case err := <-w.folder.folded:
			w.finishFold(err)
		case <-stop:
			stop = nil // the accepted ones first
		}
		if stop == nil && len(w.jobs) == 0 {
			w.settle()
			return
		}
	}
}

// gather adds the jobs that wait. Callers whom the last flush set free are about
// to come back; stepping aside for as long as that brings more jobs costs
// microseconds and saves flushes.
func (w *writer) gather(batch []*job) []*job {
	for before := 0; before < len(batch) && len(batch) < maxBatch; {
		before = len(batch)
		runtime.Gosched()
		for len(w.jobs) > 0 && len(batch) < maxBatch {
			batch = append(batch, <-w.jobs)
		}
	}
	return batch
}

// commit writes a batch in one transaction. A batch that only creates is then
// flushed by the flusher, while the next one is written; readers that find a
// meeting of it wait until it is durable. Any other batch is flushed before
// anybody sees it, since readers could not tell what of it is not yet durable.
func (w *writer) commit(batch []*job) {
	ahead := true
	for _, j := range batch {
		ahead = ahead && j.creates
	}
	if !ahead {
		w.settle()
	}
	err := w.failed
	if err == nil {
		err = w.synchronous(ahead)
	}
	if err == nil {
		err = w.transact(batch)
	}
	lastID := w.stmts.nextID - 1
	if err == nil && ahead {
		w.settle()
		if err = w.failed; err == nil {
			w.flusher.begin(batch, lastID)
		}
	}
	if err != nil || !ahead {
		finish(batch, err, w.durable, lastID)
	}
	if w.failed == nil {
		w.beginFold()
	}
}

// finish answers each job of a batch that is durable, or failed with err.
func finish(batch []*job, err error, d *durable, lastID int64) {
	for _, j := range batch {
		if err != nil {
			j.err = err
		} else if j.err == nil && j.after != nil {
			j.after()
		}
	}
	if err == nil {
		d.advance(lastID)
	}
	for _, j := range batch {
		j.done <- j.err
	}
}

// synchronous chooses whether a commit flushes the log. Without, SQLite flushes
// it where its own order needs that: a new log's header, and before it is folded.
func (w *writer) synchronous(ahead bool) error {
	level := w.flush
	if ahead && level == "FULL" {
		level = "NORMAL"
	}
	if level == w.level {
		return nil
	}
	if err := w.conn.exec("PRAGMA synchronous(" + level + ")"); err != nil {
		return w.broken(err)
	}
	w.level = level
	return nil
}

// settle waits for the flush that is under way.
func (w *writer) settle() {
	if w.flusher.busy {
		w.finishFlush(<-w.flusher.flushed)
	}
}

func (w *writer) finishFlush(err error) {
	w.flusher.busy = false
	if err != nil && w.failed == nil {
		_ = w.broken(err)
	}
}

// transact runs the jobs of a batch and commits. An error is the whole batch's:
// nothing of it is there, or, after a failed flush, nobody knows.
func (w *writer) transact(batch []*job) error {
	if _, err := w.stmts.begin.exec(); err != nil {
		return w.broken(err)
	}
	for _, j := range batch {
		if j.err = j.run(w.stmts); !isolated(j.err) {
			return w.undo(j.err)
		}
	}
	held := w.cache.hold(batch)
	defer w.cache.release(held)
	if _, err := w.stmts.commit.exec(); err != nil {
		return w.undo(err)
	}
	return nil
}

func (w *writer) undo(err error) error {
	_, _ = w.stmts.rollback.exec() // fails where SQLite has rolled back by itself
	return w.broken(err)
}

// broken decides what a failure of the whole batch means for the next one.
// A full disk and a lock that did not come are known to have left nothing
// behind. After anything else, a failed flush above all, what the disk holds is
// unknown, and to write on could lose what was acknowledged.
func (w *writer) broken(err error) error {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY:
		return explain(err)
	}
	w.failed = fmt.Errorf("the database cannot be written any more: %w", explain(err))
	if w.fatal != nil {
		w.fatal(w.failed)
	}
	return w.failed
}

// isolated reports whether err concerns one job alone: no error, one of ours,
// or one that SQLite gives for a single statement.
func isolated(err error) bool {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_OK, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return true
	}
	return false
}

// beginFold has the log folded into the database once it is long enough. Where
// the disk is so slow that it grows much longer meanwhile, all have to wait.
func (w *writer) beginFold() {
	pages, err := w.stmts.logLength()
	switch {
	case err != nil:
		_ = w.broken(err)
	case !w.folder.busy && pages >= w.fold:
		w.folder.begin()
	case w.folder.busy && pages >= foldLimit*w.fold:
		w.finishFold(<-w.folder.folded)
	}
}

// finishFold copies what was written while the folder worked, which is little,
// so that for a moment the whole log is in the database and the next write may
// begin it anew: the log is as long as one round brings, not as long as there is
// always somebody writing.
func (w *writer) finishFold(err error) {
	w.folder.busy = false
	if err == nil {
		_, err = w.stmts.checkpoint.exec()
	}
	if err != nil && w.failed == nil {
		_ = w.broken(err) // a full disk is no failure: the log keeps everything
	}
}

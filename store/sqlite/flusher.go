package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/convene-meet/convene/meeting"
)

// A flusher flushes the log for the writer, so that the next transaction is
// prepared while the disk works on the last one. It answers the callers of a
// batch when that is durable.
type flusher struct {
	path    string
	file    *os.File // the log, from the first flush on
	sync    func(*os.File) error
	durable *durable

	busy    bool // from begin until flushed was received; only the writer looks
	batches chan flight
	flushed chan error
	gone    chan struct{}
}

// A flight is a batch that is committed and not yet durable.
type flight struct {
	batch  []*job
	lastID int64 // no meeting of the batch has a greater id
}

func startFlusher(path string, d *durable, opts Options) *flusher {
	f := &flusher{
		path:    path + "-wal",
		sync:    opts.sync,
		durable: d,
		batches: make(chan flight, 1),
		flushed: make(chan error, 1),
		gone:    make(chan struct{}),
	}
	go f.loop()
	return f
}

// begin takes a batch over. Nothing else may be under way.
func (f *flusher) begin(b []*job, lastID int64) {
	f.busy = true
	f.batches <- flight{append([]*job(nil), b...), lastID}
}

func (f *flusher) loop() {
	defer close(f.gone)
	for b := range f.batches {
		err := f.flush()
		if err != nil {
			f.durable.fail(err)
		}
		finish(b.batch, err, f.durable, b.lastID)
		f.flushed <- err
	}
}

func (f *flusher) flush() (err error) {
	if f.file == nil {
		// The log stays the same file until the last connection is closed.
		if f.file, err = os.OpenFile(f.path, os.O_RDWR, 0); err != nil {
			return fmt.Errorf("%w: %w", meeting.ErrUnavailable, err)
		}
	}
	if err := f.sync(f.file); err != nil {
		return fmt.Errorf("%w: flush %s: %w", meeting.ErrUnavailable, f.path, err)
	}
	return nil
}

// close waits for the flush that is under way.
func (f *flusher) close() error {
	close(f.batches)
	<-f.gone
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// A durable says up to which id meetings are on the disk: what the writer has
// committed, readers see at once, and a crash could still undo it. The writer
// gives ids in the order of its commits.
type durable struct {
	lastID atomic.Int64

	mu      sync.Mutex
	changed chan struct{} // closed with the next change; nil while nobody waits
	failed  error
}

// wait returns when the meeting with this id is durable: at once, unless its
// creation is being flushed. Only who asks for that very meeting waits.
func (d *durable) wait(ctx context.Context, id int64) error {
	for id > d.lastID.Load() {
		d.mu.Lock()
		if id <= d.lastID.Load() {
			d.mu.Unlock()
			return nil
		}
		if d.failed != nil {
			defer d.mu.Unlock()
			return d.failed
		}
		if d.changed == nil {
			d.changed = make(chan struct{})
		}
		changed := d.changed
		d.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w: the meeting is being made: %w", meeting.ErrUnavailable, ctx.Err())
		}
	}
	return nil
}

func (d *durable) advance(lastID int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastID.Store(max(lastID, d.lastID.Load()))
	d.wake()
}

func (d *durable) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = errors.Join(meeting.ErrUnavailable, err)
	d.wake()
}

func (d *durable) wake() {
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

package sqlite

import "errors"

// foldAfter is after how many pages the log is folded into the database: about
// 32 MiB, which a start after a crash reads in a tenth of a second. The longer it
// is, the more changes of one page are folded at once.
const foldAfter = 8192

// foldLimit is how many times that long the log may be when the writer waits
// until it is folded.
const foldLimit = 16

// A folder copies the log into the database beside the writer, over a connection
// of its own: flushing a database takes longer than flushing a log, and nobody
// has to wait for it.
type folder struct {
	conn   *conn
	stmt   *stmt
	busy   bool // from begin until folded was received; only the writer looks
	wanted chan struct{}
	folded chan error
	gone   chan struct{}
}

func startFolder(path string, opts Options) (*folder, error) {
	c, err := connect(path, "synchronous("+opts.flush+")", "wal_autocheckpoint(0)", "cache_size(-64)")
	if err != nil {
		return nil, err
	}
	s, err := c.prepare("PRAGMA wal_checkpoint(PASSIVE)")
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	f := &folder{
		conn:   c,
		stmt:   s,
		wanted: make(chan struct{}, 1),
		folded: make(chan error, 1),
		gone:   make(chan struct{}),
	}
	go func() {
		defer close(f.gone)
		for range f.wanted {
			_, err := f.stmt.exec()
			f.folded <- err
		}
	}()
	return f, nil
}

func (f *folder) begin() {
	f.busy = true
	f.wanted <- struct{}{}
}

// close waits for the copy that is under way.
func (f *folder) close() error {
	close(f.wanted)
	<-f.gone
	return f.conn.close()
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/convene-meet/convene/meeting"
)

// A reader is one connection that only reads. Each of its queries sees what was
// committed when it began, and waits for nobody. Of new meetings that may not be
// durable yet: see [durable.wait].
type reader struct {
	conn                                             *conn
	byOwner, byThread, byJoin, byConference, byVTC   *stmt
	record, recordByName, records, audit, auditOfAll *stmt
	room, openRooms, messages, reports, gone         *stmt
	others                                           map[string]*stmt // by their SQL
}

func openReader(path string) (*reader, error) {
	// The pages of a large file are read where the system keeps them, not copied
	// into a cache that is too small for them.
	c, err := connectReadOnly(path, "cache_size(-4096)", "mmap_size(2147418112)")
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c, others: map[string]*stmt{}}
	for _, p := range []struct {
		into **stmt
		sql  string
	}{
		{&r.byOwner, selectMeeting + whereOwner},
		{&r.byThread, selectMeeting + whereThread},
		{&r.byJoin, selectMeeting + whereJoin},
		{&r.byConference, selectMeeting + whereConference},
		{&r.byVTC, selectMeeting + whereVTC},
		{&r.record, selectRecord + whereRecord},
		{&r.recordByName, selectRecord + whereRecordName},
		{&r.records, selectRecord + whereRecords},
		{&r.audit, selectAudit + whereAuditOfTenant},
		{&r.auditOfAll, selectAudit + whereAudit},
		{&r.room, selectRoom + whereRoom},
		{&r.openRooms, selectRoom + whereOpen},
		{&r.messages, selectMessage + whereMessages},
		{&r.reports, selectReport + whereReports},
		{&r.gone, selectGone},
	} {
		if *p.into, err = c.prepare(p.sql); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return r, nil
}

// prepared prepares a statement once. There are only so many that lists have.
func (r *reader) prepared(sql string) (s *stmt, err error) {
	if s = r.others[sql]; s == nil {
		if s, err = r.conn.prepare(sql); err == nil {
			r.others[sql] = s
		}
	}
	return s, err
}

// readers are the connections that read: opened when needed, at most as many as
// can do something at once, and the one used last is used first, because its
// pages are in memory.
type readers struct {
	path  string
	slots chan struct{}
	mu    sync.Mutex
	idle  []*reader
}

func newReaders(path string) *readers {
	return &readers{path: path, slots: make(chan struct{}, max(4, runtime.GOMAXPROCS(0)))}
}

// do lends a reader to f.
func (p *readers) do(ctx context.Context, f func(*reader) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", meeting.ErrUnavailable, ctx.Err())
	}
	defer func() { <-p.slots }()
	r, err := p.take()
	if err != nil {
		return err
	}
	defer p.giveBack(r)
	return explain(f(r))
}

func (p *readers) take() (*reader, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		r := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return r, nil
	}
	p.mu.Unlock()
	return openReader(p.path)
}

func (p *readers) giveBack(r *reader) {
	p.mu.Lock()
	p.idle = append(p.idle, r)
	p.mu.Unlock()
}

func (p *readers) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, r := range p.idle {
		errs = append(errs, r.conn.close())
	}
	p.idle = nil
	return errors.Join(errs...)
}

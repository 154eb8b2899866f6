package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// work has callers make, change and delete meetings and change records, all at
// once. It writes a line for each acknowledgement once it has it, and one for
// what it is about to delete. A caller ends at its first error, which must be
// one that says that the store cannot answer.
func work(t testing.TB, s *Store, out io.Writer, prefix string, callers, rounds int) {
	fmt.Fprintln(out, "work: opened")
	var wait sync.WaitGroup
	for c := range callers {
		wait.Go(func() {
			if err := workAlone(s, out, prefix, c, rounds); err != nil && !errors.Is(err, meeting.ErrUnavailable) && !errors.Is(err, meeting.ErrFull) {
				t.Errorf("caller %d: %v", c, err)
			}
		})
	}
	wait.Wait()
}

func workAlone(s *Store, out io.Writer, prefix string, caller, rounds int) error {
	ctx := context.Background()
	now := time.Now()
	say := func(format string, args ...any) { fmt.Fprintf(out, "work: "+format+"\n", args...) }
	var mine []meeting.Meeting
	record := identity.Record{Kind: identity.KindPolicy, ID: fmt.Sprintf("%s-%d", prefix, caller)}
	for k := range rounds {
		m, err := meeting.Draft{Owner: benchOwner, ExternalID: fmt.Sprintf("%s-%d-%d", prefix, caller, k)}.Complete(now)
		if err != nil {
			return err
		}
		m, created, err := s.CreateOrGet(ctx, m, meeting.Numbers(true))
		if err != nil {
			return err
		}
		if !created {
			return fmt.Errorf("%s was there before", m.ExternalID)
		}
		say("made %s %s", m.ExternalID, m.ThreadID)
		mine = append(mine, m)
		if k%3 == 1 {
			changed, err := s.Update(ctx, m.Tenant, mine[k-1].ThreadID, "0", now, func(m *meeting.Meeting) error { m.Passcode = "changed"; return nil })
			if err != nil {
				return err
			}
			say("changed %s %d", changed.ExternalID, changed.Revision)
		}
		if k%5 == 4 {
			say("deleting %s", mine[k-3].ExternalID)
			if err := s.Delete(ctx, m.Tenant, mine[k-3].ThreadID, "0", now); err != nil {
				return err
			}
			say("deleted %s", mine[k-3].ExternalID)
		}
		if k%4 == 3 {
			record.Doc = []byte(strconv.Itoa(k))
			if err := s.Apply(ctx, now, []identity.Change{{Record: record, Expect: record.Revision}}, identity.AuditEntry{At: now, Actor: record.ID}); err != nil {
				return err
			}
			record.Revision++
			say("applied %s %d", record.ID, record.Revision)
		}
	}
	return nil
}

// promises are what the lines of work say.
type promises struct {
	opened            bool
	made              map[string]string // thread by external id
	changed, applied  map[string]int64  // least revision
	deleting, deleted map[string]bool
}

func newPromises() *promises {
	return &promises{false, map[string]string{}, map[string]int64{}, map[string]int64{}, map[string]bool{}, map[string]bool{}}
}

// add reads one line; it reports whether the line was one of work's.
func (p *promises) add(line string) bool {
	line, ok := strings.CutPrefix(strings.TrimSpace(line), "work: ")
	if !ok {
		return false
	}
	f := append(strings.Fields(line), "", "")
	n, _ := strconv.ParseInt(f[2], 10, 64)
	switch f[0] {
	case "opened":
		p.opened = true
	case "made":
		p.made[f[1]] = f[2]
	case "changed":
		p.changed[f[1]] = n
	case "deleting":
		p.deleting[f[1]] = true
	case "deleted":
		p.deleted[f[1]] = true
	case "applied":
		p.applied[f[1]] = n
	}
	return true
}

// kept checks with the engine itself that the promises were kept in dir: the
// file is whole, and what was acknowledged is there, once.
func (p *promises) kept(dir string) (err error) {
	ctx := context.Background()
	if err := Check(ctx, dir); err != nil {
		return err
	}
	s, err := Open(ctx, dir, Options{CacheBytes: -1, flush: "OFF"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	now := time.Now()
	for id, thread := range p.made {
		_, m, err := s.find(ctx, now, byOwner, compactGUID(benchOwner.Tenant), compactGUID(benchOwner.User), text(id))
		switch gone := errors.Is(err, meeting.ErrNotFound); {
		case err != nil && !gone:
			return err
		case gone && !p.deleting[id]:
			return fmt.Errorf("meeting %s is lost", id)
		case !gone && p.deleted[id]:
			return fmt.Errorf("meeting %s is back", id)
		case !gone && m.ThreadID != thread:
			return fmt.Errorf("meeting %s has thread %s, want %s", id, m.ThreadID, thread)
		case !gone && m.Revision < p.changed[id]:
			return fmt.Errorf("meeting %s has revision %d, want %d", id, m.Revision, p.changed[id])
		}
	}
	changes := int64(0)
	for id, revision := range p.applied {
		r, err := s.Record(ctx, identity.KindPolicy, "", id, now)
		if err != nil || r.Revision < revision {
			return fmt.Errorf("record %s has revision %d, error %v; want %d", id, r.Revision, err, revision)
		}
		changes += revision
	}
	entries, err := s.Audit(ctx, "", 0, 1_000_000)
	if err != nil || int64(len(entries)) < changes {
		return fmt.Errorf("%d audit entries, error %v; want %d", len(entries), err, changes)
	}
	c, err := connectReadOnly(s.path)
	if err != nil {
		return err
	}
	twice, err := c.integer("SELECT count(*) - count(DISTINCT external_id) FROM meetings")
	if err := errors.Join(err, c.close()); err != nil || twice != 0 {
		return fmt.Errorf("%d meetings are there twice, error %v", twice, err)
	}
	m, err := meeting.Draft{Owner: benchOwner, ExternalID: "one more"}.Complete(now)
	if err != nil {
		return err
	}
	_, _, err = s.CreateOrGet(ctx, m, meeting.Numbers(true))
	return err
}

// noon is when nothing of work has expired yet.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

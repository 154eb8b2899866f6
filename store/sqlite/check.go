package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// maxFindings bounds what [Check] lists.
const maxFindings = 20

// Check reads the whole database in dir, which no process may be using, and
// changes nothing. An error that wraps [ErrDamaged] lists what it found; else it
// is one of those of [Open].
func Check(ctx context.Context, dir string) error {
	path := filepath.Join(dir, fileName)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := checkHeader(path, info.Size()); err != nil {
		return err
	}
	if err := checkLog(path + "-wal"); err != nil {
		return err
	}
	c, err := connectReadOnly(path)
	if err != nil {
		return err
	}
	findings, err := c.findings(ctx)
	if err := errors.Join(err, c.close(), dropEmptyLog(path)); err != nil {
		return err
	}
	if len(findings) > 0 {
		return fmt.Errorf("%w: %w", ErrDamaged, errors.Join(findings...))
	}
	return nil
}

// dropEmptyLog removes the log that SQLite made because there was none.
func dropEmptyLog(path string) error {
	log, err := os.Stat(path + "-wal")
	if errors.Is(err, os.ErrNotExist) || err == nil && log.Size() > 0 {
		return nil
	} else if err != nil {
		return err
	}
	return os.Remove(path + "-wal")
}

func (c *conn) findings(ctx context.Context) (all []error, err error) {
	add := func(format string, args ...any) {
		if len(all) < maxFindings {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	for _, check := range []struct {
		sql string
		row func(r *row)
	}{
		{fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings), func(r *row) {
			if found := r.String(0); found != "ok" {
				add("%s", found)
			}
		}},
		{"PRAGMA foreign_key_check", func(r *row) {
			add("table %s, row %s: what it refers to in %s is missing", r.String(0), r.String(1), r.String(2))
		}},
		{"SELECT count(*) FROM generation", func(r *row) {
			if n := r.integer(0); n != 1 {
				add("the table generation has %d rows, not 1", n)
			}
		}},
		{"SELECT " + meetingColumns + " FROM meetings", func(r *row) {
			if id, _, err := scanMeeting(r); err != nil {
				add("meeting %d: %w", id, err)
			}
		}},
		{"SELECT " + recordColumns + " FROM records", func(r *row) {
			if record, err := scanRecord(r); err != nil {
				add("record %s %q: %w", record.Kind, record.ID, err)
			}
		}},
		{selectRoom + "true", func(r *row) {
			if id, _, err := scanRoom(r); err != nil {
				add("room %d: %w", id, err)
			}
		}},
		{selectMessage + "true", func(r *row) {
			if m, err := scanMessage(r); err != nil {
				add("message %d: %w", m.Seq, err)
			}
		}},
		{selectReport + "true", func(r *row) {
			if _, err := scanReport(r); err != nil {
				add("report: %w", err)
			}
		}},
	} {
		s, err := c.prepare(check.sql)
		if err == nil {
			err = s.query(func(r *row) error {
				check.row(r)
				return ctx.Err()
			})
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil: // what cannot be read any more
			add("%w", explain(err))
			return all, nil
		}
	}
	return all, nil
}

package sqlite

import (
	"context"
	"database/sql/driver"
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
		row func(row []driver.Value)
	}{
		{fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings), func(row []driver.Value) {
			if row[0] != "ok" {
				add("%v", row[0])
			}
		}},
		{"PRAGMA foreign_key_check", func(row []driver.Value) {
			add("table %v, row %v: what it refers to in %v is missing", row[0], row[1], row[2])
		}},
		{"SELECT count(*) FROM generation", func(row []driver.Value) {
			if row[0] != int64(1) {
				add("the table generation has %v rows, not 1", row[0])
			}
		}},
		{"SELECT " + meetingColumns + " FROM meetings", func(row []driver.Value) {
			id := row[0]
			if _, _, err := scanMeeting(row); err != nil {
				add("meeting %v: %w", id, err)
			}
		}},
		{"SELECT " + recordColumns + " FROM records", func(row []driver.Value) {
			kind, id := row[0], row[2]
			if _, err := scanRecord(row); err != nil {
				add("record %v %q: %w", kind, id, err)
			}
		}},
	} {
		s, err := c.prepare(check.sql)
		if err == nil {
			err = s.query(func(row []driver.Value) error {
				check.row(row)
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

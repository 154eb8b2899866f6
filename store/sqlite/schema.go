package sqlite

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Migrations are pairs of scripts, NNNN_name.up.sql and .down.sql, numbered
// from 1 without a gap. The number of the last one that was applied is the
// file's user_version: a field of the header, which costs no table and can be
// read before anything else is trusted.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

type migration struct{ up, down string }

// migrations returns every migration, the first at index 0.
func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.up.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, name := range names { // in lexical order
		if want := fmt.Sprintf("migrations/%04d_", i+1); !strings.HasPrefix(name, want) {
			return nil, fmt.Errorf("migration %s: want one that begins with %s", name, want)
		}
		up, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		down, err := migrationFiles.ReadFile(strings.TrimSuffix(name, ".up.sql") + ".down.sql")
		if err != nil {
			return nil, err
		}
		all = append(all, migration{string(up), string(down)})
	}
	return all, nil
}

// migrate brings the schema to the newest version.
func migrate(c *conn) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	return migrateTo(c, all, len(all))
}

// migrateTo brings the schema from the version it has to the given one, one
// transaction for each step.
func migrateTo(c *conn, all []migration, version int) error {
	have, err := c.integer("PRAGMA user_version")
	if err != nil {
		return err
	}
	if have > int64(len(all)) {
		return newer(have, len(all))
	}
	if have < 0 {
		return fmt.Errorf("%w: its schema has version %d", ErrDamaged, have)
	}
	for at := int(have); at != version; {
		script := ""
		if at < version {
			script = all[at].up
			at++
		} else {
			at--
			script = all[at].down
		}
		script = fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA user_version = %d;\nCOMMIT;", script, at)
		if err := c.exec(script); err != nil {
			_ = c.exec("ROLLBACK") // fails when SQLite has already rolled back
			return errors.Join(fmt.Errorf("migration to schema version %d", at), err)
		}
	}
	return nil
}

func newer(have int64, known int) error {
	return fmt.Errorf("%w: its schema has version %d, this program knows %d", ErrNewer, have, known)
}

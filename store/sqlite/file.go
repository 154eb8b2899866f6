package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// applicationID is the mark of our files: "Cnvn".
const applicationID = 0x436e766e

// makeDir makes dir and what is missing above it, and lasting: an entry of a
// directory survives a power cut once the directory is flushed.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return flushDir(parent)
}

func flushDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// prepareFile checks the database file before SQLite opens it, and makes a new
// one when there is none.
func prepareFile(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return createFile(ctx, path)
	} else if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: it is not a regular file", ErrForeign)
	}
	if err := checkHeader(path, info.Size()); err != nil {
		return err
	}
	if err := checkLog(path + "-wal"); err != nil {
		return err
	}
	if err := flushAgain(path + "-wal"); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
			if err := os.Chmod(name, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// flushAgain writes a log over itself and flushes it. What a process has left
// that was killed, or stopped because a flush had failed, is in the system's
// memory and perhaps nowhere else: after a failed flush the system takes pages
// for written that are not, and flushes them no more until they are written
// again. Nothing may be built upon them before that.
func flushAgain(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	block := make([]byte, 1<<18)
	for offset := int64(0); err == nil; {
		var n int
		n, err = f.ReadAt(block, offset)
		if n > 0 {
			if _, err := f.WriteAt(block[:n], offset); err != nil {
				return errors.Join(err, f.Close())
			}
			offset += int64(n)
		}
	}
	if err == io.EOF {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// createFile makes a database with the newest schema under another name and
// then gives it its own, so that a file of that name is always complete.
func createFile(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return fmt.Errorf("%w: it is missing, but its log %s-wal is there", ErrDamaged, filepath.Base(path))
	}
	draft := path + ".new"
	for _, leftover := range []string{draft, draft + "-journal", draft + "-wal"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(draft, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	c, err := connect(draft, "synchronous(FULL)")
	if err != nil {
		return err
	}
	err = c.exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	if err == nil {
		err = migrate(c)
	}
	if err == nil {
		err = c.exec("PRAGMA journal_mode = WAL")
	}
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	return flushDir(filepath.Dir(path))
}

// Places in the header of a database file (SQLite's file format, section 1.3).
const (
	headerSize      = 100
	headerMagic     = "SQLite format 3\x00"
	offPageSize     = 16
	offPages        = 28
	offUserVersion  = 60
	offApplication  = 68
	largestPageSize = 65536
)

func checkHeader(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var h [headerSize]byte
	if _, err := io.ReadFull(f, h[:]); err != nil {
		return fmt.Errorf("%w: it has %d bytes, too few for a header", ErrDamaged, size)
	}
	if string(h[:len(headerMagic)]) != headerMagic {
		return fmt.Errorf("%w: it is not an SQLite database", ErrForeign)
	}
	if id := binary.BigEndian.Uint32(h[offApplication:]); id != applicationID {
		return fmt.Errorf("%w: its application id is %#x, not %#x", ErrForeign, id, applicationID)
	}
	known, err := migrations()
	if err != nil {
		return err
	}
	if version := int32(binary.BigEndian.Uint32(h[offUserVersion:])); int(version) > len(known) {
		return newer(int64(version), len(known))
	}
	pageSize := int64(binary.BigEndian.Uint16(h[offPageSize:]))
	if pageSize == 1 {
		pageSize = largestPageSize
	}
	if pageSize < 512 || pageSize&(pageSize-1) != 0 {
		return fmt.Errorf("%w: its page size is %d", ErrDamaged, pageSize)
	}
	// While there is a log, the file may be about to grow.
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > logHeaderSize {
		return nil
	}
	if want := int64(binary.BigEndian.Uint32(h[offPages:])) * pageSize; size < want {
		return fmt.Errorf("%w: it has %d bytes and should have %d", ErrDamaged, size, want)
	}
	return nil
}

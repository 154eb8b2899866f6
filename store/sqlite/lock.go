package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockName is the file whose lock says who uses a data directory. It is empty
// and stays: to remove it would let two processes lock two files.
const lockName = "convene.lock"

// lockDir takes the data directory for this Store, until the lock is closed or
// the process ends, however it ends.
func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("%w: %s is locked by another process. Stop it, or choose another directory", ErrLocked, dir)
		}
		return nil, errors.Join(err, f.Close())
	}
	return &dirLock{f}, nil
}

// A dirLock is the lock of a data directory.
type dirLock struct{ file *os.File }

// Close gives the directory back. To close the file is not enough: a program
// that this process is just starting has a copy of it until it runs.
func (l *dirLock) Close() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}

package sqlite

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData flushes what f holds and what is needed to find it, not its times.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}

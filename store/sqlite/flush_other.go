//go:build !linux

package sqlite

import "os"

// syncData flushes f.
func syncData(f *os.File) error { return f.Sync() }

//go:build !linux

package pgtest

import "syscall"

// endWithParent does nothing: only Linux can bind a process to its parent. A
// test that is killed leaves its server behind.
func endWithParent(*syscall.SysProcAttr) {}

package pgtest

import "syscall"

// endWithParent ends the server with this process, however that ends.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

package broker

import (
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// refused answers a call that the filter does not let pass and nothing here
// performs.
func (b *Broker) refused(req *request) reply {
	name := seccomp.Name(req.Syscall)
	req.record = b.denial(req, name, "", ruleSyscalls)
	if b.config.Grantable != nil && b.config.Grantable(name) {
		req.record.Hint = "syscalls.allow = [\"" + name + "\"]"
	}
	return deny(unix.EPERM)
}

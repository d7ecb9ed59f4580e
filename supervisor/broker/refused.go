package broker

import (
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// handled are the calls that the broker performs or judges.
func handled() []int32 {
	return []int32{
		unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT, unix.SYS_SENDTO,
		unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_EPOLL_CREATE, unix.SYS_EPOLL_CREATE1,
	}
}

// explained are the calls that the filter refuses, as a whole or in part.
type explained struct {
	filter *seccomp.FilterSpec
	byCall map[int32]*seccomp.FilterSpec // of the handled calls alone, which are frequent
}

func newExplained(filter *seccomp.FilterSpec) explained {
	e := explained{filter: filter}
	if filter == nil {
		return e
	}
	e.byCall = make(map[int32]*seccomp.FilterSpec)
	for _, number := range handled() {
		name := seccomp.Name(number)
		own := &seccomp.FilterSpec{Refused: filter.Refused, RefusedErrno: filter.RefusedErrno}
		for _, rule := range filter.Rules {
			if rule.Syscall == name {
				own.Rules = append(own.Rules, rule)
			}
		}
		e.byCall[number] = own
	}
	return e
}

// refusal is the errno with which the filter wants a call refused, or 0 if the
// call is left to the broker.
func (e explained) refusal(n *seccomp.Notification) syscall.Errno {
	filter, known := e.byCall[n.Syscall]
	if !known {
		if slices.Contains(handled(), n.Syscall) {
			return 0
		}
		filter = e.filter
	}
	if filter == nil {
		return unix.EPERM
	}
	ruling, _ := filter.Ruling(dataOf(n))
	if ruling.Action == seccomp.ActNotify {
		return 0
	}
	return syscall.Errno(max(ruling.Errno, uint16(unix.EPERM)))
}

// refuse answers a call that the filter refuses: here only to explain it.
func (b *Broker) refuse(req *request, errno syscall.Errno) reply {
	name := seccomp.Name(req.Syscall)
	req.record = b.denial(req, name, "", ruleSyscalls)
	if req.Syscall == unix.SYS_CLONE && b.config.NoThreads && req.Args[0]&unix.CLONE_THREAD != 0 {
		req.record.Rule, req.record.Hint = ruleThreads, "process.threads = true"
		return deny(errno)
	}
	if errno == unix.EPERM && isFork(&req.Notification) {
		// The policy leaves room for one process, so the filter has none of what
		// makes a second. The answer is that of a limit on processes (fork(2)).
		req.record.Rule, req.record.Hint = rulePids, "--pids=2"
		return deny(unix.EAGAIN)
	}
	if filter := b.explained.filter; filter != nil && filter.Grantable(dataOf(&req.Notification)) {
		req.record.Hint = "syscalls.allow = [\"" + name + "\"]"
	}
	return deny(errno)
}

// isFork says whether a call makes a process as fork(2) and vfork(3) do, in the
// namespaces of its parent.
func isFork(n *seccomp.Notification) bool {
	switch n.Syscall {
	case unix.SYS_FORK, unix.SYS_VFORK:
		return true
	case unix.SYS_CLONE:
		const apart = unix.CLONE_FILES | unix.CLONE_THREAD | unix.CLONE_PARENT | unix.CLONE_PTRACE |
			unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
			unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
		shared := n.Args[0] & (unix.CLONE_VM | unix.CLONE_VFORK)
		return n.Args[0]&apart == 0 && (shared == 0 || shared == unix.CLONE_VM|unix.CLONE_VFORK)
	default:
		return false
	}
}

// dataOf is what the filter saw of a call.
func dataOf(n *seccomp.Notification) seccomp.Data {
	return seccomp.Data{Number: n.Syscall, Arch: n.Arch, Args: n.Args}
}

package seccomp_test

import (
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

type use struct {
	about string
	call  string
	args  [6]uint64
	ints  []int // arguments that the kernel reads as int
	want  seccomp.Ruling
}

func rulings() []use {
	var all []use
	for _, group := range [][]use{
		creationUses(), modeUses(), socketUses(), sendUses(), optionUses(), processUses(), otherUses(),
	} {
		all = append(all, group...)
	}
	return all
}

const (
	intMinusOne = 0xffffffff
	threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD |
		unix.CLONE_SYSVSEM | unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID
	forkFlags = unix.CLONE_CHILD_CLEARTID | unix.CLONE_CHILD_SETTID | uint64(unix.SIGCHLD)
)

func creationUses() []use {
	clone := func(about string, flags uint64, want seccomp.Ruling) use {
		return use{about, "clone", [6]uint64{flags}, []int{0}, want}
	}
	eperm := reported(unix.EPERM)
	return []use{
		clone("a thread of glibc", threadFlags, allowed),
		clone("a thread of musl", threadFlags|0x400000, allowed),
		clone("fork of glibc", forkFlags, allowed),
		clone("posix_spawn of glibc", unix.CLONE_VM|unix.CLONE_VFORK|uint64(unix.SIGCHLD), allowed),
		clone("a process with a pidfd", unix.CLONE_PIDFD|uint64(unix.SIGCHLD), allowed),
		clone("a thread with its own descriptors", threadFlags&^unix.CLONE_FILES, eperm),
		clone("shared memory, own descriptors", unix.CLONE_VM|uint64(unix.SIGCHLD), eperm),
		clone("shared memory, no thread", unix.CLONE_VM|unix.CLONE_FILES|uint64(unix.SIGCHLD), eperm),
		clone("a thread by vfork, own descriptors", unix.CLONE_VM|unix.CLONE_VFORK|unix.CLONE_THREAD|unix.CLONE_SIGHAND, eperm),
		clone("a process that shares descriptors", unix.CLONE_FILES|uint64(unix.SIGCHLD), eperm),
		clone("a child of PID 1", unix.CLONE_PARENT|forkFlags, eperm),
		clone("a traced child", unix.CLONE_PTRACE|forkFlags, eperm),
		clone("user namespace", unix.CLONE_NEWUSER|uint64(unix.SIGCHLD), eperm),
		clone("mount namespace", unix.CLONE_NEWNS|uint64(unix.SIGCHLD), eperm),
		clone("network namespace", unix.CLONE_NEWNET|forkFlags, eperm),
		clone("pid namespace", unix.CLONE_NEWPID|forkFlags, eperm),
		clone("uts namespace", unix.CLONE_NEWUTS|forkFlags, eperm),
		clone("ipc namespace", unix.CLONE_NEWIPC|forkFlags, eperm),
		clone("cgroup namespace", unix.CLONE_NEWCGROUP|forkFlags, eperm),
		clone("a thread in a namespace", unix.CLONE_NEWUSER|threadFlags, eperm),
		{"clone3 for libc to fall back from", "clone3", [6]uint64{}, nil, quiet(unix.ENOSYS)},
		{"vfork", "vfork", [6]uint64{}, nil, allowed},
		{"execve", "execve", [6]uint64{1, 2, 3}, nil, notified},
		{"execveat", "execveat", [6]uint64{1, 2, 3}, nil, notified},
	}
}

// modeUses are the calls that can set set-id bits, each with and without.
func modeUses() []use {
	const creates = unix.O_CREAT | unix.O_WRONLY
	uses := []use{
		{"open for reading, garbage as mode", "open", [6]uint64{1, unix.O_RDONLY, 0o7777}, []int{1}, allowed},
		{"openat for reading, garbage as mode", "openat", [6]uint64{0, 1, unix.O_RDONLY, 0o7777}, []int{2}, allowed},
		{"open of a directory, garbage as mode", "open", [6]uint64{1, unix.O_DIRECTORY, 0o7777}, []int{1}, allowed},
		{"a nameless file with set-id bits", "openat", [6]uint64{0, 1, unix.O_TMPFILE | unix.O_RDWR, 0o4755}, []int{2}, reported(unix.EPERM)},
		{"a nameless file", "openat", [6]uint64{0, 1, unix.O_TMPFILE | unix.O_RDWR, 0o600}, []int{2}, allowed},
		{"a device", "mknod", [6]uint64{1, unix.S_IFCHR | 0o600, 0x103}, []int{1}, reported(unix.EPERM)},
		{"a block device", "mknodat", [6]uint64{0, 1, unix.S_IFBLK | 0o600, 0x103}, []int{2}, reported(unix.EPERM)},
		{"a socket by mknod", "mknod", [6]uint64{1, unix.S_IFSOCK | 0o600}, []int{1}, reported(unix.EPERM)},
		{"openat2", "openat2", [6]uint64{}, nil, quiet(unix.ENOSYS)},
	}
	for _, mode := range []struct {
		bits uint64
		want seccomp.Ruling
	}{
		{0o755, allowed},
		{0o1777, allowed},
		{unix.S_ISUID | 0o755, reported(unix.EPERM)},
		{unix.S_ISGID | 0o755, reported(unix.EPERM)},
		{unix.S_ISUID | unix.S_ISGID, reported(unix.EPERM)},
	} {
		uses = append(
			uses,
			use{"chmod", "chmod", [6]uint64{1, mode.bits}, []int{1}, mode.want},
			use{"fchmod", "fchmod", [6]uint64{1, mode.bits}, []int{1}, mode.want},
			use{"fchmodat", "fchmodat", [6]uint64{1, 2, mode.bits}, []int{2}, mode.want},
			use{"fchmodat2", "fchmodat2", [6]uint64{1, 2, mode.bits, 0}, []int{2}, mode.want},
			use{"creat", "creat", [6]uint64{1, mode.bits}, []int{1}, mode.want},
			use{"open", "open", [6]uint64{1, creates, mode.bits}, []int{1, 2}, mode.want},
			use{"openat", "openat", [6]uint64{0, 1, creates, mode.bits}, []int{2, 3}, mode.want},
			use{"mkdir", "mkdir", [6]uint64{1, mode.bits}, []int{1}, allowed},
			use{"mkdirat", "mkdirat", [6]uint64{0, 1, mode.bits}, []int{2}, allowed},
			use{"mkfifo", "mknod", [6]uint64{1, unix.S_IFIFO | mode.bits}, []int{1}, mode.want},
			use{"mkfifoat", "mknodat", [6]uint64{0, 1, unix.S_IFIFO | mode.bits}, []int{2}, mode.want},
		)
	}
	return uses
}

func socketUses() []use {
	socket := func(about string, family, kind, protocol uint64, want seccomp.Ruling) use {
		return use{about, "socket", [6]uint64{family, kind, protocol}, []int{0, 1, 2}, want}
	}
	family, protocol := reported(unix.EAFNOSUPPORT), reported(unix.EPROTONOSUPPORT)
	const flags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	return []use{
		socket("TCP", unix.AF_INET, unix.SOCK_STREAM, 0, allowed),
		socket("TCP, asyncio", unix.AF_INET6, unix.SOCK_STREAM|flags, unix.IPPROTO_TCP, allowed),
		socket("UDP, glibc's resolver", unix.AF_INET, unix.SOCK_DGRAM|flags, 0, allowed),
		socket("UDP", unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP, allowed),
		socket("local", unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0, allowed),
		socket("local packets", unix.AF_UNIX, unix.SOCK_SEQPACKET, 0, allowed),
		socket("MPTCP", unix.AF_INET, unix.SOCK_STREAM, 262, protocol),
		socket("MPTCP over IPv6", unix.AF_INET6, unix.SOCK_STREAM|flags, 262, protocol),
		socket("SMC", unix.AF_INET, unix.SOCK_STREAM, 256, protocol),
		socket("SCTP", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP, protocol),
		socket("SCTP by type", unix.AF_INET, unix.SOCK_SEQPACKET, 0, family),
		socket("UDP-Lite", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE, protocol),
		socket("ping", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP, family),
		socket("raw", unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP, family),
		socket("packet", unix.AF_PACKET, unix.SOCK_RAW, 0, family),
		socket("virtual machine's host", unix.AF_VSOCK, unix.SOCK_STREAM, 0, family),
		socket("kernel crypto", unix.AF_ALG, unix.SOCK_SEQPACKET, 0, family),
		socket("SMC family", unix.AF_SMC, unix.SOCK_STREAM, 0, family),
		socket("netlink, which getaddrinfo tries", unix.AF_NETLINK, unix.SOCK_RAW, 0, quiet(unix.EOPNOTSUPP)),
		{"a pair", "socketpair", [6]uint64{unix.AF_UNIX, unix.SOCK_STREAM | flags}, []int{0, 1}, allowed},
		{"a pair of TIPC", "socketpair", [6]uint64{unix.AF_TIPC, unix.SOCK_STREAM}, []int{0, 1}, reported(unix.EOPNOTSUPP)},
		{"connect", "connect", [6]uint64{3, 1, 16}, nil, notified},
		{"bind", "bind", [6]uint64{3, 1, 16}, nil, notified},
		{"listen", "listen", [6]uint64{3, 1}, nil, notified},
		{"accept4", "accept4", [6]uint64{3}, nil, allowed},
		{"epoll_create1", "epoll_create1", [6]uint64{unix.EPOLL_CLOEXEC}, nil, notified},
		{"epoll_create", "epoll_create", [6]uint64{1}, nil, notified},
	}
}

func sendUses() []use {
	fastOpen := reported(unix.EOPNOTSUPP)
	const quietly = unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT
	return []use{
		{"send", "sendto", [6]uint64{3, 1, 1, quietly, 0, 0}, []int{3}, allowed},
		{"sendto", "sendto", [6]uint64{3, 1, 1, 0, 1, 16}, []int{3}, notified},
		{"an address in the upper half only", "sendto", [6]uint64{3, 1, 1, 0, 1 << 40, 16}, []int{3}, notified},
		{"urgent data", "sendto", [6]uint64{3, 1, 1, unix.MSG_OOB, 0, 0}, []int{3}, notified},
		{"fast open", "sendto", [6]uint64{3, 1, 1, unix.MSG_FASTOPEN, 1, 16}, []int{3}, fastOpen},
		{"fast open without address", "sendto", [6]uint64{3, 1, 1, unix.MSG_FASTOPEN, 0, 0}, []int{3}, fastOpen},
		{"fast open and more", "sendto", [6]uint64{3, 1, 1, unix.MSG_FASTOPEN | unix.MSG_OOB | quietly, 0, 0}, []int{3}, fastOpen},
		{"sendmsg", "sendmsg", [6]uint64{3, 1, quietly}, []int{2}, allowed},
		{"sendmsg, fast open", "sendmsg", [6]uint64{3, 1, unix.MSG_FASTOPEN}, []int{2}, fastOpen},
		{"sendmsg, urgent", "sendmsg", [6]uint64{3, 1, unix.MSG_OOB}, []int{2}, fastOpen},
		{"sendmmsg", "sendmmsg", [6]uint64{3, 1, 2, quietly}, []int{3}, allowed},
		{"sendmmsg, fast open", "sendmmsg", [6]uint64{3, 1, 2, unix.MSG_FASTOPEN | quietly}, []int{3}, fastOpen},
		{"recvmsg", "recvmsg", [6]uint64{3, 1, 0}, []int{2}, allowed},
	}
}

func optionUses() []use {
	set := func(about string, level, name uint64, want seccomp.Ruling) use {
		return use{about, "setsockopt", [6]uint64{3, level, name, 1, 4}, []int{1, 2}, want}
	}
	get := func(about string, level, name uint64, want seccomp.Ruling) use {
		return use{about, "getsockopt", [6]uint64{3, level, name, 1, 1}, []int{1, 2}, want}
	}
	request := func(about string, number uint64, want seccomp.Ruling) use {
		return use{about, "ioctl", [6]uint64{0, number, 1}, []int{1}, want}
	}
	unknown, notTTY := quiet(unix.ENOPROTOOPT), quiet(unix.ENOTTY)
	return []use{
		set("reuse address", unix.SOL_SOCKET, unix.SO_REUSEADDR, allowed),
		set("no delay", unix.SOL_TCP, unix.TCP_NODELAY, allowed),
		set("both families", unix.SOL_IPV6, unix.IPV6_V6ONLY, allowed),
		set("hop limits of what arrives", unix.SOL_IPV6, unix.IPV6_RECVHOPLIMIT, allowed),
		set("congestion marks of what arrives", unix.SOL_IP, unix.IP_RECVTOS, allowed),
		set("routing header", unix.SOL_IPV6, unix.IPV6_RTHDR, unknown),
		set("record route", unix.SOL_IP, unix.IP_OPTIONS, unknown),
		set("bind to device", unix.SOL_SOCKET, unix.SO_BINDTODEVICE, unknown),
		set("mark", unix.SOL_SOCKET, unix.SO_MARK, unknown),
		set("free bind", unix.SOL_IP, unix.IP_FREEBIND, unknown),
		set("interface", unix.SOL_IP, unix.IP_UNICAST_IF, unknown),
		set("multicast group", unix.SOL_IP, unix.IP_ADD_MEMBERSHIP, unknown),
		set("fast open", unix.SOL_TCP, unix.TCP_FASTOPEN, unknown),
		set("fast open at connect", unix.SOL_TCP, unix.TCP_FASTOPEN_CONNECT, unknown),
		set("signatures", unix.SOL_TCP, unix.TCP_MD5SIG, unknown),
		set("upper layer protocol", unix.SOL_TCP, unix.TCP_ULP, unknown),
		set("a filter", unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, unknown),
		set("busy polling", unix.SOL_SOCKET, unix.SO_BUSY_POLL, unknown),
		set("TCP_NODELAY's number at another level", unix.SOL_UDP, unix.TCP_NODELAY, unknown),
		set("receive buffer", unix.SOL_SOCKET, unix.SO_RCVBUF, notified),
		set("send buffer", unix.SOL_SOCKET, unix.SO_SNDBUF, notified),
		set("buffer beyond the host's bound", unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, unknown),
		set("growth of buffers", unix.SOL_SOCKET, unix.SO_BUF_LOCK, unknown),
		get("error", unix.SOL_SOCKET, unix.SO_ERROR, notified),
		get("type", unix.SOL_SOCKET, unix.SO_TYPE, allowed),
		get("statistics", unix.SOL_TCP, unix.TCP_INFO, allowed),
		get("pidfd of the peer", unix.SOL_SOCKET, unix.SO_PEERPIDFD, unknown),
		get("groups of the peer", unix.SOL_SOCKET, unix.SO_PEERGROUPS, unknown),
		get("options of IP", unix.SOL_IP, unix.IP_OPTIONS, unknown),
		request("isatty", unix.TCGETS, allowed),
		request("non-blocking", 0x5421, allowed),
		request("pty slave", unix.TIOCGPTPEER, allowed),
		request("type into the terminal", unix.TIOCSTI, notTTY),
		request("console selection", unix.TIOCLINUX, notTTY),
		request("interfaces", unix.SIOCGIFCONF, notTTY),
		request("hardware address", unix.SIOCGIFHWADDR, notTTY),
		request("console to itself", unix.TIOCCONS, notTTY),
		request("reflink", unix.FICLONE, quiet(unix.EOPNOTSUPP)),
		request("reflink of a part", unix.FICLONERANGE, quiet(unix.EOPNOTSUPP)),
		request("one place for equal contents", unix.FIDEDUPERANGE, notTTY),
	}
}

func processUses() []use {
	return []use{
		{"read limits", "prlimit64", [6]uint64{7, unix.RLIMIT_NOFILE, 0, 1}, []int{0}, allowed},
		{"own limits", "prlimit64", [6]uint64{0, unix.RLIMIT_NOFILE, 1, 0}, []int{0}, allowed},
		{"limits of PID 1", "prlimit64", [6]uint64{1, unix.RLIMIT_NOFILE, 1, 0}, []int{0}, reported(unix.EPERM)},
		{"a pointer in the upper half only", "prlimit64", [6]uint64{1, unix.RLIMIT_NOFILE, 1 << 40, 0}, nil, reported(unix.EPERM)},
		{"thread name", "prctl", [6]uint64{unix.PR_SET_NAME, 1}, []int{0}, allowed},
		{"death signal", "prctl", [6]uint64{unix.PR_SET_PDEATHSIG, 9}, []int{0}, allowed},
		{"a filter by prctl", "prctl", [6]uint64{unix.PR_SET_SECCOMP, 2, 1}, []int{0}, reported(unix.EINVAL)},
		{"dumpable", "prctl", [6]uint64{unix.PR_SET_DUMPABLE, 1}, []int{0}, reported(unix.EINVAL)},
		{"tracer", "prctl", [6]uint64{unix.PR_SET_PTRACER, 1}, []int{0}, reported(unix.EINVAL)},
		{"memory map", "prctl", [6]uint64{unix.PR_SET_MM, 1}, []int{0}, reported(unix.EINVAL)},
		{"a listener", "seccomp", [6]uint64{unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER}, []int{0}, reported(unix.EPERM)},
		{"descriptors of another process", "pidfd_getfd", [6]uint64{3, 0}, nil, reported(unix.EPERM)},
		{"tracing", "ptrace", [6]uint64{16, 1}, nil, reported(unix.EPERM)},
		{"own user", "setuid", [6]uint64{1000}, []int{0}, allowed},
		{"another user", "setuid", [6]uint64{65534}, []int{0}, quiet(unix.EPERM)},
		{"root", "setresuid", [6]uint64{1000, 0, 1000}, []int{0, 1, 2}, quiet(unix.EPERM)},
		{"own user where it was", "setresuid", [6]uint64{intMinusOne, 1000, intMinusOne}, []int{0, 1, 2}, allowed},
		{"another group", "setregid", [6]uint64{intMinusOne, 5}, []int{0, 1}, quiet(unix.EPERM)},
		{"giving up capabilities", "capset", [6]uint64{1, 1}, nil, allowed},
		{"groups", "setgroups", [6]uint64{}, nil, quiet(unix.EPERM)},
	}
}

func otherUses() []use {
	return []use{
		{"memory", "mmap", [6]uint64{0, 4096, 3, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS, ^uint64(0)}, []int{3}, allowed},
		{"huge pages", "mmap", [6]uint64{0, 4096, 3, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_HUGETLB}, []int{3}, quiet(unix.ENOMEM)},
		{"a memory file", "memfd_create", [6]uint64{1, unix.MFD_CLOEXEC}, []int{1}, reported(unix.ENOSYS)},
		{"a memory file to execute", "memfd_create", [6]uint64{1, unix.MFD_EXEC}, []int{1}, reported(unix.ENOSYS)},
		{"a memory file not to execute", "memfd_create", [6]uint64{1, unix.MFD_CLOEXEC | unix.MFD_NOEXEC_SEAL}, []int{1}, allowed},
		{"a memory file of huge pages", "memfd_create", [6]uint64{1, unix.MFD_HUGETLB | unix.MFD_NOEXEC_SEAL}, []int{1}, reported(unix.ENOSYS)},
		{"duplicate", "fcntl", [6]uint64{1, unix.F_DUPFD_CLOEXEC, 3}, []int{1}, allowed},
		{"closing many", "close_range", [6]uint64{3, 100, unix.CLOSE_RANGE_CLOEXEC}, []int{2}, allowed},
		{"a table of its own", "close_range", [6]uint64{3, 100, unix.CLOSE_RANGE_UNSHARE}, []int{2}, reported(unix.EPERM)},
		{"a rename", "renameat2", [6]uint64{0, 0, 0, 0, unix.RENAME_NOREPLACE}, []int{4}, allowed},
		{"a whiteout", "renameat2", [6]uint64{0, 0, 0, 0, unix.RENAME_WHITEOUT}, []int{4}, reported(unix.EPERM)},
		{"its own pace", "setpriority", [6]uint64{unix.PRIO_PROCESS, 0, 10}, []int{0, 1, 2}, allowed},
		{"the pace of a child", "setpriority", [6]uint64{unix.PRIO_PROCESS, 3, 10}, []int{0, 1, 2}, allowed},
		{"the pace of PID 1", "setpriority", [6]uint64{unix.PRIO_PROCESS, 1, 10}, []int{0, 1, 2}, reported(unix.EPERM)},
		{"the pace of its group", "setpriority", [6]uint64{unix.PRIO_PGRP, 0, 10}, []int{0, 1, 2}, reported(unix.EPERM)},
		{"the pace of its user", "setpriority", [6]uint64{unix.PRIO_USER, 0, 10}, []int{0, 1, 2}, reported(unix.EPERM)},
		{"its own processors", "sched_setaffinity", [6]uint64{0, 128, 4096}, []int{0}, allowed},
		{"the processors of PID 1", "sched_setaffinity", [6]uint64{1, 128, 4096}, []int{0}, reported(unix.EPERM)},
		{"the usual pace", "sched_setscheduler", [6]uint64{0, unix.SCHED_NORMAL, 4096}, []int{0, 1}, allowed},
		{"the pace of a batch", "sched_setscheduler", [6]uint64{0, unix.SCHED_BATCH, 4096}, []int{0, 1}, allowed},
		{"the pace of whoever has time", "sched_setscheduler", [6]uint64{0, unix.SCHED_IDLE, 4096}, []int{0, 1}, allowed},
		{"a pace before all others", "sched_setscheduler", [6]uint64{0, unix.SCHED_FIFO, 4096}, []int{0, 1}, reported(unix.EPERM)},
		{"the same, not for children", "sched_setscheduler", [6]uint64{0, unix.SCHED_RR | unix.SCHED_RESET_ON_FORK, 4096}, []int{0, 1}, reported(unix.EPERM)},
		{"the policy of a thread", "sched_setscheduler", [6]uint64{3, unix.SCHED_NORMAL, 4096}, []int{0, 1}, allowed},
		{"the policy of PID 1", "sched_setscheduler", [6]uint64{1, unix.SCHED_IDLE, 4096}, []int{0, 1}, reported(unix.EPERM)},
		{"a priority", "sched_setparam", [6]uint64{0, 4096}, []int{0}, reported(unix.EPERM)},
		{"a lease", "fcntl", [6]uint64{1, unix.F_SETLEASE, 0}, []int{1}, reported(unix.EACCES)},
		{"a delegation", "fcntl", [6]uint64{1, 1024 + 16, 0}, []int{1}, reported(unix.EACCES)},
		{"a command beside it", "fcntl", [6]uint64{1, 1024 + 17, 0}, []int{1}, allowed},
		{"what lease there is", "fcntl", [6]uint64{1, unix.F_GETLEASE}, []int{1}, allowed},
		{"an owner as it is", "chown", [6]uint64{1, intMinusOne, 1000}, []int{1, 2}, allowed},
		{"another owner", "fchownat", [6]uint64{0, 1, 0, intMinusOne, 0}, []int{2, 3}, quiet(unix.EPERM)},
		{"another group of a file", "lchown", [6]uint64{1, 1000, 4321}, []int{1, 2}, quiet(unix.EPERM)},
		{"attributes", "setxattr", [6]uint64{}, nil, quiet(unix.EOPNOTSUPP)},
		{"attributes of an open file", "fsetxattr", [6]uint64{}, nil, quiet(unix.EOPNOTSUPP)},
		{"read attributes", "getxattr", [6]uint64{}, nil, allowed},
		{"submission rings", "io_uring_setup", [6]uint64{}, nil, quiet(unix.ENOSYS)},
		{"shared memory of System V", "shmget", [6]uint64{}, nil, reported(unix.EPERM)},
		{"keys", "keyctl", [6]uint64{}, nil, reported(unix.EPERM)},
	}
}

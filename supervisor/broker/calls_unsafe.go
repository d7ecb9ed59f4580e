package broker

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of the serve thread are raw: they do not block, and a thread that
// tells the Go scheduler of a call may have to wait for a processor afterwards.

// closeFD is close(2).
func closeFD(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// fdControl is fcntl(2) with a number as argument.
func fdControl(fd, command, argument int) (int, syscall.Errno) {
	value, _, errno := unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), uintptr(command), uintptr(argument))
	return int(value), errno
}

// fdOfThread is pidfd_getfd(2).
func fdOfThread(pidfd, number int) (int, syscall.Errno) {
	fd, _, errno := unix.RawSyscall(unix.SYS_PIDFD_GETFD, uintptr(pidfd), uintptr(number), 0)
	return int(fd), errno
}

// tcpSocket makes a TCP socket that does not block.
func tcpSocket(domain int) (int, syscall.Errno) {
	const kind = unix.SOCK_STREAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(domain), kind, unix.IPPROTO_TCP)
	return int(fd), errno
}

// openPath opens a path that ends with a NUL, for reading.
func openPath(path []byte, flags int) (int, syscall.Errno) {
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, atCWD, pointer(path), uintptr(flags|unix.O_RDONLY|unix.O_CLOEXEC), 0, 0, 0)
	return int(fd), errno
}

// readStart is pread64(2) at the beginning of a file.
func readStart(fd int, buf []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(fd), pointer(buf), uintptr(len(buf)), 0, 0, 0)
	return int(n), errno
}

// readDir is getdents64(2).
func readDir(fd int, buf []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_GETDENTS64, uintptr(fd), pointer(buf), uintptr(len(buf)))
	return int(n), errno
}

// sizeOf is the size of a file of /proc by its path, which ends with a NUL.
func sizeOf(path []byte) (int, syscall.Errno) {
	var stat unix.Stat_t
	_, _, errno := unix.RawSyscall6(unix.SYS_NEWFSTATAT, atCWD, pointer(path), uintptr(unsafe.Pointer(&stat)), 0, 0, 0)
	return int(stat.Size), errno
}

// sizeOfFD is the size of an open file.
func sizeOfFD(fd int) (int, syscall.Errno) {
	var stat unix.Stat_t
	_, _, errno := unix.RawSyscall(unix.SYS_FSTAT, uintptr(fd), uintptr(unsafe.Pointer(&stat)), 0)
	return int(stat.Size), errno
}

// inodeOf is the inode number of an open file.
func inodeOf(fd int) (uint64, syscall.Errno) {
	var stat unix.Stat_t
	_, _, errno := unix.RawSyscall(unix.SYS_FSTAT, uintptr(fd), uintptr(unsafe.Pointer(&stat)), 0)
	return stat.Ino, errno
}

// listenOn is listen(2).
func listenOn(fd, backlog int) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_LISTEN, uintptr(fd), uintptr(backlog), 0)
	return errno
}

// atCWD is AT_FDCWD, which is negative, in a register.
const atCWD = ^uintptr(99)

// readGuest copies from the memory of thread tid into buf and returns how many
// bytes could be read: fewer where the pages end (process_vm_readv(2)).
func readGuest(tid int, address uint64, buf []byte) (int, syscall.Errno) {
	if len(buf) == 0 {
		return 0, 0
	}
	local := unix.Iovec{Base: &buf[0], Len: uint64(len(buf))}
	remote := unix.RemoteIovec{Base: uintptr(address), Len: len(buf)}
	n, _, errno := unix.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(tid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// connectTo is connect(2) with the address as bytes. The socket must not block, and
// nobody else may have it: see connectShared.
func connectTo(fd int, address []byte) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), pointer(address), uintptr(len(address)))
	return errno
}

// bindTo is bind(2) with the address as bytes.
func bindTo(fd int, address []byte) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), pointer(address), uintptr(len(address)))
	return errno
}

// sendTo is sendto(2) with the address as bytes; flags must have MSG_DONTWAIT.
func sendTo(fd int, data []byte, flags int, address []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), pointer(data), uintptr(len(data)),
		uintptr(flags), pointer(address), uintptr(len(address)))
	return int(n), errno
}

// boundName is getsockname(2) with the address as bytes.
func boundName(fd int, buf *[maxAddress]byte) (int, syscall.Errno) {
	size := uint32(len(buf))
	_, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(buf)), uintptr(unsafe.Pointer(&size)))
	return int(min(size, maxAddress)), errno
}

// option reads a socket option into buf and returns its size.
func option(fd, level, name int, buf []byte) (int, syscall.Errno) {
	size := uint32(len(buf))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		pointer(buf), uintptr(unsafe.Pointer(&size)), 0)
	return int(size), errno
}

func setOption(fd, level, name int, value []byte) syscall.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		pointer(value), uintptr(len(value)), 0)
	return errno
}

// epollReady reports whether an epoll has an event. It takes that event.
func epollReady(epoll int) bool {
	var event unix.EpollEvent
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&event)), 1, 0, 0, 0)
	return errno != 0 || n != 0
}

// sameFile compares our descriptor with one of thread tid by kcmp(2).
func (b *Broker) sameFile(ours, tid, theirs int) (bool, syscall.Errno) {
	order, _, errno := unix.RawSyscall6(unix.SYS_KCMP, uintptr(b.self), uintptr(tid), kcmpFile, uintptr(ours), uintptr(theirs), 0)
	return errno == 0 && order == 0, errno
}

// watches reports whether our epoll has an entry number tfd, the skip'th of that
// number, and whether it is for our file (kcmp(2), KCMP_EPOLL_TFD).
func (b *Broker) watches(epoll, tfd, skip, file int) (ours, exists bool) {
	slot := struct{ efd, tfd, toff uint32 }{uint32(epoll), uint32(tfd), uint32(skip)}
	order, _, errno := unix.RawSyscall6(unix.SYS_KCMP, uintptr(b.self), uintptr(b.self), kcmpEpollTFD,
		uintptr(file), uintptr(unsafe.Pointer(&slot)), 0)
	return errno == 0 && order == 0, errno == 0
}

// kcmp(2), linux/kcmp.h.
const (
	kcmpFile     = 0
	kcmpEpollTFD = 7
)

// pointer is the address of a slice for the call in whose arguments it stands.
func pointer(b []byte) uintptr {
	if len(b) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&b[0]))
}

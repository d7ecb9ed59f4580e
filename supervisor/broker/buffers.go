package broker

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The memory of a host socket's buffers is the host's and no part of
// limits.memory. The kernel lets the buffers of a fast connection grow by some ten
// megabytes (tcp(7), tcp_rmem and tcp_wmem), which distant peers need and which a
// program that does not read could hold in each of its connections. So only so many
// host sockets may grow at a time; the buffers of the others are fixed.

// maxBuffer bounds a fixed buffer, in the unit of SO_RCVBUF and SO_SNDBUF, which
// the kernel doubles (socket(7)): it takes 1 MiB, or less where the host's rmem_max
// and wmem_max are lower.
const maxBuffer = 1 << 19

// maxInside bounds what a program sets for a TCP socket of the sandbox's own network,
// in the same unit: as far as the kernel lets one grow there (cpython-shim/namespace.c).
const maxInside = 1 << 17

// soBufLock tells which buffers have a size that was set (socket(7), Linux 5.14);
// setting one ends the kernel's own tuning.
const (
	sendBufLock = 1
	recvBufLock = 2
)

// copyBuffers gives the host socket the buffers that the program set itself.
func copyBuffers(to, from int) {
	eachBuffer(from, func(name int, locked bool) {
		if !locked {
			return
		}
		if size, errno := intOption(from, name); errno == 0 {
			_ = setBuffer(to, name, uint32(size)/2)
		}
	})
}

// fixBuffers ends the growth of the buffers that have no size of the program's.
func fixBuffers(fd int) {
	eachBuffer(fd, func(name int, locked bool) {
		if !locked {
			_ = setBuffer(fd, name, maxBuffer)
		}
	})
}

func eachBuffer(fd int, do func(name int, locked bool)) {
	locks, errno := intOption(fd, unix.SO_BUF_LOCK)
	if errno != 0 {
		locks = 0
	}
	do(unix.SO_SNDBUF, locks&sendBufLock != 0)
	do(unix.SO_RCVBUF, locks&recvBufLock != 0)
}

// setBuffer sets the size of a buffer of a host socket.
func setBuffer(fd, name int, size uint32) syscall.Errno {
	var value [4]byte
	binary.NativeEndian.PutUint32(value[:], min(size, maxBuffer))
	return setOption(fd, unix.SOL_SOCKET, name, value[:])
}

// mayGrow is how many host sockets may have growing buffers at a time: as many as
// fit half of what the sandbox itself may use, or else 1 MiB for each connection;
// one at least. memory is 0 without a limit. Where the kernel does not say how far
// buffers grow, none may.
func mayGrow(connections int, memory int64) int {
	one := largestBuffer("tcp_rmem") + largestBuffer("tcp_wmem")
	if one <= 0 {
		return 0
	}
	room := int64(connections) << 20
	if memory > 0 {
		room = memory / 2
	}
	return int(max(1, room/one))
}

// largestBuffer reads the last of the three numbers of a sysctl of tcp(7), or gives
// a number that makes any sum negative.
func largestBuffer(name string) int64 {
	const unknown = -1 << 62
	text, err := os.ReadFile("/proc/sys/net/ipv4/" + name)
	if err != nil {
		return unknown
	}
	fields := strings.Fields(string(text))
	if len(fields) != 3 {
		return unknown
	}
	size, err := strconv.ParseInt(fields[2], 10, 32)
	if err != nil {
		return unknown
	}
	return size
}

// setBufferOf answers setsockopt(2) of SO_RCVBUF and SO_SNDBUF, which has no bound
// of its own but the host's for everybody.
func (b *Broker) setBufferOf(req *request) reply {
	s, errno := b.take(req)
	if errno != 0 {
		return performed(-1, errno)
	}
	defer s.release()
	if int32(req.Args[4]) < 4 { // sizeof(int), as sock_setsockopt has it
		return performed(-1, unix.EINVAL)
	}
	size, errno := b.copyInt(req, req.Args[3])
	if errno != 0 {
		return performed(-1, errno)
	}
	name, asked := int(int32(req.Args[2])), uint32(size)
	if s.host {
		return performed(0, setBuffer(s.fd, name, asked))
	}
	if s.isTCP() {
		asked = min(asked, maxInside)
	}
	var value [4]byte
	binary.NativeEndian.PutUint32(value[:], asked)
	return performed(0, setOption(s.fd, unix.SOL_SOCKET, name, value[:]))
}

package broker

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// socketKind is what decides how a call on a socket is judged. None of it can
// change in the life of a socket.
type socketKind struct {
	domain, kind, protocol int
	host                   bool // it belongs to a network outside the sandbox
}

func (k socketKind) isLocal() bool { return k.domain == unix.AF_UNIX }

func (k socketKind) isInternet() bool { return k.domain == unix.AF_INET || k.domain == unix.AF_INET6 }

func (k socketKind) isTCP() bool {
	return k.isInternet() && k.kind == unix.SOCK_STREAM && k.protocol == unix.IPPROTO_TCP
}

func (k socketKind) isUDP() bool {
	return k.isInternet() && k.kind == unix.SOCK_DGRAM && k.protocol == unix.IPPROTO_UDP
}

// socket is the supervisor's duplicate of a caller's socket.
type socket struct {
	socketKind
	fd     int // ours
	number int // the caller's
}

// take duplicates the descriptor in argument 0 of a call and finds out what it
// is. The caller of take closes the duplicate. Where it succeeds, the caller was
// alive, and what copyUnsettled had copied before was its memory.
func (b *Broker) take(req *request) (socket, syscall.Errno) {
	number := int(int32(req.Args[0]))
	if number < 0 {
		return socket{}, unix.EBADF
	}
	fd, errno := b.duplicate(req, number)
	if errno != 0 {
		return socket{}, errno
	}
	kind, errno := b.kindOf(fd)
	if errno != 0 {
		closeFD(fd)
		return socket{}, errno
	}
	return socket{socketKind: kind, fd: fd, number: number}, 0
}

// kindOf asks the kernel about our duplicate; ENOTSOCK if it is no socket.
func (b *Broker) kindOf(fd int) (socketKind, syscall.Errno) {
	var k socketKind
	for _, field := range []struct {
		name  int
		value *int
	}{{unix.SO_DOMAIN, &k.domain}, {unix.SO_TYPE, &k.kind}, {unix.SO_PROTOCOL, &k.protocol}} {
		value, errno := intOption(fd, field.name)
		if errno != 0 {
			return k, errno
		}
		*field.value = value
	}
	network, errno := cookieOption(fd, unix.SO_NETNS_COOKIE)
	k.host = errno != 0 || b.isHost(network)
	return k, 0
}

// intOption reads an option of SOL_SOCKET.
func intOption(fd, name int) (int, syscall.Errno) {
	var buf [4]byte
	_, errno := option(fd, unix.SOL_SOCKET, name, buf[:])
	return int(int32(binary.NativeEndian.Uint32(buf[:]))), errno
}

// cookieOption reads an option of 64 bits: SO_NETNS_COOKIE, SO_COOKIE.
func cookieOption(fd, name int) (uint64, syscall.Errno) {
	var buf [8]byte
	_, errno := option(fd, unix.SOL_SOCKET, name, buf[:])
	return binary.NativeEndian.Uint64(buf[:]), errno
}

// tcpState is the state of a TCP socket, as linux/tcp_states.h numbers it.
type tcpState uint8

const (
	tcpEstablished tcpState = 1
	tcpSynSent     tcpState = 2
	tcpSynReceived tcpState = 3
	tcpClose       tcpState = 7
	tcpListen      tcpState = 10
)

// stateOf reads the first byte of struct tcp_info (tcp(7)). What cannot be read
// counts as established, with which nothing is begun.
func stateOf(fd int) tcpState {
	var info [1]byte
	if _, errno := option(fd, unix.IPPROTO_TCP, unix.TCP_INFO, info[:]); errno != 0 {
		return tcpEstablished
	}
	return tcpState(info[0])
}

// statusFlags are the flags of the open file, which the caller shares.
func statusFlags(fd int) int {
	flags, errno := fdControl(fd, unix.F_GETFL, 0)
	if errno != 0 {
		return unix.O_NONBLOCK // a call that does not wait is the safe reading
	}
	return flags
}

func isNonblocking(fd int) bool { return statusFlags(fd)&unix.O_NONBLOCK != 0 }

// withoutBlocking runs call with O_NONBLOCK set. The flag is the caller's own
// while it lasts, so it is only used on sockets that carry no data yet.
func withoutBlocking(fd int, call func() syscall.Errno) syscall.Errno {
	flags := statusFlags(fd)
	if flags&unix.O_NONBLOCK != 0 {
		return call()
	}
	if _, errno := fdControl(fd, unix.F_SETFL, flags|unix.O_NONBLOCK); errno != 0 {
		return errno
	}
	errno := call()
	_, _ = fdControl(fd, unix.F_SETFL, flags)
	return errno
}

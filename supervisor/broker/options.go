package broker

import (
	"bytes"
	"sync"

	"golang.org/x/sys/unix"
)

// copiedOption is a socket option that a program may set before it connects.
type copiedOption struct{ level, name, size int }

// optionSize is enough for every copied option; TCP_CONGESTION is the longest.
const optionSize = 16

// commonOptions are the copied options of both families: what the filter lets a
// program set, without what concerns only datagrams, listeners or binding.
var commonOptions = []copiedOption{
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 4},
	{unix.SOL_SOCKET, unix.SO_LINGER, 8},
	{unix.SOL_SOCKET, unix.SO_RCVLOWAT, 4},
	{unix.SOL_SOCKET, unix.SO_RCVTIMEO, 16},
	{unix.SOL_SOCKET, unix.SO_SNDTIMEO, 16},
	{unix.SOL_SOCKET, unix.SO_OOBINLINE, 4},
	{unix.SOL_SOCKET, unix.SO_PRIORITY, 4},
	{unix.SOL_SOCKET, unix.SO_REUSEADDR, 4},
	{unix.IPPROTO_TCP, unix.TCP_NODELAY, 4},
	{unix.IPPROTO_TCP, unix.TCP_CORK, 4},
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 4},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 4},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 4},
	{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 4},
	{unix.IPPROTO_TCP, unix.TCP_SYNCNT, 4},
	{unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 4},
	{unix.IPPROTO_TCP, unix.TCP_CONGESTION, 16},
}

var inet4Options = append(commonOptions[:len(commonOptions):len(commonOptions)],
	copiedOption{unix.IPPROTO_IP, unix.IP_TOS, 4},
	copiedOption{unix.IPPROTO_IP, unix.IP_TTL, 4},
	copiedOption{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, 4},
	copiedOption{unix.IPPROTO_IP, unix.IP_RECVERR, 4},
	copiedOption{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 4},
)

var inet6Options = append(commonOptions[:len(commonOptions):len(commonOptions)],
	copiedOption{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 4},
	copiedOption{unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 4},
	copiedOption{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, 4},
	copiedOption{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, 4},
	copiedOption{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 4},
)

func optionsOf(domain int) []copiedOption {
	if domain == unix.AF_INET6 {
		return inet6Options
	}
	return inet4Options
}

// readOptions reads the copied options of a socket; what it lacks stays empty.
func readOptions(fd, domain int) [][optionSize]byte {
	values := make([][optionSize]byte, len(optionsOf(domain)))
	for i, o := range optionsOf(domain) {
		_, _ = option(fd, o.level, o.name, values[i][:o.size])
	}
	return values
}

// freshOptions are the options of a socket that nobody has touched, by which the
// copied ones are recognised. They are read once.
var freshOptions = map[int]func() [][optionSize]byte{
	unix.AF_INET:  sync.OnceValue(func() [][optionSize]byte { return readFresh(unix.AF_INET) }),
	unix.AF_INET6: sync.OnceValue(func() [][optionSize]byte { return readFresh(unix.AF_INET6) }),
}

func readFresh(domain int) [][optionSize]byte {
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return make([][optionSize]byte, len(optionsOf(domain)))
	}
	defer unix.Close(fd)
	return readOptions(fd, domain)
}

// copyOptions gives the socket to the options of from that are not as on a fresh
// socket. An option that the host refuses stays as it is: the program may set
// the same ones on the host socket itself.
func copyOptions(to, from, domain int) {
	fresh := freshOptions[domain]()
	for i, o := range optionsOf(domain) {
		var value [optionSize]byte
		size, errno := option(from, o.level, o.name, value[:o.size])
		if errno == 0 && !bytes.Equal(value[:o.size], fresh[i][:o.size]) {
			_ = setOption(to, o.level, o.name, value[:size])
		}
	}
	copyBuffers(to, from)
}

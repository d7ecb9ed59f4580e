package routes

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// question is what a route is looked up by. Protocol and port count where the
// host routes by them (ip-rule(8)); zero leaves them out.
type question struct {
	addr     netip.Addr
	protocol netrule.Protocol
	port     uint16
}

// way says where a packet goes. The zero way is the host, which no rule reaches.
type way uint8

const (
	here way = iota // or to a broadcast address, or unknown
	away            // to one other machine, or nowhere
)

// socket is a rtnetlink(7) socket. The kernel answers RTM_GETROUTE before send(2)
// returns and takes no lock for it that a change of the network holds, so one that
// does not block serves.
type socket struct {
	fd       int
	sequence uint32
}

func open() (socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return socket{}, fmt.Errorf("make a netlink socket to ask for the host's routes: %w", err)
	}
	return socket{fd: fd}, nil
}

func (s *socket) close() error {
	fd := s.fd
	s.fd = -1
	return unix.Close(fd)
}

// ask looks one route up.
func (s *socket) ask(q question) way {
	s.sequence++
	var buffer [96]byte
	if _, err := unix.Write(s.fd, q.encode(buffer[:0], s.sequence)); err != nil {
		return here
	}
	for {
		var answer [1024]byte // a route has some 100 bytes
		n, err := unix.Read(s.fd, answer[:])
		if err != nil {
			return here
		}
		if way, ours := readAnswer(answer[:n], s.sequence); ours {
			return way
		}
	}
}

// encode appends the request: struct nlmsghdr, struct rtmsg and the attributes.
func (q question) encode(b []byte, sequence uint32) []byte {
	address := q.addr.AsSlice()
	family, bits := byte(unix.AF_INET), byte(q.addr.BitLen())
	if q.addr.Is6() {
		family = unix.AF_INET6
	}
	b = append(b, make([]byte, unix.SizeofNlMsghdr+unix.SizeofRtMsg)...)
	binary.NativeEndian.PutUint16(b[4:], unix.RTM_GETROUTE)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(b[8:], sequence)
	b[unix.SizeofNlMsghdr], b[unix.SizeofNlMsghdr+1] = family, bits
	b = appendAttribute(b, unix.RTA_DST, address)
	if number := ipProtocol(q.protocol); number != 0 && q.port != 0 {
		b = appendAttribute(b, unix.RTA_IP_PROTO, []byte{number})
		b = appendAttribute(b, unix.RTA_DPORT, binary.BigEndian.AppendUint16(nil, q.port))
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}

func ipProtocol(p netrule.Protocol) byte {
	switch p {
	case netrule.TCP:
		return unix.IPPROTO_TCP
	case netrule.UDP:
		return unix.IPPROTO_UDP
	default:
		return 0
	}
}

// appendAttribute appends a struct rtattr and its padded value.
func appendAttribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for len(b)%unix.NLMSG_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}

// readAnswer reads the answer to the request with a sequence number; ours is
// false for what answers another.
func readAnswer(b []byte, sequence uint32) (w way, ours bool) {
	if len(b) < unix.SizeofNlMsghdr+4 {
		return here, true
	}
	if binary.NativeEndian.Uint32(b[8:]) != sequence {
		return here, false
	}
	body := b[unix.SizeofNlMsghdr:]
	switch binary.NativeEndian.Uint16(b[4:]) {
	case unix.RTM_NEWROUTE:
		if len(body) < unix.SizeofRtMsg {
			return here, true
		}
		return wayOf(body[7]), true // rtm_type
	case unix.NLMSG_ERROR:
		return wayWithout(syscall.Errno(-int32(binary.NativeEndian.Uint32(body)))), true
	}
	return here, true
}

// wayOf reads the type of a route. Those that refuse lead nowhere, with an error
// of their own that connect(2) shall give.
func wayOf(kind byte) way {
	switch kind {
	case unix.RTN_UNICAST, unix.RTN_BLACKHOLE, unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT, unix.RTN_THROW:
		return away
	default: // RTN_LOCAL, RTN_ANYCAST, RTN_BROADCAST
		return here
	}
}

// wayWithout reads the error where there is no route.
func wayWithout(errno syscall.Errno) way {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH:
		return away
	default: // also EINVAL of a blackhole, which a bad request gives too
		return here
	}
}

package relay

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"

	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// prepare makes a socket tell the destination of what it receives and lets it
// send from addresses that are routed here but not assigned (ipv6(7)).
func prepare(socket *net.UDPConn) error {
	if err := ipv6.NewPacketConn(socket).SetControlMessage(ipv6.FlagDst, true); err != nil {
		return err
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1)
	})
	return errors.Join(err, failed)
}

// sendFrom is the control message that makes a dual-stack socket send from addr
// (ipv6(7), IPV6_PKTINFO; an IPv4-mapped addr serves for IPv4, ip_cmsg_send in
// the kernel). The layout is that of struct cmsghdr and struct in6_pktinfo on a
// 64-bit system.
func sendFrom(addr netip.Addr) []byte {
	source := addr.As16()
	message := make([]byte, unix.CmsgSpace(unix.SizeofInet6Pktinfo))
	binary.NativeEndian.PutUint64(message, uint64(unix.CmsgLen(unix.SizeofInet6Pktinfo)))
	binary.NativeEndian.PutUint32(message[8:], unix.IPPROTO_IPV6)
	binary.NativeEndian.PutUint32(message[12:], unix.IPV6_PKTINFO)
	copy(message[16:], source[:])
	return message
}

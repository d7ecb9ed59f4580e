package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// dial makes the host's side of a flow.
func dial(to netip.AddrPort) (*net.UDPConn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = restrict(int(fd), to.Addr()) })
		return errors.Join(err, failed)
	}}
	conn, err := d.DialContext(context.Background(), "udp", to.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// restrict keeps a datagram of the sandbox from more than one machine and from the
// host, before connect(2). Package net lets every socket broadcast, and the
// broadcast address of a network looks like any other; without the option connect
// fails with EACCES (ip(7)). What goes to a group that a rule allows would come
// back to whoever listens to it here.
func restrict(fd int, to netip.Addr) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 0); err != nil {
		return err
	}
	if to.Is4() {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0)
}

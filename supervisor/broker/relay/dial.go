package relay

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// dial makes the host's side of a flow. A datagram of the sandbox is for one
// machine: package net lets every socket broadcast, and the broadcast address of
// a network looks like any other, so that is taken back before connect(2), which
// then fails with EACCES (ip(7)).
func dial(to netip.AddrPort) (*net.UDPConn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 0)
		})
		if err != nil {
			return err
		}
		return failed
	}}
	conn, err := d.DialContext(context.Background(), "udp", to.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

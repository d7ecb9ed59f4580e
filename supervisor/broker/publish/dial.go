package publish

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long the guest may take to let a connection into its queue.
const patience = 10 * time.Second

// dial connects to the guest's port, at its IPv4 loopback first: a socket bound
// to any address of both families is reached there too.
func (s *server) dial(ctx context.Context, peer netip.AddrPort, port uint16) (*net.TCPConn, error) {
	from := netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	conn, err := s.dialFamily(ctx, unix.AF_INET, from, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port))
	if errors.Is(err, unix.ECONNREFUSED) {
		return s.dialFamily(ctx, unix.AF_INET6, from, netip.AddrPortFrom(netip.IPv6Loopback(), port))
	}
	return conn, err
}

func (s *server) dialFamily(ctx context.Context, family int, from, to netip.AddrPort) (*net.TCPConn, error) {
	fd, err := s.config.Socket(ctx, family)
	if err != nil {
		return nil, fmt.Errorf("make a socket inside: %w", err)
	}
	file := os.NewFile(uintptr(fd), "published connection")
	defer file.Close()
	// Every address is local inside (namespaces.OpLocalRoutes), so the client's
	// may be taken on. Where its port is in use there, any will do.
	if from.Addr().Is4() == (family == unix.AF_INET) {
		if unix.Bind(fd, sockaddr(from)) != nil {
			_ = unix.Bind(fd, sockaddr(netip.AddrPortFrom(from.Addr(), 0)))
		}
	}
	if err := connect(fd, sockaddr(to)); err != nil {
		return nil, fmt.Errorf("connect to the guest at %s: %w", to, err)
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

func connect(fd int, to unix.Sockaddr) error {
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	err := unix.Connect(fd, to)
	if !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	deadline := time.Now().Add(patience)
	for {
		n, err := unix.Poll(ready, int(time.Until(deadline).Milliseconds()))
		if errors.Is(err, unix.EINTR) && time.Now().Before(deadline) {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return unix.ETIMEDOUT
		}
		break
	}
	status, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || status == 0 {
		return err
	}
	return unix.Errno(status)
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

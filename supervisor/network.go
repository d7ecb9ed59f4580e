package supervisor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor/broker/names"
	"github.com/pysandbox/pysandbox/supervisor/broker/relay"
	"github.com/pysandbox/pysandbox/supervisor/broker/routes"
)

// services are what the supervisor runs on sockets of the sandbox's network.
type services struct {
	pins         names.Pins
	routes       *routes.Table // of the host
	namesPackets net.PacketConn
	namesStreams net.Listener
	relays       []*net.UDPConn
	icmp4, icmp6 net.PacketConn
}

// open binds the sockets that the stage made, in the order in which the plan asked
// for them. It may bind low ports there: the sandbox's user namespace is ours
// (capabilities(7), user_namespaces(7)).
func (v *services) open(asked []plan.Socket, sockets []int) error {
	if len(asked) != len(sockets) {
		return fmt.Errorf("the sandbox made %d sockets of %d", len(sockets), len(asked))
	}
	for i, want := range asked {
		if err := v.openOne(want, sockets[i]); err != nil {
			return fmt.Errorf("open the sandbox's network services: %w", err)
		}
	}
	return nil
}

func (v *services) openOne(want plan.Socket, fd int) error {
	loopback := &unix.SockaddrInet4{Port: 53, Addr: [4]byte{127, 0, 0, 1}}
	file := func() *os.File { return os.NewFile(uintptr(dupCloexec(fd)), "socket of the sandbox") }
	var err error
	switch want.Use {
	case plan.SocketNamesUDP:
		if err := shareAndBind(fd, loopback); err != nil {
			return fmt.Errorf("bind 127.0.0.1:53: %w", err)
		}
		v.namesPackets, err = packetConn(file())
	case plan.SocketNamesTCP:
		if err := unix.Bind(fd, loopback); err != nil {
			return fmt.Errorf("bind 127.0.0.1:53: %w", err)
		}
		if err := unix.Listen(fd, 64); err != nil {
			return fmt.Errorf("listen at 127.0.0.1:53: %w", err)
		}
		f := file()
		v.namesStreams, err = net.FileListener(f)
		_ = f.Close()
	case plan.SocketRelay:
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0); err != nil {
			return fmt.Errorf("make a socket for both families: %w", err)
		}
		if err := shareAndBind(fd, &unix.SockaddrInet6{Port: int(want.Port)}); err != nil {
			return fmt.Errorf("bind udp port %d: %w", want.Port, err)
		}
		var conn net.PacketConn
		if conn, err = packetConn(file()); err == nil {
			v.relays = append(v.relays, conn.(*net.UDPConn))
		}
	case plan.SocketICMP4:
		v.icmp4, err = packetConn(file())
	case plan.SocketICMP6:
		v.icmp6, err = packetConn(file())
	default:
		err = fmt.Errorf("socket of unknown use %d", want.Use)
	}
	return err
}

// shareAndBind binds a UDP socket so that another may be bound to the same port.
// The name broker and a relay of port 53 are side by side: the kernel prefers
// the socket whose address is the more specific.
func shareAndBind(fd int, to unix.Sockaddr) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return unix.Bind(fd, to)
}

func dupCloexec(fd int) int {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return -1
	}
	return n
}

func packetConn(f *os.File) (net.PacketConn, error) {
	defer f.Close()
	return net.FilePacketConn(f)
}

// start serves until ctx is done. A service that fails is told through failed.
func (v *services) start(ctx context.Context, s *sandbox, sink audit.Sink) {
	run := func(serve func() error) {
		s.tasks.Go(func() {
			if err := serve(); err != nil {
				s.end(Cause{Kind: CauseInternal, Err: err})
			}
		})
	}
	network := s.plan.Plan.Network
	if v.namesPackets != nil {
		server := names.New(names.Config{
			Rules:    network.Rules,
			Host:     v.routes.Host,
			Budget:   names.Budget{Names: network.DNSNames, Bytes: int64(network.DNSBytes)},
			Resolver: names.HostResolver{},
			Audit:    sink,
			Pins:     &v.pins,
		})
		run(func() error { return server.Serve(ctx, v.namesPackets, v.namesStreams) })
	}
	if len(v.relays) > 0 {
		r := relay.New(relay.Config{
			Rules:       network.Rules,
			Host:        v.routes.Host,
			Names:       v.names,
			Audit:       sink,
			Flows:       s.plan.Plan.Limits.Connections,
			Loopback:    s.plan.Plan.LoopbackPorts(netrule.UDP),
			Unreachable: relay.Unreachable(v.icmp4, v.icmp6),
		})
		run(func() error { return r.Serve(ctx, v.relays) })
	}
}

// names returns what was pinned to addr.
func (v *services) names(addr netip.Addr) []string { return v.pins.Names(addr, time.Now()) }

func (v *services) close() {
	for _, c := range []interface{ Close() error }{v.namesPackets, v.namesStreams, v.icmp4, v.icmp6} {
		if c != nil {
			_ = c.Close()
		}
	}
	for _, c := range v.relays {
		_ = c.Close()
	}
	if v.routes != nil {
		_ = v.routes.Close()
	}
}

package supervisor

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor/broker/publish"
)

// openPorts listens on the host for what the plan publishes. It is called with
// the caller's rights: as root, low ports too.
func openPorts(p *plan.Plan, where func(key string) string) ([]publish.Port, error) {
	var ports []publish.Port
	for i, l := range p.Network.Listen {
		key := fmt.Sprintf("network.listen[%d]", i)
		at := net.JoinHostPort(l.Address, strconv.Itoa(int(l.Host)))
		listener, err := net.Listen("tcp", at)
		if err != nil {
			closePorts(ports)
			return nil, fmt.Errorf("%spublish %s: %w", where(key), l.Text, err)
		}
		ports = append(ports, publish.Port{
			Listener: listener.(*net.TCPListener),
			Guest:    l.Guest,
			Rule:     key,
		})
	}
	return ports, nil
}

func closePorts(ports []publish.Port) {
	for _, port := range ports {
		_ = port.Listener.Close()
	}
}

// publish carries connections to published ports until ctx is done.
func (s *sandbox) publish(ctx context.Context) {
	if len(s.ports) == 0 {
		return
	}
	s.tasks.Go(func() {
		err := publish.Serve(ctx, publish.Config{
			Ports:       s.ports,
			Socket:      s.innerSocket,
			Connections: s.plan.Plan.Limits.Connections,
			Audit:       s.sink(),
		})
		if err != nil {
			s.end(Cause{Kind: CauseInternal, Err: err})
		}
	})
}

// innerSockets are the answers of PID 1, which makes sockets in the sandbox's
// network for us, one at a time.
type innerSockets struct {
	asking  sync.Mutex
	asked   atomic.Bool
	arrived chan int
}

// takeInnerSocket hands a socket to who has asked for it, or -1 for one that found no
// room here. It is false, and the socket closed, if nobody has.
func (s *sandbox) takeInnerSocket(fd int) bool {
	if !s.inner.asked.CompareAndSwap(true, false) {
		_ = unix.Close(fd)
		return false
	}
	s.inner.arrived <- fd
	return true
}

// innerSocket asks PID 1 for a TCP socket. When ctx is done it no longer asks, so
// that no more answers come than have room.
func (s *sandbox) innerSocket(ctx context.Context, family int) (int, error) {
	s.inner.asking.Lock()
	defer s.inner.asking.Unlock()
	if err := ctx.Err(); err != nil {
		return -1, err
	}
	s.inner.asked.Store(true)
	request := message{kind: msgSocket, a: int32(family), b: unix.SOCK_STREAM}
	if err := s.child.control.send(request); err != nil {
		return -1, err
	}
	select {
	case fd := <-s.inner.arrived:
		if fd < 0 {
			return -1, fmt.Errorf("receive a socket of the sandbox: %w", unix.EMFILE)
		}
		if err := checkInnerSocket(fd, family); err != nil {
			_ = unix.Close(fd)
			s.end(Cause{Kind: CauseInternal, Err: err})
			return -1, err
		}
		return fd, nil
	case <-ctx.Done():
		return -1, ctx.Err()
	case <-s.gone:
		return -1, net.ErrClosed
	}
}

// checkInnerSocket refuses what was not asked for: what PID 1 sends may end up in
// the program's hands.
func checkInnerSocket(fd, family int) error {
	for _, want := range []struct{ option, value int }{
		{unix.SO_DOMAIN, family}, {unix.SO_TYPE, unix.SOCK_STREAM}, {unix.SO_PROTOCOL, unix.IPPROTO_TCP},
	} {
		got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, want.option)
		if err != nil {
			return fmt.Errorf("look at a socket of the sandbox: %w", err)
		}
		if got != want.value {
			return fmt.Errorf("the sandbox made another socket than it was asked for (option %d is %d, want %d)", want.option, got, want.value)
		}
	}
	return nil
}

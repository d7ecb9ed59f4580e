package supervisor

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor/broker/publish"
)

// openPorts listens on the host for what the plan publishes. It is called with
// the caller's rights: as root, low ports too.
func openPorts(p *plan.Plan) ([]publish.Port, error) {
	var ports []publish.Port
	for i, l := range p.Network.Listen {
		at := net.JoinHostPort(l.Address, strconv.Itoa(int(l.Host)))
		listener, err := net.Listen("tcp", at)
		if err != nil {
			closePorts(ports)
			return nil, fmt.Errorf("publish %s: %w", l.Text, err)
		}
		ports = append(ports, publish.Port{
			Listener: listener.(*net.TCPListener),
			Guest:    l.Guest,
			Rule:     fmt.Sprintf("network.listen[%d]", i),
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
	arrived chan int
}

// innerSocket asks PID 1 for a TCP socket. When ctx is done it no longer asks, so
// that no more answers come than have room.
func (s *sandbox) innerSocket(ctx context.Context, family int) (int, error) {
	s.inner.asking.Lock()
	defer s.inner.asking.Unlock()
	if err := ctx.Err(); err != nil {
		return -1, err
	}
	request := message{kind: msgSocket, a: int32(family), b: unix.SOCK_STREAM}
	if err := s.child.control.send(request); err != nil {
		return -1, err
	}
	select {
	case fd := <-s.inner.arrived:
		return fd, nil
	case <-ctx.Done():
		return -1, ctx.Err()
	case <-s.gone:
		return -1, net.ErrClosed
	}
}

// Package relay carries the sandbox's UDP datagrams to where the rules allow,
// through sockets that the supervisor owns: the guest never holds a UDP socket
// of the host, on which one sendmsg(2) could name any destination. Each datagram
// is decided on the destination that it really has.
package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/errnos"
	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Config says by what a Relay decides.
type Config struct {
	Rules netrule.Set
	Host  func(netrule.Endpoint) netrule.HostFacts // nil: nothing is known of the host
	Names func(netip.Addr) []string                // names pinned to an address
	Audit audit.Sink
	// Loopback are the ports of the host's 127.0.0.1 that the guest reaches at
	// its own.
	Loopback []uint16
	Flows    int // live pairs of addresses at most; the longest idle one makes room
	// Unreachable tells the guest that nothing listens at to; nil: it is silent.
	Unreachable func(from, to netip.AddrPort)
}

// Relay is a running relay. It is safe for concurrent use.
type Relay struct {
	config Config
	mu     sync.Mutex
	flows  map[flowKey]*flow
	closed bool
	done   sync.WaitGroup
}

// largest is the largest UDP payload (RFC 768, 16-bit length).
const largest = 65535

// newBuffer holds the largest datagram. It is not inlined, which would put the buffer
// on the stack: all of it would be cleared, where of one in the heap the kernel
// provides only the pages that datagrams reach.
//
//go:noinline
func newBuffer() []byte {
	return make([]byte, largest)
}

// New makes a relay.
func New(config Config) *Relay {
	return &Relay{config: config, flows: map[flowKey]*flow{}}
}

// Serve relays what arrives on the sockets until ctx is done, and what has arrived
// by then: what a program has sent goes out, also if it ends at once. Each is a
// dual-stack socket of the sandbox's network namespace, bound to one permitted
// port of the unspecified address. Serve closes them.
func (r *Relay) Serve(ctx context.Context, sockets []*net.UDPConn) error {
	failed := make(chan error, len(sockets))
	var readers sync.WaitGroup
	for _, socket := range sockets {
		if err := prepare(socket); err != nil {
			return fmt.Errorf("prepare a relay socket: %w", err)
		}
		readers.Go(func() { failed <- r.read(socket) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, socket := range sockets {
		_ = socket.SetReadDeadline(time.Now())
	}
	readers.Wait()
	for _, socket := range sockets {
		_ = socket.Close()
	}
	r.closeFlows()
	r.done.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// read relays the datagrams that the guest sends to one port, until the deadline
// of the socket.
func (r *Relay) read(socket *net.UDPConn) error {
	buf, oob := newBuffer(), make([]byte, 128)
	for {
		n, oobn, _, guest, err := socket.ReadMsgUDPAddrPort(buf, oob)
		if isTimeout(err) {
			return r.drain(socket, buf, oob)
		}
		if err != nil {
			return fmt.Errorf("read the sandbox's datagrams: %w", err)
		}
		r.take(socket, guest, buf[:n], oob[:oobn])
	}
}

// drain relays what is queued on a socket.
func (r *Relay) drain(socket *net.UDPConn, buf, oob []byte) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) {
		for {
			n, oobn, _, from, err := unix.Recvmsg(int(fd), buf, oob, unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if guest, ok := from.(*unix.SockaddrInet6); ok {
				r.take(socket, netip.AddrPortFrom(netip.AddrFrom16(guest.Addr), uint16(guest.Port)), buf[:n], oob[:oobn])
			}
		}
	})
}

// take relays one datagram; the control message says where the guest sent it.
func (r *Relay) take(socket *net.UDPConn, guest netip.AddrPort, payload, oob []byte) {
	var cm ipv6.ControlMessage
	if cm.Parse(oob) != nil {
		return
	}
	to, ok := netip.AddrFromSlice(cm.Dst)
	if !ok {
		return
	}
	port := socket.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	r.forward(socket, flowKey{unmapped(guest), netip.AddrPortFrom(to.Unmap(), port)}, payload)
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// forward sends one datagram on, if it may go. Its call succeeded long ago, as UDP has
// it: a record of a denied one has no error, and of an allowed one why it was lost here.
func (r *Relay) forward(socket *net.UDPConn, key flowKey, payload []byte) {
	start := time.Now()
	decision := r.decide(key.to)
	if decision.Verdict != netrule.Allow {
		r.record(key, decision, start, audit.Deny, "")
		return
	}
	f, fresh, err := r.flow(socket, key, decision.Canonical)
	if err != nil {
		r.record(key, decision, start, audit.Allow, errnos.Name(errnos.Of(err)))
		return
	}
	if fresh {
		r.record(key, decision, start, audit.Allow, "")
	}
	_, err = f.host.Write(payload)
	f.noticeRefusal(err)
}

func (r *Relay) decide(to netip.AddrPort) netrule.Decision {
	if to.Addr() == loopback4 && slices.Contains(r.config.Loopback, to.Port()) {
		return netrule.Decision{Verdict: netrule.Allow, Rule: netrule.RuleHostLoopback, Canonical: to}
	}
	judge := netrule.Judge{Rules: r.config.Rules, Host: r.config.Host, Names: r.config.Names}
	return judge.Decide(netrule.UDP, to)
}

var loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func (r *Relay) record(key flowKey, d netrule.Decision, start time.Time, verdict, errno string) {
	rec := audit.Record{
		Time: start, Source: audit.SourceKernel, Verdict: verdict, Operation: "sendto",
		Target: "udp://" + d.Canonical.String(), Rule: d.Rule, Errno: errno, Hint: d.Hint,
		Latency: time.Since(start),
	}
	if original := "udp://" + key.to.String(); original != rec.Target {
		rec.Original = original
	}
	r.config.Audit.Record(rec)
}

package relay

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// flowKey is a pair of addresses as the guest sees them.
type flowKey struct{ from, to netip.AddrPort }

// flow is the host's side of one pair: a connected socket, so that the host's
// kernel accepts answers from that destination alone and reports its refusals.
type flow struct {
	relay *Relay
	key   flowKey
	guest *net.UDPConn // answers go out here, from the address the guest sent to
	host  *net.UDPConn
	used  atomic.Int64 // Unix nanoseconds of the last datagram either way
}

// idle is how long a flow lives without a datagram: RFC 4787 REQ-5 asks for two
// minutes at least.
const idle = 2 * time.Minute

// flow returns the flow of key, and whether it is new. It fails when the host
// has no route or no socket left; the datagram is lost then, as UDP may.
func (r *Relay) flow(guest *net.UDPConn, key flowKey, to netip.AddrPort) (f *flow, fresh bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.flows[key]; f != nil {
		f.touch()
		return f, false, nil
	}
	if r.closed {
		return nil, false, net.ErrClosed
	}
	if r.config.Flows > 0 && len(r.flows) >= r.config.Flows {
		r.evict()
	}
	host, err := dial(to)
	if err != nil {
		return nil, false, err
	}
	f = &flow{relay: r, key: key, guest: guest, host: host}
	f.touch()
	r.flows[key] = f
	r.done.Go(f.answers)
	return f, true, nil
}

// evict closes the flow that has been idle longest. The caller holds mu.
func (r *Relay) evict() {
	var oldest *flow
	for _, f := range r.flows {
		if oldest == nil || f.used.Load() < oldest.used.Load() {
			oldest = f
		}
	}
	if oldest != nil {
		delete(r.flows, oldest.key)
		_ = oldest.host.Close()
	}
}

func (r *Relay) closeFlows() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for key, f := range r.flows {
		delete(r.flows, key)
		_ = f.host.Close()
	}
}

func (f *flow) touch() { f.used.Store(time.Now().UnixNano()) }

// answers carries what comes back, from the address that the guest had sent to,
// until the flow is closed or idle.
func (f *flow) answers() {
	defer f.end()
	buf := newBuffer()
	source := sendFrom(f.key.to.Addr())
	back := netip.AddrPortFrom(netip.AddrFrom16(f.key.from.Addr().As16()), f.key.from.Port())
	for {
		_ = f.host.SetReadDeadline(time.Unix(0, f.used.Load()).Add(idle))
		n, err := f.host.Read(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case isTimeout(err):
			if time.Since(time.Unix(0, f.used.Load())) >= idle {
				return
			}
			continue
		case err != nil:
			f.noticeRefusal(err)
			continue
		}
		f.touch()
		_, _, _ = f.guest.WriteMsgUDPAddrPort(buf[:n], source, back)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// noticeRefusal passes on that the destination's host refused the port.
func (f *flow) noticeRefusal(err error) {
	if errors.Is(err, syscall.ECONNREFUSED) && f.relay.config.Unreachable != nil {
		f.relay.config.Unreachable(f.key.from, f.key.to)
	}
}

func (f *flow) end() {
	f.relay.mu.Lock()
	defer f.relay.mu.Unlock()
	if f.relay.flows[f.key] == f {
		delete(f.relay.flows, f.key)
	}
	_ = f.host.Close()
}

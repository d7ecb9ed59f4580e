// Package routes asks the kernel which addresses lead to the host itself. A list
// of the host's addresses cannot say it: a local route makes whole networks the
// host's, an anycast address is on no interface, and addresses come and go. It
// decides nothing; internal/netrule does.
package routes

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Table asks for routes in the network namespace in which it was opened. It is
// safe for concurrent use.
type Table struct {
	known []netip.Addr // addresses of interfaces, of which those that are down have no route

	mu     sync.Mutex
	socket socket
}

// Open prepares to ask. known are the host's addresses as far as they are known
// already.
func Open(known []netip.Addr) (*Table, error) {
	s, err := open()
	if err != nil {
		return nil, err
	}
	return &Table{known: slices.Clip(known), socket: s}, nil
}

// Host returns what the rules must know of the host to judge an endpoint. An
// address of which the kernel says nothing counts as the host's.
func (t *Table) Host(e netrule.Endpoint) netrule.HostFacts {
	facts := netrule.HostFacts{Local: t.known}
	for _, addr := range netrule.Readings(e.Addr.Addr()) {
		if t.here(question{addr: addr, protocol: e.Protocol, port: e.Addr.Port()}) {
			facts.Local = append(facts.Local, addr)
		}
	}
	return facts
}

// Close ends the asking; every address is the host's then.
func (t *Table) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.socket.close()
}

// here reports whether an address leads to the host itself, or to no one machine.
// A group of machines is not the host: a sender can keep its datagrams from coming
// back (ip(7), IP_MULTICAST_LOOP).
func (t *Table) here(q question) bool {
	if q.addr.IsMulticast() {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.socket.ask(q) != away
}

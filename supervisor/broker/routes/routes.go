// Package routes asks the kernel which addresses lead to the host itself. A list
// of the host's addresses cannot say it: a local route makes whole networks the
// host's, an anycast address is on no interface, and addresses come and go. It
// decides nothing; internal/netrule does.
package routes

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Table asks for routes in the network namespace in which it was opened. It is
// safe for concurrent use.
type Table struct {
	known []netip.Addr // addresses of interfaces, of which those that are down have no route

	mu      sync.Mutex
	socket  socket
	changes changes
	answers map[question]way // of now: see answer
	since   time.Time        // when the first of them was given
	changed time.Time        // when the last change was heard of
}

// Answers are kept so many, and so long. What ends a route without a word (the
// kernel drops those of an interface that goes down, and old ones of IPv6) tells of
// the interface first; the time is for what we do not know of.
const (
	keptAnswers = 256
	keptFor     = 50 * time.Millisecond
)

// unsettled is how long after the word of a change no answer is kept: the kernel
// tells of a route that goes before it takes it away (fib_table_delete,
// remove_nexthop), and an answer between the two is an old one.
const unsettled = 100 * time.Millisecond

// Open prepares to ask. known are the host's addresses as far as they are known
// already.
func Open(known []netip.Addr) (*Table, error) {
	s, err := open()
	if err != nil {
		return nil, err
	}
	c, err := listenForChanges()
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &Table{known: slices.Clip(known), socket: s, changes: c, answers: make(map[question]way)}, nil
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
	clear(t.answers)
	return errors.Join(t.socket.close(), t.changes.close())
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
	return t.answer(q) != away
}

// answer is the kernel's answer, which is not asked for twice while nothing changes:
// a program that connects often connects to few addresses.
func (t *Table) answer(q question) way {
	now := time.Now()
	if t.changes.came() {
		t.changed = now
	}
	if now.Sub(t.changed) < unsettled {
		clear(t.answers)
		return t.socket.ask(q)
	}
	if now.Sub(t.since) > keptFor || len(t.answers) >= keptAnswers {
		clear(t.answers)
	}
	if w, known := t.answers[q]; known {
		return w
	}
	if len(t.answers) == 0 {
		t.since = now
	}
	w := t.socket.ask(q)
	t.answers[q] = w
	return w
}

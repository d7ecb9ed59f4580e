package names

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of a pin: long enough that a program which resolves once and connects
// later still may, short enough that an address that moved on is let go.
const (
	shortestPin = time.Minute
	longestPin  = time.Hour
	mostPins    = 4096
)

// Pins remembers which names led to an address, so that a connect to the
// address is judged by the rules for the name. The zero value is ready; it is
// safe for concurrent use.
type Pins struct {
	mu     sync.Mutex
	byAddr map[netip.Addr][]pin
	count  int
}

type pin struct {
	name    string
	expires time.Time
}

// Add pins name to addr for ttl, held within a minute and an hour. When the
// table is full of live pins it reports false: the address must then not be
// told to the program, because its connect could not be judged.
func (p *Pins) Add(addr netip.Addr, name string, ttl time.Duration, now time.Time) bool {
	expires := now.Add(min(max(ttl, shortestPin), longestPin))
	p.mu.Lock()
	defer p.mu.Unlock()
	addr = addr.Unmap()
	for i := range p.byAddr[addr] {
		if old := &p.byAddr[addr][i]; old.name == name {
			if expires.After(old.expires) {
				old.expires = expires
			}
			return true
		}
	}
	if p.count >= mostPins && !p.sweep(now) {
		return false
	}
	if p.byAddr == nil {
		p.byAddr = map[netip.Addr][]pin{}
	}
	p.byAddr[addr] = append(p.byAddr[addr], pin{name, expires})
	p.count++
	return true
}

// Names returns the names that are pinned to addr now, oldest first.
func (p *Pins) Names(addr netip.Addr, now time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for _, pin := range p.byAddr[addr.Unmap()] {
		if now.Before(pin.expires) {
			names = append(names, pin.name)
		}
	}
	return names
}

// sweep forgets what has expired and reports whether there is room.
func (p *Pins) sweep(now time.Time) bool {
	for addr, pins := range p.byAddr {
		before := len(pins)
		live := slices.DeleteFunc(pins, func(pin pin) bool { return !now.Before(pin.expires) })
		p.count -= before - len(live)
		if len(live) == 0 {
			delete(p.byAddr, addr)
		} else {
			p.byAddr[addr] = live
		}
	}
	return p.count < mostPins
}

package netrule

import "net/netip"

// Judge decides endpoints by one Set, with what is known of each and of the host at
// the time of the question.
type Judge struct {
	Rules Set
	Host  func(Endpoint) HostFacts  // nil: nothing is known of the host
	Names func(netip.Addr) []string // pinned to an address; nil: none are
}

// Decide judges where a connection or datagram of the protocol would go.
func (j Judge) Decide(protocol Protocol, to netip.AddrPort) Decision {
	endpoint := Endpoint{Protocol: protocol, Addr: to, Names: j.Pinned(to.Addr())}
	var host HostFacts
	if j.Host != nil {
		host = j.Host(endpoint)
	}
	return j.Rules.Decide(endpoint, host)
}

// Pinned returns the names that are pinned to an address.
func (j Judge) Pinned(addr netip.Addr) []string {
	if j.Names == nil {
		return nil
	}
	return j.Names(addr)
}

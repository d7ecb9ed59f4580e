package broker

import (
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// rules is all that decisions are made of. Deciding makes no system call but
// those of the network's Host, which asks for the way to an endpoint.
type rules struct {
	network  netrule.Judge
	loopback []uint16
	errno    syscall.Errno
}

func newRules(c Config) rules {
	return rules{
		network:  netrule.Judge{Rules: c.Rules, Host: c.Host, Names: c.Names},
		loopback: c.HostLoopback,
		errno:    c.Errno,
	}
}

// act is what is done about a call on a socket. The zero act refuses.
type act uint8

const (
	refuse   act = iota
	inPlace      // on the duplicate of the caller's own socket
	handOff      // by a host socket that takes the place of the caller's
	giveBack     // the sandbox's socket returns, then in place
	byPath       // AF_UNIX, through a path that is resolved for the caller
)

// decision is an act with its reason.
type decision struct {
	act     act
	errno   syscall.Errno    // of a refusal
	network netrule.Decision // of a judged destination
	judged  bool             // network is set and worth a record
}

// connect decides about connect(2) of a socket to a destination.
//
// On a socket of the sandbox's own network the kernel contains everything that
// is not handed off. On a host socket only what is decided here may reach the
// kernel, so nothing is left to its judgement.
func (r rules) connect(k socketKind, d destination) decision {
	switch {
	case k.isLocal():
		return r.local(k, d)
	case k.isUDP() && !k.host:
		// A datagram socket is connected also to ask for a route, as
		// getaddrinfo(3) does to sort: no violation, and nothing is sent.
		return decision{act: inPlace}
	case k.isTCP() && k.host:
		return r.connectHost(d)
	case k.isTCP():
		return r.connectGuest(d)
	}
	return decision{errno: r.errno, judged: true, network: netrule.Decision{Rule: ruleFamilies, Canonical: d.addr}}
}

// local decides about a local socket and a name. A socket that was passed in has
// the names of the host's network.
func (r rules) local(k socketKind, d destination) decision {
	switch {
	case d.class == localPath:
		return decision{act: byPath}
	case d.class == localName && k.host:
		return decision{errno: r.errno, judged: true, network: netrule.Decision{Rule: ruleFamilies}}
	}
	return decision{act: inPlace}
}

func (r rules) connectGuest(d destination) decision {
	switch d.class {
	case outside:
		return r.judge(netrule.TCP, d, handOff)
	case loopback:
		if r.forwards(d) {
			return r.forward(d, handOff)
		}
	case malformed, unspecified, localName, localPath:
	}
	return decision{act: inPlace}
}

func (r rules) connectHost(d destination) decision {
	switch d.class {
	case outside:
		return r.judge(netrule.TCP, d, inPlace)
	case loopback:
		if r.forwards(d) {
			return r.forward(d, inPlace)
		}
		return decision{act: giveBack}
	case unspecified:
		return decision{act: giveBack}
	case malformed:
		return decision{errno: d.errno}
	case localName, localPath:
	}
	return decision{errno: unix.EAFNOSUPPORT}
}

// judge decides by the rules: permitted is what is done where they allow it.
func (r rules) judge(protocol netrule.Protocol, d destination, permitted act) decision {
	verdict := r.network.Decide(protocol, d.addr)
	if verdict.Verdict != netrule.Allow {
		return decision{errno: r.errno, network: verdict, judged: true}
	}
	return decision{act: permitted, network: verdict, judged: true}
}

// forwards reports whether the port of a loopback address is the host's. The
// unspecified address stays inside: it means this host, which is the sandbox.
func (r rules) forwards(d destination) bool {
	return d.addr.Addr().Unmap().IsLoopback() && slices.Contains(r.loopback, d.addr.Port())
}

func (r rules) forward(d destination, permitted act) decision {
	return decision{act: permitted, judged: true, network: netrule.Decision{
		Verdict:   netrule.Allow,
		Rule:      netrule.RuleHostLoopback,
		Canonical: netip.AddrPortFrom(d.addr.Addr().Unmap(), d.addr.Port()),
	}}
}

// send decides about sendto(2).
func (r rules) send(k socketKind, d destination) decision {
	switch {
	case k.isTCP(): // tcp(7) does not look at the address without MSG_FASTOPEN
		return decision{act: inPlace}
	case k.isLocal():
		return r.local(k, d)
	case k.isUDP() && !k.host:
		return r.datagram(d)
	}
	return decision{errno: r.errno, judged: true, network: netrule.Decision{Rule: ruleFamilies, Canonical: d.addr}}
}

func (r rules) datagram(d destination) decision {
	if d.class != outside {
		return decision{act: inPlace}
	}
	return r.judge(netrule.UDP, d, inPlace)
}

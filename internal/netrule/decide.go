package netrule

import (
	"net/netip"
	"strings"
)

// Rule names for decisions that no written rule made.
const (
	RuleDefault   = "network.default"    // nothing allows it
	RuleHostLocal = "network.host-local" // the host itself, reached only by network.host_loopback

	RuleHostLoopback = "network.host_loopback" // a port that it forwards
)

// Decide judges one endpoint. The host's own addresses come first, because no
// rule reaches them; then deny beats allow, and what nothing allows is denied.
//
// A deny rule matches every reading of the address, those embedded by 6to4,
// Teredo and site NAT64 too. An allow rule must match the address as canonical
// or as written. A name rule speaks for an address only while the address is
// public: a name that leads inward needs an address rule beside it, or whoever
// owns the name would choose what is reached.
func (s Set) Decide(e Endpoint, host HostFacts) Decision {
	d := Decision{Rule: RuleDefault, Canonical: e.Addr}
	if !e.Addr.Addr().IsValid() || (e.Protocol != TCP && e.Protocol != UDP) {
		return d
	}
	q := questionOf(e)
	d.Canonical = netip.AddrPortFrom(q.canonical, q.port)
	if q.hostLocal(host) {
		d.Rule = RuleHostLocal
		d.Hint = q.loopbackHint()
		return d
	}
	for _, rule := range s.Deny {
		if rule.denies(q) {
			d.Rule = rule.ID
			d.Hint = s.denyHint(q)
			return d
		}
	}
	for _, rule := range s.Allow {
		if rule.allows(q) {
			d.Verdict, d.Rule = Allow, rule.ID
			return d
		}
	}
	d.Hint = q.allowHint()
	return d
}

// question is an endpoint made ready to be held against many rules.
type question struct {
	forms
	protocol Protocol
	port     uint16
	names    []string
	scoped   bool // an interface is named beside the address
}

func questionOf(e Endpoint) question {
	return question{
		protocol: e.Protocol, port: e.Addr.Port(), forms: formsOf(e.Addr.Addr()), names: e.Names,
		scoped: e.Addr.Addr().Zone() != "",
	}
}

func (r Rule) speaksOf(protocol Protocol, port uint16) bool {
	if r.Protocol != protocol {
		return false
	}
	for _, ports := range r.Ports {
		if ports.First <= port && port <= ports.Last {
			return true
		}
	}
	return len(r.Ports) == 0
}

func (r Rule) denies(q question) bool {
	if !r.speaksOf(q.protocol, q.port) {
		return false
	}
	return r.matchesAnyName(q.names) || q.any(r.matchesAddress)
}

func (r Rule) allows(q question) bool {
	if !r.speaksOf(q.protocol, q.port) {
		return false
	}
	switch r.Kind {
	case TargetName, TargetSubnames:
		return q.public() && r.matchesAnyName(q.names)
	case TargetPublic:
		return q.public()
	case TargetPrivate, TargetLinkLocal, TargetAny:
		return q.any(r.matchesAddress)
	default:
		return r.matchesAddress(q.canonical) || r.matchesAddress(q.raw)
	}
}

// matchesAddress holds one reading of an address against the rule's target.
func (r Rule) matchesAddress(addr netip.Addr) bool {
	switch r.Kind {
	case TargetPrefix:
		return r.Prefix.Contains(addr)
	case TargetPublic:
		return isPublic(addr)
	case TargetPrivate:
		return within(privateRanges, addr)
	case TargetLinkLocal:
		return within(linkLocalRanges, addr)
	case TargetAny:
		return true
	default:
		return false
	}
}

// matchesAnyName reports whether the rule speaks of one of the names, which may
// be written with capitals and a final dot, as DNS has them.
func (r Rule) matchesAnyName(names []string) bool {
	for _, name := range names {
		if r.matchesName(strings.ToLower(strings.TrimSuffix(name, "."))) {
			return true
		}
	}
	return false
}

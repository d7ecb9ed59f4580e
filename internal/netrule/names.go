package netrule

import (
	"net/netip"
	"slices"
)

// DecideName judges whether a name may be looked up: only names that an allow
// rule could match leave the sandbox. A zero protocol asks for either. An
// address or CIDR in allow opens no name, "*" and "any" open all. A deny rule
// refuses the lookup only where it leaves no port of the protocol.
func (s Set) DecideName(name string, protocol Protocol) Decision {
	d := Decision{Rule: RuleDefault}
	canonical, err := CanonicalName(name)
	if err != nil {
		return d
	}
	if protocol == 0 {
		if tcp := s.DecideName(canonical, TCP); tcp.Verdict == Allow {
			return tcp
		}
		udp := s.DecideName(canonical, UDP)
		if udp.Verdict != Allow && udp.Rule == RuleDefault {
			return s.DecideName(canonical, TCP)
		}
		return udp
	}
	for _, rule := range s.Deny {
		if rule.Protocol == protocol && rule.everyPort() && (rule.Kind == TargetAny || rule.matchesName(canonical)) {
			d.Rule = rule.ID
			d.Hint = "remove " + rule.reference()
			return d
		}
	}
	for _, rule := range s.Allow {
		if rule.Protocol == protocol && (rule.opensNames() || rule.matchesName(canonical)) {
			d.Verdict, d.Rule = Allow, rule.ID
			return d
		}
	}
	d.Hint = "--allow-net=" + canonical
	return d
}

// OpensNames reports whether some rule opens every name, so that lookups need
// a budget or would carry data out.
func (s Set) OpensNames() bool { return slices.ContainsFunc(s.Allow, Rule.opensNames) }

// MayAnswer reports whether a lookup may tell the program addr: it is public, or
// an address rule in allow names it. The host's own addresses never are.
func (s Set) MayAnswer(addr netip.Addr, host HostFacts) bool {
	if !addr.IsValid() {
		return false
	}
	f := formsOf(addr)
	if f.hostLocal(host) {
		return false
	}
	return f.public() || slices.ContainsFunc(s.Allow, func(r Rule) bool {
		q := question{forms: f, protocol: r.Protocol, port: r.somePort()}
		return r.allows(q)
	})
}

func (r Rule) opensNames() bool { return r.Kind == TargetPublic || r.Kind == TargetAny }

// somePort is a port that the rule speaks of.
func (r Rule) somePort() uint16 {
	if len(r.Ports) == 0 {
		return 1
	}
	return r.Ports[0].First
}

// everyPort reports whether the rule leaves no port out.
func (r Rule) everyPort() bool {
	if len(r.Ports) == 0 {
		return true
	}
	ports := slices.SortedFunc(slices.Values(r.Ports), func(a, b PortRange) int {
		return int(a.First) - int(b.First)
	})
	next := uint32(1)
	for _, p := range ports {
		if uint32(p.First) > next {
			return false
		}
		next = max(next, uint32(p.Last)+1)
	}
	return next > 65535
}

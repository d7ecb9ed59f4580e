// Package netrule holds the network rules of a policy and the one engine that
// decides by them. It performs no I/O; every plane (connect, UDP relay, names)
// asks the same Set, so the planes cannot disagree.
package netrule

import "net/netip"

// Protocol is the transport a rule speaks of. The zero value matches nothing.
type Protocol uint8

// The transports that a rule can name.
const (
	TCP Protocol = iota + 1
	UDP
)

// TargetKind says how a rule's target is written. The zero value matches nothing.
type TargetKind uint8

// The forms of a target, as the policy language has them.
const (
	TargetName      TargetKind = iota + 1 // "example.org": that name alone
	TargetSubnames                        // "*.example.org": any depth below, not the name itself
	TargetPrefix                          // an address or a CIDR
	TargetPublic                          // "*": public unicast only
	TargetPrivate                         // "private": RFC 1918, RFC 6598 and ULA
	TargetLinkLocal                       // "link-local": 169.254/16 and fe80::/10
	TargetAny                             // "any": every address but the host's own and loopback
)

// PortRange is an inclusive range of ports.
type PortRange struct{ First, Last uint16 }

// Rule is one line of network.allow or network.deny.
type Rule struct {
	Text     string // as the operator wrote it
	ID       string // how reports name it, such as "network.deny[0]"
	Origin   string // where it was written: "policy.toml:8:11" or "--allow-net"
	Protocol Protocol
	Kind     TargetKind
	Name     string       // for TargetName and TargetSubnames: lower case, IDNA, no trailing dot
	Prefix   netip.Prefix // for TargetPrefix: canonical; a CIDR has only its IPv4-mapped form unwrapped
	Ports    []PortRange  // empty means every port
}

// Set is all the rules of a plan. Deny beats allow; no match is a denial.
type Set struct {
	Allow []Rule
	Deny  []Rule
}

// Endpoint is the object of a decision: where a packet or connection would go.
type Endpoint struct {
	Protocol Protocol
	Addr     netip.AddrPort // as the program gave it; Decide canonicalises
	Names    []string       // names that were pinned to this address, if any
}

// HostFacts is what the engine must know of the host to judge an address.
type HostFacts struct {
	Local []netip.Addr // addresses that lead to the host itself; no rule reaches them
}

// Verdict is the outcome of a decision. The zero value denies.
type Verdict uint8

// The verdicts.
const (
	Deny Verdict = iota
	Allow
)

// Decision is a verdict with its reason.
type Decision struct {
	Verdict   Verdict
	Rule      string         // ID of the deciding rule; "network.default" if none matched
	Canonical netip.AddrPort // what was judged
	Hint      string         // the flag that would allow it, a deny rule to remove, or empty
}

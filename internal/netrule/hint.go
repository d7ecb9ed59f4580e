package netrule

import (
	"net/netip"
	"strconv"
	"strings"
)

// allowHint is the flag that would allow q where no rule speaks of it. There is
// none for cloud metadata, which nobody should allow on a suggestion, nor for
// port 0, which no rule can name, nor where nothing is reached with a rule either.
func (q question) allowHint() string {
	if q.port == 0 || q.metadata() || q.leadsNowhere() {
		return ""
	}
	target := addressTarget(q.canonical)
	if len(q.names) > 0 && q.public() {
		if name, err := CanonicalName(q.names[0]); err == nil {
			target = name
		}
	}
	return "--allow-net=" + q.protocol.String() + "://" + target + ":" + strconv.Itoa(int(q.port))
}

// Suggests reports whether a hint may name an endpoint that no rule allows. Beside what
// allowHint has nothing for, there is none for the host's own addresses.
func Suggests(e Endpoint, host HostFacts) bool {
	q := questionOf(e)
	return q.allowHint() != "" && !q.hostLocal(host)
}

// leadsNowhere reports whether the kernel refuses q whatever a policy says: TCP to a
// group or to all (RFC 9293 section 3.9.2.3, RFC 1122 section 3.2.1.3), and IPv6
// link-local without the interface (ipv6(7), sin6_scope_id).
func (q question) leadsNowhere() bool {
	toMany := q.canonical.IsMulticast() || q.canonical == v4(255, 255, 255, 255)
	return q.protocol == TCP && toMany || q.canonical.Is6() && q.canonical.IsLinkLocalUnicast() && !q.scoped
}

// denyHint names the deny rules that stand in the way, and the flag that would
// still be missing without them.
func (s Set) denyHint(q question) string {
	if q.metadata() {
		return ""
	}
	hint := s.removals(q)
	for _, rule := range s.Allow {
		if rule.allows(q) {
			return hint
		}
	}
	if allow := q.allowHint(); allow != "" {
		return hint + ", then " + allow
	}
	return ""
}

// AnswerHint is the flag by which MayAnswer tells the program an address that an
// allowed name leads to: a rule for the address itself, for the ports of the name's.
// It names the deny rules that would still stand in the way of a connection. There is
// none for the host's own addresses, which no rule reaches, and for cloud metadata.
func (s Set) AnswerHint(name string, addr netip.Addr, host HostFacts) string {
	d := s.DecideName(name, 0)
	f := formsOf(addr)
	if d.Verdict != Allow || f.hostLocal(host) {
		return ""
	}
	for _, rule := range s.Allow {
		if rule.ID != d.Rule {
			continue
		}
		q := question{forms: f, protocol: rule.Protocol, port: rule.somePort()}
		if q.metadata() || q.leadsNowhere() {
			return ""
		}
		rule.Kind, rule.Prefix = TargetPrefix, netip.PrefixFrom(f.canonical, f.canonical.BitLen())
		hint := "--allow-net=" + rule.String()
		if remove := s.removals(q); remove != "" {
			return remove + ", then " + hint
		}
		return hint
	}
	return ""
}

// removals names the deny rules that stand in the way of q, if any.
func (s Set) removals(q question) string {
	var remove []string
	for _, rule := range s.Deny {
		if rule.denies(q) {
			remove = append(remove, rule.reference())
		}
	}
	if len(remove) == 0 {
		return ""
	}
	return "remove " + strings.Join(remove, " and ")
}

// reference names a rule for those who must find it.
func (r Rule) reference() string {
	text := r.ID + " (" + strconv.Quote(r.Text)
	if r.Origin != "" {
		text += ", " + r.Origin
	}
	return text + ")"
}

// loopbackHint is the flag that makes a port of the host's loopback appear on
// 127.0.0.1 inside. No flag makes the host's other addresses reachable, nor ::1.
func (q question) loopbackHint() string {
	loopback4 := q.canonical.Is4() && loopback(q.canonical)
	if q.port == 0 || !loopback4 {
		return ""
	}
	return "--host-loopback=" + q.protocol.String() + ":" + strconv.Itoa(int(q.port))
}

// addressTarget writes an address as a rule's target.
func addressTarget(addr netip.Addr) string {
	if addr.Is6() {
		return "[" + addr.String() + "]"
	}
	return addr.String()
}

package netrule

import (
	"net/netip"
	"strconv"
	"strings"
)

// allowHint is the flag that would allow q where no rule speaks of it. There is
// none for cloud metadata, which nobody should allow on a suggestion, nor for
// port 0, which no rule can name.
func (q question) allowHint() string {
	if q.port == 0 || q.metadata() {
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

// denyHint names the deny rules that stand in the way, and the flag that would
// still be missing without them.
func (s Set) denyHint(q question) string {
	if q.metadata() {
		return ""
	}
	var remove []string
	for _, rule := range s.Deny {
		if rule.denies(q) {
			remove = append(remove, rule.reference())
		}
	}
	hint := "remove " + strings.Join(remove, " and ")
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

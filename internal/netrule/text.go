package netrule

import (
	"strconv"
	"strings"
)

// String is the scheme of the protocol: "tcp" or "udp".
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	default:
		return "none"
	}
}

// String writes the rule in full and in canonical form, such as
// "tcp://example.org:80,8000-8100". Parse reads it back.
func (r Rule) String() string {
	var b strings.Builder
	b.WriteString(r.Protocol.String() + "://" + r.target())
	for i, ports := range r.Ports {
		separator := ","
		if i == 0 {
			separator = ":"
		}
		b.WriteString(separator + ports.String())
	}
	return b.String()
}

func (r Rule) target() string {
	switch r.Kind {
	case TargetName:
		return r.Name
	case TargetSubnames:
		return "*." + r.Name
	case TargetPublic:
		return "*"
	case TargetPrivate:
		return "private"
	case TargetLinkLocal:
		return "link-local"
	case TargetAny:
		return "any"
	default:
		return r.prefixTarget()
	}
}

func (r Rule) prefixTarget() string {
	switch {
	case r.Prefix.IsSingleIP():
		return addressTarget(r.Prefix.Addr())
	case r.Prefix.Addr().Is6():
		return "[" + r.Prefix.String() + "]"
	default:
		return r.Prefix.String()
	}
}

// String writes the range as rules do: "80" or "8000-8100".
func (p PortRange) String() string {
	first := strconv.Itoa(int(p.First))
	if p.First == p.Last {
		return first
	}
	return first + "-" + strconv.Itoa(int(p.Last))
}

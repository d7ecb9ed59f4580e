package netrule

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// target reads what stands between the scheme and the ports.
func (p parser) target(rule *Rule, s span) error {
	text := strings.ToLower(p.at(s))
	if kind := wordKind(text); kind != 0 {
		rule.Kind = kind
		return nil
	}
	switch {
	case text == "":
		return p.expected(`a host name, an address, a CIDR, "*", "private", "link-local" or "any"`, s)
	case text[0] == '[':
		return p.bracketed(rule, s)
	case strings.Contains(text, "/"):
		return p.prefix(rule, s, false)
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		setAddress(rule, addr)
		return nil
	}
	return p.name(rule, s)
}

// wordKind is the kind of a target that is a word, or zero.
func wordKind(text string) TargetKind {
	switch text {
	case "*":
		return TargetPublic
	case "private":
		return TargetPrivate
	case "link-local":
		return TargetLinkLocal
	case "any":
		return TargetAny
	default:
		return 0
	}
}

// bracketed reads "[2001:db8::1]" or "[2001:db8::/32]".
func (p parser) bracketed(rule *Rule, s span) error {
	inner := span{s.start + 1, s.end - 1}
	text := p.at(inner)
	if strings.Contains(text, "%") {
		return p.expected("an IPv6 address without a zone", inner)
	}
	if strings.Contains(text, "/") {
		return p.prefix(rule, inner, true)
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is6() {
		return p.expected("an IPv6 address in the brackets", inner)
	}
	setAddress(rule, addr)
	return nil
}

// prefix reads a CIDR; v6 says which family must stand there.
func (p parser) prefix(rule *Rule, s span, v6 bool) error {
	prefix, err := netip.ParsePrefix(p.at(s))
	switch {
	case err != nil && v6:
		return p.expected(`an IPv6 CIDR such as "2001:db8::/32"`, s)
	case err != nil:
		return p.expected(`a CIDR such as "10.0.0.0/8" (a rule has no path)`, s)
	case prefix.Addr().Is6() && !v6:
		return p.expected("["+p.at(s)+"], an IPv6 CIDR in brackets", s)
	case !prefix.Addr().Is6() && v6:
		return p.expected("an IPv6 CIDR in the brackets", s)
	case prefix.Masked() != prefix:
		return p.expected("the network "+prefix.Masked().String(), s)
	}
	rule.Kind = TargetPrefix
	rule.Prefix = unmapPrefix(prefix)
	return nil
}

// name reads "example.org" or "*.example.org".
func (p parser) name(rule *Rule, s span) error {
	host := s
	rule.Kind = TargetName
	if strings.HasPrefix(p.at(s), "*.") {
		rule.Kind = TargetSubnames
		host.start += len("*.")
	}
	if star := strings.IndexByte(p.at(host), '*'); star >= 0 {
		star += host.start
		return p.expected(`"*" alone or as the first label, as in "*.example.org"`, span{star, host.end})
	}
	name, err := CanonicalName(p.at(host))
	if err != nil {
		what := "a host name"
		if invalid, ok := errors.AsType[*nameError](err); ok {
			what += " " + invalid.want
		}
		return p.expected(what, host)
	}
	if rule.Kind == TargetName && wordKind(name) != 0 {
		return p.expected("the word "+strconv.Quote(name)+" itself, or a longer host name", host)
	}
	rule.Name = name
	return nil
}

// setAddress makes the rule one for a single address. An address is unwrapped
// wholly, because every form of it is the same destination.
func setAddress(rule *Rule, addr netip.Addr) {
	addr = Canonical(addr)
	rule.Kind = TargetPrefix
	rule.Prefix = netip.PrefixFrom(addr, addr.BitLen())
}

// unmapPrefix unwraps a CIDR that lies within ::ffff:0:0/96. The NAT64 forms
// stay as they are: a rule for 64:ff9b::/96 means the translator's range, not
// the whole of IPv4.
func unmapPrefix(prefix netip.Prefix) netip.Prefix {
	const mappedBits = 96
	if !prefix.Addr().Is4In6() || prefix.Bits() < mappedBits {
		return prefix
	}
	return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits)
}

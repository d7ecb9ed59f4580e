package netrule

import (
	"net/netip"
	"strconv"
	"strings"
)

// Parse reads one rule:
//
//	[tcp://|udp://]target[:ports]
//
// Without a scheme the rule is for TCP; without ports it is for every TCP port,
// and a UDP rule must name its ports. The target is a host name, "*.name", an
// address, a CIDR, "*", "private", "link-local" or "any"; an IPv6 address or
// CIDR stands in brackets. Ports are "80,443,8000-8100". The error is a
// *SyntaxError.
func Parse(text, id string) (Rule, error) {
	p := parser{text: text}
	rule := Rule{Text: text, ID: id, Protocol: TCP}
	rest, err := p.scheme(&rule)
	if err != nil {
		return Rule{}, err
	}
	target, ports, err := p.split(rest)
	if err != nil {
		return Rule{}, err
	}
	if err := p.target(&rule, target); err != nil {
		return Rule{}, err
	}
	if err := p.ports(&rule, ports); err != nil {
		return Rule{}, err
	}
	return rule, nil
}

// span is a part of the rule's text, [start, end).
type span struct{ start, end int }

type parser struct{ text string }

func (p parser) at(s span) string { return p.text[s.start:s.end] }

func (p parser) expected(what string, s span) error {
	return &SyntaxError{Text: p.text, Offset: s.start, Expected: what, Found: p.at(s)}
}

// scheme sets the protocol and returns what follows the scheme.
func (p parser) scheme(rule *Rule) (span, error) {
	all := span{0, len(p.text)}
	if strings.TrimSpace(p.text) == "" {
		return all, p.expected(`a rule such as "tcp://example.org:443"`, all)
	}
	if i := strings.IndexFunc(p.text, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return all, p.expected("no white space or control character in a rule", span{i, i + 1})
	}
	end := strings.Index(p.text, "://")
	if end < 0 {
		return all, nil
	}
	scheme := span{0, end + len("://")}
	switch p.at(scheme) {
	case "tcp://":
	case "udp://":
		rule.Protocol = UDP
	case "http://":
		return all, p.expected(`tcp:// and a port, such as "tcp://example.org:80"`, scheme)
	case "https://":
		return all, p.expected(`tcp:// and a port, such as "tcp://example.org:443"`, scheme)
	default:
		return all, p.expected("tcp:// or udp://", scheme)
	}
	return span{scheme.end, len(p.text)}, nil
}

// bracketed says how an IPv6 address without brackets is written, or nothing for
// what is none. Where its last part may be meant as a port, both are shown.
func bracketed(text string) string {
	var ways []string
	if _, err := netip.ParseAddr(strings.SplitN(text, "/", 2)[0]); err == nil {
		ways = append(ways, "["+text+"], an IPv6 address in brackets")
	}
	colon := strings.LastIndexByte(text, ':')
	addr, err := netip.ParseAddr(text[:colon])
	if _, bad := strconv.ParseUint(text[colon+1:], 10, 16); err == nil && addr.Is6() && bad == nil {
		ways = append(ways, "["+text[:colon]+"]"+text[colon:]+" with a port")
	}
	return strings.Join(ways, ", or ")
}

// split separates the target from the ports. The ports span begins at the colon
// and is empty where there is none.
func (p parser) split(rest span) (target, ports span, err error) {
	text := p.at(rest)
	if strings.HasPrefix(text, "[") {
		return p.splitBracketed(rest)
	}
	if strings.Count(text, ":") > 1 {
		if wanted := bracketed(text); wanted != "" {
			return rest, rest, p.expected(wanted, rest)
		}
	}
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return rest, span{rest.end, rest.end}, nil
	}
	return span{rest.start, rest.start + colon}, span{rest.start + colon, rest.end}, nil
}

func (p parser) splitBracketed(rest span) (target, ports span, err error) {
	end := strings.IndexByte(p.at(rest), ']')
	if end < 0 {
		return rest, rest, p.expected(`"]" after an IPv6 address`, span{rest.end, rest.end})
	}
	target = span{rest.start, rest.start + end + 1}
	ports = span{target.end, rest.end}
	if tail := p.at(ports); tail != "" && tail[0] != ':' {
		what := `":" and ports after "]"`
		if tail[0] == '/' {
			what = `the prefix length inside the brackets, such as "[2001:db8::/32]"`
		}
		return rest, rest, p.expected(what, ports)
	}
	return target, ports, nil
}

// ports reads ":80,443,8000-8100".
func (p parser) ports(rule *Rule, s span) error {
	if s.start == s.end {
		if rule.Protocol == UDP {
			return p.expected(`the ports of a UDP rule, such as ":53"`, s)
		}
		return nil
	}
	for start := s.start + 1; start <= s.end; {
		end := s.end
		if comma := strings.IndexByte(p.text[start:s.end], ','); comma >= 0 {
			end = start + comma
		}
		ports, err := p.portRange(span{start, end})
		if err != nil {
			return err
		}
		rule.Ports = append(rule.Ports, ports)
		start = end + 1
	}
	return nil
}

func (p parser) portRange(s span) (PortRange, error) {
	text := p.at(s)
	if text == "*" {
		return PortRange{}, p.expected(`ports such as "80,443,8000-8100", or no ":" for every TCP port`, s)
	}
	first, last := s, s
	if dash := strings.IndexByte(text, '-'); dash >= 0 {
		first.end = s.start + dash
		last.start = first.end + 1
	}
	low, err := p.port(first)
	if err != nil {
		return PortRange{}, err
	}
	high, err := p.port(last)
	if err != nil {
		return PortRange{}, err
	}
	if high < low {
		return PortRange{}, p.expected("the lower port first in a range", s)
	}
	return PortRange{First: low, Last: high}, nil
}

func (p parser) port(s span) (uint16, error) {
	text := p.at(s)
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 || text[0] == '0' || text[0] == '+' {
		return 0, p.expected("a port from 1 to 65535", s)
	}
	return uint16(number), nil
}

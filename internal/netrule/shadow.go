package netrule

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// Doubts lists rules that can work and are likely not what was meant.
func (s Set) Doubts() []*RuleError {
	var doubts []*RuleError
	for _, rule := range s.Allow {
		if problem := rule.wide(); problem != "" {
			doubts = append(doubts, &RuleError{rule, problem})
		}
		deny := slices.IndexFunc(s.Deny, func(deny Rule) bool { return deny.covers(rule) })
		if deny >= 0 {
			doubts = append(doubts, &RuleError{rule, "it allows nothing, because deny beats allow: " + s.Deny[deny].reference()})
		}
	}
	return append(doubts, s.Slips()...)
}

// Slips lists the rules for a host name that is nearly a word of the rules. A host may
// be called so, and a rule that denies nothing then is silent.
func (s Set) Slips() []*RuleError {
	var slips []*RuleError
	for _, rule := range slices.Concat(s.Allow, s.Deny) {
		if rule.Kind != TargetName || strings.Contains(rule.Name, ".") {
			continue
		}
		if word := nearest.Slip(rule.Name, []string{"private", "link-local", "any"}); word != "" {
			slips = append(slips, &RuleError{rule, "it is the name of a host; did you mean the word \"" + word + "\"?"})
		}
	}
	return slips
}

// wide says what a rule reaches that its writer may not expect.
func (r Rule) wide() string {
	switch {
	case r.Kind == TargetAny:
		return `it reaches private networks and the cloud's metadata service; "*" is every public address`
	case r.Kind == TargetPrefix && r.Prefix.Bits() == 0:
		return `it reaches private networks and the cloud's metadata service as well; "*" is every public address`
	case r.Kind == TargetLinkLocal:
		return "it reaches the cloud's metadata service, which gives credentials to whoever asks"
	default:
		return ""
	}
}

// covers reports whether a deny rule leaves nothing of an allow rule. It may
// miss a case, and is never wrong.
func (r Rule) covers(allow Rule) bool {
	if r.Protocol != allow.Protocol || !r.coversPorts(allow) {
		return false
	}
	switch allow.Kind {
	case TargetName:
		return r.Kind == TargetAny || r.matchesName(allow.Name)
	case TargetSubnames:
		return r.Kind == TargetAny || r.Kind == TargetSubnames && (r.Name == allow.Name || r.matchesName(allow.Name))
	case TargetPrefix:
		return slices.ContainsFunc(r.ranges(), func(p netip.Prefix) bool {
			return p.Bits() <= allow.Prefix.Bits() && p.Contains(allow.Prefix.Addr())
		})
	default:
		return r.Kind == TargetAny || r.Kind == allow.Kind
	}
}

// ranges are the addresses that a rule's target stands for, where they can be
// listed.
func (r Rule) ranges() []netip.Prefix {
	switch r.Kind {
	case TargetPrefix:
		return []netip.Prefix{r.Prefix}
	case TargetPrivate:
		return privateRanges
	case TargetLinkLocal:
		return linkLocalRanges
	case TargetAny:
		return prefixes("0.0.0.0/0", "::/0")
	default:
		return nil
	}
}

func (r Rule) coversPorts(allow Rule) bool {
	if r.everyPort() {
		return true
	}
	return len(allow.Ports) > 0 && !slices.ContainsFunc(allow.Ports, func(wanted PortRange) bool {
		return !slices.ContainsFunc(r.Ports, func(p PortRange) bool {
			return p.First <= wanted.First && wanted.Last <= p.Last
		})
	})
}

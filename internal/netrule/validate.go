package netrule

import (
	"slices"
	"strconv"
	"strings"
)

// RuleError is a rule that is well written but cannot do what it says.
type RuleError struct {
	Rule    Rule
	Problem string // with what fixes it
}

// Error names the rule, its text and the problem.
func (e *RuleError) Error() string {
	return e.Rule.ID + " (" + strconv.Quote(e.Rule.Text) + "): " + e.Problem
}

// Problems lists the rules that contradict each other or can never work.
func (s Set) Problems() []*RuleError {
	var problems []*RuleError
	for _, rule := range s.Allow {
		if problem := rule.unreachable(); problem != "" {
			problems = append(problems, &RuleError{rule, problem})
		}
	}
	for _, rule := range s.Deny {
		if rule.Kind != TargetName && rule.Kind != TargetSubnames {
			continue
		}
		open := slices.IndexFunc(s.Allow, func(allow Rule) bool {
			return allow.opensAddresses() && allow.overlaps(rule)
		})
		if open >= 0 {
			problems = append(problems, &RuleError{rule, "a denied host name does nothing beside \"" + s.Allow[open].Text +
				"\" in allow, because the program can use the address instead; deny its addresses, or allow names only"})
		}
	}
	return problems
}

// unreachable says why an allow rule can never allow anything.
func (r Rule) unreachable() string {
	const fix = "; forward a port with network.host_loopback instead"
	switch {
	case r.Kind == TargetPrefix && r.Prefix.IsSingleIP() && loopback(r.Prefix.Addr()),
		r.Kind == TargetPrefix && r.Prefix.Addr().IsLoopback():
		return "no rule reaches the host's loopback" + fix
	case r.Name == "localhost" || strings.HasSuffix(r.Name, ".localhost"):
		return "localhost is the sandbox's own loopback inside" + fix
	default:
		return ""
	}
}

// opensAddresses reports whether the rule allows addresses that the operator
// did not name one by one.
func (r Rule) opensAddresses() bool {
	switch r.Kind {
	case TargetName, TargetSubnames:
		return false
	case TargetPrefix:
		return !r.Prefix.IsSingleIP()
	default:
		return true
	}
}

// overlaps reports whether two rules speak of a common port.
func (r Rule) overlaps(other Rule) bool {
	if r.Protocol != other.Protocol {
		return false
	}
	if len(r.Ports) == 0 || len(other.Ports) == 0 {
		return true
	}
	for _, a := range r.Ports {
		for _, b := range other.Ports {
			if a.First <= b.Last && b.First <= a.Last {
				return true
			}
		}
	}
	return false
}

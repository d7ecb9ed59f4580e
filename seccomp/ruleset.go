package seccomp

import "slices"

// ruleSet collects the rules of several sources, one rule per call and set of
// conditions.
type ruleSet struct {
	list   []Rule
	byCall map[string][]int // positions in list
}

func newRuleSet() *ruleSet { return &ruleSet{byCall: make(map[string][]int)} }

// add takes in rules. Where one stands already for the same call and conditions,
// the one that does not simply allow stays, so the order of sources has no
// meaning.
func (s *ruleSet) add(rules []Rule) {
	for _, rule := range rules {
		i := s.find(rule)
		switch {
		case i < 0:
			s.byCall[rule.Syscall] = append(s.byCall[rule.Syscall], len(s.list))
			s.list = append(s.list, rule)
		case s.list[i].Action == ActAllow:
			s.list[i] = rule
		}
	}
}

// addMissing takes in the rules of calls that have none.
func (s *ruleSet) addMissing(rules []Rule) {
	for _, rule := range rules {
		if len(s.byCall[rule.Syscall]) == 0 {
			s.add([]Rule{rule})
		}
	}
}

// find returns the position of the rule with the same call and conditions, -1 if
// there is none.
func (s *ruleSet) find(rule Rule) int {
	for _, i := range s.byCall[rule.Syscall] {
		if slices.Equal(s.list[i].Conditions, rule.Conditions) {
			return i
		}
	}
	return -1
}

// remove drops every rule of a call.
func (s *ruleSet) remove(call string) {
	kept := newRuleSet()
	kept.add(slices.DeleteFunc(slices.Clone(s.list), func(r Rule) bool { return r.Syscall == call }))
	*s = *kept
}

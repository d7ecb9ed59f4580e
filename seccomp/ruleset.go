package seccomp

import "slices"

// ruleSet collects the rules of several sources, one rule per call and set of
// conditions.
type ruleSet struct {
	list  []Rule
	next  []int          // next[i] is one more than the position of the call's rule before list[i], 0 for none
	first map[string]int // by call: one more than the position of its latest rule
}

// expectedRules is somewhat more than all layers have.
const expectedRules = 600

func newRuleSet() *ruleSet {
	return &ruleSet{
		list:  make([]Rule, 0, expectedRules),
		next:  make([]int, 0, expectedRules),
		first: make(map[string]int, len(knownCalls)),
	}
}

// add takes in rules. Where one stands already for the same call and conditions,
// the one that does not simply allow stays, so the order of sources has no
// meaning.
func (s *ruleSet) add(rules []Rule) {
	for i := range rules {
		rule := &rules[i]
		latest := s.first[rule.Syscall]
		at := s.find(latest, rule.Conditions)
		switch {
		case at < 0:
			s.list = append(s.list, *rule)
			s.next = append(s.next, latest)
			s.first[rule.Syscall] = len(s.list)
		case s.list[at].Action == ActAllow:
			s.list[at] = *rule
		}
	}
}

// addMissing takes in the rules of calls that have none.
func (s *ruleSet) addMissing(rules []Rule) {
	for i := range rules {
		if s.first[rules[i].Syscall] == 0 {
			s.add(rules[i : i+1])
		}
	}
}

// find returns the position of the rule with the conditions, among the rules of
// one call from the latest on, or -1 if there is none.
func (s *ruleSet) find(latest int, conditions []Condition) int {
	for i := latest; i > 0; i = s.next[i-1] {
		if slices.Equal(s.list[i-1].Conditions, conditions) {
			return i - 1
		}
	}
	return -1
}

// otherwise returns the rule of a call that has no conditions, or nil.
func (s *ruleSet) otherwise(call string) *Rule {
	if i := s.find(s.first[call], nil); i >= 0 {
		return &s.list[i]
	}
	return nil
}

// remove drops every rule of a call.
func (s *ruleSet) remove(call string) {
	rest := slices.DeleteFunc(s.list, func(r Rule) bool { return r.Syscall == call })
	*s = *newRuleSet()
	s.add(rest)
}

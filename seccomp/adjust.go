package seccomp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// WithSyscalls returns the filter widened by names of layers or calls, and with
// other errnos for refused calls. A call of a layer comes with the conditions it
// has there. Errors name every entry that cannot be had and why.
func WithSyscalls(spec FilterSpec, allowed []string, errnos map[string]string) (FilterSpec, error) {
	rules := newRuleSet()
	rules.add(spec.Rules)
	var problems []error
	for _, name := range allowed {
		if err := rules.allow(name); err != nil {
			problems = append(problems, fmt.Errorf("allow %s: %w", name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(errnos)) {
		if err := rules.setErrno(name, errnos[name]); err != nil {
			problems = append(problems, fmt.Errorf("errno of %s: %w", name, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return FilterSpec{}, err
	}
	spec.Rules = rules.list
	return spec, nil
}

// allow adds what a name stands for: a layer, a call as its layers have it, or a
// call of no layer whatever its arguments.
func (s *ruleSet) allow(name string) error {
	all := layers()
	if l := findLayer(all, name); l != nil {
		s.permit(l.rules)
		return nil
	}
	if _, known := Number(name); !known {
		return fmt.Errorf("unknown system call or layer%s", didYouMean(name, append(callNames(), layerNames(all)...)))
	}
	if reason, found := neverReason(name); found {
		return fmt.Errorf("it is never available: %s", reason)
	}
	rules := rulesOf(all, name)
	if len(rules) == 0 {
		rules = allow("allowed by the policy", name)
	}
	s.permit(rules)
	return nil
}

// permit adds rules, and first drops the general refusal of their calls.
func (s *ruleSet) permit(rules []Rule) {
	for _, rule := range quietRefusals() {
		if slices.ContainsFunc(rules, func(r Rule) bool { return r.Syscall == rule.Syscall }) {
			s.remove(rule.Syscall)
		}
	}
	s.add(rules)
}

// setErrno changes with what a call fails where it is refused.
func (s *ruleSet) setErrno(name, errnoName string) error {
	if _, known := Number(name); !known {
		return fmt.Errorf("unknown system call%s", didYouMean(name, callNames()))
	}
	errno, known := errnoByName(errnoName)
	if !known {
		return fmt.Errorf("unknown errno %q%s", errnoName, didYouMean(errnoName, errnoNames()))
	}
	if slices.ContainsFunc(never(), func(r Rule) bool { return r.Syscall == name && r.Action == ActErrno }) {
		return errors.New("it must stay ENOSYS, or callers do not fall back")
	}
	rule := s.otherwise(name)
	switch {
	case rule == nil:
		s.add(refuse("refused with an errno of the policy's choice", errno, name))
		return nil
	case rule.Action == ActErrno, rule.Action == ActExplain:
		rule.Errno = uint16(errno)
		return nil
	default:
		return errors.New("the filter does not refuse it")
	}
}

func neverReason(name string) (string, bool) {
	for _, rule := range never() {
		if rule.Syscall == name {
			return rule.Why, true
		}
	}
	return "", false
}

func rulesOf(all []layer, call string) []Rule {
	rules := newRuleSet()
	for _, l := range all {
		rules.add(slices.DeleteFunc(slices.Clone(l.rules), func(r Rule) bool { return r.Syscall != call }))
	}
	return rules.list
}

// errnoByName returns the errno of a name such as "EACCES".
func errnoByName(name string) (syscall.Errno, bool) {
	switch name { // second names of a number
	case "EOPNOTSUPP":
		return unix.EOPNOTSUPP, true
	case "EWOULDBLOCK":
		return unix.EWOULDBLOCK, true
	case "EDEADLOCK":
		return unix.EDEADLOCK, true
	}
	for errno := syscall.Errno(1); errno <= largestErrno; errno++ {
		if unix.ErrnoName(errno) == name {
			return errno, true
		}
	}
	return 0, false
}

func errnoNames() []string {
	var names []string
	for errno := syscall.Errno(1); errno <= largestErrno; errno++ {
		if name := unix.ErrnoName(errno); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// largestErrno is the last errno with a name on x86-64.
const largestErrno = unix.EHWPOISON
